//! Longest-prefix match: ours beside three published tries, on the same tables and addresses in one run.
//!
//! One element of throughput is one lookup. All four must agree on every address before any is timed.

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
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

/// One family: all four tables of each size, compared on every address, then timed by the same loop.
///
/// A macro, since each of the tables has a trait of its own for addresses.
macro_rules! family {
    ($family:ident, $number:ty, $address:ty) => {
        fn $family(criterion: &mut Criterion) {
            const WIDTH: u8 = <$number>::BITS as u8;
            let mut group = criterion.benchmark_group(concat!("lpm/", stringify!($family)));
            group.throughput(Throughput::Elements(ADDRESSES as u64));
            for n in SIZES {
                let table = routes::<$number>(n, 1);
                let asked = addresses(&table, ADDRESSES, 2);
                let pairs = || table.iter().map(|(prefix, value)| ((prefix.bits, prefix.len), *value));
                let ours = Lpm::build(&table);
                let poptrie: Poptrie<($number, u8), u32> = pairs().collect();
                let prefix_trie: PrefixMap<($number, u8), u32> = pairs().collect();
                let mut treebitmap = IpLookupTable::new();
                for ((bits, len), value) in pairs() {
                    treebitmap.insert(<$address>::from(bits), len.into(), value);
                }
                for addr in asked.iter().copied() {
                    let found = ours.lookup(addr);
                    assert_eq!(found, poptrie.lookup(addr).copied());
                    assert_eq!(found, prefix_trie.get_lpm(&(addr, WIDTH)).map(|(_, value)| *value));
                    assert_eq!(found, treebitmap.longest_match(<$address>::from(addr)).map(|(_, _, v)| *v));
                }
                time!(group, "ours", n, asked, |addr| ours.lookup(addr));
                time!(group, "poptrie", n, asked, |addr| poptrie.lookup(addr));
                time!(group, "prefix-trie", n, asked, |addr| prefix_trie.get_lpm(&(addr, WIDTH)));
                time!(group, "treebitmap", n, asked, |addr| {
                    treebitmap.longest_match(<$address>::from(addr))
                });
            }
        }
    };
}

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

family!(v4, u32, Ipv4Addr);
family!(v6, u128, Ipv6Addr);
