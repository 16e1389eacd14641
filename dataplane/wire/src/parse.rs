//! Header offsets of one IP packet, found in one pass.

mod ipv4;
mod ipv6;
mod quoted;
#[cfg(test)]
mod tests;
mod transport;

pub(crate) use self::ipv6::can_leave_out_extensions;
pub(crate) use self::quoted::locate;
use crate::{Buffer, FiveTuple};

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

/// Everything the engine reads from a packet's headers. Made only by [`parse()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Addresses, ports and protocol. Later fragments have ports 0 until their first fragment is known.
    pub tuple: FiveTuple,
    /// What the IP length field says, in bytes, headers included.
    pub length: u32,
    /// How many packets this is on the wire: 1 unless it is a super-packet.
    pub packets: u32,
    /// IP bytes of all of them, headers included: what flow logs count (FL-14).
    pub wire_bytes: u32,
    /// IP bytes of the longest of them: what an MTU is compared with (MT-05).
    pub longest: u32,
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
/// 8 IPv6 extension headers are walked. A first fragment yields its ports like a whole packet, and must
/// therefore hold its transport header (RFC 1858 section 3, RFC 7112 section 5). Checksums are the receiver's
/// business and are not looked at: a packet from a guest with offloads carries a partial one.
///
/// # Errors
///
/// [`Malformed`] when any length lies or a header is cut short.
pub fn parse(packet: &[u8]) -> Result<Parsed, Malformed> {
    parse_here(packet)
}

/// [`parse()`] as part of its caller, for the one that reads every packet.
#[inline(always)]
fn parse_here(packet: &[u8]) -> Result<Parsed, Malformed> {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => ipv4::parse(packet),
        Some(6) => ipv6::parse(packet),
        _ => Err(Malformed),
    }
}

/// Reads the packet in `buffer`; a super-packet counts as the packets that it stands for, see [`crate::Segments`].
///
/// # Errors
///
/// As [`parse()`].
#[inline(always)]
pub fn read(buffer: &Buffer) -> Result<Parsed, Malformed> {
    let parsed = parse_here(buffer.bytes())?;
    Ok(match buffer.offload().segments {
        Some(segments) => parsed.cut(segments.size),
        None => parsed,
    })
}

impl Parsed {
    /// The same packet, with each packet on the wire holding at most `size` bytes of transport payload.
    #[must_use]
    pub fn cut(self, size: u16) -> Self {
        let Some(payload) = self.payload().filter(|payload| *payload > u32::from(size) && size > 0) else {
            return self;
        };
        let headers = self.length - payload;
        let packets = payload.div_ceil(u32::from(size));
        Self { packets, wire_bytes: payload + packets * headers, longest: headers + u32::from(size), ..self }
    }

    /// The tuple of the packet that an ICMP error quotes, as its sender sent it; none of anything else.
    #[must_use]
    #[inline]
    pub const fn about(&self) -> Option<FiveTuple> {
        match self.transport {
            Transport::Icmp { about, .. } => about,
            Transport::Later | Transport::Other | Transport::Tcp { .. } | Transport::Udp => None,
        }
    }

    /// Whether this is an ICMP error about another packet, which it quotes.
    #[must_use]
    #[inline]
    pub const fn is_about_another(&self) -> bool {
        self.about().is_some()
    }

    /// Bytes behind the transport header; none of what is not cut into segments.
    pub(crate) fn payload(&self) -> Option<u32> {
        match self.transport {
            Transport::Tcp { payload, .. } => Some(payload),
            Transport::Udp => self.length.checked_sub(u32::from(self.transport_offset) + 8),
            Transport::Icmp { .. } | Transport::Later | Transport::Other => None,
        }
    }
}

/// The network layer a transport header was found in: it says which ICMP's errors count as errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// The largest datagram that any reassembly may yield: IPv4 total length, IPv6 payload length.
const MAX_DATAGRAM: usize = 65_535;

/// Reads a big-endian 16-bit field.
pub(crate) const fn be16(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}
