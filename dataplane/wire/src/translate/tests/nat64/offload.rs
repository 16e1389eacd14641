use std::net::SocketAddr;

use proptest::prelude::*;

use super::{anonymous, client, examples, outer, packet, to};
use crate::testing::{left_to_device, udp, verify};
use crate::{
    Buffer, Offload, PartialChecksum, SegmentKind, Segments, Untranslatable, complete_checksum, read,
    segment, translate,
};

proptest! {
    /// Rules: NG-20
    #[test]
    fn a_partial_checksum_stays_one_and_completes(
        client in client(),
        outer in outer(),
        is_tcp in any::<bool>(),
        to_v4 in any::<bool>(),
        payload in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let (before, after) = if to_v4 { (client, outer) } else { (outer, client) };
        let kind = usize::from(is_tcp);
        let after = packet(kind, after, &payload);
        let mut buffer = left_to_device(packet(kind, before, &payload), None);
        let parsed = read(&buffer).unwrap();
        translate(&mut buffer, &parsed, &to(&after)).unwrap();
        prop_assert_eq!(buffer.offload(), left_to_device(after, None).offload());
        complete_checksum(&mut buffer);
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }

    /// Rules: NG-20
    #[test]
    fn segments_to_ipv4_keep_their_payload(
        client in client(),
        outer in outer(),
        is_tcp in any::<bool>(),
        payload in prop::collection::vec(any::<u8>(), 1..4000),
        size in 1_u16..1500,
    ) {
        check(client, outer, usize::from(is_tcp), &payload, size, size);
    }

    /// Rules: NG-20
    #[test]
    fn segments_of_tcp_to_ipv6_stay_as_long_and_datagrams_as_they_are(
        client in client(),
        outer in outer(),
        is_tcp in any::<bool>(),
        payload in prop::collection::vec(any::<u8>(), 1..4000),
        size in 21_u16..1500,
    ) {
        let shorter = if is_tcp { size - 20 } else { size };
        check(outer, client, usize::from(is_tcp), &payload, size, shorter);
    }
}

/// Translates a super-packet of `size` into one of `expected`, and looks at all of its segments.
fn check(
    before: (SocketAddr, SocketAddr),
    after: (SocketAddr, SocketAddr),
    kind: usize,
    payload: &[u8],
    size: u16,
    expected: u16,
) {
    let expected = left_to_device(packet(kind, after, payload), Some(expected));
    let mut buffer = left_to_device(packet(kind, before, payload), Some(size));
    let parsed = read(&buffer).unwrap();
    let said = translate(&mut buffer, &parsed, &to(expected.bytes())).unwrap();
    assert_eq!(said, read(&buffer).unwrap());
    assert_eq!(buffer.offload(), expected.offload());
    let segments = segment(buffer.bytes(), &said, buffer.offload());
    let expected = segment(expected.bytes(), &read(&expected).unwrap(), expected.offload());
    assert_eq!(segments.len(), expected.len());
    assert_eq!(segments.len() as u32, said.packets);
    for (segment, expected) in segments.iter().zip(&expected) {
        assert_eq!(verify(segment.bytes()), Ok(()));
        let header = usize::from(said.transport_offset);
        assert_eq!(&segment.bytes()[header..], &expected.bytes()[header..]);
    }
}

/// Rules: NG-20
#[test]
fn only_super_packets_of_short_packets_may_be_fragmented() {
    let (client, outer) = examples();
    for (size, may_not) in [(1232, false), (1233, true)] {
        let mut buffer = left_to_device(udp(client.0, client.1, &[7; 4000]), Some(size));
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &to(&udp(outer.0, outer.1, b""))).unwrap();
        assert_eq!((said.dont_fragment, said.longest), (may_not, u32::from(size) + 28));
        assert_eq!(buffer.bytes()[6] & 0x40 != 0, may_not);
    }
}

/// Rules: NG-20
#[test]
fn a_datagram_without_a_checksum_gets_one() {
    let (client, outer) = examples();
    for payload in [&b""[..], b"query", &[0; 8]] {
        let expected = udp(client.0, client.1, payload);
        let mut buffer = Buffer::copy_of(&[&without_checksum(outer, payload)[..], b"padding"].concat());
        let parsed = read(&buffer).unwrap();
        assert_eq!(translate(&mut buffer, &parsed, &to(&expected)), Ok(read(&buffer).unwrap()));
        assert_eq!(buffer.bytes()[..expected.len()], expected);
    }
}

