//! What coalescing needs to know about one packet.

use wire::tcp_flag::{ACK, ECE, PSH};
use wire::{Buffer, SegmentKind, checksum, proto};

/// A TCP or UDP packet behind a plain IP header: not a fragment, without IP options and extension headers.
///
/// The offsets lie inside the packet that it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Of what kind a super-packet with it would be.
    pub(super) kind: SegmentKind,
    /// Length of the IP header: where the transport header begins.
    pub(super) network: usize,
    /// Length of both headers.
    pub(super) headers: usize,
    /// Transport payload, in bytes.
    pub(super) payload: usize,
    /// Source and destination port.
    pub(super) ports: [u8; 4],
    /// Whether it can be part of a super-packet.
    pub(super) fit: Fit,
    /// Whether it may be followed by another segment of the same super-packet.
    pub(super) push: Push,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Control flags, nothing to carry, or a checksum left out on purpose.
    Alone,
    /// One or more segments of `size` payload bytes each, the last one perhaps smaller.
    Joins { size: usize },
}

/// The TCP flag PSH, which ends a super-packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    Clear,
    Set,
}

impl Segment {
    /// Reads a packet's headers; `None` for all that is not as the type says.
    pub(super) fn read(packet: &Buffer) -> Option<Self> {
        let bytes = packet.bytes();
        let (network, protocol) = read_network(bytes)?;
        let transport = bytes.get(network..)?;
        let ports = *transport.first_chunk::<4>()?;
        let is_ipv4 = network == IPV4;
        match protocol {
            proto::TCP => {
                let length = usize::from(transport.get(TCP_OFFSET)? >> 4) * 4;
                let flags = *transport.get(TCP_FLAGS)?;
                let payload = transport.len().checked_sub(length.max(TCP_MIN))?;
                let kind = if is_ipv4 { SegmentKind::TcpV4 } else { SegmentKind::TcpV6 };
                let plain = flags & !(PSH | ECE) == ACK && length >= TCP_MIN && payload > 0;
                let push = if flags & PSH == 0 { Push::Clear } else { Push::Set };
                let fit = if plain { Self::fit(packet, kind, payload) } else { Fit::Alone };
                Some(Self { kind, network, headers: network + length, payload, ports, fit, push })
            }
            proto::UDP => {
                let header = transport.get(..UDP_HEADER)?;
                let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
                let payload = transport.len() - UDP_HEADER;
                let plain = length == transport.len() && header[6..8] != [0, 0] && payload > 0;
                let kind = SegmentKind::Udp;
                let fit = if plain { Self::fit(packet, kind, payload) } else { Fit::Alone };
                let headers = network + UDP_HEADER;
                Some(Self { kind, network, headers, payload, ports, fit, push: Push::Clear })
            }
            _ => None,
        }
    }

    fn fit(packet: &Buffer, kind: SegmentKind, payload: usize) -> Fit {
        match packet.offload().segments {
            None => Fit::Joins { size: payload },
            Some(segments) if segments.kind == kind && !segments.ecn && segments.size > 0 => {
                Fit::Joins { size: segments.size.into() }
            }
            Some(_) => Fit::Alone,
        }
    }

    /// Whether the IPv4 header's checksum is right, and the transport's partial, or complete and right. Joining computes
    /// them anew, which must not hide that one was wrong.
    pub(super) fn is_intact(&self, packet: &Buffer) -> bool {
        let Some((network, transport)) = packet.bytes().split_at_checked(self.network) else { return false };
        if network.len() == IPV4 && checksum::sum(network) != ALL_ONES {
            return false;
        }
        match (packet.offload().checksum, packet.offload().segments) {
            (Some(place), _) => {
                usize::from(place.start) == self.network
                    && usize::from(place.offset) == checksum_offset(self.kind)
            }
            // The sum over a super-packet is nowhere on the wire.
            (None, Some(_)) => false,
            (None, None) => {
                let sums = [pseudo_header(network, self.kind, transport.len()), checksum::sum(transport)];
                checksum::combine(&sums) == ALL_ONES
            }
        }
    }
}

/// The sum of the pseudo-header before `transport` bytes of a segment, from its IP header.
pub(super) fn pseudo_header(network: &[u8], kind: SegmentKind, transport: usize) -> u16 {
    let protocol = match kind {
        SegmentKind::TcpV4 | SegmentKind::TcpV6 => proto::TCP,
        SegmentKind::Udp => proto::UDP,
    };
    let length = transport as u16; // of one IP packet
    checksum::combine(&[checksum::sum(addresses(network)), u16::from(protocol), length])
}

/// Source and destination address of a plain IP header.
pub(super) fn addresses(network: &[u8]) -> &[u8] {
    let range = if network.len() == IPV4 { 12..20 } else { 8..40 };
    network.get(range).unwrap_or_default()
}

/// Where the checksum is in the transport header.
pub(super) const fn checksum_offset(kind: SegmentKind) -> usize {
    match kind {
        SegmentKind::TcpV4 | SegmentKind::TcpV6 => 16,
        SegmentKind::Udp => 6,
    }
}

/// Length of the IP header and the protocol behind it, when the packet's length is as it says.
fn read_network(bytes: &[u8]) -> Option<(usize, u8)> {
    match bytes.first()? {
        0x45 => {
            let header = bytes.first_chunk::<IPV4>()?;
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            // "More fragments" and the offset; the reserved bit is odd, too.
            let whole = header[6] & 0xbf == 0 && header[7] == 0;
            (whole && length == bytes.len()).then_some((IPV4, header[9]))
        }
        first if first >> 4 == 6 => {
            let header = bytes.first_chunk::<IPV6>()?;
            let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
            (IPV6 + length == bytes.len()).then_some((IPV6, header[6]))
        }
        _ => None,
    }
}

pub(super) const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP_HEADER: usize = 8;
const TCP_MIN: usize = 20;
const TCP_OFFSET: usize = 12;
pub(super) const TCP_FLAGS: usize = 13;

/// The sum of data that includes its own right checksum.
const ALL_ONES: u16 = 0xffff;
