use proptest::prelude::*;

use super::{anonymous, client, examples, finished, outer, packet, to};
use crate::testing::{dont_fragment, fragments, icmp, icmp_error, udp, verify, with_ttl};
use crate::translate::tests::errors::quoted_length;
use crate::{Buffer, Translation, Untranslatable, checksum, parse, read, translate};

proptest! {
    /// Rules: NG-20, NG-29
    #[test]
    fn to_ipv6_it_is_as_if_about_the_client(
        client in client(),
        outer in outer(),
        kind in 0..super::KINDS,
        payload in prop::collection::vec(any::<u8>(), 0..100),
        cut in any::<prop::sample::Index>(),
        hops in 0_u8..3,
    ) {
        let (before, after) = (packet(kind, outer, &payload), packet(kind, client, &payload));
        let length = quoted_length(&before, cut);
        let error = icmp(outer.1.ip(), outer.0.ip(), 3, 3, [0; 4], &before[..length]);
        let expected = icmp(client.1.ip(), client.0.ip(), 1, 4, [0; 4], &after[..length + 20]);
        let mut buffer = Buffer::copy_of(&error);
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &Translation { hops, ..to(&expected) });
        prop_assert_eq!(buffer.bytes(), &with_ttl(expected, 64 - hops));
        prop_assert_eq!(said, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }

    /// Rules: NG-20, NG-29
    #[test]
    fn to_ipv4_it_is_as_if_about_the_translated_packet(
        client in client(),
        outer in outer(),
        kind in 0..super::KINDS,
        length in 0_usize..1400,
        cut in any::<prop::sample::Index>(),
    ) {
        let (before, after) = (packet(kind, client, &vec![7; length]), packet(kind, outer, &vec![7; length]));
        let after = if after.len() > 1260 { dont_fragment(after) } else { after };
        let length = quoted_length(&before, cut).min(1232);
        let error = icmp(client.1.ip(), client.0.ip(), 1, 4, [0; 4], &before[..length]);
        let expected = icmp(outer.1.ip(), outer.0.ip(), 3, 3, [0; 4], &after[..length - 20]);
        let mut buffer = Buffer::copy_of(&error);
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &to(&expected));
        prop_assert_eq!(said, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
        prop_assert_eq!(with_anonymous_quote(buffer.bytes()), expected);
    }
}

/// Rules: NG-20
#[test]
fn types_and_codes_have_counterparts() {
    for ((icmp_type, code), expected) in [
        ((3, 0), (1, 0)),
        ((3, 1), (1, 0)),
        ((3, 2), (4, 1)),
        ((3, 3), (1, 4)),
        ((3, 4), (2, 0)),
        ((3, 5), (1, 0)),
        ((3, 9), (1, 1)),
        ((3, 10), (1, 1)),
        ((3, 12), (1, 0)),
        ((3, 13), (1, 1)),
        ((3, 15), (1, 1)),
        ((11, 0), (3, 0)),
        ((11, 1), (3, 1)),
    ] {
        assert_eq!(to_v6(icmp_type, code, 0, 100)[40..42], [expected.0, expected.1], "{icmp_type} {code}");
    }
    for ((icmp_type, code), expected) in [
        ((1, 0), (3, 1)),
        ((1, 1), (3, 10)),
        ((1, 2), (3, 1)),
        ((1, 3), (3, 1)),
        ((1, 4), (3, 3)),
        ((2, 0), (3, 4)),
        ((3, 0), (11, 0)),
        ((3, 1), (11, 1)),
        ((4, 1), (3, 2)),
    ] {
        assert_eq!(to_v4(icmp_type, code, 0)[20..22], [expected.0, expected.1], "{icmp_type} {code}");
    }
}

/// Rules: NG-20, MT-05
#[test]
fn an_mtu_grows_and_shrinks_with_the_header() {
    for (mtu, length, expected) in [
        (1400, 1500, 1420),
        (32 << 16 | 1400, 1500, 1420),
        (8500, 9001, 8520),
        (576, 1500, 1280),
        (65_535, 1500, 65_555),
        (0, 9001, 8166),
        (0, 1500, 1492),
        (0, 1492, 1280),
    ] {
        assert_eq!(to_v6(3, 4, mtu, length)[44..48], u32::to_be_bytes(expected), "{mtu} of {length}");
    }
    for (mtu, expected) in [(1500, 1480), (9001, 8981), (80, 68), (0, 68), (70_000, 65_535)] {
        assert_eq!(to_v4(2, 0, mtu)[24..28], u32::to_be_bytes(expected), "{mtu}");
    }
    assert_eq!(to_v6(3, 2, 0, 100)[44..48], [0, 0, 0, 6], "the pointer to the next header");
}

/// Rules: NG-20
#[test]
fn only_a_short_quoted_packet_might_have_been_fragmented() {
    let (client, outer) = examples();
    for (length, may_not) in [(1280, false), (1281, true)] {
        let quote = udp(client.0, client.1, &vec![7; length - 48]);
        let mut buffer = Buffer::copy_of(&icmp_error(client.1.ip(), &quote, 1, 4, 0));
        let parsed = read(&buffer).unwrap();
        let expected = icmp_error(outer.1.ip(), &udp(outer.0, outer.1, b""), 3, 3, 0);
        translate(&mut buffer, &parsed, &to(&expected)).unwrap();
        assert_eq!(buffer.bytes()[28 + 6] & 0x40 != 0, may_not, "{length}");
    }
}

