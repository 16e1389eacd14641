//! Address arithmetic that the tables share: [`Bits`] and [`Prefix`].

use std::fmt::Debug;
use std::hash::Hash;

mod sealed {
    #[expect(unnameable_types, reason = "a trait nobody else can name closes the set of families")]
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u128 {}
}

/// An address as a number, most significant bit first: `u32` for IPv4, `u128` for IPv6.
///
/// The set of families is closed; tables are compiled once for each.
pub trait Bits: Copy + Eq + Ord + Hash + Debug + Default + Send + Sync + sealed::Sealed + 'static {
    /// Number of bits of an address, and the length of a host prefix.
    const WIDTH: u8;

    /// The mask with the first `len` bits set; any `len` past [`Self::WIDTH`] gives all ones.
    fn mask(len: u8) -> Self;

    /// Keeps the bits that are set in `mask`.
    fn and(self, mask: Self) -> Self;

    /// Sets the bits that are not set in `mask`.
    fn or_not(self, mask: Self) -> Self;

    /// The address before this one, unless it is the first.
    fn before(self) -> Option<Self>;

    /// The address in the upper bits of 128.
    fn to_top(self) -> u128;
}

impl Bits for u32 {
    const WIDTH: u8 = 32;

    fn mask(len: u8) -> Self {
        !Self::MAX.checked_shr(len.into()).unwrap_or(0)
    }

    fn and(self, mask: Self) -> Self {
        self & mask
    }

    fn or_not(self, mask: Self) -> Self {
        self | !mask
    }

    fn before(self) -> Option<Self> {
        self.checked_sub(1)
    }

    fn to_top(self) -> u128 {
        u128::from(self) << 96
    }
}

impl Bits for u128 {
    const WIDTH: u8 = 128;

    fn mask(len: u8) -> Self {
        !Self::MAX.checked_shr(len.into()).unwrap_or(0)
    }

    fn and(self, mask: Self) -> Self {
        self & mask
    }

    fn or_not(self, mask: Self) -> Self {
        self | !mask
    }

    fn before(self) -> Option<Self> {
        self.checked_sub(1)
    }

    fn to_top(self) -> u128 {
        self
    }
}

/// An address prefix whose host bits are zero.
///
/// Ordered by first address, then by length: a prefix sorts before everything it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Prefix<A> {
    /// The first address; bits past `len` are zero.
    pub bits: A,
    /// Number of leading bits that are fixed, at most [`Bits::WIDTH`].
    pub len: u8,
}

impl<A: Bits> Prefix<A> {
    /// The prefix of length `len` that contains `addr`: host bits are masked away and a length past the
    /// family's width is taken as the width.
    pub fn new(addr: A, len: u8) -> Self {
        let len = len.min(A::WIDTH);
        Self { bits: addr.and(A::mask(len)), len }
    }

    /// Whether `addr` lies in the prefix.
    pub fn contains(&self, addr: A) -> bool {
        addr.and(A::mask(self.len)) == self.bits
    }

    /// The first address of the prefix.
    pub fn first(&self) -> A {
        self.bits
    }

    /// The last address of the prefix.
    pub fn last(&self) -> A {
        self.bits.or_not(A::mask(self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_prefix_has_no_host_bits() {
        assert_eq!(Prefix::new(0x0a00_0105_u32, 24), Prefix { bits: 0x0a00_0100, len: 24 });
        assert_eq!(Prefix::new(u128::MAX, 64).bits, u128::MAX << 64);
    }

    #[test]
    fn a_length_past_the_width_is_the_width() {
        assert_eq!(Prefix::new(7_u32, 200), Prefix { bits: 7, len: 32 });
        assert_eq!(Prefix::new(7_u128, 200), Prefix { bits: 7, len: 128 });
    }

    #[test]
    fn containment_holds_at_both_ends_and_not_beyond() {
        let net = Prefix::new(0x0a00_0100_u32, 24);
        assert_eq!((net.first(), net.last()), (0x0a00_0100, 0x0a00_01ff));
        assert!(net.contains(net.first()) && net.contains(net.last()));
        assert!(!net.contains(net.first() - 1) && !net.contains(net.last() + 1));
    }

    #[test]
    fn the_empty_prefix_contains_everything() {
        let all = Prefix::new(0_u128, 0);
        assert!(all.contains(0) && all.contains(u128::MAX));
        assert_eq!(all.last(), u128::MAX);
    }
}
