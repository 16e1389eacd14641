//! Arbitrary bytes against the parser and what works on its word.
//!
//! Runs a bounded number of inputs under `cargo test`. For longer, set `BOLERO_RANDOM_ITERATIONS` and
//! `BOLERO_RANDOM_TEST_TIME_MS`; a failure prints the `BOLERO_RANDOM_SEED` that repeats it.

use std::net::IpAddr;

use etherparse::{LaxSlicedPacket, TransportSlice};
use vpclab_wire::compose::{self, Unreachable};
use vpclab_wire::{
    Buffer, FiveTuple, Offload, Parsed, PartialChecksum, SegmentKind, Segments, Translation, Transport,
    complete_checksum, fragment_ipv4, parse, proto, read, segment, translate,
};

const INPUTS: usize = 20_000;

#[test]
fn any_bytes_parse_or_are_malformed() {
    bolero::check!().with_iterations(INPUTS).with_max_len(256).for_each(|bytes: &[u8]| {
        check(bytes);
    });
}

/// Random bytes seldom have a right version and length; these always do, so that the walk goes deep.
#[test]
fn bytes_with_a_right_ip_header_parse_or_are_malformed() {
    bolero::check!().with_iterations(INPUTS).with_type::<(Shape, Vec<u8>)>().for_each(|(shape, bytes)| {
        check(&shape.mend(&bytes.repeat(1 + bytes.len() % 8)));
    });
}

#[test]
fn fragments_parse_and_reassemble_to_the_payload() {
    bolero::check!().with_iterations(INPUTS / 4).with_type::<(Shape, Vec<u8>, u16)>().for_each(
        |(shape, bytes, mtu)| {
            let mut packet = Shape { is_v6: false, ..*shape }.mend(&bytes.repeat(1 + bytes.len() * 7 % 64));
            if packet.len() > 20 {
                packet[6] &= !0x40; // may be fragmented
            }
            // Room for the longest header and the longest TCP header in the first fragment.
            check_fragments(&packet, 120 + mtu % 1500);
        },
    );
}

/// How to make bytes look like a packet.
#[derive(Clone, Copy, Debug, bolero::TypeGenerator)]
struct Shape {
    is_v6: bool,
    protocol: u8,
    header_words: u8,
    is_whole: bool,
    quote: Option<u8>,
}

impl Shape {
    /// Overwrites the fields that must agree with each other; the rest stays as it came.
    fn mend(self, bytes: &[u8]) -> Vec<u8> {
        let mut packet = bytes.to_vec();
        if self.is_v6 {
            self.mend_v6(&mut packet)
        } else {
            self.mend_v4(&mut packet)
        }
        packet
    }

    fn mend_v4(self, packet: &mut [u8]) {
        const PROTOCOLS: [u8; 4] = [proto::TCP, proto::UDP, proto::ICMP, 47];
        let length = packet.len();
        let header = 4 * usize::from(5 + self.header_words % 11);
        if length < header {
            return;
        }
        packet[0] = 0x40 | (header / 4) as u8;
        packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        if self.is_whole {
            packet[6..8].fill(0);
        }
        packet[9] = PROTOCOLS[usize::from(self.protocol) % PROTOCOLS.len()];
        self.mend_transport(packet[9], &mut packet[header..]);
    }

    fn mend_v6(self, packet: &mut [u8]) {
        const UPPER: [u8; 4] = [proto::TCP, proto::UDP, proto::ICMPV6, 59];
        const EXTENSIONS: [u8; 5] = [0, 43, 44, 51, 60];
        let length = packet.len();
        if length < 40 {
            return;
        }
        packet[0] = 0x60;
        packet[4..6].copy_from_slice(&(length as u16 - 40).to_be_bytes());
        let (mut named_at, mut at) = (6, 40);
        for _ in 0..self.header_words % 10 {
            if at + 24 > length {
                break;
            }
            let kind = EXTENSIONS[usize::from(packet[named_at]) % EXTENSIONS.len()];
            packet[named_at] = kind;
            packet[at + 1] &= 1;
            if kind == 44 && self.is_whole {
                packet[at + 2..at + 4].fill(0);
            }
            let extent = usize::from(packet[at + 1]);
            named_at = at;
            at += match kind {
                44 => 8,
                51 => 8 + 4 * extent,
                _ => 8 + 8 * extent,
            };
        }
        let protocol = UPPER[usize::from(self.protocol) % UPPER.len()];
        packet[named_at] = protocol;
        self.mend_transport(protocol, &mut packet[at..]);
    }

