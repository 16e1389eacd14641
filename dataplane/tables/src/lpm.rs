//! Longest-prefix match over a frozen list of prefixes.

use crate::prefix::{Bits, Prefix};
use crate::reference::LinearLpm;

/// A frozen longest-prefix-match table: address in, value of the longest matching prefix out.
#[derive(Clone, Debug, Default)]
pub struct Lpm<A> {
    linear: LinearLpm<A>,
}

impl<A: Bits> Lpm<A> {
    /// Builds the table; of two entries with the same prefix the later wins.
    pub fn build(entries: &[(Prefix<A>, u32)]) -> Self {
        Self { linear: LinearLpm::build(entries) }
    }

    /// The value of the longest prefix that contains `addr`.
    pub fn lookup(&self, addr: A) -> Option<u32> {
        self.linear.lookup(addr)
    }

    /// The value and the length of the longest prefix that contains `addr`; slower than [`Self::lookup`].
    pub fn lookup_prefix(&self, addr: A) -> Option<(u32, u8)> {
        self.linear.lookup_prefix(addr)
    }
}
