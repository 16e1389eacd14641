mod errors;
mod fragments;
mod offload;
mod refused;

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::{packet, to};
use crate::testing::{at, dont_fragment, ip, tcp, udp, verify, with_ttl};
use crate::{Buffer, Translation, checksum, proto, read, tcp_flag, translate};

/// Kinds of packet that both families have.
const KINDS: usize = 4;

proptest! {
    /// Rules: NG-20
    #[test]
    fn to_ipv4_it_is_as_if_built_so(
        client in client(),
        outer in outer(),
        kind in 0..KINDS,
        payload in prop::collection::vec(any::<u8>(), 0..1400),
        hops in 0_u8..3,
    ) {
        let expected = with_ttl(packet(kind, outer, &payload), 64 - hops);
        let expected = if expected.len() > 1260 { dont_fragment(expected) } else { expected };
        let mut buffer = Buffer::copy_of(&packet(kind, client, &payload));
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &Translation { hops, ..to(&expected) });
        prop_assert_eq!(said, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
        prop_assert_eq!(anonymous(buffer.bytes()), expected);
    }

    /// Rules: NG-20
    #[test]
    fn to_ipv6_it_is_as_if_built_so(
        client in client(),
        outer in outer(),
        kind in 0..KINDS,
        payload in prop::collection::vec(any::<u8>(), 0..1400),
        hops in 0_u8..3,
        may_be_split in any::<bool>(),
    ) {
        let expected = with_ttl(packet(kind, client, &payload), 64 - hops);
        let before = packet(kind, outer, &payload);
        let before = if may_be_split { before } else { dont_fragment(before) };
        let mut buffer = Buffer::copy_of(&before);
        let parsed = read(&buffer).unwrap();
        let said = translate(&mut buffer, &parsed, &Translation { hops, ..to(&expected) });
        prop_assert_eq!(said, Ok(read(&buffer).unwrap()));
        prop_assert_eq!(buffer.bytes(), &expected);
        prop_assert_eq!(verify(buffer.bytes()), Ok(()));
    }
}

/// Rules: NG-20
#[test]
fn dscp_and_ecn_cross_in_both_directions() {
    let (client, outer) = (examples().0, examples().1);
    let mut v6 = udp(client.0, client.1, b"query");
    (v6[0], v6[1]) = (0x6b, 0xa0 | 0x05);
    let mut buffer = Buffer::copy_of(&v6);
    let parsed = read(&buffer).unwrap();
    let there = translate(&mut buffer, &parsed, &to(&udp(outer.0, outer.1, b""))).unwrap();
    assert_eq!(buffer.bytes()[1], 0xba);
    translate(&mut buffer, &there, &to(&v6)).unwrap();
    assert_eq!(buffer.bytes()[..4], [0x6b, 0xa0, 0, 0], "IPv4 has no flow label");
}

/// A packet that may be fragmented needs an identification of its own (RFC 6864 section 4.3).
#[test]
fn short_packets_of_a_flow_have_different_identifications() {
    let (client, outer) = examples();
    let identification = |payload: &[u8]| {
        let mut buffer = Buffer::copy_of(&udp(client.0, client.1, payload));
        let parsed = read(&buffer).unwrap();
        translate(&mut buffer, &parsed, &to(&udp(outer.0, outer.1, b""))).unwrap();
        assert_eq!(buffer.bytes()[6], 0, "may be fragmented");
        [buffer.bytes()[4], buffer.bytes()[5]]
    };
    assert_ne!(identification(b"one query"), identification(b"another query"));
}

/// Rules: NG-20
#[test]
fn options_and_extension_headers_are_left_out() {
    let (client, outer) = examples();
    let (v6, v4) = (udp(client.0, client.1, b"query"), udp(outer.0, outer.1, b"query"));
    let hop_by_hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let destination = [43, 0, 1, 4, 0, 0, 0, 0];
    let routing_done = [44, 0, 0, 0, 0, 0, 0, 0];
    let atomic_fragment = [proto::UDP, 0, 0, 0, 0, 0, 0, 9];
    let extended = extended(&v6, 0, &[hop_by_hop, destination, routing_done, atomic_fragment].concat());
    let mut buffer = Buffer::copy_of(&extended);
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, &to(&v4)), Ok(read(&buffer).unwrap()));
    assert_eq!(anonymous(buffer.bytes()), v4);

    let router_alert_and_route_done = [148, 4, 0, 0, 131, 7, 8, 10, 0, 0, 1, 0];
    let mut buffer = Buffer::copy_of(&with_options(&v4, &router_alert_and_route_done));
    let parsed = read(&buffer).unwrap();
    assert_eq!(translate(&mut buffer, &parsed, &to(&v6)), Ok(read(&buffer).unwrap()));
    assert_eq!(buffer.bytes(), v6);
}

