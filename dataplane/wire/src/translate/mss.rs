//! The maximum segment size that a SYN announces (RFC 9293 section 3.7.1).

use super::transport::TCP_CHECKSUM;
use crate::checksum::Delta;
use crate::parse::be16;

/// A TCP header without options.
const HEADER: usize = 20;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
/// Kind, length and value of the MSS option.
const MSS_LENGTH: u8 = 4;

/// Lowers the announced MSS to `most` if it is larger; a partial checksum does not cover it.
///
/// Without the option nothing changes, and neither behind an option that is malformed.
#[cold]
pub(super) fn clamp(segment: &mut [u8], most: u16, is_partial: bool) {
    let Some(at) = find(segment) else { return };
    let Some(&[high, low]) = segment.get(at..at + 2) else { return };
    let announced = be16(high, low);
    if announced <= most {
        return;
    }
    segment[at..at + 2].copy_from_slice(&most.to_be_bytes());
    if !is_partial {
        let checksum = be16(segment[TCP_CHECKSUM], segment[TCP_CHECKSUM + 1]);
        let checksum = change(at, announced, most).apply(checksum);
        segment[TCP_CHECKSUM..TCP_CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// Offset of the MSS value in a segment.
fn find(segment: &[u8]) -> Option<usize> {
    let header = usize::from(segment.get(12)? >> 4) * 4;
    let options = segment.get(..header)?;
    let mut at = HEADER;
    loop {
        match options.get(at..)? {
            [END, ..] => return None,
            [NO_OPERATION, ..] => at += 1,
            [MSS, MSS_LENGTH, _, _, ..] => return Some(at + 2),
            [kind, length, ..] if *kind != MSS && *length >= 2 => at += usize::from(*length),
            _ => return None,
        }
    }
}

/// What a word at any offset adds: at an odd one its bytes are halves of two words, the other way round.
fn change(at: usize, old: u16, new: u16) -> Delta {
    if at.is_multiple_of(2) {
        Delta::NONE.replace16(old, new)
    } else {
        Delta::NONE.replace16(old.swap_bytes(), new.swap_bytes())
    }
}
