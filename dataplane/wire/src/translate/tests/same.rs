use std::net::SocketAddr;

use proptest::prelude::*;

use super::{KINDS, ends, like, other_v4_ends, packet, payload, to, v4_ends, v6_ends};
use crate::testing::{
    at, dont_fragment, echo_reply, echo_request, fragments, left_to_device, other, reassemble, udp, verify,
    with_ttl,
};
use crate::{
    Buffer, FiveTuple, Offload, PartialChecksum, Translation, Transport, Untranslatable, checksum,
    complete_checksum, read, segment, translate,
};

proptest! {
    /// Rules: IG-02
    #[test]
    fn what_is_translated_is_as_if_built_so(
        old in ends(),
        new in ends(),
        kind in 0..KINDS,
        payload in payload(),
        hops in 0_u8..3,
    ) {
        let new = like(old, new);
        let (before, after) = (packet(kind, old, &payload), packet(kind, new, &payload));
        let expected = with_ttl(after, 64 - hops);
        let mut buffer = Buffer::copy_of(&before);
        let parsed = read(&buffer).unwrap();
        let to = Translation { hops, ..to(&expected) };
        let said = translate(&mut buffer, &parsed, &to);
        prop_assert_eq!(buffer.bytes(), &expected);
        prop_assert_eq!(said, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }

    /// Rules: IG-02, NG-29
    #[test]
    fn there_and_back_is_the_packet_itself(old in ends(), new in ends(), kind in 0..KINDS, payload in payload()) {
        let new = like(old, new);
        let before = packet(kind, old, &payload);
        let mut buffer = Buffer::copy_of(&before);
        let parsed = read(&buffer).unwrap();
        let there = translate(&mut buffer, &parsed, &to(&packet(kind, new, &payload))).unwrap();
        prop_assert_eq!(translate(&mut buffer, &there, &to(&before)), Ok(parsed));
        prop_assert_eq!(buffer.bytes(), &before);
    }

    /// Rules: IG-02
    #[test]
    fn a_partial_checksum_completes_to_the_right_one(
        old in ends(),
        new in ends(),
        is_tcp in any::<bool>(),
        payload in payload(),
    ) {
        let new = like(old, new);
        let kind = usize::from(is_tcp);
        let (before, after) = (packet(kind, old, &payload), packet(kind, new, &payload));
        let mut buffer = left_to_device(before, None);
        let parsed = read(&buffer).unwrap();
        translate(&mut buffer, &parsed, &to(&after)).unwrap();
        prop_assert_eq!(&buffer, &left_to_device(after, None));
        complete_checksum(&mut buffer);
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }

    /// Rules: IG-02
    #[test]
    fn a_super_packet_is_the_translation_of_its_segments(
        old in ends(),
        new in ends(),
        is_tcp in any::<bool>(),
        payload in prop::collection::vec(any::<u8>(), 1..3000),
        size in 1_u16..1500,
    ) {
        let new = like(old, new);
        let kind = usize::from(is_tcp);
        let after = packet(kind, new, &payload);
        let mut buffer = left_to_device(packet(kind, old, &payload), Some(size));
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &to(&after)).unwrap();
        prop_assert_eq!(said, read(&buffer).unwrap());
        let expected = left_to_device(after, Some(size));
        prop_assert_eq!(
            segment(buffer.bytes(), &said, buffer.offload()),
            segment(expected.bytes(), &said, expected.offload())
        );
    }

    /// Rules: NG-14
    #[test]
    fn fragments_reassemble_to_the_translated_datagram(
        old in ends(),
        new in ends(),
        payload in prop::collection::vec(any::<u8>(), 100..1000),
        eights in 1_usize..12,
    ) {
        let new = like(old, new);
        let after = udp(new.0, new.1, &payload);
        let to = to(&after);
        let mut pieces = Vec::new();
        for piece in fragments(&udp(old.0, old.1, &payload), 7, eights * 8) {
            let mut buffer = Buffer::copy_of(&piece);
            let parsed = read(&buffer).unwrap();
            let said = translate(&mut buffer, &parsed, &to).unwrap();
            prop_assert_eq!(said.tuple, to.tuple);
            let ports = if said.transport == Transport::Later { (0, 0) } else { (new.0.port(), new.1.port()) };
            let tuple = FiveTuple { src_port: ports.0, dst_port: ports.1, ..said.tuple };
            prop_assert_eq!(read(&buffer), Ok(crate::Parsed { tuple, ..said }));
            prop_assert_eq!(verify(buffer.bytes()), Ok(()));
            pieces.push(buffer.bytes().to_vec());
        }
        let whole = reassemble(&pieces).unwrap();
        let header = if old.0.is_ipv4() { 20 } else { 40 };
        prop_assert_eq!(&whole[header..], &after[header..]);
    }
}

/// Rules: IG-02
#[test]
fn a_datagram_without_a_checksum_stays_without() {
    let mut packet = udp(at("10.0.0.5:4000"), at("10.0.0.9:53"), b"query");
    packet[26..28].fill(0);
    let mut buffer = Buffer::copy_of(&packet);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&udp(at("198.51.100.7:4001"), at("10.0.0.9:53"), b"query"))).unwrap();
    assert_eq!(buffer.bytes()[26..28], [0, 0]);
    verify(buffer.bytes()).unwrap();
}

