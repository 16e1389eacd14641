use super::*;
use crate::{FiveTuple, proto};

/// 10.0.1.5:40000 > 10.0.2.9:443, SYN, four bytes of options, no payload.
const SYN: [u8; 44] = [
    0x45, 0, 0, 44, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 1, 5, 10, 0, 2, 9, //
    0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 7, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4,
];

/// 10.0.1.5:53 > 10.0.2.9:5353 with four bytes.
const UDP: [u8; 32] = [
    0x45, 0, 0, 32, 0, 1, 0, 0, 3, 17, 0, 0, 10, 0, 1, 5, 10, 0, 2, 9, //
    0, 53, 0x14, 0xe9, 0, 12, 0, 0, b'a', b'b', b'c', b'd',
];

/// Echo request 10.0.1.5 > 10.0.2.9, identifier 0x0707.
const ECHO: [u8; 28] = [
    0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 1, 5, 10, 0, 2, 9, //
    8, 0, 0, 0, 7, 7, 0, 1,
];

#[test]
fn a_tcp_segment_gives_its_ports_flags_and_numbers() {
    let parsed = parse(&SYN).unwrap();
    assert_eq!(parsed.tuple, tuple4(40_000, 443, proto::TCP));
    assert_eq!((parsed.length, parsed.transport_offset, parsed.ttl), (44, 20, 64));
    assert!(parsed.dont_fragment);
    assert_eq!(parsed.fragment, None);
    assert_eq!(parsed.transport, Transport::Tcp { flags: 2, seq: 7, ack: 0, payload: 0 });
}

#[test]
fn bytes_past_the_total_length_are_ignored() {
    let mut padded = SYN.to_vec();
    padded.extend_from_slice(&[0xff; 9]);
    assert_eq!(parse(&padded), parse(&SYN));
}

#[test]
fn ipv4_options_move_the_transport_header() {
    let mut packet = SYN.to_vec();
    packet.splice(20..20, [1, 1, 1, 0]);
    packet[0] = 0x46;
    packet[3] += 4;
    let parsed = parse(&packet).unwrap();
    assert_eq!(parsed.tuple, tuple4(40_000, 443, proto::TCP));
    assert_eq!(parsed.transport_offset, 24);
}

#[test]
fn lengths_that_lie_in_ipv4_tcp_and_udp_are_malformed() {
    let lies: [(&str, &[u8], usize, u8); 10] = [
        ("version 5", &SYN, 0, 0x55),
        ("header length 4 words", &SYN, 0, 0x44),
        ("header length past the packet", &SYN, 0, 0x4f),
        ("total length past the slice", &SYN, 3, 45),
        ("total length under the header", &SYN, 3, 19),
        ("data offset 4 words", &SYN, 32, 0x40),
        ("data offset past the segment", &SYN, 32, 0x70),
        ("udp length 7", &UDP, 25, 7),
        ("udp length 0", &UDP, 25, 0),
        ("udp length past the packet", &UDP, 25, 13),
    ];
    for (lie, honest, at, value) in lies {
        let mut packet = honest.to_vec();
        assert!(parse(&packet).is_ok(), "{lie}: the honest packet parses");
        packet[at] = value;
        assert_eq!(parse(&packet), Err(Malformed), "{lie}");
    }
}

#[test]
fn a_packet_cut_at_any_byte_is_malformed() {
    let error = icmp_error4(3, 4, &SYN);
    let chain = packet6(0, &[&extension(60, 0), &extension(17, 1), &udp_header(8)]);
    for packet in [&SYN[..], &UDP, &ECHO, &error, &chain] {
        assert!(parse(packet).is_ok());
        for length in 0..packet.len() {
            assert_eq!(parse(&packet[..length]), Err(Malformed), "{length} of {packet:02x?}");
        }
    }
}

#[test]
fn a_header_cut_by_an_honest_total_length_is_malformed() {
    for (packet, shortest) in [(&SYN[..], 44), (&UDP, 28), (&ECHO, 28)] {
        for length in 20..packet.len() {
            let mut packet = packet[..length].to_vec();
            packet[3] = length as u8;
            if length >= 28 && packet[9] == proto::UDP {
                packet[25] = (length - 20) as u8;
            }
            assert_eq!(parse(&packet).is_ok(), length >= shortest, "{length} of {packet:02x?}");
        }
    }
}

