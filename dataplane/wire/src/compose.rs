//! Packets of our own: ICMP errors and TCP resets.
//!
//! Each function answers `None` for a packet that must not be answered: an ICMP error or redirect, a later
//! fragment, one to or from an address that is no single host (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e)).
//! The exception of RFC 4443 for "packet too big" about multicast is not made, since a VPC has none (AD-20).

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpDscp, IpNumber, Ipv4Header, Ipv6Header, TcpHeader,
};

use crate::{Buffer, Parsed, Transport, icmp_is_error, proto, tcp_flag};

/// TTL and hop limit of what we send (RFC 1700).
const TTL: u8 = 64;

/// Class selector 6, internetwork control: the precedence of ICMP errors (RFC 1812 section 4.3.2.5).
const ERROR_DSCP: IpDscp = IpDscp::CS6;

/// An IPv4 error is at most 576 bytes long (RFC 1812 section 4.3.2.3): 20 and 8 of headers, the rest quote.
const MAX_QUOTE_V4: usize = 576 - 20 - 8;

/// An IPv6 error is at most as long as the smallest MTU (RFC 4443 section 2.4 (c)).
const MAX_QUOTE_V6: usize = 1280 - 40 - 8;

/// Why a destination cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// Refused by policy: IPv4 code 13 (RFC 1812 section 5.2.7.1), IPv6 code 1 (RFC 4443 section 3.1).
    Administratively,
    /// No such host: IPv4 code 1, IPv6 code 3.
    Host,
    /// No route: code 0 of both.
    Network,
    /// Nobody listens: IPv4 code 3, IPv6 code 4.
    Port,
}

/// Tells the sender of `packet` that it exceeds `mtu` bytes: ICMP "fragmentation needed" with the next-hop MTU
/// (RFC 1191 section 4) or ICMPv6 "packet too big" (RFC 4443 section 3.2), from `router` (MT-05).
#[must_use]
pub fn too_big(packet: &[u8], parsed: &Parsed, router: IpAddr, mtu: u16) -> Option<Buffer> {
    let [high, low] = mtu.to_be_bytes();
    error(packet, parsed, router, Kind { v4: (3, 4), v6: (2, 0), field: [0, 0, high, low] })
}

/// Tells the sender of `packet` that its TTL or hop limit ran out at `router` (RFC 792, RFC 4443 section 3.3).
#[must_use]
pub fn time_exceeded(packet: &[u8], parsed: &Parsed, router: IpAddr) -> Option<Buffer> {
    error(packet, parsed, router, Kind { v4: (11, 0), v6: (3, 0), field: [0; 4] })
}

/// Tells the sender of `packet` that its destination cannot be reached (RFC 792, RFC 4443 section 3.1).
#[must_use]
pub fn unreachable(packet: &[u8], parsed: &Parsed, router: IpAddr, why: Unreachable) -> Option<Buffer> {
    let (v4, v6) = match why {
        Unreachable::Administratively => (13, 1),
        Unreachable::Host => (1, 3),
        Unreachable::Network => (0, 0),
        Unreachable::Port => (3, 4),
    };
    error(packet, parsed, router, Kind { v4: (3, v4), v6: (1, v6), field: [0; 4] })
}

