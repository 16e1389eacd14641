//! Route tables: small ones as a VPC has them, large ones as the internet has them.

use std::collections::BTreeSet;

use tables::{Bits, Prefix};

use crate::draw::Draw;

/// Up to this many routes a table looks like a VPC's, above like the internet's.
pub const VPC_TABLE: usize = 64;

/// An address family as the generator sees it: addresses stand at the top of 128 bits.
pub trait Family: Bits {
    /// Blocks that single routes of a VPC table come from, and the shares of the lengths in them.
    const VPC: Shape;
    /// The same for the table of a router on the internet.
    const INTERNET: Shape;
    /// The family's address from the top of `bits`.
    fn from_top(bits: u128) -> Self;
}

/// Where routes lie and how long their prefixes are.
#[derive(Debug)]
pub struct Shape {
    /// Blocks as (first bits, length), with weights.
    blocks: &'static [((u128, u8), u64)],
    /// Prefix lengths with weights.
    lengths: &'static [(u8, u64)],
}

impl Family for u32 {
    const VPC: Shape = Shape {
        blocks: &[
            ((v4(10, 0), 8), 50),
            ((v4(172, 16), 12), 15),
            ((v4(192, 168), 16), 15),
            ((v4(52, 216), 14), 20),
        ],
        lengths: &[(16, 30), (20, 10), (22, 10), (24, 35), (28, 5), (32, 10)],
    };
    /// Shares as public route collectors show them: three in five routes are a /24, hardly any is longer.
    const INTERNET: Shape = Shape {
        blocks: &[((v4(0, 0), 1), 60), ((v4(128, 0), 2), 28), ((v4(192, 0), 3), 12)],
        lengths: &[
            (8, 1),
            (12, 2),
            (14, 3),
            (15, 4),
            (16, 14),
            (17, 9),
            (18, 15),
            (19, 27),
            (20, 46),
            (21, 52),
            (22, 116),
            (23, 106),
            (24, 600),
            (32, 5),
        ],
    };

    fn from_top(bits: u128) -> Self {
        (bits >> 96) as Self
    }
}

impl Family for u128 {
    const VPC: Shape = Shape {
        blocks: &[((v6(0x2600, 0x1f18), 36), 70), ((v6(0x2001, 0xdb8), 32), 20), ((v6(0xfd00, 0), 8), 10)],
        lengths: &[(48, 10), (56, 40), (64, 40), (128, 10)],
    };
    const INTERNET: Shape = Shape {
        blocks: &[
            ((v6(0x2001, 0), 16), 15),
            ((v6(0x2400, 0), 12), 25),
            ((v6(0x2600, 0), 12), 20),
            ((v6(0x2800, 0), 12), 10),
            ((v6(0x2a00, 0), 12), 25),
            ((v6(0x2c00, 0), 12), 5),
        ],
        lengths: &[
            (24, 2),
            (28, 8),
            (29, 40),
            (30, 6),
            (32, 125),
            (33, 25),
            (36, 45),
            (38, 10),
            (40, 90),
            (42, 30),
            (44, 95),
            (46, 30),
            (47, 20),
            (48, 470),
            (64, 4),
        ],
    };

    fn from_top(bits: u128) -> Self {
        bits
    }
}

/// A route table of `n` different prefixes, a default route among them; values count from 0.
pub fn routes<A: Family>(n: usize, seed: u64) -> Vec<(Prefix<A>, u32)> {
    let shape = if n <= VPC_TABLE { A::VPC } else { A::INTERNET };
    let mut draw = Draw::new(seed);
    let mut seen = BTreeSet::from([Prefix::new(A::default(), 0)]);
    let mut table: Vec<Prefix<A>> = seen.iter().copied().collect();
    while table.len() < n {
        let prefix = route(&shape, &table, &mut draw);
        if seen.insert(prefix) {
            table.push(prefix);
        }
    }
    table.into_iter().zip(0..).collect()
}

/// `n` addresses: four in five lie in a route other than the default one, the rest anywhere in the blocks.
pub fn addresses<A: Family>(table: &[(Prefix<A>, u32)], n: usize, seed: u64) -> Vec<A> {
    let shape = if table.len() <= VPC_TABLE { A::VPC } else { A::INTERNET };
    let mut draw = Draw::new(seed);
    let routed = &table[1..];
    (0..n)
        .map(|_| {
            let (bits, len) = if draw.chance(80) && !routed.is_empty() {
                let prefix = draw.pick(routed).0;
                (prefix.bits.to_top(), prefix.len)
            } else {
                draw.weighted(shape.blocks)
            };
            A::from_top(bits | host_bits(draw.wide(), len))
        })
        .collect()
}

/// Three routes in five lie close to an earlier one, as the routes of one network do.
fn route<A: Family>(shape: &Shape, table: &[Prefix<A>], draw: &mut Draw) -> Prefix<A> {
    let len = draw.weighted(shape.lengths);
    let near = *draw.pick(table);
    let (bits, fixed) = if draw.chance(60) && near.len > 0 {
        (near.bits.to_top(), near.len.min(len).saturating_sub(4))
    } else {
        draw.weighted(shape.blocks)
    };
    Prefix::new(A::from_top(bits & !host_bits(u128::MAX, fixed) | host_bits(draw.wide(), fixed)), len)
}

/// What is left of `bits` behind the first `len`.
fn host_bits(bits: u128, len: u8) -> u128 {
    bits & u128::MAX.checked_shr(len.into()).unwrap_or(0)
}

const fn v4(first: u8, second: u8) -> u128 {
    (first as u128) << 120 | (second as u128) << 112
}

const fn v6(first: u16, second: u16) -> u128 {
    (first as u128) << 112 | (second as u128) << 96
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_size_asked_for_and_no_prefix_twice() {
        for n in [1, 20, 1000] {
            let table = routes::<u32>(n, 7);
            assert_eq!(table.len(), n);
            assert_eq!(table.iter().map(|(prefix, _)| *prefix).collect::<BTreeSet<_>>().len(), n);
        }
    }

    #[test]
    fn a_seed_gives_the_same_table_again() {
        assert_eq!(routes::<u128>(500, 3), routes::<u128>(500, 3));
        assert_ne!(routes::<u128>(500, 3), routes::<u128>(500, 4));
    }

    #[test]
    fn most_addresses_match_more_than_the_default_route() {
        let table = routes::<u32>(1000, 7);
        let addresses = addresses(&table, 1000, 8);
        let matched =
            addresses.iter().filter(|a| table[1..].iter().any(|(prefix, _)| prefix.contains(**a))).count();
        assert!((790..1000).contains(&matched), "{matched}");
    }
}
