//! Splitting IPv4 packets that are too long for a link (MT-05).

#[cfg(test)]
mod tests;

use crate::{Buffer, Parsed, checksum};

const MORE_FRAGMENTS: u16 = 0x2000;

/// Splits `packet`, read as `parsed`, into fragments of at most `mtu` bytes (RFC 791 section 3.2).
///
/// A packet that fits comes back as one copy. A packet that is itself a fragment is split further. Its transport
/// checksum must be complete: a partial one is finished first, by whoever knows of it.
///
/// Empty when a packet is too long and yet cannot be split, so that nothing can be sent: it says "don't
/// fragment", as IPv6 always does, or the MTU has no room for its header and 8 bytes.
#[must_use]
pub fn fragment_ipv4(packet: &[u8], parsed: &Parsed, mtu: u16) -> Vec<Buffer> {
    let header_length = usize::from(parsed.transport_offset);
    let (Some(header), Some(payload)) =
        (packet.get(..header_length), packet.get(header_length..parsed.length as usize))
    else {
        return Vec::new();
    };
    if parsed.length <= u32::from(mtu) {
        return vec![Buffer::copy_of(&packet[..parsed.length as usize])];
    }
    if parsed.dont_fragment {
        return Vec::new();
    }
    split(header, payload, parsed, mtu).unwrap_or_default()
}

/// Cuts `payload` into parts; `None` when not even 8 bytes fit beside the header.
fn split(header: &[u8], payload: &[u8], parsed: &Parsed, mtu: u16) -> Option<Vec<Buffer>> {
    let later_header = later_header(header)?;
    let (mut offset, more_follow) =
        parsed.fragment.map_or((0, false), |fragment| (fragment.offset, fragment.more));
    let (mut header, mut rest) = (header, payload);
    let mut fragments = Vec::new();
    while !rest.is_empty() {
        let room = usize::from(mtu).checked_sub(header.len())?;
        let length = if rest.len() > room { room & !7 } else { rest.len() };
        if length == 0 {
            return None;
        }
        let (part, after) = rest.split_at(length);
        fragments.push(assemble(header, part, offset, more_follow || !after.is_empty()));
        offset += length as u32;
        (header, rest) = (&later_header, after);
    }
    Some(fragments)
}

fn assemble(header: &[u8], part: &[u8], offset: u32, more: bool) -> Buffer {
    let mut fragment = Buffer::with_capacity(header.len() + part.len());
    fragment.extend_from_slice(header);
    fragment.extend_from_slice(part);
    // Both come from one IPv4 packet: the length fits in 16 bits, and so does the offset in 13 once divided by 8.
    let total = fragment.len() as u16;
    let position = (offset / 8) as u16 | if more { MORE_FRAGMENTS } else { 0 };
    let header = &mut fragment.bytes_mut()[..header.len()];
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[6..8].copy_from_slice(&position.to_be_bytes());
    header[10..12].fill(0);
    let checksum = checksum::finish(checksum::sum(header));
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    fragment
}

/// The header of all fragments but the first: with only those options that have the copy bit set.
fn later_header(header: &[u8]) -> Option<Vec<u8>> {
    let (fixed, mut options) = header.split_at_checked(20)?;
    let mut later = fixed.to_vec();
    while let Some((option, rest)) = split_option(options) {
        if option[0] & 0x80 != 0 {
            later.extend_from_slice(option);
        }
        options = rest;
    }
    // Zero is the end of the option list.
    later.resize(later.len().next_multiple_of(4), 0);
    later[0] = 0x40 | (later.len() / 4) as u8;
    Some(later)
}

/// Cuts the first option off a list. `None` at its end, and where an option's length lies.
pub(crate) fn split_option(options: &[u8]) -> Option<(&[u8], &[u8])> {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    let length = match options {
        [] | [END, ..] => return None,
        [NO_OPERATION, ..] => 1,
        [_, length, ..] if *length >= 2 => usize::from(*length),
        _ => return None,
    };
    options.split_at_checked(length)
}
