//! What gateways change in a packet: addresses, ports, TTL, the MSS of a SYN, and the family.

mod icmp;
mod mss;
mod nat64;
mod patch;
mod quoted;
mod same;
#[cfg(test)]
mod tests;
mod transport;

pub use nat64::{icmp_error_over, icmp_query_over};
pub use patch::Patch;

use std::net::IpAddr;

use crate::{Buffer, FiveTuple, Parsed};

/// What a packet becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Its tuple afterwards, as [`Parsed::tuple`] says it; the protocol changes with the family alone.
    ///
    /// Addresses of the other family than before mean NAT64 (RFC 7915): [`Self::about`] changes its family too.
    pub tuple: FiveTuple,
    /// The tuple of the packet that an ICMP error quotes, afterwards; none for all others.
    pub about: Option<FiveTuple>,
    /// How many forwarders it crossed that count: taken off TTL or hop limit (NAT gateways only: AD-26, AD-27).
    pub hops: u8,
    /// Largest MSS that a SYN may announce afterwards (MT-08).
    pub mss: Option<u16>,
}

/// Why a packet cannot become what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untranslatable {
    /// Its TTL or hop limit does not outlast the forwarders.
    Expired,
    /// A fragment that the other family cannot have: of another protocol than UDP, or without a checksum.
    Fragment,
    /// It would be longer than 65,535 bytes, or its segments would be empty.
    Length,
    /// The packet, what was read of it and what it is to become do not belong together.
    Mismatch,
    /// The other family has no such protocol, message or header.
    NoCounterpart,
}

/// Gives the packet in `buffer`, read as `parsed`, other addresses and ports: `to`.
///
/// Everything that depends on them changes along, in place: checksums by the difference (RFC 1624), a partial one by
/// the addresses alone, and the packet that an ICMP error quotes as far as it is there. A super-packet stays one.
/// Of a later fragment only addresses change, since the first one's checksum covers the whole datagram; of a protocol
/// that we do not read only addresses, whether or not it has a checksum over them (IG-02).
///
/// Addresses of the other family give the packet another header, in the headroom: options and extension headers are
/// left out, segments of TCP hold less by what the header grows, and a datagram without a checksum gets one. An ICMP
/// error of the other family is built anew, the only case that allocates.
///
/// Returns what [`crate::read`] says of the packet afterwards, but for the ports of a later fragment: they are the
/// caller's.
///
/// # Errors
///
/// [`Untranslatable`]; the packet is then as it was.
#[inline]
pub fn translate(buffer: &mut Buffer, parsed: &Parsed, to: &Translation) -> Result<Parsed, Untranslatable> {
    if to.hops > 0 && parsed.ttl <= to.hops {
        return Err(Untranslatable::Expired);
    }
    if to.about.is_some() != parsed.is_about_another() {
        return Err(Untranslatable::Mismatch);
    }
    let (old, new) = (&parsed.tuple, &to.tuple);
    match (old.src, old.dst, new.src, new.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst), IpAddr::V4(new_src), IpAddr::V4(new_dst)) => {
            same::translate_v4(buffer, parsed, to, [src, dst], [new_src, new_dst])
        }
        (IpAddr::V6(src), IpAddr::V6(dst), IpAddr::V6(new_src), IpAddr::V6(new_dst)) => {
            same::translate_v6(buffer, parsed, to, [src, dst], [new_src, new_dst])
        }
        (IpAddr::V4(_), IpAddr::V4(_), IpAddr::V6(_), IpAddr::V6(_))
        | (IpAddr::V6(_), IpAddr::V6(_), IpAddr::V4(_), IpAddr::V4(_)) => {
            nat64::translate(buffer, parsed, to)
        }
        _ => Err(Untranslatable::Mismatch),
    }
}

impl Translation {
    /// TTL or hop limit of the packet afterwards.
    const fn ttl(&self, parsed: &Parsed) -> u8 {
        parsed.ttl.saturating_sub(self.hops)
    }
}

/// IP header and what follows it, without bytes past the packet's length.
fn halves<'b>(
    buffer: &'b mut Buffer,
    parsed: &Parsed,
) -> Result<(&'b mut [u8], &'b mut [u8]), Untranslatable> {
    let packet = buffer.bytes_mut().get_mut(..parsed.length as usize);
    packet
        .and_then(|packet| packet.split_at_mut_checked(usize::from(parsed.transport_offset)))
        .ok_or(Untranslatable::Mismatch)
}
