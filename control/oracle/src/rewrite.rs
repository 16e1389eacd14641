//! What gateways change in a packet: addresses, ports, and the packet that an ICMP error quotes.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{FiveTuple, Parsed, Transport, proto};

/// Bytes of an IPv4 header without options (RFC 791 section 3.1).
const HEADER_V4: u16 = 20;
/// Bytes of an IPv6 header (RFC 8200 section 3).
const HEADER_V6: u16 = 40;
/// Bytes of an IPv6 fragment header (RFC 8200 section 4.5).
const FRAGMENT_HEADER: u16 = 8;
/// The longest ICMPv6 error (RFC 4443 section 2.4).
const LONGEST_ERROR: u32 = 1280;

/// The source of the packet and of what it answers: everything of `private` becomes `public`.
///
/// The packet that an ICMP error quotes had gone the other way, so there the destination changes (IG-02).
pub(crate) fn source(parsed: &mut Parsed, to: IpAddr) {
    let from = parsed.tuple.src;
    parsed.tuple.src = to;
    if let Some(about) = about_mut(parsed)
        && about.dst == from
    {
        about.dst = to;
    }
}

/// The destination of the packet, and the source of the packet that an ICMP error quotes.
pub(crate) fn destination(parsed: &mut Parsed, to: IpAddr) {
    let from = parsed.tuple.dst;
    parsed.tuple.dst = to;
    if let Some(about) = about_mut(parsed)
        && about.src == from
    {
        about.src = to;
    }
}

/// Gives a packet that is no ICMP error another tuple, perhaps of the other family (NG-20).
pub(crate) fn whole(parsed: &mut Parsed, tuple: FiveTuple) {
    resize(parsed, tuple);
    if let Transport::Icmp { icmp_type, .. } = &mut parsed.transport {
        *icmp_type = echo_type(*icmp_type, tuple.proto);
    }
    parsed.tuple = tuple;
}

/// Gives an ICMP error other ends and another quoted packet; nothing if the other family has no such error.
pub(crate) fn error(parsed: &mut Parsed, src: IpAddr, dst: IpAddr, about: FiveTuple) -> Option<()> {
    let Transport::Icmp { icmp_type, code, .. } = parsed.transport else { return None };
    let protocol = if src.is_ipv4() { proto::ICMP } else { proto::ICMPV6 };
    let (icmp_type, code) = match (parsed.tuple.proto, protocol) {
        (proto::ICMP, proto::ICMPV6) => error_4_to_6(icmp_type, code)?,
        (proto::ICMPV6, proto::ICMP) => error_6_to_4(icmp_type, code)?,
        _ => (icmp_type, code),
    };
    let dst_port = u16::from_be_bytes([icmp_type, code]);
    let tuple = FiveTuple { src, dst, src_port: 0, dst_port, proto: protocol };
    resize(parsed, tuple);
    parsed.tuple = tuple;
    parsed.transport = Transport::Icmp { icmp_type, code, about: Some(about) };
    Some(())
}

/// The protocol that carries the same on the other family.
pub(crate) const fn protocol_for(protocol: u8, v4: bool) -> u8 {
    match protocol {
        proto::ICMP | proto::ICMPV6 if v4 => proto::ICMP,
        proto::ICMP | proto::ICMPV6 => proto::ICMPV6,
        other => other,
    }
}

/// The answerer's port of a query: `type << 8` for ICMP, which has other numbers on the other family.
pub(crate) fn far_port(port: u16, protocol: u8) -> u16 {
    let [icmp_type, low] = port.to_be_bytes();
    match protocol {
        proto::ICMP | proto::ICMPV6 => u16::from_be_bytes([echo_type(icmp_type, protocol), low]),
        _ => port,
    }
}

/// Echo request and reply by protocol; other types have no counterpart (RFC 7915 sections 4.2 and 5.2).
const fn echo_type(icmp_type: u8, protocol: u8) -> u8 {
    match (icmp_type, protocol) {
        (8, proto::ICMPV6) => 128,
        (0, proto::ICMPV6) => 129,
        (128, proto::ICMP) => 8,
        (129, proto::ICMP) => 0,
        (same, _) => same,
    }
}

