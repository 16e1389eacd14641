//! Packets from a description, of either family, with right lengths and checksums.

use std::net::{IpAddr, SocketAddr};

use wire::{Transport, testing};

/// One packet before it is bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Source address.
    pub src: IpAddr,
    /// Destination address, of the same family.
    pub dst: IpAddr,
    /// What follows the IP header.
    pub body: Body,
    /// IP packet length in bytes; `None` is as short as it gets, for pings the 84 (IPv4) or 104 (IPv6) bytes of `ping`.
    pub size: Option<usize>,
    /// Whether IPv4 routers may not fragment it.
    pub dont_fragment: bool,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Maximum segment size that a TCP segment announces in an option.
    pub mss: Option<u16>,
}

/// What follows the IP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An ICMP or ICMPv6 message that is no query; `about` is the packet that an error quotes.
    Icmp {
        /// Message type.
        icmp_type: u8,
        /// Message code.
        code: u8,
        /// The word before the quote, such as an MTU.
        field: u32,
        /// The quoted packet.
        about: Option<Vec<u8>>,
    },
    /// A protocol without a header that anyone reads.
    Other(u8),
    /// An ICMP query or its reply: type, identifier and sequence number.
    Query(u8, u16, u16),
    /// A TCP segment.
    Tcp {
        /// Source and destination port.
        ports: (u16, u16),
        /// Flags of [`wire::tcp_flag`].
        flags: u8,
        /// Sequence number.
        seq: u32,
        /// Acknowledgement number.
        ack: u32,
    },
    /// A UDP datagram: source and destination port.
    Udp(u16, u16),
}

impl Body {
    /// What a packet of the same flow in the other direction carries: ports swapped, a query's reply, a segment with
    /// nothing but ACK and no numbers yet. Without a flow it is the same.
    #[must_use]
    pub fn reversed(&self) -> Self {
        match self {
            Self::Tcp { ports: (from, to), .. } => {
                Self::Tcp { ports: (*to, *from), flags: wire::tcp_flag::ACK, seq: 0, ack: 0 }
            }
            Self::Udp(from, to) => Self::Udp(*to, *from),
            Self::Query(icmp_type, id, sequence) => Self::Query(other_type(*icmp_type), *id, *sequence),
            Self::Icmp { .. } | Self::Other(_) => self.clone(),
        }
    }
}

/// The ICMP type that answers this one, or that this one answers.
const fn other_type(icmp_type: u8) -> u8 {
    match icmp_type {
        0 => 8,
        8 => 0,
        13 | 17 | 128 => icmp_type + 1,
        other => other - 1,
    }
}

/// Bytes of an ICMP error's quote, at most: what keeps an IPv4 error within 576 bytes.
const QUOTE: usize = 548;

/// Payload of `ping`: 56 bytes.
const PING: usize = 56;

impl Shape {
    /// A packet with TTL 64 that may be fragmented.
    #[must_use]
    pub const fn new(src: IpAddr, dst: IpAddr, body: Body) -> Self {
        Self { src, dst, body, size: None, dont_fragment: false, ttl: 64, mss: None }
    }

