//! Types and codes of ICMP and ICMPv6 that say the same (RFC 7915 sections 4.2 and 5.2).

use super::Untranslatable;
use crate::parse::be16;
use crate::proto;

/// Bytes that an IPv6 header has more than an IPv4 header.
const GROWTH: u32 = 20;
/// Every IPv6 link carries as much (RFC 8200 section 5).
const MIN_MTU_V6: u32 = 1280;
/// Every IPv4 link carries as much (RFC 791 section 3.2).
const MIN_MTU_V4: u32 = 68;
/// Usual MTUs from the largest down, as far as IPv6 has them (RFC 1191 section 7.1).
const PLATEAUS: [u32; 7] = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492];

/// Where the protocol is in an IPv6 header: what a pointer to an IPv4 header's protocol becomes.
const NEXT_HEADER: u32 = 6;

/// The type that an echo request or reply of the other family has in `protocol`; no other query crosses the families.
#[must_use]
pub const fn icmp_query_over(protocol: u8, icmp_type: u8) -> Option<u8> {
    match (protocol, icmp_type) {
        (proto::ICMPV6, 8) => Some(128),
        (proto::ICMPV6, 0) => Some(129),
        (proto::ICMP, 128) => Some(8),
        (proto::ICMP, 129) => Some(0),
        _ => None,
    }
}

/// As [`icmp_query_over`], of a packet that is to cross.
pub(super) fn query(icmp_type: u8, protocol: u8) -> Result<u8, Untranslatable> {
    icmp_query_over(protocol, icmp_type).ok_or(Untranslatable::NoCounterpart)
}

/// Type and code of an ICMP error of the protocol `from` as it is over the protocol `to`; none if there is no such error there.
#[must_use]
pub const fn icmp_error_over(to: u8, from: u8, icmp_type: u8, code: u8) -> Option<(u8, u8)> {
    match (from, to) {
        (proto::ICMP, proto::ICMPV6) => error_to_icmpv6(icmp_type, code),
        (proto::ICMPV6, proto::ICMP) => error_to_icmp(icmp_type, code),
        _ => Some((icmp_type, code)),
    }
}

/// Unreachable 3 and time exceeded 11; the others have no counterpart (RFC 7915 section 4.2).
const fn error_to_icmpv6(icmp_type: u8, code: u8) -> Option<(u8, u8)> {
    Some(match (icmp_type, code) {
        (3, 0 | 1 | 5..=8 | 11 | 12) => (1, 0),
        (3, 2) => (4, 1),
        (3, 3) => (1, 4),
        (3, 4) => (2, 0),
        (3, 9 | 10 | 13 | 15) => (1, 1),
        (11, code) => (3, code),
        _ => return None,
    })
}

/// Unreachable 1, too big 2, time exceeded 3 and parameter problem 4 (RFC 7915 section 5.2).
const fn error_to_icmp(icmp_type: u8, code: u8) -> Option<(u8, u8)> {
    Some(match (icmp_type, code) {
        (1, 0 | 2 | 3) => (3, 1),
        (1, 1) => (3, 10),
        (1, 4) => (3, 3),
        (2, _) => (3, 4),
        (3, code) => (11, code),
        (4, 1) => (3, 2),
        _ => return None,
    })
}

/// The header of an error, its checksum aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) icmp_type: u8,
    pub(super) code: u8,
    /// The word before the quote.
    pub(super) field: u32,
}

impl Kind {
    /// An ICMP error as an ICMPv6 one; `quote` is the IPv4 packet that it quotes.
    pub(super) fn to_v6(self, quote: &[u8]) -> Option<Self> {
        let (icmp_type, code) = icmp_error_over(proto::ICMPV6, proto::ICMP, self.icmp_type, self.code)?;
        let field = match (self.icmp_type, self.code) {
            (3, 2) => NEXT_HEADER,
            (3, 4) => mtu_to_v6(self.field & 0xffff, quote),
            _ => 0,
        };
        Some(Self { icmp_type, code, field })
    }

    /// An ICMPv6 error as an ICMP one.
    pub(super) fn to_v4(self) -> Option<Self> {
        let (icmp_type, code) = icmp_error_over(proto::ICMP, proto::ICMPV6, self.icmp_type, self.code)?;
        let field = match self.icmp_type {
            2 => self.field.saturating_sub(GROWTH).clamp(MIN_MTU_V4, 0xffff),
            _ => 0,
        };
        Some(Self { icmp_type, code, field })
    }

    /// How many bytes of the quote are the quoted packet, when extensions follow it (RFC 4884 sections 4 and 5).
    pub(super) const fn quoted(self, is_v4: bool) -> Option<usize> {
        let [words_v6, words_v4, ..] = self.field.to_be_bytes();
        let length = match (is_v4, self.icmp_type) {
            (true, 3 | 11 | 12) => words_v4 as usize * 4,
            (false, 1 | 3) => words_v6 as usize * 8,
            _ => 0,
        };
        if length == 0 { None } else { Some(length) }
    }
}

/// A router that names no MTU leaves us to guess the next smaller one from the length of the packet.
fn mtu_to_v6(mtu: u32, quote: &[u8]) -> u32 {
    let length = match quote {
        [_, _, high, low, ..] => u32::from(be16(*high, *low)),
        _ => 0,
    };
    match mtu {
        0 => PLATEAUS.into_iter().find(|plateau| *plateau < length).unwrap_or(MIN_MTU_V6),
        mtu => (mtu + GROWTH).max(MIN_MTU_V6),
    }
}
