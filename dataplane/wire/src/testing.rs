//! Packets for tests and benches, with right lengths and checksums, and a checker of both.
//!
//! Built with `etherparse`, checked with `smoltcp`'s sums: neither shares code with [`crate::parse()`].
//! Addresses and ports written as text come from [`ip`] and [`at`]. Every builder panics on families that differ
//! and on payloads that do not fit: a test that does so is wrong.
//!
//! TTL is 64, IPv4 identification zero, and "don't fragment" clear; see [`with_ttl`] and [`dont_fragment`].

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, Ipv4Header, Ipv6Header, TcpHeader,
    UdpHeader,
};

use crate::{
    Buffer, Offload, PartialChecksum, SegmentKind, Segments, Transport, checksum, parse, proto, tcp_flag,
};

mod fragments;
#[cfg(test)]
mod tests;

pub use fragments::{fragments, reassemble};

/// Reads an address such as `10.0.1.5`.
#[must_use]
pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

/// Reads an address with a port, such as `10.0.1.5:443` or `[2001:db8::1]:443`.
#[must_use]
pub fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

/// A TCP segment without options; `flags` are those of [`tcp_flag`].
#[must_use]
pub fn tcp(src: SocketAddr, dst: SocketAddr, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let mut header = TcpHeader::new(src.port(), dst.port(), seq, 65_535);
    header.acknowledgment_number = ack;
    header.fin = flags & tcp_flag::FIN != 0;
    header.syn = flags & tcp_flag::SYN != 0;
    header.rst = flags & tcp_flag::RST != 0;
    header.psh = flags & tcp_flag::PSH != 0;
    header.ack = flags & tcp_flag::ACK != 0;
    header.urg = flags & tcp_flag::URG != 0;
    header.ece = flags & tcp_flag::ECE != 0;
    header.cwr = flags & tcp_flag::CWR != 0;
    header.checksum = match (src.ip(), dst.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            header.calc_checksum_ipv4_raw(src.octets(), dst.octets(), payload)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            header.calc_checksum_ipv6_raw(src.octets(), dst.octets(), payload)
        }
        (src, dst) => panic!("{src} and {dst} are of different families"),
    }
    .expect("a payload that fits");
    other(src.ip(), dst.ip(), proto::TCP, &[&header.to_bytes(), payload].concat())
}

/// A UDP datagram.
#[must_use]
pub fn udp(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let (from, to) = (src.port(), dst.port());
    let header = match (src.ip(), dst.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let addresses = Ipv4Header { source: src.octets(), destination: dst.octets(), ..empty_ipv4() };
            UdpHeader::with_ipv4_checksum(from, to, &addresses, payload)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let addresses =
                Ipv6Header { source: src.octets(), destination: dst.octets(), ..Ipv6Header::default() };
            UdpHeader::with_ipv6_checksum(from, to, &addresses, payload)
        }
        (src, dst) => panic!("{src} and {dst} are of different families"),
    }
    .expect("a payload that fits");
    other(src.ip(), dst.ip(), proto::UDP, &[&header.to_bytes(), payload].concat())
}

/// An echo request of the addresses' family.
#[must_use]
pub fn echo_request(src: IpAddr, dst: IpAddr, id: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    icmp(src, dst, if src.is_ipv4() { 8 } else { 128 }, 0, echo_field(id, sequence), payload)
}

/// An echo reply of the addresses' family.
#[must_use]
pub fn echo_reply(src: IpAddr, dst: IpAddr, id: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    icmp(src, dst, if src.is_ipv4() { 0 } else { 129 }, 0, echo_field(id, sequence), payload)
}

/// An ICMP error from `router` to the sender of `about`, which it quotes up to 500 bytes of; `field` is the word
/// before the quote, such as an MTU.
#[must_use]
pub fn icmp_error(router: IpAddr, about: &[u8], icmp_type: u8, code: u8, field: u32) -> Vec<u8> {
    let to = parse(about).expect("a packet to complain about").tuple.src;
    icmp(router, to, icmp_type, code, field.to_be_bytes(), &about[..about.len().min(500)])
}

/// Any ICMP or ICMPv6 message, after the addresses' family; `field` is its second word.
#[must_use]
pub fn icmp(src: IpAddr, dst: IpAddr, icmp_type: u8, code: u8, field: [u8; 4], payload: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(_), IpAddr::V4(_)) => {
            let message = Icmpv4Type::Unknown { type_u8: icmp_type, code_u8: code, bytes5to8: field };
            let header = Icmpv4Header::with_checksum(message, payload).to_bytes();
            other(src, dst, proto::ICMP, &[&header, payload].concat())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let message = Icmpv6Type::Unknown { type_u8: icmp_type, code_u8: code, bytes5to8: field };
            let header = Icmpv6Header::with_checksum(message, from.octets(), to.octets(), payload)
                .expect("a payload that fits")
                .to_bytes();
            other(src, dst, proto::ICMPV6, &[&header, payload].concat())
        }
        (src, dst) => panic!("{src} and {dst} are of different families"),
    }
}