#[test]
fn a_udp_checksum_that_becomes_zero_is_sent_as_all_ones() {
    let built = |port: u16| udp(SocketAddr::new([10, 0, 0, 5].into(), port), at("10.0.0.9:53"), b"query");
    let port = (1..=u16::MAX).find(|&port| built(port)[26..28] == [0xff, 0xff]).expect("one of all sums");
    let mut buffer = Buffer::copy_of(&built(port ^ 1));
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&built(port))).unwrap();
    assert_eq!(buffer.bytes(), built(port));
}

/// An identifier of zero, a sequence of zero and no payload: the sum is zero and its complement all ones.
#[test]
fn a_reply_of_nothing_but_zeros_gets_its_right_checksum() {
    let (server, client) = ([10, 0, 0, 9].into(), [10, 0, 0, 5].into());
    let expected = echo_reply(server, client, 0, 0, &[0; 8]);
    let mut buffer = Buffer::copy_of(&echo_reply(server, client, 7, 0, &[0; 8]));
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&expected)).unwrap();
    assert_eq!(buffer.bytes(), expected);
}

/// The inner checksum of a tunnel is left to the device, the outer one is whole.
#[test]
fn a_partial_checksum_elsewhere_does_not_make_this_one_partial() {
    let (before, after) = (packet(0, v4_ends(), &[1; 64]), packet(0, other_v4_ends(), &[1; 64]));
    let mut buffer = Buffer::copy_of(&before);
    let inner = Offload { checksum: Some(PartialChecksum { start: 56, offset: 16 }), segments: None };
    buffer.set_offload(inner);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&after)).unwrap();
    assert_eq!((buffer.bytes(), buffer.offload()), (&after[..], inner));
}

/// Rules: IG-02
#[test]
fn what_follows_the_packet_and_its_options_stay() {
    let mut before = dont_fragment(udp(v4_ends().0, v4_ends().1, b"query"));
    before.splice(20..20, [1, 1, 1, 0]);
    before[0] = 0x46;
    let length = (before.len() as u16).to_be_bytes();
    before[2..4].copy_from_slice(&length);
    before[10..12].fill(0);
    let sum = checksum::finish(checksum::sum(&before[..24]));
    before[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut buffer = Buffer::copy_of(&[&before[..], b"padding"].concat());
    let parsed = read(&buffer).unwrap();
    let to = to(&udp(other_v4_ends().0, other_v4_ends().1, b"query"));
    assert_eq!(translate(&mut buffer, &parsed, &to), Ok(read(&buffer).unwrap()));
    let (packet, rest) = buffer.bytes().split_at(before.len());
    verify(packet).unwrap();
    assert_eq!((&packet[20..24], rest), (&[1, 1, 1, 0][..], &b"padding"[..]));
    assert_eq!(read(&buffer).unwrap().tuple, to.tuple);
}

/// Rules: AD-27
#[test]
fn a_packet_outlasts_its_forwarders_or_is_left_alone() {
    for ends in [v4_ends(), v6_ends()] {
        let packet = with_ttl(udp(ends.0, ends.1, b"query"), 2);
        let hops = |hops| {
            let mut buffer = Buffer::copy_of(&packet);
            let parsed = read(&buffer).unwrap();
            let said = translate(&mut buffer, &parsed, &Translation { hops, ..to(&packet) });
            (said.map(|parsed| parsed.ttl), buffer.bytes() == packet)
        };
        assert_eq!(hops(0), (Ok(2), true));
        assert_eq!(hops(1), (Ok(1), false));
        assert_eq!(hops(2), (Err(Untranslatable::Expired), true));
        assert_eq!(hops(255), (Err(Untranslatable::Expired), true));
        let mut buffer = Buffer::copy_of(&with_ttl(packet.clone(), 0));
        let parsed = read(&buffer).unwrap();
        assert_eq!(translate(&mut buffer, &parsed, &to(&packet)), Ok(parsed), "no forwarder counts");
    }
}

#[test]
fn what_is_no_translation_of_the_packet_is_refused() {
    let (src, dst) = (v4_ends().0.ip(), v4_ends().1.ip());
    let datagram = udp(v4_ends().0, v4_ends().1, b"query");
    let echo = echo_request(src, dst, 7, 1, b"ping");
    let reply = echo_reply(src, dst, 7, 1, b"ping");
    let esp = other(src, dst, 50, &[5; 40]);
    for (packet, to) in [
        (&datagram, to(&packet(1, v4_ends(), b""))),
        (&datagram, Translation { about: Some(to(&echo).tuple), ..to(&datagram) }),
        (&echo, to(&reply)),
        (&reply, to(&echo)),
        (&esp, Translation { tuple: FiveTuple { src_port: 1, ..to(&esp).tuple }, ..to(&esp) }),
        (&esp, Translation { tuple: FiveTuple { src: v6_ends().0.ip(), ..to(&esp).tuple }, ..to(&esp) }),
    ] {
        let mut buffer = Buffer::copy_of(packet);
        let parsed = read(&buffer).unwrap();
        assert_eq!(translate(&mut buffer, &parsed, &to), Err(Untranslatable::Mismatch), "{parsed}: {to:?}");
        assert_eq!(buffer.bytes(), packet);
    }
}
