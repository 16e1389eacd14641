mod errors;
mod mss;
mod nat64;
mod patch;
mod same;

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::Translation;
use crate::testing::{at, echo_reply, echo_request, other, tcp, udp};
use crate::{parse, tcp_flag};

/// Kinds of packet that [`packet`] builds.
const KINDS: usize = 5;

/// UDP, TCP, an echo request, its reply, and a protocol that nobody here reads.
fn packet(kind: usize, (src, dst): (SocketAddr, SocketAddr), payload: &[u8]) -> Vec<u8> {
    match kind {
        0 => udp(src, dst, payload),
        1 => tcp(src, dst, tcp_flag::ACK | tcp_flag::PSH, 7, 9, payload),
        2 => echo_request(src.ip(), dst.ip(), src.port(), 3, payload),
        3 => echo_reply(src.ip(), dst.ip(), src.port(), 3, payload),
        _ => other(src.ip(), dst.ip(), 50, payload),
    }
}

/// What makes any other packet of the kind this one.
fn to(packet: &[u8]) -> Translation {
    let parsed = parse(packet).unwrap();
    Translation { tuple: parsed.tuple, about: parsed.about(), hops: 0, mss: None }
}

fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let address =
        || prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)];
    (address(), any::<[u8; 4]>(), any::<[u8; 16]>(), any::<[u16; 2]>()).prop_map(|(src, v4, v6, ports)| {
        let dst = if src.is_ipv4() { IpAddr::from(v4) } else { IpAddr::from(v6) };
        (SocketAddr::new(src, ports[0]), SocketAddr::new(dst, ports[1]))
    })
}

/// `new`, in the family of `old`.
fn like(old: (SocketAddr, SocketAddr), new: (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
    let convert = |end: SocketAddr| match (old.0.ip(), end.ip()) {
        (IpAddr::V4(_), IpAddr::V6(v6)) => {
            let [.., a, b, c, d] = v6.octets();
            SocketAddr::new([a, b, c, d].into(), end.port())
        }
        (IpAddr::V6(_), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), end.port()),
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => end,
    };
    (convert(new.0), convert(new.1))
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..100)
}

fn v4_ends() -> (SocketAddr, SocketAddr) {
    (at("10.0.0.5:4000"), at("10.0.0.9:53"))
}

fn other_v4_ends() -> (SocketAddr, SocketAddr) {
    (at("198.51.100.7:40001"), at("203.0.113.53:53"))
}

fn v6_ends() -> (SocketAddr, SocketAddr) {
    (at("[2001:db8::5]:4000"), at("[2001:db8::9]:53"))
}