/// RFC 7915 section 4.2.
const fn error_4_to_6(icmp_type: u8, code: u8) -> Option<(u8, u8)> {
    match (icmp_type, code) {
        (3, 0 | 1 | 5 | 6 | 7 | 8 | 11 | 12) => Some((1, 0)),
        (3, 2) => Some((4, 1)),
        (3, 3) => Some((1, 4)),
        (3, 4) => Some((2, 0)),
        (3, 9 | 10 | 13 | 15) => Some((1, 1)),
        (11, code) => Some((3, code)),
        _ => None,
    }
}

/// RFC 7915 section 5.2.
const fn error_6_to_4(icmp_type: u8, code: u8) -> Option<(u8, u8)> {
    match (icmp_type, code) {
        (1, 0 | 2 | 3) => Some((3, 1)),
        (1, 1) => Some((3, 10)),
        (1, 4) => Some((3, 3)),
        (2, _) => Some((3, 4)),
        (3, code) => Some((11, code)),
        (4, 1) => Some((3, 2)),
        _ => None,
    }
}

/// What `mtu` bytes for a packet from `here` are for the same packet as it was when it came from `like`.
pub(crate) const fn mtu_for(like: IpAddr, here: IpAddr, mtu: u16) -> u16 {
    let growth = HEADER_V6 - HEADER_V4;
    match (like, here) {
        (IpAddr::V4(_), IpAddr::V6(_)) => mtu.saturating_sub(growth),
        (IpAddr::V6(_), IpAddr::V4(_)) => mtu.saturating_add(growth),
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => mtu,
    }
}

/// NAT64 changes every packet's length by the difference of the headers. What was or becomes IPv6 is not fragmented on
/// its way through the lab, whatever its bytes allow to others.
fn resize(parsed: &mut Parsed, tuple: FiveTuple) {
    let to_v4 = tuple.src.is_ipv4();
    if parsed.tuple.src.is_ipv4() == to_v4 {
        return;
    }
    let (before, after) = (parsed.transport_offset, header(to_v4, parsed.fragment.is_some()));
    let (longest, count) = (parsed.longest, parsed.packets);
    parsed.transport_offset = after;
    parsed.length = exchange(parsed.length, before, after, 1);
    parsed.longest = exchange(longest, before, after, 1);
    parsed.wire_bytes = exchange(parsed.wire_bytes, before, after, count);
    if parsed.is_about_another() {
        quote(parsed, to_v4);
    }
    if !to_v4 && count > 1 {
        shorten(parsed, longest);
    }
    parsed.dont_fragment = true;
}

const fn header(v4: bool, is_fragment: bool) -> u16 {
    match (v4, is_fragment) {
        (true, _) => HEADER_V4,
        (false, false) => HEADER_V6,
        (false, true) => HEADER_V6 + FRAGMENT_HEADER,
    }
}

fn exchange(bytes: u32, before: u16, after: u16, count: u32) -> u32 {
    bytes.saturating_sub(u32::from(before) * count) + u32::from(after) * count
}

/// The header of the packet that an ICMP error quotes changes too; an ICMPv6 error is cut.
fn quote(parsed: &mut Parsed, to_v4: bool) {
    let length = exchange(parsed.length, header(!to_v4, false), header(to_v4, false), 1);
    let length = if to_v4 { length } else { length.min(LONGEST_ERROR) };
    (parsed.length, parsed.longest, parsed.wire_bytes) = (length, length, length);
}

/// TCP is cut into segments as long as before, with less in each; a datagram stays what it is.
fn shorten(parsed: &mut Parsed, longest: u32) {
    let Transport::Tcp { payload, .. } = parsed.transport else { return };
    let headers = parsed.length.saturating_sub(payload);
    let size = u16::try_from(longest.saturating_sub(headers)).unwrap_or(u16::MAX);
    *parsed = parsed.cut(size);
}

const fn about_mut(parsed: &mut Parsed) -> Option<&mut FiveTuple> {
    match &mut parsed.transport {
        Transport::Icmp { about: Some(about), .. } => Some(about),
        Transport::Icmp { about: None, .. }
        | Transport::Later
        | Transport::Other
        | Transport::Tcp { .. }
        | Transport::Udp => None,
    }
}

/// The IPv4 address inside an address of 64:ff9b::/96 (RFC 6052 section 2).
pub(crate) fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

/// The address of 64:ff9b::/96 that stands for an IPv4 address.
pub(crate) fn embed(address: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = address.octets();
    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}
