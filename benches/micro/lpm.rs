//! Longest-prefix match: ours beside three published tries, on the same tables and addresses in one run.
//!
//! One element of throughput is one lookup. All four must agree on every address before any is timed.

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use poptrie::Poptrie;
use prefix_trie::PrefixMap;
use tables::Lpm;
use treebitmap::IpLookupTable;
use vpclab_benches::routes::{addresses, routes};

/// Enough addresses that neither the branch predictor nor the first-level cache learns them.
const ADDRESSES: usize = 1 << 16;
const SIZES: [usize; 3] = [20, 1_000, 100_000];

criterion_group!(benches, v4, v6);
criterion_main!(benches);

/// Times one table: the same loop for all, inlined with the lookup it is given.
macro_rules! time {
    ($group:expr, $name:literal, $n:expr, $addresses:expr, |$addr:ident| $lookup:expr) => {
        $group.bench_with_input(BenchmarkId::new($name, $n), &$addresses, |bencher, addresses| {
            bencher.iter(|| {
                for $addr in addresses.iter().copied() {
                    black_box($lookup);
                }
            });
        });
    };
}

fn v4(criterion: &mut Criterion) {
    let mut group = group(criterion, "lpm/v4");
    for n in SIZES {
        let table = routes::<u32>(n, 1);
        let asked = addresses(&table, ADDRESSES, 2);
        let ours = Lpm::build(&table);
        let poptrie: Poptrie<(u32, u8), u32> = table.iter().map(|(p, v)| ((p.bits, p.len), *v)).collect();
        let prefix_trie: PrefixMap<(u32, u8), u32> =
            table.iter().map(|(p, v)| ((p.bits, p.len), *v)).collect();
        let mut treebitmap = IpLookupTable::new();
        for (prefix, value) in &table {
            treebitmap.insert(Ipv4Addr::from(prefix.bits), prefix.len.into(), *value);
        }
        for addr in &asked {
            let found = ours.lookup(*addr);
            assert_eq!(found, poptrie.lookup(*addr).copied());
            assert_eq!(found, prefix_trie.get_lpm(&(*addr, 32)).map(|(_, v)| *v));
            assert_eq!(found, treebitmap.longest_match(Ipv4Addr::from(*addr)).map(|(_, _, v)| *v));
        }
        time!(group, "ours", n, asked, |addr| ours.lookup(addr));
        time!(group, "poptrie", n, asked, |addr| poptrie.lookup(addr));
        time!(group, "prefix-trie", n, asked, |addr| prefix_trie.get_lpm(&(addr, 32)));
        time!(group, "treebitmap", n, asked, |addr| treebitmap.longest_match(Ipv4Addr::from(addr)));
    }
}

fn v6(criterion: &mut Criterion) {
    let mut group = group(criterion, "lpm/v6");
    for n in SIZES {
        let table = routes::<u128>(n, 1);
        let asked = addresses(&table, ADDRESSES, 2);
        let ours = Lpm::build(&table);
        let poptrie: Poptrie<(u128, u8), u32> = table.iter().map(|(p, v)| ((p.bits, p.len), *v)).collect();
        let prefix_trie: PrefixMap<(u128, u8), u32> =
            table.iter().map(|(p, v)| ((p.bits, p.len), *v)).collect();
        let mut treebitmap = IpLookupTable::new();
        for (prefix, value) in &table {
            treebitmap.insert(Ipv6Addr::from(prefix.bits), prefix.len.into(), *value);
        }
        for addr in &asked {
            let found = ours.lookup(*addr);
            assert_eq!(found, poptrie.lookup(*addr).copied());
            assert_eq!(found, prefix_trie.get_lpm(&(*addr, 128)).map(|(_, v)| *v));
            assert_eq!(found, treebitmap.longest_match(Ipv6Addr::from(*addr)).map(|(_, _, v)| *v));
        }
        time!(group, "ours", n, asked, |addr| ours.lookup(addr));
        time!(group, "poptrie", n, asked, |addr| poptrie.lookup(addr));
        time!(group, "prefix-trie", n, asked, |addr| prefix_trie.get_lpm(&(addr, 128)));
        time!(group, "treebitmap", n, asked, |addr| treebitmap.longest_match(Ipv6Addr::from(addr)));
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(ADDRESSES as u64));
    group
}