    fn mend_transport(self, protocol: u8, segment: &mut [u8]) {
        const ERRORS: [u8; 5] = [1, 2, 3, 11, 12];
        let length = segment.len();
        if protocol == proto::TCP && length >= 20 {
            segment[12] = 0x50;
        } else if protocol == proto::UDP && length >= 8 {
            segment[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        } else if let Some(quote) = self.quote
            && length >= 8
        {
            segment[0] = ERRORS[usize::from(quote) % ERRORS.len()];
            segment[1] %= 5;
            let quoted = Self { quote: None, protocol: quote, ..self }.mend(&segment[8..]);
            segment[8..].copy_from_slice(&quoted);
        }
    }
}

/// What holds for every packet: no panic, offsets inside, tuple and transport that agree, answers that parse.
fn check(packet: &[u8]) -> Option<Parsed> {
    let parsed = parse(packet).ok()?;
    let (offset, length) = (usize::from(parsed.transport_offset), parsed.length as usize);
    assert!(offset <= length && length <= packet.len());
    assert_eq!(parse(&packet[..length]), Ok(parsed), "bytes past the length do not matter");
    assert_eq!(parsed.tuple.src.is_ipv4(), parsed.tuple.dst.is_ipv4());
    check_transport(&parsed, length - offset);
    if let Some(fragment) = parsed.fragment {
        assert!(fragment.more || fragment.offset > 0);
        assert_eq!(fragment.offset > 0, parsed.transport == Transport::Later);
    }
    assert!(!parsed.to_string().is_empty());
    check_second_opinion(packet, &parsed);
    check_answers(packet, &parsed);
    check_segments(packet, &parsed);
    check_translations(packet, &parsed);
    Some(parsed)
}

fn check_transport(parsed: &Parsed, segment: usize) {
    match parsed.transport {
        Transport::Icmp { about, .. } => {
            assert!(parsed.tuple.is_icmp());
            if let Some(about) = about {
                assert_eq!(about.src.is_ipv4(), parsed.tuple.src.is_ipv4());
            }
        }
        Transport::Later | Transport::Other => {
            assert_eq!((parsed.tuple.src_port, parsed.tuple.dst_port), (0, 0));
        }
        Transport::Tcp { payload, .. } => assert!(payload as usize + 20 <= segment),
        Transport::Udp => assert!(segment >= 8),
    }
}

/// Another parser, where it finds a transport header too, finds the same one.
fn check_second_opinion(packet: &[u8], parsed: &Parsed) {
    let Ok(other) = LaxSlicedPacket::from_ip(packet) else { return };
    let ours = (parsed.tuple.src_port, parsed.tuple.dst_port);
    match other.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            assert_eq!(ours, (tcp.source_port(), tcp.destination_port()));
            let Transport::Tcp { seq, ack, payload, .. } = parsed.transport else {
                panic!("{parsed:?} is TCP")
            };
            assert_eq!((seq, ack), (tcp.sequence_number(), tcp.acknowledgment_number()));
            assert_eq!(payload as usize, tcp.payload().len());
        }
        Some(TransportSlice::Udp(udp)) => {
            assert_eq!(
                (parsed.transport, ours),
                (Transport::Udp, (udp.source_port(), udp.destination_port()))
            );
        }
        Some(TransportSlice::Icmpv4(icmp)) => assert_icmp(parsed, icmp.type_u8(), icmp.code_u8()),
        Some(TransportSlice::Icmpv6(icmp)) => assert_icmp(parsed, icmp.type_u8(), icmp.code_u8()),
        Some(TransportSlice::Igmp(_)) | None => {}
    }
}

fn assert_icmp(parsed: &Parsed, expected_type: u8, expected_code: u8) {
    let Transport::Icmp { icmp_type, code, .. } = parsed.transport else { panic!("{parsed:?} is ICMP") };
    assert_eq!((icmp_type, code), (expected_type, expected_code));
}

fn check_answers(packet: &[u8], parsed: &Parsed) {
    let router: IpAddr = if parsed.tuple.src.is_ipv4() { [10, 0, 0, 1].into() } else { [0xfd00; 8].into() };
    for answer in
        [compose::too_big(packet, parsed, router, 1500), compose::reset(parsed)].into_iter().flatten()
    {
        let answered = parse(answer.bytes()).expect("our answer parses");
        assert_eq!(answered.tuple.dst, parsed.tuple.src);
        assert_eq!(answered.length as usize, answer.len());
        let reaction = compose::unreachable(answer.bytes(), &answered, parsed.tuple.src, Unreachable::Host);
        let is_error = answered.tuple.is_icmp();
        assert_eq!(reaction.is_none(), is_error, "an error is never answered, a reset may be");
    }
}

/// Whatever a device may claim about a packet, its segments parse and are no longer than it says.
fn check_segments(packet: &[u8], parsed: &Parsed) {
    for (kind, size) in [(SegmentKind::TcpV4, 0), (SegmentKind::TcpV6, 7), (SegmentKind::Udp, 100)] {
        let segments = Some(Segments { kind, size, headers: 0, ecn: false });
        for segment in segment(packet, parsed, Offload { checksum: None, segments }) {
            let read = parse(segment.bytes()).expect("a segment parses");
            assert_eq!((read.tuple, read.length as usize), (parsed.tuple, segment.len()));
        }
    }
    let mut whole = Buffer::copy_of(packet);
    let checksum = Some(PartialChecksum { start: parsed.transport_offset, offset: parsed.ttl.into() });
    whole.set_offload(Offload { checksum, segments: None });
    complete_checksum(&mut whole);
    assert_eq!((whole.len(), whole.offload()), (packet.len(), Offload::default()));
}

