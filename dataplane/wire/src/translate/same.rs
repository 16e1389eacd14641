//! Translation within one family, in place.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::transport::{self, Sums};
use super::{Translation, Untranslatable, halves};
use crate::checksum::Delta;
use crate::parse::be16;
use crate::{Buffer, Parsed, Transport};

/// The fixed part of an IPv4 header, which is all that changes (RFC 791 section 3.1).
const HEADER_V4: usize = 20;
/// The fixed IPv6 header (RFC 8200 section 3).
const HEADER_V6: usize = 40;

#[inline]
pub(super) fn translate_v4(
    buffer: &mut Buffer,
    parsed: &Parsed,
    to: &Translation,
    [src, dst]: [Ipv4Addr; 2],
    [new_src, new_dst]: [Ipv4Addr; 2],
) -> Result<Parsed, Untranslatable> {
    let addresses =
        Delta::NONE.replace32(src.to_bits(), new_src.to_bits()).replace32(dst.to_bits(), new_dst.to_bits());
    let sums = Sums::of(buffer.offload(), parsed, addresses);
    let (header, segment) = halves(buffer, parsed)?;
    let header: &mut [u8; HEADER_V4] = header.first_chunk_mut().ok_or(Untranslatable::Mismatch)?;
    transport::rewrite(segment, parsed, to, sums)?;
    let (ttl, protocol) = (to.ttl(parsed), header[9]);
    let header_delta = addresses.replace16(be16(header[8], protocol), be16(ttl, protocol));
    let checksum = header_delta.apply(be16(header[10], header[11]));
    header[8] = ttl;
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header[12..16].copy_from_slice(&new_src.octets());
    header[16..20].copy_from_slice(&new_dst.octets());
    Ok(afterwards(parsed, to))
}

#[inline]
pub(super) fn translate_v6(
    buffer: &mut Buffer,
    parsed: &Parsed,
    to: &Translation,
    [src, dst]: [Ipv6Addr; 2],
    [new_src, new_dst]: [Ipv6Addr; 2],
) -> Result<Parsed, Untranslatable> {
    let addresses =
        Delta::NONE.replace_address(src.into(), new_src.into()).replace_address(dst.into(), new_dst.into());
    let sums = Sums::of(buffer.offload(), parsed, addresses);
    let (header, segment) = halves(buffer, parsed)?;
    let header: &mut [u8; HEADER_V6] = header.first_chunk_mut().ok_or(Untranslatable::Mismatch)?;
    transport::rewrite(segment, parsed, to, sums)?;
    header[7] = to.ttl(parsed);
    header[8..24].copy_from_slice(&new_src.octets());
    header[24..40].copy_from_slice(&new_dst.octets());
    Ok(afterwards(parsed, to))
}

#[inline]
fn afterwards(parsed: &Parsed, to: &Translation) -> Parsed {
    let mut said = Parsed { tuple: to.tuple, ttl: to.ttl(parsed), ..*parsed };
    if let Transport::Icmp { about, .. } = &mut said.transport {
        *about = to.about;
    }
    said
}