/// Rules: NG-20
#[test]
fn one_to_ipv6_is_cut_to_what_every_link_carries() {
    let (client, outer) = examples();
    let (before, after) = (udp(outer.0, outer.1, &[7; 1400]), udp(client.0, client.1, &[7; 1400]));
    let expected = icmp(client.1.ip(), client.0.ip(), 3, 0, [0; 4], &after[..1232]);
    let mut buffer = Buffer::copy_of(&icmp(outer.1.ip(), outer.0.ip(), 11, 0, [0; 4], &before));
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, &to(&expected)), Ok(read(&buffer).unwrap()));
    assert_eq!((buffer.bytes(), buffer.len()), (&expected[..], 1280));
}

/// RFC 4884: what follows the quote is left out, and so is the word that says where.
#[test]
fn extensions_are_left_out() {
    let (client, outer) = examples();
    let (v4, v6) = (udp(outer.0, outer.1, &[7; 200]), udp(client.0, client.1, &[7; 200]));
    let extension = [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4];
    let extended = icmp(outer.1.ip(), outer.0.ip(), 11, 0, [0, 32, 0, 0], &[&v4[..128], &extension].concat());
    let expected = icmp(client.1.ip(), client.0.ip(), 3, 0, [0; 4], &v6[..148]);
    let mut buffer = Buffer::copy_of(&extended);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&expected)).unwrap();
    assert_eq!(buffer.bytes(), expected);

    let extended =
        icmp(client.1.ip(), client.0.ip(), 3, 0, [16, 0, 0, 0], &[&v6[..128], &extension].concat());
    let expected = icmp(outer.1.ip(), outer.0.ip(), 11, 0, [0; 4], &v4[..108]);
    let mut buffer = Buffer::copy_of(&extended);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, &to(&expected)).unwrap();
    assert_eq!(with_anonymous_quote(buffer.bytes()), expected);
}

/// Rules: NG-20
#[test]
fn a_quoted_first_fragment_stays_one() {
    let (client, outer) = examples();
    let first = |ends: (std::net::SocketAddr, std::net::SocketAddr)| {
        fragments(&udp(ends.0, ends.1, &[7; 100]), 9, 64).remove(0)
    };
    let v4 = icmp(outer.1.ip(), outer.0.ip(), 11, 1, [0; 4], &first(outer));
    let v6 = icmp(client.1.ip(), client.0.ip(), 3, 1, [0; 4], &first(client));
    for (before, after) in [(&v4, &v6), (&v6, &v4)] {
        let mut buffer = Buffer::copy_of(before);
        let parsed = read(&buffer).unwrap();
        assert_eq!(translate(&mut buffer, &parsed, &to(after)), Ok(read(&buffer).unwrap()));
        let bytes = if after == &v4 { anonymous(buffer.bytes()) } else { buffer.bytes().to_vec() };
        assert_eq!(&bytes, after);
    }
}

/// Rules: NG-14
#[test]
fn an_error_in_fragments_is_refused() {
    let (client, outer) = examples();
    let error = icmp_error(outer.1.ip(), &udp(outer.0, outer.1, &[7; 200]), 3, 3, 0);
    let expected = icmp_error(client.1.ip(), &udp(client.0, client.1, &[7; 200]), 1, 4, 0);
    let first = fragments(&error, 9, 128).remove(0);
    let mut buffer = Buffer::copy_of(&first);
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, &to(&expected)), Err(Untranslatable::Fragment));
    assert_eq!(buffer.bytes(), first);
}

/// An error about a datagram of this length, in IPv6.
fn to_v6(icmp_type: u8, code: u8, field: u32, length: usize) -> Vec<u8> {
    let (client, outer) = examples();
    let error =
        icmp_error(outer.1.ip(), &udp(outer.0, outer.1, &vec![7; length - 28]), icmp_type, code, field);
    let about = parse(&udp(client.0, client.1, b"")).unwrap().tuple;
    for (icmp_type, code) in [(1, 0), (1, 1), (1, 4), (2, 0), (3, 0), (3, 1), (4, 1)] {
        let example = icmp_error(client.1.ip(), &udp(client.0, client.1, b""), icmp_type, code, 0);
        if let Some(bytes) = translated(&error, &Translation { about: Some(about), ..to(&example) }) {
            return bytes;
        }
    }
    panic!("no counterpart of {icmp_type} {code}");
}

/// An error in IPv4.
fn to_v4(icmp_type: u8, code: u8, field: u32) -> Vec<u8> {
    let (client, outer) = examples();
    let error = icmp_error(client.1.ip(), &udp(client.0, client.1, b"query"), icmp_type, code, field);
    for (icmp_type, code) in [(3, 1), (3, 2), (3, 3), (3, 4), (3, 10), (11, 0), (11, 1)] {
        let example = icmp_error(outer.1.ip(), &udp(outer.0, outer.1, b""), icmp_type, code, 0);
        if let Some(bytes) = translated(&error, &to(&example)) {
            return bytes;
        }
    }
    panic!("no counterpart of {icmp_type} {code}");
}

fn translated(error: &[u8], to: &Translation) -> Option<Vec<u8>> {
    let mut buffer = Buffer::copy_of(error);
    let parsed = read(&buffer).unwrap();
    translate(&mut buffer, &parsed, to).ok()?;
    verify(buffer.bytes()).unwrap();
    Some(buffer.bytes().to_vec())
}

/// The IPv4 error without the identifications of itself and of the packet that it quotes.
fn with_anonymous_quote(error: &[u8]) -> Vec<u8> {
    let mut error = anonymous(error);
    let quote = anonymous(&error[28..]);
    error.truncate(28);
    error[22..24].fill(0);
    error.extend_from_slice(&quote);
    let sum = checksum::finish(checksum::sum(&error[20..]));
    error[22..24].copy_from_slice(&sum.to_be_bytes());
    finished(error)
}
