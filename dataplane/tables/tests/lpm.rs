//! The longest-prefix match against its linear twin.

use proptest::collection::vec;
use proptest::prelude::*;
use vpclab_tables::reference::LinearLpm;
use vpclab_tables::{Bits, Lpm, Prefix};

type Entries<A> = Vec<(Prefix<A>, u32)>;

/// Prefixes that nest, repeat and crowd: the bits come from a few seeds, some of them inverted behind a point.
fn entries<A: Bits>(bits: fn(u128) -> A, most: usize) -> impl Strategy<Value = Entries<A>> {
    let seed = prop_oneof![
        any::<u128>(),
        Just(0),
        Just(u128::MAX),
        Just(0x0a00_0000_u128 << 96),
        Just(0x2600_1f18_aaaa_1000_u128 << 64),
    ];
    let entry = (any::<prop::sample::Index>(), 0..=128_u32, any::<u128>(), 0..=A::WIDTH, values());
    (vec(seed, 1..4), vec(entry, 0..most)).prop_map(move |(seeds, raw)| {
        let entry = |(seed, from, noise, len, value): (prop::sample::Index, u32, u128, u8, u32)| {
            let noise = noise & u128::MAX.checked_shr(from).unwrap_or(0);
            (Prefix::new(bits(seed.get(&seeds) ^ noise), len), value)
        };
        raw.into_iter().map(entry).collect()
    })
}

/// Few values, so that they repeat, and the largest, which a table could mistake for its own mark.
fn values() -> impl Strategy<Value = u32> {
    prop_oneof![0..4_u32, Just(u32::MAX), Just(u32::MAX - 1), any::<u32>()]
}

/// Every address where the answer can change, and some others.
fn edges<A: Bits>(entries: &Entries<A>, others: &[A], after: fn(A) -> A) -> Vec<A> {
    let all = Prefix::new(A::default(), 0);
    let mut edges = vec![all.first(), all.last()];
    edges.extend_from_slice(others);
    for (prefix, _) in entries {
        edges.extend([prefix.first(), prefix.last(), after(prefix.last())]);
        edges.extend(prefix.first().before());
    }
    edges
}

fn agree<A: Bits>(entries: &Entries<A>, addresses: &[A]) -> Result<(), TestCaseError> {
    let (table, twin) = (Lpm::build(entries), LinearLpm::build(entries));
    for addr in addresses {
        prop_assert_eq!(table.lookup_prefix(*addr), twin.lookup_prefix(*addr), "at {:x?}", addr);
        prop_assert_eq!(table.lookup(*addr), twin.lookup(*addr), "at {:x?}", addr);
    }
    Ok(())
}

fn v4(top: u128) -> u32 {
    (top >> 96) as u32
}

fn v6(top: u128) -> u128 {
    top
}

proptest! {
    #[test]
    fn small_v4_tables_agree_with_the_twin(entries in entries(v4, 40), others in vec(any::<u32>(), 16)) {
        agree(&entries, &edges(&entries, &others, |a| a.wrapping_add(1)))?;
    }

    #[test]
    fn small_v6_tables_agree_with_the_twin(entries in entries(v6, 40), others in vec(any::<u128>(), 16)) {
        agree(&entries, &edges(&entries, &others, |a| a.wrapping_add(1)))?;
    }
}

proptest! {
    // The twin is quadratic here; a few large tables are enough, since the small ones cover the cases.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn large_v4_tables_agree_with_the_twin(entries in entries(v4, 800), others in vec(any::<u32>(), 16)) {
        agree(&entries, &edges(&entries, &others, |a| a.wrapping_add(1)))?;
    }

    #[test]
    fn large_v6_tables_agree_with_the_twin(entries in entries(v6, 800), others in vec(any::<u128>(), 16)) {
        agree(&entries, &edges(&entries, &others, |a| a.wrapping_add(1)))?;
    }
}

#[test]
fn an_empty_table_matches_nothing() {
    assert_eq!(Lpm::<u32>::default().lookup(u32::MAX), None);
    assert_eq!(Lpm::<u128>::build(&[]).lookup_prefix(0), None);
}

#[test]
fn the_longer_prefix_wins_wherever_it_stands_in_the_list() {
    let (wide, narrow) = (Prefix::new(0x0a00_0000_u32, 8), Prefix::new(0x0a01_0000, 16));
    for entries in [[(wide, 1), (narrow, 2)], [(narrow, 2), (wide, 1)]] {
        let table = Lpm::build(&entries);
        assert_eq!(table.lookup_prefix(0x0a01_ffff), Some((2, 16)));
        assert_eq!(table.lookup_prefix(0x0a02_0000), Some((1, 8)));
        assert_eq!(table.lookup_prefix(0x0b00_0000), None);
    }
}

#[test]
fn the_last_of_equal_prefixes_wins() {
    let prefix = Prefix::new(5_u128, 128);
    assert_eq!(Lpm::build(&[(prefix, 1), (prefix, 2), (prefix, 3)]).lookup(5), Some(3));
}

#[test]
fn host_and_default_routes_meet_at_both_ends_of_the_space() {
    let table = Lpm::build(&[
        (Prefix::new(0_u32, 0), 7),
        (Prefix::new(0_u32, 32), 8),
        (Prefix::new(u32::MAX, 32), u32::MAX),
    ]);
    let asked = [0, 1, u32::MAX - 1, u32::MAX].map(|addr| table.lookup_prefix(addr));
    assert_eq!(asked, [Some((8, 32)), Some((7, 0)), Some((7, 0)), Some((u32::MAX, 32))]);
}

#[test]
fn a_default_route_is_told_from_no_route() {
    let table = Lpm::build(&[(Prefix::new(0_u32, 1), 4)]);
    assert_eq!((table.lookup(0x7fff_ffff), table.lookup(0x8000_0000)), (Some(4), None));
}

/// The table keeps 32, 64 or 128 bits of an address, depending on the longest prefix.
#[test]
fn every_length_is_told_from_the_one_before_it() {
    for len in 1..=128 {
        let (outer, inner) = (Prefix::new(0_u128, len - 1), Prefix::new(0, len));
        let table = Lpm::build(&[(outer, 1), (inner, 2)]);
        assert_eq!(table.lookup(inner.last()), Some(2));
        assert_eq!(table.lookup(inner.last() + 1), Some(1), "{len}");
    }
}

#[test]
fn prefixes_that_halve_the_space_over_and_over_still_resolve() {
    let entries: Vec<_> = (0..=128).map(|len| (Prefix::new(0_u128, len), u32::from(len))).collect();
    let table = Lpm::build(&entries);
    for len in 0..128_u8 {
        assert_eq!(table.lookup((1_u128 << 127) >> len), Some(len.into()));
    }
    assert_eq!(table.lookup(0), Some(128));
}

#[test]
fn a_route_table_of_a_vpc_stays_small() {
    let entries: Vec<_> = (0..20).map(|i| (Prefix::new(0x0a00_0000_u32 | i << 16, 16), i)).collect();
    assert!(Lpm::build(&entries).heap_bytes() < 1024, "{}", Lpm::build(&entries).heap_bytes());
}
