use proptest::prelude::*;

use super::*;
use crate::testing::{at, dont_fragment, fragments, reassemble, udp, verify};
use crate::{Fragment, parse};

/// Rules: MT-05
#[test]
fn a_long_packet_becomes_fragments_that_fit() {
    let packet = long_packet(3000);
    let pieces = split_to(&packet, 1500);
    let places: Vec<_> = pieces.iter().map(|piece| (piece.len(), place(piece))).collect();
    let fragment = |offset, more| Some(Fragment { id: 0, offset, more });
    assert_eq!(
        places,
        [(1500, fragment(0, true)), (1500, fragment(1480, true)), (68, fragment(2960, false))],
        "3008 bytes of UDP in parts of 1480"
    );
    assert_eq!(reassemble(&pieces), Some(packet));
}

#[test]
fn a_part_is_a_multiple_of_eight_bytes() {
    let packet = long_packet(100);
    let pieces = split_to(&packet, 20 + 47);
    assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [60, 60, 48]);
    assert_eq!(reassemble(&pieces), Some(packet));
}

#[test]
fn a_packet_that_fits_stays_whole() {
    let packet = long_packet(100);
    assert_eq!(split_to(&packet, 128), [packet]);
    let packet = dont_fragment(long_packet(100));
    assert_eq!(split_to(&packet, 128), [packet]);
}

#[test]
fn what_may_not_or_cannot_be_split_gives_nothing() {
    assert!(split_to(&dont_fragment(long_packet(100)), 127).is_empty());
    assert!(split_to(&udp(at("[2001:db8::5]:1"), at("[2001:db8::9]:2"), &[0; 100]), 127).is_empty());
    for mtu in 0..28 {
        assert!(split_to(&long_packet(100), mtu).is_empty(), "MTU {mtu}");
    }
    assert_eq!(split_to(&long_packet(100), 28).len(), 14);
}

#[test]
fn a_fragment_is_split_further() {
    let packet = long_packet(3000);
    let pieces = fragments(&packet, 7, 1480);
    let smaller: Vec<_> = pieces.iter().flat_map(|piece| split_to(piece, 576)).collect();
    assert_eq!(smaller.len(), 7);
    assert!(smaller[..6].iter().all(|piece| place(piece).unwrap().more));
    let mut expected = packet;
    expected[4..6].copy_from_slice(&7_u16.to_be_bytes());
    let whole = reassemble(&smaller).unwrap();
    assert_eq!(whole[20..], expected[20..]);
    assert_eq!(whole[4..6], expected[4..6]);
}

/// RFC 791 section 3.1: the high bit of an option's type says "copied".
#[test]
fn later_fragments_carry_only_options_with_the_copy_bit() {
    const SECURITY: [u8; 3] = [0x82, 3, 9];
    const RECORD_ROUTE: [u8; 7] = [0x07, 7, 4, 0, 0, 0, 0];
    let options = [&[1][..], &RECORD_ROUTE, &SECURITY, &[0]].concat();
    let packet = with_options(&long_packet(196), &options);
    let pieces = split_to(&packet, 100);
    assert_eq!(pieces[0][20..32], options);
    for later in &pieces[1..] {
        assert_eq!(later[0], 0x46);
        assert_eq!(later[20..24], [0x82, 3, 9, 0]);
    }
    assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [96, 96, 92]);
    assert_eq!(reassemble(&pieces).unwrap()[32..], packet[32..]);
}

#[test]
fn an_option_whose_length_lies_ends_the_list() {
    for lie in [[0x82, 0, 0x82, 3], [0x82, 1, 0x82, 3], [0x82, 5, 0, 0], [1, 1, 1, 0x82]] {
        let pieces = split_to(&with_options(&long_packet(200), &lie), 100);
        assert_eq!(pieces[1][0], 0x45, "{lie:02x?}");
    }
}

proptest! {
    #[test]
    fn fragments_of_fragments_reassemble_to_the_packet(
        payload in prop::collection::vec(any::<u8>(), 0..5000),
        mtus in prop::collection::vec(28u16..2000, 1..4),
    ) {
        let packet = udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), &payload);
        let mut pieces = vec![packet.clone()];
        for mtu in &mtus {
            pieces = pieces.iter().flat_map(|piece| split_to(piece, *mtu)).collect();
            prop_assert!(pieces.iter().all(|piece| piece.len() <= usize::from(*mtu)));
        }
        let whole = if pieces.len() == 1 { pieces.remove(0) } else { reassemble(&pieces).unwrap() };
        prop_assert_eq!(whole, packet);
    }
}

/// The fragments of `packet`, each checked to be a right packet.
fn split_to(packet: &[u8], mtu: u16) -> Vec<Vec<u8>> {
    let pieces = fragment_ipv4(packet, &parse(packet).unwrap(), mtu);
    let pieces: Vec<_> = pieces.iter().map(|piece| piece.bytes().to_vec()).collect();
    for piece in &pieces {
        assert_eq!(verify(piece), Ok(()));
    }
    pieces
}

fn place(packet: &[u8]) -> Option<Fragment> {
    parse(packet).unwrap().fragment
}

fn long_packet(payload: usize) -> Vec<u8> {
    let payload: Vec<_> = (0..payload).map(|byte| byte as u8).collect();
    udp(at("10.0.1.5:4000"), at("10.0.2.9:53"), &payload)
}

fn with_options(packet: &[u8], options: &[u8]) -> Vec<u8> {
    let mut packet = [&packet[..20], options, &packet[20..]].concat();
    packet[0] += (options.len() / 4) as u8;
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet
}
