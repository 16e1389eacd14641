//! ICMP and ICMPv6 messages: identifiers of queries, quotes of errors.

use super::transport::Sums;
use super::{Translation, Untranslatable, quoted};
use crate::checksum::Delta;
use crate::parse::be16;
use crate::tuple::{FiveTuple, icmp_query_reply, proto};

/// Where an ICMP message has its checksum (RFC 792).
pub(super) const CHECKSUM: usize = 2;
/// Where a query has its identifier.
pub(super) const IDENTIFIER: usize = 4;
/// What is before the quote of an error.
pub(super) const HEADER: usize = 8;

/// Rewrites a message within one family.
#[cold]
pub(super) fn rewrite(message: &mut [u8], to: &Translation, sums: Sums) -> Result<(), Untranslatable> {
    let &mut [icmp_type, code, high, low, ..] = message else { return Err(Untranslatable::Mismatch) };
    let identifier = identifier(&to.tuple, icmp_type, code)?;
    let sums = sums.with(covered(&to.tuple, sums.pseudo_header));
    let delta = match (to.about, identifier) {
        (Some(about), _) => {
            let quote = message.get_mut(HEADER..).ok_or(Untranslatable::Mismatch)?;
            quoted::rewrite(quote, &about, sums.pseudo_header)?
        }
        (None, Some(identifier)) => {
            let mut patch = Patch { bytes: message, delta: sums.pseudo_header };
            patch.word(IDENTIFIER, identifier);
            patch.delta
        }
        (None, None) => sums.pseudo_header,
    };
    let checksum = sums.after(CHECKSUM, be16(high, low), delta);
    message[CHECKSUM..CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
    mend_zeros(message);
    Ok(())
}

/// The one message whose sum is zero, and not the other zero of ones' complement, has only zeros: an echo reply with
/// identifier and sequence zero. What changes cannot tell, so that its checksum was written as zero.
pub(super) fn mend_zeros(message: &mut [u8]) {
    if message.iter().all(|byte| *byte == 0) {
        message[CHECKSUM..CHECKSUM + 2].fill(0xff);
    }
}

/// The identifier that `tuple` gives a message of this type and code; none when such a message has no identifier.
pub(super) fn identifier(tuple: &FiveTuple, icmp_type: u8, code: u8) -> Result<Option<u16>, Untranslatable> {
    let (id, other, expected) = match icmp_query_reply(tuple.proto, icmp_type) {
        Some((query, false)) => (Some(tuple.src_port), tuple.dst_port, be16(query, 0)),
        Some((query, true)) => (Some(tuple.dst_port), tuple.src_port, be16(query, 0)),
        None if tuple.src_port != 0 => return Err(Untranslatable::Mismatch),
        None => (None, tuple.dst_port, be16(icmp_type, code)),
    };
    if other == expected { Ok(id) } else { Err(Untranslatable::Mismatch) }
}

/// What a transport checksum has of the change of addresses: that of ICMP for IPv4 covers no pseudo-header.
pub(super) const fn covered(tuple: &FiveTuple, addresses: Delta) -> Delta {
    if tuple.proto == proto::ICMP { Delta::NONE } else { addresses }
}

/// Writes words, and sums up what that changes. What is not there is not written.
pub(super) struct Patch<'p> {
    pub(super) bytes: &'p mut [u8],
    /// What the checksum over `bytes`, which begin at an even offset, changes by.
    pub(super) delta: Delta,
}

impl Patch<'_> {
    /// Writes a word at an even offset.
    pub(super) fn word(&mut self, at: usize, new: u16) {
        self.update(at, |_| new);
    }

    /// Replaces a word at an even offset by what `change` makes of it.
    pub(super) fn update(&mut self, at: usize, change: impl FnOnce(u16) -> u16) {
        let field = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
        let Some(field) = field else { return };
        let old = u16::from_be_bytes(*field);
        let new = change(old);
        *field = new.to_be_bytes();
        self.delta = self.delta.replace16(old, new);
    }

    /// Writes bytes, an even number of them, at an even offset.
    pub(super) fn words(&mut self, at: usize, new: &[u8]) {
        let (words, _) = new.as_chunks();
        for (index, word) in words.iter().enumerate() {
            self.word(at + 2 * index, u16::from_be_bytes(*word));
        }
    }
}
