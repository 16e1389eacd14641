//! The IPv4 header (RFC 791 section 3.1).

use std::net::{IpAddr, Ipv4Addr};

use super::{Family, Fragment, MAX_DATAGRAM, Malformed, Parsed, be16, transport};
use crate::FiveTuple;

/// A header without options.
pub(super) const MIN_HEADER: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

#[inline]
pub(super) fn parse(packet: &[u8]) -> Result<Parsed, Malformed> {
    let header: &[u8; MIN_HEADER] = packet.first_chunk().ok_or(Malformed)?;
    let header_length = header_length(header)?;
    let total = be16(header[2], header[3]);
    let payload = packet.get(header_length..usize::from(total)).ok_or(Malformed)?;
    let fragment = fragment(header, usize::from(total), payload.len())?;
    let proto = header[9];
    let read = transport::read(Family::V4, proto, payload, fragment)?;
    let (src, dst) = addresses(header);
    Ok(Parsed {
        tuple: FiveTuple { src, dst, src_port: read.src_port, dst_port: read.dst_port, proto },
        length: u32::from(total),
        packets: 1,
        wire_bytes: u32::from(total),
        longest: u32::from(total),
        // At most 60: the field counts 15 words.
        transport_offset: header_length as u16,
        ttl: header[8],
        dont_fragment: be16(header[6], header[7]) & DONT_FRAGMENT != 0,
        fragment,
        transport: read.transport,
    })
}

/// Returns the header's length in bytes, options included.
#[inline]
pub(super) fn header_length(header: &[u8; MIN_HEADER]) -> Result<usize, Malformed> {
    let length = usize::from(header[0] & 0x0f) * 4;
    if length < MIN_HEADER { Err(Malformed) } else { Ok(length) }
}

#[inline]
pub(super) fn addresses(header: &[u8; MIN_HEADER]) -> (IpAddr, IpAddr) {
    let [.., a, b, c, d, e, f, g, h] = *header;
    (Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into())
}

/// Returns the fragment's offset in bytes; 0 for a first fragment and for a whole packet.
pub(super) fn fragment_offset(header: &[u8; MIN_HEADER]) -> u32 {
    u32::from(be16(header[6], header[7]) & OFFSET_MASK) * 8
}

/// Returns where a first fragment stands; nothing when it is a whole packet.
pub(super) fn first_fragment(header: &[u8; MIN_HEADER]) -> Option<Fragment> {
    let more = be16(header[6], header[7]) & MORE_FRAGMENTS != 0;
    more.then(|| Fragment { id: u32::from(be16(header[4], header[5])), offset: 0, more })
}

#[inline]
fn fragment(header: &[u8; MIN_HEADER], total: usize, payload: usize) -> Result<Option<Fragment>, Malformed> {
    let word = be16(header[6], header[7]);
    if word & (MORE_FRAGMENTS | OFFSET_MASK) == 0 {
        return Ok(None);
    }
    let offset = fragment_offset(header);
    let more = word & MORE_FRAGMENTS != 0;
    let unaligned = more && !payload.is_multiple_of(8);
    // The header of the reassembled datagram is the first fragment's, which is never shorter than this one.
    let too_long = offset as usize + total > MAX_DATAGRAM;
    if unaligned || too_long {
        return Err(Malformed);
    }
    Ok(Some(Fragment { id: u32::from(be16(header[4], header[5])), offset, more }))
}