    /// The description of a packet, of its first bytes at least; none of a fragment and of what does not parse.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        let parsed = wire::parse(packet).ok().filter(|parsed| parsed.fragment.is_none())?;
        let wire::FiveTuple { src, dst, src_port, dst_port, proto } = parsed.tuple;
        let after = packet.get(usize::from(parsed.transport_offset)..parsed.length as usize)?;
        let word = |at: usize| Some(u16::from_be_bytes([*after.get(at)?, *after.get(at + 1)?]));
        let body = match parsed.transport {
            Transport::Tcp { flags, seq, ack, .. } => {
                Body::Tcp { ports: (src_port, dst_port), flags, seq, ack }
            }
            Transport::Udp => Body::Udp(src_port, dst_port),
            Transport::Icmp { icmp_type, code: 0, .. }
                if wire::icmp_query_reply(proto, icmp_type).is_some() =>
            {
                Body::Query(icmp_type, word(4)?, word(6)?)
            }
            Transport::Icmp { icmp_type, code, about } => {
                let field = u32::from(word(4)?) << 16 | u32::from(word(6)?);
                Body::Icmp { icmp_type, code, field, about: about.map(|_| after[8..].to_vec()) }
            }
            Transport::Other => Body::Other(proto),
            Transport::Later => return None,
        };
        let (size, ttl, mss) = (Some(packet.len()), parsed.ttl, mss_of(packet));
        Some(Self { src, dst, body, size, dont_fragment: src.is_ipv4() && parsed.dont_fragment, ttl, mss })
    }

    /// The packet as bytes. A size below that of its headers counts as that.
    ///
    /// # Panics
    ///
    /// When source and destination are of different families, and for packets beyond 65,535 bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let payload = vec![0x5a; self.payload()];
        let packet = match &self.body {
            Body::Icmp { icmp_type, code, field, about } => {
                let quote = about.as_ref().map_or(&payload[..], |about| &about[..about.len().min(QUOTE)]);
                testing::icmp(self.src, self.dst, *icmp_type, *code, field.to_be_bytes(), quote)
            }
            Body::Other(protocol) => testing::other(self.src, self.dst, *protocol, &payload),
            Body::Query(icmp_type, id, sequence) => {
                let ([a, b], [c, d]) = (id.to_be_bytes(), sequence.to_be_bytes());
                testing::icmp(self.src, self.dst, *icmp_type, 0, [a, b, c, d], &payload)
            }
            Body::Tcp { ports: (from, to), flags, seq, ack } => {
                let (src, dst) = (SocketAddr::new(self.src, *from), SocketAddr::new(self.dst, *to));
                match self.mss {
                    None => testing::tcp(src, dst, *flags, *seq, *ack, &payload),
                    Some(mss) => {
                        let option = mss_option(mss);
                        with_option(testing::tcp(
                            src,
                            dst,
                            *flags,
                            *seq,
                            *ack,
                            &[&option, &payload[..]].concat(),
                        ))
                    }
                }
            }
            Body::Udp(from, to) => {
                testing::udp(SocketAddr::new(self.src, *from), SocketAddr::new(self.dst, *to), &payload)
            }
        };
        let packet = if self.dont_fragment { testing::dont_fragment(packet) } else { packet };
        testing::with_ttl(packet, self.ttl)
    }

    /// Bytes after the transport header, or after the IP header where there is none.
    #[must_use]
    pub fn payload(&self) -> usize {
        let headers = self.headers();
        match (self.size, &self.body) {
            (Some(size), _) => size.saturating_sub(headers),
            (None, Body::Query(..)) => PING,
            (None, Body::Icmp { .. } | Body::Other(_) | Body::Tcp { .. } | Body::Udp(..)) => 0,
        }
    }

    fn headers(&self) -> usize {
        let ip = if self.src.is_ipv4() { 20 } else { 40 };
        ip + match &self.body {
            Body::Icmp { .. } | Body::Query(..) | Body::Udp(..) => 8,
            Body::Other(_) => 0,
            Body::Tcp { .. } if self.mss.is_some() => 24,
            Body::Tcp { .. } => 20,
        }
    }
}

/// Kind 2, length 4 (RFC 9293 section 3.1).
const fn mss_option(mss: u16) -> [u8; 4] {
    let [high, low] = mss.to_be_bytes();
    [2, 4, high, low]
}