/// A packet of any protocol; `payload` is all that follows the IP header.
#[must_use]
pub fn other(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a payload that fits");
    let header = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header = Ipv4Header::new(length, 64, IpNumber(protocol), src.octets(), dst.octets())
                .expect("a payload that fits");
            header.dont_fragment = false;
            header.header_checksum = header.calc_header_checksum();
            header.to_bytes().to_vec()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => Ipv6Header {
            payload_length: length,
            next_header: IpNumber(protocol),
            hop_limit: 64,
            source: src.octets(),
            destination: dst.octets(),
            ..Ipv6Header::default()
        }
        .to_bytes()
        .to_vec(),
        (src, dst) => panic!("{src} and {dst} are of different families"),
    };
    [&header, payload].concat()
}

/// The packet with another TTL or hop limit.
#[must_use]
pub fn with_ttl(mut packet: Vec<u8>, ttl: u8) -> Vec<u8> {
    if packet[0] >> 4 == 4 {
        packet[8] = ttl;
        finish_header(&mut packet);
    } else {
        packet[7] = ttl;
    }
    packet
}

/// The IPv4 packet with "don't fragment" set; an IPv6 packet as it is.
#[must_use]
pub fn dont_fragment(mut packet: Vec<u8>) -> Vec<u8> {
    if packet[0] >> 4 == 4 {
        packet[6] |= 0x40;
        finish_header(&mut packet);
    }
    packet
}

/// A TCP or UDP packet as it comes from a guest with offloads: its checksum partial, and to be cut into segments with
/// `size` payload bytes when a size is given.
///
/// # Panics
///
/// When the packet is neither, or a fragment.
#[must_use]
pub fn left_to_device(packet: Vec<u8>, size: Option<u16>) -> Buffer {
    let parsed = parse(&packet).expect("a packet");
    let (tuple, start) = (parsed.tuple, parsed.transport_offset);
    let at = usize::from(start);
    let (kind, offset, header) = match parsed.transport {
        Transport::Tcp { .. } if tuple.src.is_ipv4() => (SegmentKind::TcpV4, 16, (packet[at + 12] >> 4) * 4),
        Transport::Tcp { .. } => (SegmentKind::TcpV6, 16, (packet[at + 12] >> 4) * 4),
        Transport::Udp => (SegmentKind::Udp, 6, 8),
        Transport::Icmp { .. } | Transport::Later | Transport::Other => {
            panic!("{parsed} is neither TCP nor UDP")
        }
    };
    let ecn = matches!(parsed.transport, Transport::Tcp { flags, .. } if flags & tcp_flag::CWR != 0);
    let headers = start + u16::from(header);
    let mut buffer = Buffer::copy_of(&packet);
    let partial = checksum::pseudo_header(tuple.src, tuple.dst, tuple.proto, (packet.len() - at) as u32);
    buffer.bytes_mut()[at + usize::from(offset)..][..2].copy_from_slice(&partial.to_be_bytes());
    buffer.set_offload(Offload {
        checksum: Some(PartialChecksum { start, offset }),
        segments: size.map(|size| Segments { kind, size, headers, ecn }),
    });
    buffer
}

/// Checks every length and checksum of a packet: no byte after it, IPv4 header, TCP, UDP, ICMP, ICMPv6.
/// A fragment has only its header checked.
///
/// # Errors
///
/// One sentence that says what is wrong.
pub fn verify(packet: &[u8]) -> Result<(), String> {
    let parsed = parse(packet).map_err(|_| "it does not parse".to_owned())?;
    if parsed.length as usize != packet.len() {
        return Err(format!("it says {} bytes and has {}", parsed.length, packet.len()));
    }
    let (header, segment) = packet.split_at(usize::from(parsed.transport_offset));
    if parsed.tuple.src.is_ipv4() && checksum::finish(checksum::sum(header)) != 0 {
        return Err("its IPv4 header checksum is wrong".to_owned());
    }
    if parsed.fragment.is_some() {
        return Ok(());
    }
    let tuple = parsed.tuple;
    let with_pseudo_header = || checksum::transport(tuple.src, tuple.dst, tuple.proto, segment);
    let checksum = match (parsed.transport, tuple.proto) {
        (Transport::Icmp { .. }, proto::ICMP) => checksum::finish(checksum::sum(segment)),
        (Transport::Icmp { .. } | Transport::Tcp { .. }, _) => with_pseudo_header(),
        (Transport::Udp, _) => {
            return verify_udp(segment, tuple.src, with_pseudo_header());
        }
        (Transport::Later | Transport::Other, _) => 0,
    };
    if checksum == 0 { Ok(()) } else { Err(format!("its checksum of protocol {} is wrong", tuple.proto)) }
}

fn verify_udp(segment: &[u8], src: IpAddr, checksum: u16) -> Result<(), String> {
    let length = usize::from(u16::from_be_bytes([segment[4], segment[5]]));
    let has_checksum = segment[6..8] != [0, 0];
    if length != segment.len() {
        Err(format!("its UDP length says {length} of {} bytes", segment.len()))
    } else if !has_checksum && src.is_ipv6() {
        Err("it has no UDP checksum, which IPv6 asks for".to_owned())
    } else if has_checksum && checksum != 0 {
        Err("its UDP checksum is wrong".to_owned())
    } else {
        Ok(())
    }
}

fn finish_header(packet: &mut [u8]) {
    let length = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let checksum = checksum::finish(checksum::sum(&packet[..length]));
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
}

fn empty_ipv4() -> Ipv4Header {
    Ipv4Header::new(0, 64, IpNumber::UDP, [0; 4], [0; 4]).expect("no payload fits")
}

fn echo_field(id: u16, sequence: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (id.to_be_bytes(), sequence.to_be_bytes());
    [a, b, c, d]
}