#[test]
fn bytes_after_the_udp_length_belong_to_udp_options() {
    let mut packet = UDP;
    packet[25] = 8;
    assert_eq!(parse(&packet).unwrap().transport, Transport::Udp);
}

/// Rules: SG-05, SG-21
#[test]
fn other_protocols_have_no_ports() {
    let mut packet = UDP;
    packet[9] = 47;
    let parsed = parse(&packet).unwrap();
    assert_eq!(parsed.tuple, tuple4(0, 0, 47));
    assert_eq!(parsed.transport, Transport::Other);
}

#[test]
fn an_echo_reply_has_the_reversed_tuple_of_its_request() {
    let request = parse(&ECHO).unwrap();
    assert_eq!(request.tuple, tuple4(0x0707, 8 << 8, proto::ICMP));
    let mut reply = ECHO;
    reply[20] = 0;
    reply[12..20].copy_from_slice(&[10, 0, 2, 9, 10, 0, 1, 5]);
    let reply = parse(&reply).unwrap();
    assert_eq!(reply.tuple, request.tuple.reversed());
    assert_eq!(reply.transport, Transport::Icmp { icmp_type: 0, code: 0, about: None });
}

#[test]
fn an_icmp_message_that_is_no_query_has_its_type_and_code_as_destination_port() {
    let redirect = icmp_error4(5, 1, &SYN);
    let parsed = parse(&redirect).unwrap();
    assert_eq!((parsed.tuple.src_port, parsed.tuple.dst_port), (0, 0x0501));
    assert_eq!(parsed.transport, Transport::Icmp { icmp_type: 5, code: 1, about: None });
}

#[test]
fn an_unknown_icmp_message_needs_four_bytes_and_a_query_or_error_eight() {
    for (icmp_type, needed) in [(8, 8), (0, 8), (13, 8), (3, 8), (11, 8), (5, 4), (10, 4), (42, 4)] {
        for length in 0..=8 {
            let packet = packet4(proto::ICMP, 0, &[icmp_type, 0, 0, 0, 0, 0, 0, 0][..length]);
            assert_eq!(parse(&packet).is_ok(), length >= needed, "type {icmp_type}, {length} bytes");
        }
    }
}

#[test]
fn icmp_errors_name_the_packet_they_quote() {
    for icmp_type in [3, 4, 11, 12] {
        let parsed = parse(&icmp_error4(icmp_type, 0, &SYN)).unwrap();
        assert_eq!(about(&parsed), Some(tuple4(40_000, 443, proto::TCP)), "type {icmp_type}");
        assert_eq!(parsed.tuple.dst_port, u16::from(icmp_type) << 8);
    }
    let quote = packet6(17, &[&udp_header(8)]);
    for icmp_type in 1..=4 {
        let error = packet6(58, &[&[icmp_type, 0, 0, 0, 0, 0, 5, 0], &quote]);
        assert_eq!(about(&parse(&error).unwrap()), Some(tuple6(1, 2, proto::UDP)), "type {icmp_type}");
    }
}

#[test]
fn a_quote_may_be_cut_after_the_ports_or_the_identifier() {
    for (packet, needed) in [(&SYN[..], 24), (&UDP, 24), (&ECHO, 26)] {
        let whole = parse(packet).unwrap().tuple;
        for length in 0..=packet.len() {
            let parsed = parse(&icmp_error4(3, 1, &packet[..length])).unwrap();
            assert_eq!(about(&parsed), (length >= needed).then_some(whole), "{length} of {packet:02x?}");
        }
    }
}

#[test]
fn a_quoted_fragment_names_its_flow_only_if_it_is_the_first() {
    let mut first = UDP;
    first[6] = 0x20;
    assert_eq!(about(&parse(&icmp_error4(11, 1, &first)).unwrap()), Some(tuple4(53, 5353, proto::UDP)));
    let mut later = UDP;
    later[7] = 1;
    assert_eq!(about(&parse(&icmp_error4(11, 1, &later)).unwrap()), None);
    let first = packet6(44, &[&fragment_header(17, 0, true), &udp_header(8)]);
    let error = packet6(58, &[&[3, 1, 0, 0, 0, 0, 0, 0], &first]);
    assert_eq!(about(&parse(&error).unwrap()), Some(tuple6(1, 2, proto::UDP)));
    let later = packet6(44, &[&fragment_header(17, 8, true), &udp_header(8)]);
    let error = packet6(58, &[&[3, 1, 0, 0, 0, 0, 0, 0], &later]);
    assert_eq!(about(&parse(&error).unwrap()), None);
}