/// The reset that a closed port answers a TCP segment with (RFC 9293 section 3.10.7.1), from the segment's
/// destination. `None` also for a reset, for fragments, whose segment length is unknown, and for other protocols.
#[must_use]
pub fn reset(parsed: &Parsed) -> Option<Buffer> {
    let Transport::Tcp { flags, seq, ack, payload } = parsed.transport else { return None };
    // The reset comes from that address, so it too must be one host's.
    let is_answerable = may_answer(parsed) && is_one_host(parsed.tuple.dst);
    if flags & tcp_flag::RST != 0 || parsed.fragment.is_some() || !is_answerable {
        return None;
    }
    let tuple = parsed.tuple.reversed();
    let mut header = TcpHeader::new(tuple.src_port, tuple.dst_port, 0, 0);
    header.rst = true;
    if flags & tcp_flag::ACK != 0 {
        header.sequence_number = ack;
    } else {
        let length = payload + u32::from(flags & tcp_flag::SYN != 0) + u32::from(flags & tcp_flag::FIN != 0);
        header.ack = true;
        header.acknowledgment_number = seq.wrapping_add(length);
    }
    match (tuple.src, tuple.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            header.checksum = header.calc_checksum_ipv4_raw(src.octets(), dst.octets(), &[]).ok()?;
            packet_v4(IpNumber::TCP, IpDscp::CS0, src, dst, &[&header.to_bytes()])
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            header.checksum = header.calc_checksum_ipv6_raw(src.octets(), dst.octets(), &[]).ok()?;
            packet_v6(IpNumber::TCP, IpDscp::CS0, src, dst, &[&header.to_bytes()])
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

/// Type and code of an error in both families, and the four bytes before the quote.
struct Kind {
    v4: (u8, u8),
    v6: (u8, u8),
    field: [u8; 4],
}

fn error(packet: &[u8], parsed: &Parsed, router: IpAddr, kind: Kind) -> Option<Buffer> {
    if !may_answer(parsed) {
        return None;
    }
    let packet = packet.get(..parsed.length as usize)?;
    match (router, parsed.tuple.src) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => error_v4(packet, src, dst, kind),
        (IpAddr::V6(src), IpAddr::V6(dst)) => error_v6(packet, src, dst, kind),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

fn error_v4(packet: &[u8], src: Ipv4Addr, dst: Ipv4Addr, kind: Kind) -> Option<Buffer> {
    let quote = &packet[..packet.len().min(MAX_QUOTE_V4)];
    let (type_u8, code_u8) = kind.v4;
    let message = Icmpv4Type::Unknown { type_u8, code_u8, bytes5to8: kind.field };
    let header = Icmpv4Header::with_checksum(message, quote).to_bytes();
    packet_v4(IpNumber::ICMP, ERROR_DSCP, src, dst, &[&header, quote])
}

fn error_v6(packet: &[u8], src: Ipv6Addr, dst: Ipv6Addr, kind: Kind) -> Option<Buffer> {
    let quote = &packet[..packet.len().min(MAX_QUOTE_V6)];
    let (type_u8, code_u8) = kind.v6;
    let message = Icmpv6Type::Unknown { type_u8, code_u8, bytes5to8: kind.field };
    let header = Icmpv6Header::with_checksum(message, src.octets(), dst.octets(), quote).ok()?.to_bytes();
    packet_v6(IpNumber::IPV6_ICMP, ERROR_DSCP, src, dst, &[&header, quote])
}

/// "Don't fragment" is set, so that the identification may stay zero (RFC 6864 section 4.1).
fn packet_v4(
    protocol: IpNumber,
    dscp: IpDscp,
    src: Ipv4Addr,
    dst: Ipv4Addr,
    payload: &[&[u8]],
) -> Option<Buffer> {
    let length = payload.iter().map(|part| part.len()).sum::<usize>();
    let mut header =
        Ipv4Header::new(u16::try_from(length).ok()?, TTL, protocol, src.octets(), dst.octets()).ok()?;
    header.dscp = dscp;
    header.dont_fragment = true;
    header.header_checksum = header.calc_header_checksum();
    Some(joined(&header.to_bytes(), payload))
}

fn packet_v6(
    protocol: IpNumber,
    dscp: IpDscp,
    src: Ipv6Addr,
    dst: Ipv6Addr,
    payload: &[&[u8]],
) -> Option<Buffer> {
    let length = payload.iter().map(|part| part.len()).sum::<usize>();
    let mut header = Ipv6Header {
        next_header: protocol,
        payload_length: u16::try_from(length).ok()?,
        hop_limit: TTL,
        source: src.octets(),
        destination: dst.octets(),
        ..Ipv6Header::default()
    };
    header.set_dscp(dscp);
    Some(joined(&header.to_bytes(), payload))
}

fn joined(header: &[u8], payload: &[&[u8]]) -> Buffer {
    let length = payload.iter().map(|part| part.len()).sum::<usize>();
    let mut packet = Buffer::with_capacity(header.len() + length);
    packet.extend_from_slice(header);
    for part in payload {
        packet.extend_from_slice(part);
    }
    packet
}

fn may_answer(parsed: &Parsed) -> bool {
    let is_about_nobody = match parsed.transport {
        Transport::Icmp { icmp_type, .. } => is_report(parsed.tuple.proto, icmp_type),
        Transport::Later => true,
        Transport::Other | Transport::Tcp { .. } | Transport::Udp => false,
    };
    !is_about_nobody && is_one_host(parsed.tuple.src) && !is_many_hosts(parsed.tuple.dst)
}

/// ICMP errors and redirects, and every ICMPv6 error type not known yet (RFC 4443 section 2.1).
fn is_report(protocol: u8, icmp_type: u8) -> bool {
    const REDIRECT_V4: u8 = 5;
    const REDIRECT_V6: u8 = 137;
    match protocol {
        proto::ICMPV6 => icmp_type < 128 || icmp_type == REDIRECT_V6,
        _ => icmp_is_error(protocol, icmp_type) || icmp_type == REDIRECT_V4,
    }
}

fn is_one_host(address: IpAddr) -> bool {
    let is_reserved_v4 = matches!(address, IpAddr::V4(address) if address.octets()[0] >= 240);
    !(is_many_hosts(address) || address.is_unspecified() || address.is_loopback() || is_reserved_v4)
}

fn is_many_hosts(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(address) if address.is_broadcast())
}