/// Whatever a packet holds, it becomes what was asked for, and reads so, or stays as it is.
fn check_translations(packet: &[u8], parsed: &Parsed) {
    let about = parsed.about();
    let ends: [[IpAddr; 2]; 2] =
        [[[198, 51, 100, 7].into(), [10; 4].into()], [[1; 16].into(), [0xfd; 16].into()]];
    for [src, dst] in ends {
        let other = |tuple: FiveTuple| elsewhere(tuple, src, dst);
        let to = Translation { tuple: other(parsed.tuple), about: about.map(other), hops: 1, mss: Some(536) };
        for offload in offloads(parsed) {
            let mut buffer = Buffer::copy_of(packet);
            buffer.set_offload(offload);
            let (before, parsed) = (buffer.clone(), read(&buffer).expect("it was read before"));
            match translate(&mut buffer, &parsed, &to) {
                Ok(said) => assert_eq!(read(&buffer), Ok(without_later_ports(said))),
                Err(_) => assert_eq!(buffer, before),
            }
            let mut cut = Buffer::copy_of(&packet[..packet.len() - 1]);
            let _: Result<_, _> = translate(&mut cut, &parsed, &to);
            let mut longer = Buffer::copy_of(&[packet, packet].concat());
            let wrong =
                Parsed { transport_offset: u16::from(packet[0]), length: parsed.length + 1, ..parsed };
            let _: Result<_, _> = translate(&mut longer, &wrong, &to);
        }
    }
}

/// The tuple between other ends; ports and identifiers change, and what stands for ICMP in the other family.
fn elsewhere(tuple: FiveTuple, src: IpAddr, dst: IpAddr) -> FiveTuple {
    let (is_v4, was_v4) = (dst.is_ipv4(), tuple.src.is_ipv4());
    let kind = |port: u16| match (port >> 8, was_v4, is_v4) {
        (8, true, false) => 128 << 8,
        (128, false, true) => 8 << 8,
        (3, true, false) => 0x0104,
        (1, false, true) => 0x0303,
        _ => port,
    };
    match tuple.proto {
        proto::TCP | proto::UDP => {
            FiveTuple { src, dst, src_port: !tuple.src_port, dst_port: tuple.dst_port, ..tuple }
        }
        proto::ICMP | proto::ICMPV6 if is_v4 != was_v4 => {
            let proto = if is_v4 { proto::ICMP } else { proto::ICMPV6 };
            FiveTuple { src, dst, dst_port: kind(tuple.dst_port), src_port: kind(tuple.src_port), proto }
        }
        _ => FiveTuple { src, dst, ..tuple },
    }
}

/// Nothing left to do, all of it, and what cannot be.
fn offloads(parsed: &Parsed) -> [Offload; 4] {
    let start = parsed.transport_offset;
    let checksum = |start, offset| Some(PartialChecksum { start, offset });
    let segments = |kind, size| Some(Segments { kind, size, headers: 40, ecn: false });
    [
        Offload::default(),
        Offload { checksum: checksum(start, 16), segments: segments(SegmentKind::TcpV4, 30) },
        Offload { checksum: None, segments: segments(SegmentKind::Udp, 30) },
        Offload { checksum: checksum(start.saturating_add(8), 6), segments: None },
    ]
}

/// What is read of a later fragment, which has no ports.
fn without_later_ports(said: Parsed) -> Parsed {
    match said.transport {
        Transport::Later => Parsed { tuple: FiveTuple { src_port: 0, dst_port: 0, ..said.tuple }, ..said },
        Transport::Icmp { .. } | Transport::Other | Transport::Tcp { .. } | Transport::Udp => said,
    }
}

fn check_fragments(packet: &[u8], mtu: u16) {
    let Some(parsed) = check(packet) else { return };
    let start = parsed.fragment.map_or(0, |fragment| fragment.offset);
    let mut payload = Vec::new();
    let mut more = true;
    for piece in fragment_ipv4(packet, &parsed, mtu) {
        assert!(piece.len() <= usize::from(mtu) && more);
        let read = check(piece.bytes()).expect("a fragment parses");
        assert_eq!((read.tuple.src, read.tuple.dst), (parsed.tuple.src, parsed.tuple.dst));
        let offset = read.fragment.map_or(0, |fragment| fragment.offset);
        assert_eq!(offset as usize, start as usize + payload.len());
        payload.extend_from_slice(&piece.bytes()[usize::from(read.transport_offset)..]);
        more = read.fragment.is_some_and(|fragment| fragment.more);
    }
    assert_eq!(payload, packet[usize::from(parsed.transport_offset)..parsed.length as usize]);
    assert_eq!(more, parsed.fragment.is_some_and(|fragment| fragment.more));
}