/// Rules: NG-20, MT-08
#[test]
fn the_mss_of_a_syn_is_clamped_on_the_way() {
    let (client, outer) = examples();
    let syn = |(src, dst): (SocketAddr, SocketAddr), mss: u16| {
        let mut packet = tcp(src, dst, tcp_flag::SYN, 7, 9, &[&[2, 4][..], &mss.to_be_bytes()].concat());
        let at = packet.len() - 24;
        packet[at + 12] = 0x60;
        packet[at + 16..at + 18].fill(0);
        let sum = checksum::transport(src.ip(), dst.ip(), proto::TCP, &packet[at..]);
        packet[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
        packet
    };
    let mut buffer = Buffer::copy_of(&syn(client, 8941));
    let parsed = read(&buffer).unwrap();
    let expected = syn(outer, 1460);
    translate(&mut buffer, &parsed, &Translation { mss: Some(1460), ..to(&expected) }).unwrap();
    assert_eq!(anonymous(buffer.bytes()), expected);
}

/// A reply of nothing but zeros is one only in IPv4.
#[test]
fn an_echo_reply_of_zeros_gets_its_right_checksum() {
    let ((client, remote), (own, far)) = examples();
    let zeros = crate::testing::echo_reply(far.ip(), own.ip(), 0, 0, &[0; 8]);
    let of_ipv6 = crate::testing::echo_reply(remote.ip(), client.ip(), 0, 0, &[0; 8]);
    let mut buffer = Buffer::copy_of(&of_ipv6);
    let parsed = read(&buffer).unwrap();
    let there = translate(&mut buffer, &parsed, &to(&zeros)).unwrap();
    assert_eq!(anonymous(buffer.bytes()), zeros);
    translate(&mut buffer, &there, &to(&of_ipv6)).unwrap();
    assert_eq!(buffer.bytes(), of_ipv6);
}

/// The packet without its identification; one that may not be fragmented must have none.
fn anonymous(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if packet[6] & 0x40 != 0 {
        assert_eq!(packet[4..6], [0, 0]);
    }
    packet[4..6].fill(0);
    finished(packet)
}

/// The packet with a right IPv4 header checksum.
fn finished(mut packet: Vec<u8>) -> Vec<u8> {
    let header = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let sum = checksum::finish(checksum::sum(&packet[..header]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The IPv4 packet with options, a multiple of four bytes.
fn with_options(packet: &[u8], options: &[u8]) -> Vec<u8> {
    let mut longer = [&packet[..20], options, &packet[20..]].concat();
    longer[0] = 0x45 + (options.len() / 4) as u8;
    let length = (longer.len() as u16).to_be_bytes();
    longer[2..4].copy_from_slice(&length);
    finished(longer)
}

/// The IPv6 packet with extension headers, the first of which is of kind `first`.
fn extended(packet: &[u8], first: u8, headers: &[u8]) -> Vec<u8> {
    let mut longer = [&packet[..40], headers, &packet[40..]].concat();
    longer[6] = first;
    let length = (longer.len() as u16 - 40).to_be_bytes();
    longer[4..6].copy_from_slice(&length);
    longer
}

/// A client and what it sends to, and the same after the translation.
fn examples() -> ((SocketAddr, SocketAddr), (SocketAddr, SocketAddr)) {
    let client = (at("[2001:db8::5]:4000"), SocketAddr::new(ip("64:ff9b::203.0.113.53"), 53));
    (client, (at("10.0.1.7:40001"), at("203.0.113.53:53")))
}

fn client() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    any::<([u8; 16], [u8; 16], u16, u16)>().prop_map(|(src, dst, from, to)| {
        (SocketAddr::new(IpAddr::from(src), from), SocketAddr::new(IpAddr::from(dst), to))
    })
}

fn outer() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    any::<([u8; 4], [u8; 4], u16, u16)>().prop_map(|(src, dst, from, to)| {
        (SocketAddr::new(IpAddr::from(src), from), SocketAddr::new(IpAddr::from(dst), to))
    })
}
