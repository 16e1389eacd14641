//! Fragments of a packet and their reassembly, written without regard to [`crate::fragment_ipv4`].

use super::finish_header;
use crate::{Parsed, parse};

/// Cuts an unfragmented packet of either family into fragments that carry `part` payload bytes each, the last
/// one the rest; `id` is the identification, of which IPv4 uses the low half.
///
/// # Panics
///
/// When `part` is no multiple of 8, or `packet` is a fragment or has IPv6 extension headers.
#[must_use]
pub fn fragments(packet: &[u8], id: u32, part: usize) -> Vec<Vec<u8>> {
    assert!(part > 0 && part.is_multiple_of(8), "{part} is no multiple of 8");
    let parsed = parse(packet).expect("a packet to cut");
    assert_eq!(parsed.fragment, None, "the packet is a fragment");
    let (header, payload) = packet.split_at(usize::from(parsed.transport_offset));
    let count = payload.len().div_ceil(part);
    let piece = |(index, bytes): (usize, &[u8])| {
        let (offset, more) = ((index * part) as u16, index + 1 < count);
        if packet[0] >> 4 == 4 {
            fragment_v4(header, id as u16, offset, more, bytes)
        } else {
            fragment_v6(header, id, offset, more, bytes)
        }
    };
    payload.chunks(part).enumerate().map(piece).collect()
}

/// Puts fragments of one datagram together again, in any order. `None` when a part is missing, when two overlap,
/// or when they disagree about identification or addresses. The result is unfragmented: IPv4 with the
/// first fragment's header, IPv6 without the fragment header.
#[must_use]
pub fn reassemble(fragments: &[impl AsRef<[u8]>]) -> Option<Vec<u8>> {
    let mut parts = Vec::new();
    for bytes in fragments {
        let parsed = parse(bytes.as_ref()).ok()?;
        parts.push((parsed, bytes.as_ref().get(part_offset(&parsed)..parsed.length as usize)?));
    }
    parts.sort_by_key(|(parsed, _)| parsed.fragment.map(|fragment| fragment.offset));
    let (first, _) = *parts.first()?;
    let bytes = fragments.iter().map(AsRef::as_ref).find(|bytes| parse(bytes) == Ok(first))?;
    let mut payload = Vec::new();
    let mut more = true;
    for (parsed, part) in parts {
        let fragment = parsed.fragment?;
        let belongs = Some(fragment.id) == first.fragment.map(|fragment| fragment.id)
            && (parsed.tuple.src, parsed.tuple.dst) == (first.tuple.src, first.tuple.dst);
        if !belongs || !more || fragment.offset as usize != payload.len() {
            return None;
        }
        payload.extend_from_slice(part);
        more = fragment.more;
    }
    if more { None } else { Some(whole(bytes, &first, &payload)) }
}

fn whole(first_bytes: &[u8], first: &Parsed, payload: &[u8]) -> Vec<u8> {
    if first.tuple.src.is_ipv4() {
        let mut packet = first_bytes[..usize::from(first.transport_offset)].to_vec();
        packet.extend_from_slice(payload);
        let length = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&length);
        packet[6..8].fill(0);
        finish_header(&mut packet);
        packet
    } else {
        let mut packet = first_bytes[..40].to_vec();
        packet[6] = first_bytes[40];
        packet[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        packet.extend_from_slice(payload);
        packet
    }
}

/// Where a fragment's part of the datagram starts: after the IPv4 header, or after an IPv6 fragment header that
/// comes first.
fn part_offset(parsed: &Parsed) -> usize {
    if parsed.tuple.src.is_ipv4() { usize::from(parsed.transport_offset) } else { 48 }
}

fn fragment_v4(header: &[u8], id: u16, offset: u16, more: bool, part: &[u8]) -> Vec<u8> {
    let mut fragment = [header, part].concat();
    let length = (fragment.len() as u16).to_be_bytes();
    fragment[2..4].copy_from_slice(&length);
    fragment[4..6].copy_from_slice(&id.to_be_bytes());
    fragment[6..8].copy_from_slice(&((offset / 8) | (u16::from(more) << 13)).to_be_bytes());
    finish_header(&mut fragment);
    fragment
}

fn fragment_v6(header: &[u8], id: u32, offset: u16, more: bool, part: &[u8]) -> Vec<u8> {
    assert_eq!(header.len(), 40, "the packet has extension headers");
    let mut fragment = header.to_vec();
    let next = std::mem::replace(&mut fragment[6], 44);
    fragment[4..6].copy_from_slice(&(part.len() as u16 + 8).to_be_bytes());
    fragment.extend_from_slice(&[next, 0]);
    fragment.extend_from_slice(&(offset | u16::from(more)).to_be_bytes());
    fragment.extend_from_slice(&id.to_be_bytes());
    fragment.extend_from_slice(part);
    fragment
}
