//! Packets as the parser would describe them.

use std::net::IpAddr;

use wire::{FiveTuple, Parsed, Transport, proto};

use crate::world::socket;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A TCP segment without payload, both sequence numbers zero.
pub(crate) fn tcp(from: &str, to: &str, flags: u8) -> Parsed {
    segment(from, to, flags, 0, 0, 0)
}

pub(crate) fn segment(from: &str, to: &str, flags: u8, seq: u32, ack: u32, payload: u32) -> Parsed {
    packet(between(from, to, proto::TCP), Transport::Tcp { flags, seq, ack, payload })
}

pub(crate) fn udp(from: &str, to: &str) -> Parsed {
    packet(between(from, to, proto::UDP), Transport::Udp)
}

/// A packet of a protocol without ports.
pub(crate) fn raw(from: &str, to: &str, protocol: u8) -> Parsed {
    packet(bare(from, to, protocol), Transport::Other)
}

/// An echo request; 84 bytes like those of `ping`.
pub(crate) fn ping(from: &str, to: &str, id: u16) -> Parsed {
    let (protocol, query, _) = echo_types(from);
    let tuple = FiveTuple { src_port: id, dst_port: u16::from(query) << 8, ..bare(from, to, protocol) };
    packet(tuple, Transport::Icmp { icmp_type: query, code: 0, about: None })
}

/// An echo reply.
pub(crate) fn pong(from: &str, to: &str, id: u16) -> Parsed {
    let (protocol, query, reply) = echo_types(from);
    let tuple = FiveTuple { src_port: u16::from(query) << 8, dst_port: id, ..bare(from, to, protocol) };
    packet(tuple, Transport::Icmp { icmp_type: reply, code: 0, about: None })
}

/// An ICMP message that is neither a query nor its reply.
pub(crate) fn icmp(from: &str, to: &str, icmp_type: u8, code: u8, about: Option<&Parsed>) -> Parsed {
    let (protocol, _, _) = echo_types(from);
    let tuple = FiveTuple { dst_port: u16::from_be_bytes([icmp_type, code]), ..bare(from, to, protocol) };
    packet(tuple, Transport::Icmp { icmp_type, code, about: about.map(|quoted| quoted.tuple) })
}

/// The same packet, this long.
pub(crate) const fn long(mut parsed: Parsed, length: u32) -> Parsed {
    parsed.length = length;
    parsed.longest = length;
    parsed.wire_bytes = length;
    parsed
}

/// The same packet, which may be fragmented.
pub(crate) const fn without_df(mut parsed: Parsed) -> Parsed {
    parsed.dont_fragment = false;
    parsed
}

/// A later fragment of the same packet.
pub(crate) const fn later_fragment(mut parsed: Parsed) -> Parsed {
    parsed.transport = Transport::Later;
    parsed.fragment = Some(wire::Fragment { id: 7, offset: 1480, more: false });
    parsed
}

fn packet(tuple: FiveTuple, transport: Transport) -> Parsed {
    Parsed {
        tuple,
        length: 84,
        packets: 1,
        wire_bytes: 84,
        longest: 84,
        transport_offset: if tuple.src.is_ipv4() { 20 } else { 40 },
        ttl: 64,
        dont_fragment: true,
        fragment: None,
        transport,
    }
}

fn between(from: &str, to: &str, protocol: u8) -> FiveTuple {
    let (from, to) = (socket(from), socket(to));
    FiveTuple { src: from.ip(), dst: to.ip(), src_port: from.port(), dst_port: to.port(), proto: protocol }
}

fn bare(from: &str, to: &str, protocol: u8) -> FiveTuple {
    FiveTuple { src: ip(from), dst: ip(to), src_port: 0, dst_port: 0, proto: protocol }
}

/// Protocol, echo request and echo reply of the family.
fn echo_types(address: &str) -> (u8, u8, u8) {
    match ip(address) {
        IpAddr::V4(_) => (proto::ICMP, 8, 0),
        IpAddr::V6(_) => (proto::ICMPV6, 128, 129),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("tests write addresses")
}
