//! What is said of a translated packet is what is read from its bytes.

use std::net::SocketAddr;

use wire::testing::{at, echo_request, fragments, icmp, icmp_error, left_to_device, tcp, udp};
use wire::{Buffer, Translation, parse, read, translate};

use super::*;

const CLIENT: &str = "[2001:db8::5]:4000";
const REMOTE6: &str = "[64:ff9b::cb00:7135]:53";
const OWN: &str = "10.0.1.7:40001";
const REMOTE: &str = "203.0.113.53:53";

/// Rules: NG-20
#[test]
fn a_packet_of_the_other_family_has_the_length_of_its_bytes() {
    let families = [ends(CLIENT, REMOTE6), ends(OWN, REMOTE)];
    for (before, after) in [(families[0], families[1]), (families[1], families[0])] {
        for length in [0, 1200, 1232, 1233, 1400] {
            let payload = vec![7; length];
            let datagram = udp(before.0, before.1, &payload);
            check(Buffer::copy_of(&datagram), &udp(after.0, after.1, &payload));
            let echo =
                |(src, dst): (SocketAddr, SocketAddr)| echo_request(src.ip(), dst.ip(), 7, 1, &payload);
            check(Buffer::copy_of(&echo(before)), &echo(after));
            for fragment in fragments(&datagram, 7, 1304) {
                check(Buffer::copy_of(&fragment), &udp(after.0, after.1, &payload));
            }
        }
    }
}

/// Rules: NG-20
#[test]
fn a_super_packet_of_the_other_family_is_cut_as_its_bytes_are() {
    let families = [ends(CLIENT, REMOTE6), ends(OWN, REMOTE)];
    for (before, after) in [(families[0], families[1]), (families[1], families[0])] {
        for size in [100, 1220, 1232, 1440, 8000] {
            let segments = |(src, dst)| tcp(src, dst, 16, 7, 9, &[7; 30_000]);
            check(left_to_device(segments(before), Some(size)), &segments(after));
            let datagrams = |(src, dst)| udp(src, dst, &[7; 30_000]);
            check(left_to_device(datagrams(before), Some(size)), &datagrams(after));
        }
    }
}

/// Rules: NG-20, NG-29
#[test]
fn an_error_of_the_other_family_has_the_length_of_its_bytes() {
    for length in [0, 400, 1300] {
        let payload = vec![7; length];
        let about = |(src, dst)| udp(src, dst, &payload);
        let (v6, v4) = (about(ends(CLIENT, REMOTE6)), about(ends(OWN, REMOTE)));
        let whole = |router: &str, quote: &[u8], icmp_type| {
            let to = parse(quote).unwrap().tuple.src;
            icmp(at(router).ip(), to, icmp_type, 0, [0; 4], quote)
        };
        check(Buffer::copy_of(&whole(REMOTE, &v4, 11)), &whole(REMOTE6, &v6, 3));
        check(
            Buffer::copy_of(&icmp_error(at(REMOTE6).ip(), &v6, 1, 4, 0)),
            &icmp_error(at(REMOTE).ip(), &v4, 3, 3, 0),
        );
    }
}

/// Rules: NG-29
#[test]
fn within_a_family_nothing_else_changes() {
    let (before, after) = (ends("10.0.2.9:4000", REMOTE), ends(OWN, REMOTE));
    let (old, new) = (udp(before.0, before.1, b"query"), udp(after.0, after.1, b"query"));
    check(Buffer::copy_of(&old), &new);
    let error = |about: &[u8]| icmp_error(at(REMOTE).ip(), about, 3, 3, 0);
    check(Buffer::copy_of(&error(&old)), &error(&new));
}

/// Makes of the packet what `like` is, here and in its bytes.
fn check(mut buffer: Buffer, like: &[u8]) {
    let parsed = read(&buffer).unwrap();
    let like = parse(like).unwrap();
    let (mut said, mut example) = (parsed, like);
    let about = about_mut(&mut example).copied();
    match about {
        Some(about) => error(&mut said, like.tuple.src, like.tuple.dst, about).unwrap(),
        None => whole(&mut said, like.tuple),
    }
    let to = Translation { tuple: like.tuple, about, hops: 0, mss: None };
    let bytes = translate(&mut buffer, &parsed, &to).unwrap();
    let id = bytes.fragment.map(|fragment| fragment.id);
    said.fragment =
        said.fragment.map(|fragment| wire::Fragment { id: id.unwrap_or(fragment.id), ..fragment });
    // Not so in short IPv4 packets: others may fragment them.
    said.dont_fragment = bytes.dont_fragment;
    assert_eq!(said, bytes, "{parsed}");
}

fn ends(src: &str, dst: &str) -> (SocketAddr, SocketAddr) {
    (at(src), at(dst))
}