#[test]
fn a_quoted_error_and_a_quote_of_the_other_family_name_nothing() {
    let error = icmp_error4(3, 1, &SYN);
    assert_eq!(about(&parse(&icmp_error4(3, 1, &error)).unwrap()), None);
    let six = packet6(17, &[&udp_header(8)]);
    assert_eq!(about(&parse(&icmp_error4(3, 1, &six)).unwrap()), None);
    let four_in_six = packet6(58, &[&[1, 0, 0, 0, 0, 0, 0, 0], &SYN]);
    assert_eq!(about(&parse(&four_in_six).unwrap()), None);
    let foreign_icmp = packet6(1, &[&[3, 0, 0, 0, 0, 0, 0, 0], &six]);
    assert_eq!(about(&parse(&foreign_icmp).unwrap()), None);
}

#[test]
fn a_first_fragment_has_ports_and_a_later_one_has_none() {
    let mut first = packet4(proto::UDP, 0x2000, &udp_header(1480));
    let parsed = parse(&first).unwrap();
    assert_eq!(parsed.tuple, tuple4(1, 2, proto::UDP));
    assert_eq!(parsed.fragment, Some(Fragment { id: 0x1234, offset: 0, more: true }));
    assert_eq!(parsed.transport, Transport::Udp);
    first[6..8].copy_from_slice(&[0x20, 185]);
    let later = parse(&first).unwrap();
    assert_eq!(later.tuple, tuple4(0, 0, proto::UDP));
    assert_eq!(later.fragment, Some(Fragment { id: 0x1234, offset: 1480, more: true }));
    assert_eq!(later.transport, Transport::Later);
}

#[test]
fn a_tcp_first_fragment_counts_the_payload_it_carries() {
    let mut packet = packet4(proto::TCP, 0x2000, &SYN[20..]);
    packet[32] = 0x50;
    let parsed = parse(&packet).unwrap();
    assert_eq!(parsed.transport, Transport::Tcp { flags: 2, seq: 7, ack: 0, payload: 4 });
}

#[test]
fn a_first_fragment_without_its_whole_transport_header_is_malformed() {
    for (protocol, header, needed) in
        [(proto::TCP, &SYN[20..], 24), (proto::UDP, &udp_header(1000)[..], 8), (proto::ICMP, &ECHO[20..], 8)]
    {
        for length in (0..=24).step_by(8) {
            let mut part = header.to_vec();
            part.resize(length, 0);
            let outcome = parse(&packet4(protocol, 0x2000, &part));
            assert_eq!(outcome.is_ok(), length >= needed, "protocol {protocol}, {length} bytes");
        }
    }
}

#[test]
fn every_fragment_but_the_last_is_a_multiple_of_eight_bytes() {
    for length in 24..=32 {
        let aligned = length == 24 || length == 32;
        let middle = packet4(proto::UDP, 0x2001, &vec![0; length]);
        assert_eq!(parse(&middle).is_ok(), aligned, "{length}");
        assert!(parse(&packet4(proto::UDP, 0x0001, &vec![0; length])).is_ok());
        let header = fragment_header(17, 8, true);
        assert_eq!(parse(&packet6(44, &[&header, &vec![0; length]])).is_ok(), aligned, "{length}");
        let header = fragment_header(17, 8, false);
        assert!(parse(&packet6(44, &[&header, &vec![0; length]])).is_ok());
    }
}

#[test]
fn a_fragment_that_would_overflow_its_datagram_is_malformed() {
    // 8189 * 8 + 3 + 20 = 65535.
    assert!(parse(&packet4(proto::ICMP, 8189, &[0; 3])).is_ok());
    assert_eq!(parse(&packet4(proto::ICMP, 8189, &[0; 4])), Err(Malformed));
    let last = fragment_header(58, 65_528, false);
    assert!(parse(&packet6(44, &[&last, &[0; 7]])).is_ok());
    assert_eq!(parse(&packet6(44, &[&last, &[0; 8]])), Err(Malformed));
    let behind_options = [&extension(44, 0)[..], &last, &[0; 7]];
    assert_eq!(parse(&packet6(60, &behind_options)), Err(Malformed));
}

#[test]
fn ipv6_udp_gives_its_ports() {
    let parsed = parse(&packet6(17, &[&udp_header(8)])).unwrap();
    assert_eq!(parsed.tuple, tuple6(1, 2, proto::UDP));
    assert_eq!((parsed.length, parsed.transport_offset, parsed.ttl), (48, 40, 64));
    assert!(parsed.dont_fragment);
    assert_eq!(parsed.fragment, None);
}

