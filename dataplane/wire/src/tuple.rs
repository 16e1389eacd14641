//! Five-tuples, with ICMP queries given ports so that both directions of an exchange have one key.

use std::net::IpAddr;

/// IANA protocol numbers that the data plane tells apart (FL-17, SG-05).
pub mod proto {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
}

/// Source, destination, their ports and the protocol of one packet.
///
/// TCP and UDP carry their ports. An ICMP query and its reply carry the identifier on the asker's side and
/// `query type << 8` on the answerer's, so that the reply's tuple is exactly [`Self::reversed`] of the query's and
/// a query in the other direction with the same identifier is another tuple. Other ICMP messages have
/// `(0, type << 8 | code)`; every other protocol has `(0, 0)` (SG-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// Source address.
    pub src: IpAddr,
    /// Destination address; always of the same family as `src`.
    pub dst: IpAddr,
    /// Source port, see the type's documentation for ICMP.
    pub src_port: u16,
    /// Destination port, see the type's documentation for ICMP.
    pub dst_port: u16,
    /// IANA protocol number after all IPv6 extension headers.
    pub proto: u8,
}

impl FiveTuple {
    /// The tuple of a packet that answers this one.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            src: self.dst,
            dst: self.src,
            src_port: self.dst_port,
            dst_port: self.src_port,
            proto: self.proto,
        }
    }

    /// Whether this is ICMP or ICMPv6.
    #[must_use]
    pub const fn is_icmp(self) -> bool {
        matches!(self.proto, proto::ICMP | proto::ICMPV6)
    }

    /// Whether the ports are real TCP or UDP ports; flow-log records show 0 otherwise (FL-15).
    #[must_use]
    pub const fn has_ports(self) -> bool {
        matches!(self.proto, proto::TCP | proto::UDP)
    }
}

/// Returns the query type that an ICMP type belongs to and whether the type itself is the reply.
///
/// Echo, timestamp and address-mask for ICMP (RFC 792, RFC 950), echo for ICMPv6 (RFC 4443).
#[must_use]
pub const fn icmp_query_reply(protocol: u8, icmp_type: u8) -> Option<(u8, bool)> {
    match (protocol, icmp_type) {
        (proto::ICMP, 8) => Some((8, false)),
        (proto::ICMP, 0) => Some((8, true)),
        (proto::ICMP, 13) => Some((13, false)),
        (proto::ICMP, 14) => Some((13, true)),
        (proto::ICMP, 17) => Some((17, false)),
        (proto::ICMP, 18) => Some((17, true)),
        (proto::ICMPV6, 128) => Some((128, false)),
        (proto::ICMPV6, 129) => Some((128, true)),
        _ => None,
    }
}

/// Whether an ICMP message reports the fate of another packet and quotes it.
///
/// ICMP unreachable, source quench, time exceeded and parameter problem (RFC 792); a redirect quotes a packet too
/// but says nothing about its fate. ICMPv6 unreachable, too big, time exceeded and parameter problem
/// (RFC 4443 section 3).
#[must_use]
pub const fn icmp_is_error(protocol: u8, icmp_type: u8) -> bool {
    match protocol {
        proto::ICMP => matches!(icmp_type, 3 | 4 | 11 | 12),
        proto::ICMPV6 => matches!(icmp_type, 1..=4),
        _ => false,
    }
}

/// The TCP flags of [`crate::Transport::Tcp`] (RFC 9293 section 3.1, RFC 3168 section 6.1).
pub mod tcp_flag {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer counts.
    pub const URG: u8 = 0x20;
    /// ECN echo.
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u8 = 0x80;
}
