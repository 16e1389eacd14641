use std::net::SocketAddr;

use proptest::prelude::*;

use super::{KINDS, ends, like, packet, payload, to, v4_ends, v6_ends};
use crate::testing::{at, fragments, icmp, icmp_error, ip, udp, verify};
use crate::{Buffer, FiveTuple, Translation, Transport, Untranslatable, parse, read, translate};

proptest! {
    /// Rules: IG-02, NG-29
    #[test]
    fn an_error_is_as_if_about_the_other_packet(
        old in ends(),
        new in ends(),
        router in ends(),
        kind in 0..KINDS,
        payload in payload(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (new, router) = (like(old, new), like(old, router));
        let (before, after) = (packet(kind, old, &payload), packet(kind, new, &payload));
        let length = quoted_length(&before, cut);
        let error = error_of(router.0, old.0, &before[..length]);
        let expected = error_of(router.1, new.0, &after[..length]);
        let mut buffer = Buffer::copy_of(&error);
        let parsed = read(&buffer).unwrap();
        let there = translate(&mut buffer, &parsed, &to(&expected));
        prop_assert_eq!(buffer.bytes(), &expected);
        prop_assert_eq!(there, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
        prop_assert_eq!(translate(&mut buffer, &there.unwrap(), &to(&error)), Ok(parsed));
        prop_assert_eq!(buffer.bytes(), &error);
    }

    /// Rules: IG-02
    #[test]
    fn a_quoted_first_fragment_is_translated_too(old in ends(), new in ends(), payload in payload()) {
        let new = like(old, new);
        let first = |(src, dst)| fragments(&udp(src, dst, &[&[7; 8][..], &payload].concat()), 9, 8).remove(0);
        let expected = error_of(new.1, new.0, &first(new));
        let mut buffer = Buffer::copy_of(&error_of(old.1, old.0, &first(old)));
        let parsed = read(&buffer).unwrap();
        prop_assert_eq!(translate(&mut buffer, &parsed, &to(&expected)), Ok(read(&buffer).unwrap()));
        prop_assert_eq!(buffer.bytes(), &expected);
    }

    /// The first fragment of an error has the whole message's checksum.
    #[test]
    fn an_error_in_fragments_is_translated(old in ends(), new in ends(), payload in payload()) {
        let new = like(old, new);
        let payload = [&[7; 32][..], &payload].concat();
        let error = error_of(old.1, old.0, &packet(0, old, &payload));
        let expected = error_of(new.1, new.0, &packet(0, new, &payload));
        let parts = |error: &[u8]| fragments(error, 9, 72);
        let mut buffer = Buffer::copy_of(&parts(&error)[0]);
        let parsed = read(&buffer).unwrap();
        translate(&mut buffer, &parsed, &to(&expected)).unwrap();
        prop_assert_eq!(buffer.bytes(), &parts(&expected)[0]);
    }
}

/// Rules: IG-02
#[test]
fn a_quoted_datagram_without_a_checksum_stays_without() {
    let without = |ends: (SocketAddr, SocketAddr)| {
        let mut quote = packet(0, ends, b"query");
        quote[26..28].fill(0);
        error_of(ends.1, ends.0, &quote)
    };
    let new = (at("198.51.100.7:40001"), v4_ends().1);
    let mut buffer = Buffer::copy_of(&without(v4_ends()));
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&without(new))).unwrap();
    assert_eq!(buffer.bytes(), without(new));
}

/// Of an error that names nothing only its own addresses change.
#[test]
fn an_error_about_nothing_known_keeps_its_quote() {
    let quote = icmp_error(ip("10.0.0.9"), &packet(0, v4_ends(), b"query"), 3, 3, 0);
    let error = error_of(at("10.0.0.5:0"), at("10.0.0.9:0"), &quote);
    let expected = error_of(at("198.51.100.7:0"), at("10.0.0.9:0"), &quote);
    let mut buffer = Buffer::copy_of(&error);
    let parsed = read(&buffer).unwrap();
    assert!(!parsed.is_about_another());
    translate(&mut buffer, &parsed, &to(&expected)).unwrap();
    assert_eq!(buffer.bytes(), expected);
}

#[test]
fn a_quote_that_cannot_become_the_other_is_refused() {
    let error = error_of(v4_ends().1, v4_ends().0, &packet(2, v4_ends(), b"ping"));
    let right = to(&error);
    let about = right.about.unwrap();
    for (to, why) in [
        (Translation { about: None, ..right }, "no quote"),
        (with(right, FiveTuple { proto: 17, ..about }), "another protocol"),
        (with(right, FiveTuple { dst_port: 13 << 8, ..about }), "another query"),
        (with(right, about.reversed()), "a reply"),
        (with(right, FiveTuple { src: v6_ends().0.ip(), ..about }), "a source of the other family"),
        (with(right, FiveTuple { dst: v6_ends().1.ip(), ..about }), "a destination of the other family"),
        (Translation { tuple: FiveTuple { dst_port: 4, ..right.tuple }, ..right }, "another error"),
        (Translation { tuple: FiveTuple { src_port: 4, ..right.tuple }, ..right }, "a port"),
    ] {
        let mut buffer = Buffer::copy_of(&error);
        let parsed = read(&buffer).unwrap();
        assert_eq!(translate(&mut buffer, &parsed, &to), Err(Untranslatable::Mismatch), "{why}");
        assert_eq!(buffer.bytes(), error, "{why}");
    }
}

const fn with(to: Translation, about: FiveTuple) -> Translation {
    Translation { about: Some(about), ..to }
}

/// "Port unreachable" from a router to the sender of what it quotes.
fn error_of(router: SocketAddr, sender: SocketAddr, quote: &[u8]) -> Vec<u8> {
    let (icmp_type, code) = if router.is_ipv4() { (3, 3) } else { (1, 4) };
    icmp(router.ip(), sender.ip(), icmp_type, code, [0; 4], quote)
}

/// Some length of a quote that names its packet. It does not end within the checksum, which nobody could then change.
pub(super) fn quoted_length(packet: &[u8], cut: prop::sample::Index) -> usize {
    let parsed = parse(packet).unwrap();
    let (least, half) = match parsed.transport {
        Transport::Icmp { .. } => (6, 3),
        Transport::Tcp { .. } => (4, 17),
        Transport::Udp => (4, 7),
        Transport::Later | Transport::Other => (0, 0),
    };
    let header = usize::from(parsed.transport_offset);
    let length = header + least + cut.index(packet.len() - header - least + 1);
    if length == header + half && half > 0 { length - 1 } else { length }
}