/// Makes the first four bytes of the payload an option.
fn with_option(mut packet: Vec<u8>) -> Vec<u8> {
    let parsed = wire::parse(&packet).expect("a packet of ours");
    let segment = &mut packet[usize::from(parsed.transport_offset)..];
    segment[12] += 0x10;
    segment[16..18].fill(0);
    let tuple = parsed.tuple;
    let checksum = wire::checksum::transport(tuple.src, tuple.dst, tuple.proto, segment);
    segment[16..18].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// The MSS that the segment of a packet announces, if its first option says one.
#[must_use]
pub fn mss_of(packet: &[u8]) -> Option<u16> {
    let parsed = wire::parse(packet).ok()?;
    let segment = packet.get(usize::from(parsed.transport_offset)..)?;
    let has_options = matches!(parsed.transport, Transport::Tcp { .. }) && segment.get(12)? >> 4 > 5;
    match segment.get(20..24)? {
        [2, 4, high, low] if has_options => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// A hand-made fragment of `packet`: the bytes `range` of what follows its IP header, under identification `id`. Ranges
/// may overlap and come in any order; all but the last one of a datagram must start and end at multiples of 8.
///
/// # Panics
///
/// When `packet` does not parse, is a fragment itself or is shorter than the range.
#[must_use]
pub fn fragment(packet: &[u8], id: u32, range: std::ops::Range<usize>) -> Vec<u8> {
    let parsed = wire::parse(packet).expect("a packet to cut");
    assert_eq!(parsed.fragment, None, "the packet is a fragment");
    let (header, payload) = packet.split_at(usize::from(parsed.transport_offset));
    let more = range.end < payload.len();
    let start = u16::try_from(range.start).expect("an offset of 16 bits");
    let part = &payload[range];
    if parsed.tuple.src.is_ipv4() {
        fragment_v4(header, id, start, more, part)
    } else {
        fragment_v6(header, id, start, more, part)
    }
}

fn fragment_v4(header: &[u8], id: u32, start: u16, more: bool, part: &[u8]) -> Vec<u8> {
    let mut packet = [header, part].concat();
    let total = u16::try_from(packet.len()).expect("a fragment of 16 bits");
    let position = (start / 8) | if more { 0x2000 } else { 0 };
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet[4..6].copy_from_slice(&(id as u16).to_be_bytes());
    packet[6..8].copy_from_slice(&position.to_be_bytes());
    // Setting the TTL anew also sums the header anew.
    let ttl = packet[8];
    testing::with_ttl(packet, ttl)
}

fn fragment_v6(header: &[u8], id: u32, start: u16, more: bool, part: &[u8]) -> Vec<u8> {
    let next = header[6];
    let length = u16::try_from(part.len() + 8).expect("a fragment of 16 bits");
    let mut packet = header.to_vec();
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    packet[6] = 44;
    packet.extend_from_slice(&[next, 0]);
    packet.extend_from_slice(&(start | u16::from(more)).to_be_bytes());
    packet.extend_from_slice(&id.to_be_bytes());
    packet.extend_from_slice(part);
    packet
}

/// The flags of [`wire::tcp_flag`] by name, such as `SYN`.
#[must_use]
pub fn flag(name: &str) -> Option<u8> {
    use wire::tcp_flag;
    let known = [
        ("ACK", tcp_flag::ACK),
        ("CWR", tcp_flag::CWR),
        ("ECE", tcp_flag::ECE),
        ("FIN", tcp_flag::FIN),
        ("PSH", tcp_flag::PSH),
        ("RST", tcp_flag::RST),
        ("SYN", tcp_flag::SYN),
        ("URG", tcp_flag::URG),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit)
}

/// The type that says the same in the other family (RFC 7915 sections 4.2 and 5.2).
pub(crate) const fn icmp_type_in(icmp_type: u8, protocol: u8) -> u8 {
    match (icmp_type, protocol) {
        (8, wire::proto::ICMPV6) => 128,
        (0, wire::proto::ICMPV6) => 129,
        (128, wire::proto::ICMP) => 8,
        (129, wire::proto::ICMP) => 0,
        (same, _) => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::testing::{ip, reassemble, verify};

    fn shape(src: &str, dst: &str, body: Body) -> Shape {
        Shape::new(ip(src), ip(dst), body)
    }

    #[test]
    fn every_shape_has_right_lengths_and_sums() {
        let quoted = shape("10.0.1.1", "10.0.2.1", Body::Udp(7, 9)).bytes();
        let bodies = [
            Body::Icmp { icmp_type: 3, code: 4, field: 1500, about: Some(quoted) },
            Body::Icmp { icmp_type: 5, code: 0, field: 0, about: None },
            Body::Other(47),
            Body::Query(8, 7, 1),
            Body::Tcp { ports: (40_000, 80), flags: 0x12, seq: 7, ack: 9 },
            Body::Udp(40_000, 53),
        ];
        for body in bodies {
            let sized = Shape { size: Some(1_500), ttl: 3, ..shape("10.0.2.1", "10.0.1.1", body.clone()) };
            let packet = sized.bytes();
            assert_eq!(verify(&packet), Ok(()), "{body:?}");
            let quotes = matches!(body, Body::Icmp { about: Some(_), .. });
            assert!(quotes || packet.len() == 1_500, "{body:?} has {} bytes", packet.len());
            assert_eq!(packet[8], 3);
        }
    }

    /// Rules: FL-38
    #[test]
    fn a_ping_is_as_long_as_that_of_ping() {
        assert_eq!(shape("10.0.1.1", "10.0.2.1", Body::Query(8, 1, 1)).bytes().len(), 84);
        assert_eq!(shape("fd00::1", "fd00::2", Body::Query(128, 1, 1)).bytes().len(), 104);
    }

    #[test]
    fn an_announced_mss_is_read_back_with_the_rest() {
        for (src, dst) in [("10.0.1.1", "10.0.2.1"), ("fd00::1", "fd00::2")] {
            let body = Body::Tcp { ports: (5, 6), flags: 2, seq: 7, ack: 0 };
            let syn = Shape { mss: Some(8_961), size: Some(100), ..shape(src, dst, body) };
            let packet = syn.bytes();
            assert_eq!((verify(&packet), packet.len()), (Ok(()), 100));
            assert_eq!(Shape::of(&packet), Some(syn));
        }
    }

    #[test]
    fn fragments_of_both_families_make_the_packet_again() {
        for (src, dst) in [("10.0.1.1", "10.0.2.1"), ("fd00::1", "fd00::2")] {
            let whole = Shape { size: Some(3_000), ..shape(src, dst, Body::Udp(5, 6)) }.bytes();
            let payload = whole.len() - usize::from(wire::parse(&whole).unwrap().transport_offset);
            let parts = [1_480..payload, 0..1_480].map(|range| fragment(&whole, 7, range));
            assert_eq!(parts.iter().map(|part| verify(part)).collect::<Vec<_>>(), [Ok(()), Ok(())]);
            let again = reassemble(&parts).expect("a whole datagram");
            assert_eq!(
                again[usize::from(wire::parse(&again).unwrap().transport_offset)..],
                whole[whole.len() - payload..]
            );
        }
    }
}