/// Tunnels may do without in IPv6 too (RFC 6936).
#[test]
fn to_ipv4_a_datagram_without_a_checksum_stays_without() {
    let (client, outer) = examples();
    let mut packet = udp(client.0, client.1, b"query");
    packet[46..48].fill(0);
    let mut buffer = Buffer::copy_of(&packet);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&udp(outer.0, outer.1, b"query"))).unwrap();
    assert_eq!(anonymous(buffer.bytes()), without_checksum(outer, b"query"));
}

/// Rules: NG-20
#[test]
fn a_checksum_of_zero_is_written_as_all_ones() {
    let (client, outer) = examples();
    let payloads = (0..=u16::MAX).map(u16::to_be_bytes);
    let payload = payloads.into_iter().find(|bytes| udp(client.0, client.1, bytes)[46..48] == [0xff, 0xff]);
    let payload = payload.expect("one of all sums");
    let mut buffer = Buffer::copy_of(&without_checksum(outer, &payload));
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&udp(client.0, client.1, &payload))).unwrap();
    assert_eq!(buffer.bytes(), udp(client.0, client.1, &payload));
}

/// Rules: NG-20
#[test]
fn datagrams_without_a_checksum_get_theirs_when_they_are_cut() {
    let (client, outer) = examples();
    let mut buffer = Buffer::copy_of(&without_checksum(outer, &[9; 250]));
    let segments = Segments { kind: SegmentKind::Udp, size: 100, headers: 28, ecn: false };
    buffer.set_offload(Offload { checksum: None, segments: Some(segments) });
    let parsed = read(&buffer).unwrap();
    let said = translate(&mut buffer, &parsed, &to(&udp(client.0, client.1, b""))).unwrap();
    assert_eq!(buffer.offload(), left_to_device(udp(client.0, client.1, &[9; 250]), Some(100)).offload());
    let segments = segment(buffer.bytes(), &said, buffer.offload());
    assert_eq!(segments.len(), 3);
    for segment in segments {
        verify(segment.bytes()).unwrap();
    }
}

/// What a tunnel carries has its own checksum left to the device; the tunnel's datagram has none.
#[test]
fn a_checksum_inside_is_completed_before_one_covers_it() {
    let (client, outer) = examples();
    let mut buffer = Buffer::copy_of(&without_checksum(outer, &[7; 40]));
    buffer.set_offload(Offload { checksum: Some(PartialChecksum { start: 36, offset: 6 }), segments: None });
    let parsed = read(&buffer).unwrap();
    let cut = Segments { kind: SegmentKind::Udp, size: 20, headers: 28, ecn: false };
    let mut long = buffer.clone();
    long.set_offload(Offload { segments: Some(cut), ..buffer.offload() });
    translate(&mut buffer, &parsed, &to(&udp(client.0, client.1, b""))).unwrap();
    assert_eq!(buffer.offload(), Offload::default());
    verify(buffer.bytes()).unwrap();
    assert_ne!(buffer.bytes()[62..64], [7, 7], "the inner checksum");

    let parsed = read(&long).unwrap();
    let said = translate(&mut long, &parsed, &to(&udp(client.0, client.1, b"")));
    assert_eq!(said, Err(Untranslatable::NoCounterpart), "no place for two");
}

#[test]
fn an_offload_that_cannot_move_is_refused() {
    let (client, outer) = examples();
    let packet = packet(1, outer, &[7; 100]);
    let to = to(&super::packet(1, client, &[7; 100]));
    let before_transport = PartialChecksum { start: 10, offset: 26 };
    let beyond = PartialChecksum { start: u16::MAX, offset: 0 };
    let segments = |size| Segments { kind: SegmentKind::TcpV4, size, headers: 40, ecn: false };
    for (offload, why) in [
        (Offload { checksum: Some(before_transport), segments: None }, Untranslatable::Mismatch),
        (Offload { checksum: Some(beyond), segments: None }, Untranslatable::Mismatch),
        (Offload { checksum: None, segments: Some(segments(20)) }, Untranslatable::Length),
    ] {
        let mut buffer = Buffer::copy_of(&packet);
        buffer.set_offload(offload);
        let (before, parsed) = (buffer.clone(), read(&buffer).unwrap());
        assert_eq!(translate(&mut buffer, &parsed, &to), Err(why), "{offload:?}");
        assert_eq!(buffer, before);
    }
}

fn without_checksum((src, dst): (SocketAddr, SocketAddr), payload: &[u8]) -> Vec<u8> {
    let mut packet = udp(src, dst, payload);
    packet[26..28].fill(0);
    anonymous(&packet)
}
