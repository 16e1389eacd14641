//! Header offsets of one IP packet, found in one pass.

use crate::FiveTuple;

/// The header chain is shorter than its own length fields claim, or the packet is not IP at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Where one packet stands among the fragments of its datagram (RFC 791, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification; 16 bits for IPv4, 32 for IPv6.
    pub id: u32,
    /// Offset of this fragment's payload in the datagram's payload, in bytes.
    pub offset: u32,
    /// Whether more fragments follow.
    pub more: bool,
}

/// What the transport header says beyond the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// ICMP or ICMPv6. `about` is the tuple of the packet that an error message quotes, as its sender sent it.
    Icmp {
        /// Message type.
        icmp_type: u8,
        /// Message code.
        code: u8,
        /// The quoted packet of an error message, when enough of it is there.
        about: Option<FiveTuple>,
    },
    /// A later fragment (offset above zero): the transport header is in the first one.
    Later,
    /// Any protocol without a header that we read.
    Other,
    /// TCP with its flag byte, sequence number, acknowledgement number and payload length in bytes.
    Tcp {
        /// The low eight flag bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 …
        flags: u8,
        /// Sequence number.
        seq: u32,
        /// Acknowledgement number, meaningful when ACK is set.
        ack: u32,
        /// Payload bytes after the TCP header; for a fragment, those in this fragment.
        payload: u32,
    },
    /// UDP.
    Udp,
}

/// Everything the engine reads from a packet's headers. Made only by [`parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Addresses, ports and protocol. Later fragments have ports 0 until their first fragment is known.
    pub tuple: FiveTuple,
    /// IP packet length in bytes, headers included: what flow logs count (FL-14).
    pub length: u32,
    /// Offset of the transport header, i.e. length of the IP header with its options or extension headers.
    pub transport_offset: u16,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// IPv4: the DF bit. IPv6: always true, since routers never fragment.
    pub dont_fragment: bool,
    /// Present only on fragments; an IPv6 atomic fragment (RFC 6946) is none.
    pub fragment: Option<Fragment>,
    /// The transport header.
    pub transport: Transport,
}

/// Reads one IPv4 or IPv6 packet.
///
/// Bytes past the length field are ignored; a packet shorter than it is malformed. At most
/// 8 IPv6 extension headers are walked.
///
/// # Errors
///
/// [`Malformed`] when any length lies or a header is cut short.
pub fn parse(_packet: &[u8]) -> Result<Parsed, Malformed> {
    Err(Malformed)
}
