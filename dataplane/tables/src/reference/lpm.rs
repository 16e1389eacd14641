//! Longest-prefix match by looking at every prefix.

use crate::prefix::{Bits, Prefix};

/// The linear twin of [`Lpm`](crate::Lpm).
#[derive(Clone, Debug, Default)]
pub struct LinearLpm<A> {
    entries: Vec<(Prefix<A>, u32)>,
}

impl<A: Bits> LinearLpm<A> {
    /// Keeps the list as it is.
    pub fn build(entries: &[(Prefix<A>, u32)]) -> Self {
        Self { entries: entries.to_vec() }
    }

    /// The value of the longest prefix that contains `addr`; of equal prefixes the last.
    pub fn lookup(&self, addr: A) -> Option<u32> {
        self.lookup_prefix(addr).map(|(value, _)| value)
    }

    /// The value and the length of the longest prefix that contains `addr`; of equal prefixes the last.
    pub fn lookup_prefix(&self, addr: A) -> Option<(u32, u8)> {
        let mut best = None;
        for (prefix, value) in &self.entries {
            let longer = best.is_none_or(|(_, len)| prefix.len >= len);
            if longer && prefix.contains(addr) {
                best = Some((*value, prefix.len));
            }
        }
        best
    }
}
