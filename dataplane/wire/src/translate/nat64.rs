//! Translation between the families (RFC 7915), as NAT64 does it (NG-20).
//!
//! Differences to the RFC: a long IPv4 packet that may be fragmented is not cut to 1280 bytes here but answered like
//! any other that does not fit (MT-05), only UDP has fragments (NG-14), and extensions of ICMP errors are left out.

mod errors;
mod kind;
mod network;
mod plan;

pub use kind::{icmp_error_over, icmp_query_over};

use self::network::Network;
use self::plan::Plan;
use super::icmp::{self, CHECKSUM, IDENTIFIER, Patch};
use super::transport::{self, Sums, UDP_CHECKSUM};
use super::{Translation, Untranslatable, halves};
use crate::checksum::{self, Delta};
use crate::parse::be16;
use crate::tuple::{FiveTuple, proto};
use crate::{Buffer, Offload, Parsed, PartialChecksum, Transport, complete_checksum};

/// Gives the packet a header of the other family; what follows it changes in place.
#[inline(never)]
pub(super) fn translate(
    buffer: &mut Buffer,
    parsed: &Parsed,
    to: &Translation,
) -> Result<Parsed, Untranslatable> {
    if parsed.is_about_another() {
        return errors::translate(buffer, parsed, to);
    }
    check_protocol(parsed, &to.tuple)?;
    let offload = buffer.offload();
    let (header, segment) = halves(buffer, parsed)?;
    network::check_left_out(header)?;
    let network = Network::of(header, segment, parsed.fragment, to.ttl(parsed));
    let plan = Plan::new(parsed, to, &network, offload)?;
    let header = network.header(&to.tuple, plan.said.dont_fragment)?;
    let has_checksum = has_checksum(segment, parsed, to, offload)?;
    rewrite(segment, parsed, to, offload)?;
    buffer.trim_front(usize::from(parsed.transport_offset));
    buffer.prepend(header.as_bytes().len()).copy_from_slice(header.as_bytes());
    buffer.set_offload(plan.offload);
    if !has_checksum {
        add_checksum(buffer, &plan.said);
    }
    Ok(plan.said)
}

/// Only what has the same checksum or a counterpart in the other family, and fragments of UDP.
fn check_protocol(parsed: &Parsed, tuple: &FiveTuple) -> Result<(), Untranslatable> {
    if counterpart(&parsed.tuple)? != tuple.proto {
        return Err(Untranslatable::Mismatch);
    }
    match parsed.fragment {
        Some(_) if tuple.proto != proto::UDP => Err(Untranslatable::Fragment),
        Some(_) | None => Ok(()),
    }
}

/// The protocol that carries the same in the other family.
fn counterpart(tuple: &FiveTuple) -> Result<u8, Untranslatable> {
    match (tuple.proto, tuple.src.is_ipv4()) {
        (proto::ICMP, true) => Ok(proto::ICMPV6),
        (proto::ICMPV6, false) => Ok(proto::ICMP),
        (proto::TCP | proto::UDP, _) => Ok(tuple.proto),
        _ => Err(Untranslatable::NoCounterpart),
    }
}

/// Whether the segment has the checksum that its new family asks for: IPv6 asks for one in UDP (RFC 8200 section 8.1),
/// which nobody can compute from a fragment (RFC 7915 section 4.5).
fn has_checksum(
    segment: &[u8],
    parsed: &Parsed,
    to: &Translation,
    offload: Offload,
) -> Result<bool, Untranslatable> {
    let is_asked_for = parsed.transport == Transport::Udp && to.tuple.src.is_ipv6();
    let is_partial = Sums::of(offload, parsed, Delta::NONE).is_partial(UDP_CHECKSUM);
    if !is_asked_for || is_partial || segment.get(UDP_CHECKSUM..UDP_CHECKSUM + 2) != Some(&[0, 0]) {
        return Ok(true);
    }
    match (parsed.fragment, offload) {
        (Some(_), _) => Err(Untranslatable::Fragment),
        // The one place for a partial checksum is taken by something inside the datagrams.
        (None, Offload { checksum: Some(_), segments: Some(_) }) => Err(Untranslatable::NoCounterpart),
        (None, _) => Ok(false),
    }
}

/// Gives a UDP datagram a checksum: the segments of a super-packet get theirs from whoever cuts it.
fn add_checksum(buffer: &mut Buffer, parsed: &Parsed) {
    let (tuple, start) = (parsed.tuple, parsed.transport_offset);
    complete_checksum(buffer);
    let offload = buffer.offload();
    let Some(segment) = buffer.bytes_mut().get_mut(usize::from(start)..) else { return };
    let &mut [_, _, _, _, high, low, _, _, ..] = segment else { return };
    let length = be16(high, low);
    let checksum = match (offload.segments, segment.get(..usize::from(length))) {
        (None, Some(covered)) => {
            let checksum = checksum::transport(tuple.src, tuple.dst, proto::UDP, covered);
            checksum::finish_udp(checksum::finish(checksum))
        }
        (Some(_), _) | (_, None) => {
            checksum::pseudo_header(tuple.src, tuple.dst, proto::UDP, u32::from(length))
        }
    };
    segment[UDP_CHECKSUM..UDP_CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
    if offload.segments.is_some() {
        let place = PartialChecksum { start, offset: UDP_CHECKSUM as u16 };
        buffer.set_offload(Offload { checksum: Some(place), ..offload });
    }
}

fn rewrite(
    segment: &mut [u8],
    parsed: &Parsed,
    to: &Translation,
    offload: Offload,
) -> Result<(), Untranslatable> {
    let (old, new) = (&parsed.tuple, &to.tuple);
    let sums = Sums::of(offload, parsed, pseudo_header(old, new, segment.len()));
    match parsed.transport {
        Transport::Tcp { flags, .. } => transport::tcp(segment, flags, to, sums),
        Transport::Udp => transport::udp(segment, to, sums),
        Transport::Icmp { .. } => query(segment, new, sums),
        Transport::Later => Ok(()),
        Transport::Other => Err(Untranslatable::NoCounterpart),
    }
}

/// What the pseudo-header of a segment of `length` bytes adds to its checksum. Only ICMPv6 has one and ICMP has none.
fn pseudo_header(old: &FiveTuple, new: &FiveTuple, length: usize) -> Delta {
    let of = |tuple: &FiveTuple| checksum::pseudo_header(tuple.src, tuple.dst, tuple.proto, length as u32);
    match (old.proto, new.proto) {
        (proto::ICMP, _) => Delta::NONE.replace16(0, of(new)),
        (_, proto::ICMP) => Delta::NONE.replace16(of(old), 0),
        _ => Delta::NONE.replace_address(old.src, new.src).replace_address(old.dst, new.dst),
    }
}

/// Makes an ICMP query or reply one of the other family (RFC 7915 sections 4.2 and 5.2).
fn query(message: &mut [u8], new: &FiveTuple, sums: Sums) -> Result<(), Untranslatable> {
    let &mut [icmp_type, code, high, low, _, _, _, _, ..] = message else {
        return Err(Untranslatable::Mismatch);
    };
    let icmp_type = kind::query(icmp_type, new.proto)?;
    let identifier = icmp::identifier(new, icmp_type, code)?.ok_or(Untranslatable::NoCounterpart)?;
    let mut patch = Patch { bytes: message, delta: sums.pseudo_header };
    patch.word(0, be16(icmp_type, code));
    patch.word(IDENTIFIER, identifier);
    let checksum = sums.after(CHECKSUM, be16(high, low), patch.delta);
    patch.word(CHECKSUM, checksum);
    icmp::mend_zeros(message);
    Ok(())
}
