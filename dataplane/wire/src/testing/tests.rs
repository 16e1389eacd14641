use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::{FiveTuple, Fragment};

proptest! {
    #[test]
    fn tcp_reads_back(
        (src, dst) in ends(),
        flags in any::<u8>(),
        seq in any::<u32>(),
        ack in any::<u32>(),
        payload in payload(),
        ttl in any::<u8>(),
    ) {
        let packet = with_ttl(dont_fragment(tcp(src, dst, flags, seq, ack, &payload)), ttl);
        prop_assert_eq!(verify(&packet), Ok(()));
        let parsed = parse(&packet).unwrap();
        prop_assert_eq!(parsed.tuple, tuple(src, dst, proto::TCP));
        prop_assert_eq!((parsed.length as usize, parsed.ttl), (packet.len(), ttl));
        prop_assert!(parsed.dont_fragment && parsed.fragment.is_none());
        let payload = payload.len() as u32;
        prop_assert_eq!(parsed.transport, Transport::Tcp { flags, seq, ack, payload });
    }

    #[test]
    fn udp_reads_back((src, dst) in ends(), payload in payload()) {
        let packet = udp(src, dst, &payload);
        prop_assert_eq!(verify(&packet), Ok(()));
        let parsed = parse(&packet).unwrap();
        prop_assert_eq!((parsed.tuple, parsed.transport), (tuple(src, dst, proto::UDP), Transport::Udp));
        prop_assert_eq!(parsed.dont_fragment, src.is_ipv6());
    }

    #[test]
    fn echo_reads_back_and_its_reply_reverses_it(
        (src, dst) in ends(),
        id in any::<u16>(),
        sequence in any::<u16>(),
        payload in payload(),
    ) {
        let request = echo_request(src.ip(), dst.ip(), id, sequence, &payload);
        let reply = echo_reply(dst.ip(), src.ip(), id, sequence, &payload);
        prop_assert_eq!((verify(&request), verify(&reply)), (Ok(()), Ok(())));
        let request = parse(&request).unwrap().tuple;
        prop_assert_eq!(request.src_port, id);
        prop_assert_eq!(parse(&reply).unwrap().tuple, request.reversed());
    }

    #[test]
    fn an_error_names_what_it_quotes((src, dst) in ends(), payload in payload(), mtu in any::<u16>()) {
        let packet = udp(src, dst, &payload);
        let (icmp_type, code) = if src.is_ipv4() { (3, 4) } else { (2, 0) };
        let error = icmp_error(dst.ip(), &packet, icmp_type, code, u32::from(mtu));
        prop_assert_eq!(verify(&error), Ok(()));
        let about = Some(tuple(src, dst, proto::UDP));
        prop_assert_eq!(parse(&error).unwrap().transport, Transport::Icmp { icmp_type, code, about });
    }

    #[test]
    fn fragments_read_back_and_reassemble_in_any_order(
        (src, dst) in ends(),
        payload in prop::collection::vec(any::<u8>(), 100..1000),
        id in any::<u32>(),
        eights in 1usize..12,
        order in any::<prop::sample::Index>(),
    ) {
        let packet = udp(src, dst, &payload);
        let mut pieces = fragments(&packet, id, eights * 8);
        let shown_id = if src.is_ipv4() { id & 0xffff } else { id };
        for (index, piece) in pieces.iter().enumerate() {
            prop_assert_eq!(verify(piece), Ok(()));
            let offset = (index * eights * 8) as u32;
            let more = index + 1 < pieces.len();
            prop_assert_eq!(parse(piece).unwrap().fragment, Some(Fragment { id: shown_id, offset, more }));
        }
        let by = order.index(pieces.len());
        pieces.rotate_left(by);
        let whole = reassemble(&pieces).unwrap();
        let header = parse(&packet).unwrap().transport_offset as usize;
        prop_assert_eq!(&whole[header..], &packet[header..]);
        pieces.pop();
        prop_assert_eq!(reassemble(&pieces), None);
    }

    #[test]
    fn any_flipped_bit_under_a_checksum_is_found((src, dst) in ends(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let packet = tcp(src, dst, tcp_flag::ACK, 1, 2, b"payload!");
        // IPv6 has no header checksum: only what TCP's covers can be found there.
        let first = if src.is_ipv4() { 0 } else { 8 };
        let mut broken = packet.clone();
        broken[first + at.index(packet.len() - first)] ^= 1_u8 << bit;
        prop_assert!(verify(&broken).is_err());
    }

    #[test]
    fn a_packet_with_any_byte_changed_never_panics(
        (src, dst) in ends(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let about = tcp(src, dst, tcp_flag::SYN, 1, 2, b"payload!");
        let mut packet = icmp_error(dst.ip(), &about, if src.is_ipv4() { 3 } else { 1 }, 0, 0);
        for (at, value) in changes {
            let at = at.index(packet.len());
            packet[at] = value;
        }
        packet.truncate(cut.index(packet.len() + 1));
        if let Ok(parsed) = parse(&packet) {
            prop_assert!(usize::from(parsed.transport_offset) <= parsed.length as usize);
            prop_assert!(parsed.length as usize <= packet.len());
            prop_assert!(!parsed.to_string().is_empty());
        }
    }
}

#[test]
fn verify_says_what_is_wrong() {
    let packet = udp(at("10.0.1.5:1"), at("10.0.2.9:2"), b"abcd");
    let with = |index: usize, value: u8| {
        let mut packet = packet.clone();
        packet[index] = value;
        verify(&packet).unwrap_err()
    };
    assert_eq!(with(0, 0x35), "it does not parse");
    assert_eq!(with(8, 63), "its IPv4 header checksum is wrong");
    assert_eq!(with(25, 11), "its UDP length says 11 of 12 bytes");
    assert_eq!(with(28, b'z'), "its UDP checksum is wrong");
    let padded = [&packet[..], &[0]].concat();
    assert_eq!(verify(&padded).unwrap_err(), "it says 32 bytes and has 33");
    let mut without = udp(at("[2001:db8::1]:1"), at("[2001:db8::2]:2"), b"abcd");
    without[46..48].fill(0);
    assert_eq!(verify(&without).unwrap_err(), "it has no UDP checksum, which IPv6 asks for");
}

/// Two ends of one family.
fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let end4 = (any::<Ipv4Addr>(), any::<u16>()).prop_map(SocketAddr::from);
    let end6 = (any::<Ipv6Addr>(), any::<u16>()).prop_map(SocketAddr::from);
    prop_oneof![(end4.clone(), end4), (end6.clone(), end6)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn tuple(src: SocketAddr, dst: SocketAddr, proto: u8) -> FiveTuple {
    FiveTuple { src: src.ip(), dst: dst.ip(), src_port: src.port(), dst_port: dst.port(), proto }
}
