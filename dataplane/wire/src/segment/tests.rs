use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::testing::{at, echo_request, fragments, left_to_device, tcp, udp, verify};
use crate::{SegmentKind, parse};

#[test]
fn a_tcp_super_packet_becomes_segments_that_count_up() {
    let flags = tcp_flag::ACK | tcp_flag::PSH | tcp_flag::FIN | tcp_flag::CWR;
    let mut packet = tcp(at("10.0.0.5:1"), at("10.0.0.9:2"), flags, u32::MAX - 99, 7, &[3; 250]);
    packet[4..6].copy_from_slice(&0xffff_u16.to_be_bytes());
    let segments = cut_up(packet, 100);
    let seen: Vec<_> = segments.iter().map(|segment| (id(segment), tcp_fields(segment))).collect();
    assert_eq!(
        seen,
        [
            (0xffff, (tcp_flag::ACK | tcp_flag::CWR, u32::MAX - 99, 100)),
            (0, (tcp_flag::ACK, 0, 100)),
            (1, (tcp_flag::ACK | tcp_flag::PSH | tcp_flag::FIN, 100, 50)),
        ]
    );
}

#[test]
fn a_packet_for_itself_comes_back_with_its_checksum_complete() {
    for whole in
        [udp(at("10.0.0.5:1"), at("10.0.0.9:2"), b"odd"), udp(at("[fd00::5]:1"), at("[fd00::9]:2"), b"odd")]
    {
        let mut partial = left_to_device(whole.clone(), None);
        assert_ne!(partial.bytes(), whole);
        let parsed = parse(&whole).unwrap();
        assert_eq!(segment(partial.bytes(), &parsed, partial.offload()), [Buffer::copy_of(&whole)]);
        complete_checksum(&mut partial);
        assert_eq!(partial, Buffer::copy_of(&whole));
        complete_checksum(&mut partial);
        assert_eq!(partial, Buffer::copy_of(&whole), "nothing is left to do");
    }
}

#[test]
fn a_udp_checksum_that_sums_to_zero_is_sent_as_all_ones() {
    let whole = (0..=u16::MAX).map(|word| udp(at("10.0.0.5:1"), at("10.0.0.9:2"), &word.to_be_bytes()));
    let whole = whole.into_iter().find(|packet| packet[26..28] == [0xff, 0xff]).expect("one of all sums");
    let mut partial = left_to_device(whole.clone(), None);
    complete_checksum(&mut partial);
    assert_eq!(partial.bytes(), whole);
}

#[test]
fn a_datagram_without_a_checksum_is_cut_into_such() {
    let mut packet = udp(at("10.0.0.5:1"), at("10.0.0.9:2"), &[9; 64]);
    packet[26..28].fill(0);
    let parsed = parse(&packet).unwrap();
    let segments = segment(&packet, &parsed, of_size(SegmentKind::Udp, 32));
    assert_eq!(segments.len(), 2);
    for segment in &segments {
        assert_eq!(segment.bytes()[26..28], [0, 0]);
        verify(segment.bytes()).unwrap();
    }
}

#[test]
fn what_cannot_be_cut_gives_nothing() {
    let datagram = udp(at("10.0.0.5:1"), at("10.0.0.9:2"), &[9; 64]);
    let first = fragments(&datagram, 1, 32).remove(0);
    let echo = echo_request(at("10.0.0.5:0").ip(), at("10.0.0.9:0").ip(), 1, 1, &[0; 64]);
    for (packet, size) in [(&first, 8), (&echo, 8), (&datagram, 0)] {
        let parsed = parse(packet).unwrap();
        assert_eq!(segment(packet, &parsed, of_size(SegmentKind::Udp, size)), []);
    }
    let parsed = parse(&datagram).unwrap();
    assert_eq!(segment(&datagram[..40], &parsed, of_size(SegmentKind::Udp, 8)), [], "cut short");
}

#[test]
fn a_checksum_outside_the_packet_is_left_alone() {
    let mut packet = Buffer::copy_of(&udp(at("10.0.0.5:1"), at("10.0.0.9:2"), b"short"));
    let before = packet.bytes().to_vec();
    let checksum = Some(PartialChecksum { start: 20, offset: u16::MAX });
    packet.set_offload(Offload { checksum, segments: None });
    complete_checksum(&mut packet);
    assert_eq!(packet.bytes(), before);
}

proptest! {
    #[test]
    fn segments_carry_the_payload_in_parts_of_the_size(
        ends in prop::sample::select(vec![("10.0.0.5:1", "10.0.0.9:2"), ("[fd00::5]:1", "[fd00::9]:2")]),
        is_tcp in any::<bool>(),
        size in 1_u16..2000,
        count in 1_usize..30,
        rest in any::<prop::sample::Index>(),
        seed in any::<u8>(),
    ) {
        let length = (usize::from(size) * (count - 1) + 1 + rest.index(size.into())).min(60_000);
        let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ seed).collect();
        let (src, dst): (SocketAddr, SocketAddr) = (at(ends.0), at(ends.1));
        let packet = if is_tcp { tcp(src, dst, tcp_flag::ACK, 1, 2, &payload) } else { udp(src, dst, &payload) };
        let headers = packet.len() - length;
        let segments = cut_up(packet, size);
        prop_assert_eq!(segments.len(), length.div_ceil(usize::from(size)));
        for segment in &segments[..segments.len() - 1] {
            prop_assert_eq!(segment.len(), headers + usize::from(size));
        }
        let parts: Vec<u8> = segments.iter().flat_map(|segment| segment[headers..].to_vec()).collect();
        prop_assert_eq!(parts, payload);
    }
}

/// Leaves the packet to a device in parts of `size`, cuts it, and verifies each segment.
fn cut_up(packet: Vec<u8>, size: u16) -> Vec<Vec<u8>> {
    let packet = left_to_device(packet, Some(size));
    let parsed = parse(packet.bytes()).unwrap();
    let segments = segment(packet.bytes(), &parsed, packet.offload());
    for segment in &segments {
        verify(segment.bytes()).unwrap();
        assert_eq!(segment.offload(), Offload::default());
    }
    segments.iter().map(|segment| segment.bytes().to_vec()).collect()
}

fn of_size(kind: SegmentKind, size: u16) -> Offload {
    Offload { checksum: None, segments: Some(Segments { kind, size, headers: 0, ecn: false }) }
}

fn id(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[4], packet[5]])
}

fn tcp_fields(packet: &[u8]) -> (u8, u32, u32) {
    let parsed = parse(packet).unwrap();
    let Transport::Tcp { flags, seq, payload, .. } = parsed.transport else { panic!("{parsed} is no TCP") };
    (flags, seq, payload)
}