#[test]
fn extension_headers_are_walked_to_the_transport_header() {
    let authentication = [17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let parts =
        [&extension(43, 2)[..], &extension(60, 0), &extension(51, 0), &authentication, &udp_header(8)];
    let parsed = parse(&packet6(0, &parts)).unwrap();
    assert_eq!(parsed.tuple, tuple6(1, 2, proto::UDP));
    assert_eq!(parsed.transport_offset, 40 + 24 + 8 + 8 + 12);
}

#[test]
fn eight_extension_headers_are_walked_and_nine_are_malformed() {
    let chain = |count: usize| {
        let mut bytes = extension(60, 0).repeat(count - 1);
        bytes.extend_from_slice(&extension(17, 0));
        packet6(60, &[&bytes, &udp_header(8)])
    };
    assert_eq!(parse(&chain(8)).unwrap().tuple, tuple6(1, 2, proto::UDP));
    assert_eq!(parse(&chain(9)), Err(Malformed));
}

#[test]
fn an_extension_header_that_leaves_the_packet_is_malformed() {
    let mut packet = packet6(60, &[&extension(17, 0), &udp_header(8)]);
    packet[41] = 2;
    assert_eq!(parse(&packet), Err(Malformed));
    packet[41] = 1;
    assert_eq!(parse(&packet), Err(Malformed), "the UDP header would be cut");
}

#[test]
fn no_next_header_ends_the_chain() {
    let bare = parse(&packet6(59, &[])).unwrap();
    assert_eq!((bare.tuple, bare.transport), (tuple6(0, 0, 59), Transport::Other));
    assert!(parse(&packet6(60, &[&extension(59, 0), &[1, 2, 3]])).is_ok());
}

#[test]
fn a_payload_length_of_zero_means_just_the_header() {
    let mut jumbo = packet6(0, &[&extension(17, 0), &udp_header(8)]);
    jumbo[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(parse(&jumbo), Err(Malformed));
    jumbo[6] = 59;
    assert_eq!(parse(&jumbo).unwrap().length, 40);
}

#[test]
fn an_atomic_fragment_is_no_fragment() {
    let parsed = parse(&packet6(44, &[&fragment_header(17, 0, false), &udp_header(8)])).unwrap();
    assert_eq!(parsed.fragment, None);
    assert_eq!(parsed.tuple, tuple6(1, 2, proto::UDP));
    assert_eq!(parsed.transport_offset, 48);
}

#[test]
fn ipv6_fragments_carry_a_32_bit_identification() {
    let first = parse(&packet6(44, &[&fragment_header(17, 0, true), &udp_header(1000)])).unwrap();
    assert_eq!(first.fragment, Some(Fragment { id: 0xdead_beef, offset: 0, more: true }));
    assert_eq!(first.tuple, tuple6(1, 2, proto::UDP));
    let later = parse(&packet6(44, &[&fragment_header(60, 1000, false), &[0xff; 5]])).unwrap();
    assert_eq!(later.fragment, Some(Fragment { id: 0xdead_beef, offset: 1000, more: false }));
    assert_eq!(later.transport, Transport::Later);
    assert_eq!((later.tuple, later.transport_offset), (tuple6(0, 0, 60), 48));
}

#[test]
fn a_first_ipv6_fragment_holds_the_whole_header_chain() {
    let header = fragment_header(60, 0, true);
    assert!(parse(&packet6(44, &[&header, &extension(17, 0), &udp_header(1000)])).is_ok());
    assert_eq!(parse(&packet6(44, &[&header, &extension(17, 0)])), Err(Malformed));
    assert_eq!(parse(&packet6(44, &[&header, &extension(17, 7)[..8]])), Err(Malformed));
}

#[test]
fn an_ipv6_fragment_is_measured_from_its_fragment_header() {
    let header = fragment_header(51, 0, true);
    let authentication = [17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let first =
        |payload: usize| packet6(44, &[&header, &authentication, &udp_header(1000), &vec![0; payload]]);
    assert!(parse(&first(4)).is_ok(), "12 + 8 + 4 is a multiple of 8");
    assert_eq!(parse(&first(8)), Err(Malformed));
}

#[test]
fn a_second_fragment_header_is_malformed() {
    let atomic = fragment_header(44, 0, false);
    let inner = fragment_header(17, 0, true);
    assert_eq!(parse(&packet6(44, &[&atomic, &inner, &udp_header(8)])), Err(Malformed));
}

#[test]
fn offsets_stay_inside_the_longest_packets() {
    let mut chain = extension(60, 255).repeat(7);
    chain.extend_from_slice(&extension(17, 255));
    let parsed = parse(&packet6(60, &[&chain, &udp_header(8)])).unwrap();
    assert_eq!(parsed.transport_offset, 40 + 8 * 2048);
    let mut longest = packet6(17, &[&udp_header(0xffff)]);
    longest.resize(40 + 65_535, 0);
    longest[4..6].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(parse(&longest).unwrap().length, 65_575);
}

fn tuple4(src_port: u16, dst_port: u16, proto: u8) -> FiveTuple {
    FiveTuple { src: [10, 0, 1, 5].into(), dst: [10, 0, 2, 9].into(), src_port, dst_port, proto }
}

fn tuple6(src_port: u16, dst_port: u16, proto: u8) -> FiveTuple {
    let address = |last: u16| [0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into();
    FiveTuple { src: address(1), dst: address(2), src_port, dst_port, proto }
}

fn about(parsed: &Parsed) -> Option<FiveTuple> {
    let Transport::Icmp { about, .. } = parsed.transport else { panic!("{parsed:?} is not ICMP") };
    about
}

/// 10.0.1.5 > 10.0.2.9 with flags and offset as given, identification 0x1234.
fn packet4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [total_high, total_low] = (20 + payload.len() as u16).to_be_bytes();
    let [high, low] = fragment.to_be_bytes();
    let mut packet = vec![0x45, 0, total_high, total_low, 0x12, 0x34, high, low, 64, protocol, 0, 0];
    packet.extend_from_slice(&[10, 0, 1, 5, 10, 0, 2, 9]);
    packet.extend_from_slice(payload);
    packet
}

fn icmp_error4(icmp_type: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    packet4(proto::ICMP, 0, &[&[icmp_type, code, 0, 0, 0, 0, 0, 0], quote].concat())
}

/// 2001:db8::1 > 2001:db8::2.
fn packet6(next: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, high, low, next, 64];
    for last in [1, 2] {
        packet.extend_from_slice(&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend_from_slice(&payload);
    packet
}

/// A generic extension header of `8 * (1 + extent)` bytes.
fn extension(next: u8, extent: u8) -> Vec<u8> {
    let mut header = vec![0; 8 * (1 + usize::from(extent))];
    header[..2].copy_from_slice(&[next, extent]);
    header
}

fn fragment_header(next: u8, offset: u16, more: bool) -> [u8; 8] {
    let [high, low] = (offset | u16::from(more)).to_be_bytes();
    [next, 0, high, low, 0xde, 0xad, 0xbe, 0xef]
}

/// Ports 1 and 2 and a length that counts bytes which may be in other fragments.
fn udp_header(length: u16) -> [u8; 8] {
    let [high, low] = length.to_be_bytes();
    [0, 1, 0, 2, high, low, 0, 0]
}

#[test]
fn a_super_packet_counts_as_what_it_is_cut_into() {
    let [a, b] = ["10.0.1.5:53", "10.0.2.9:5353"].map(crate::testing::at);
    let cut = |payload: usize, size: u16| {
        let mut buffer = Buffer::copy_of(&crate::testing::udp(a, b, &vec![0; payload]));
        let segments = crate::Segments { kind: crate::SegmentKind::Udp, size, headers: 28, ecn: false };
        buffer.set_offload(crate::Offload { checksum: None, segments: Some(segments) });
        let parsed = read(&buffer).unwrap();
        (parsed.packets, parsed.wire_bytes, parsed.longest)
    };
    assert_eq!(cut(2_500, 1_000), (3, 2_500 + 3 * 28, 1_028));
    assert_eq!(cut(2_000, 1_000), (2, 2_000 + 2 * 28, 1_028));
    assert_eq!(cut(1_000, 1_000), (1, 1_028, 1_028));
    assert_eq!(cut(1_000, 0), (1, 1_028, 1_028));
}

#[test]
fn only_tcp_and_udp_are_cut() {
    let mut echo = parse(&ECHO).unwrap();
    assert_eq!(echo.cut(1), echo);
    echo = parse(&SYN).unwrap();
    assert_eq!(echo.cut(1).packets, 1, "a segment without payload is one packet");
}
