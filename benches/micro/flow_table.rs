//! The flow table at 1,000 and 1,000,000 records: lookups that hit and miss, and a removal with insertion.
//!
//! One element of throughput is one operation; keys come in an order that no prefetcher guesses.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tables::FlowTable;
use vpclab_benches::flows::{keys, shuffled};

criterion_group!(benches, flow_table);
criterion_main!(benches);

/// As many as the engine handles per batch.
const BATCH: usize = 64;
/// What a record holds beside its key: about a session half.
type Value = [u64; 12];

fn flow_table(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flow_table");
    group.throughput(Throughput::Elements(BATCH as u64));
    for n in [1_000, 1_000_000] {
        let all = keys(2 * n, 3);
        let (present, absent) = all.split_at(n);
        let mut table: FlowTable<[u32; 4], Value> = FlowTable::new(n, 4);
        for key in present {
            table.insert(*key, [0; 12]).expect("the capacity is the number of keys");
        }
        let order = shuffled(n, 5);
        let mut hits = order.iter().map(|i| present[*i]).cycle();
        group.bench_function(BenchmarkId::new("find-and-get", n), |bencher| {
            bencher.iter(|| {
                for key in hits.by_ref().take(BATCH) {
                    black_box(table.find(&key).and_then(|handle| table.get(handle)).map(|value| value[0]));
                }
            });
        });
        let mut misses = order.iter().map(|i| absent[*i]).cycle();
        group.bench_function(BenchmarkId::new("miss", n), |bencher| {
            bencher.iter(|| {
                for key in misses.by_ref().take(BATCH) {
                    black_box(table.find(&key));
                }
            });
        });
        let mut victims = order.iter().map(|i| present[*i]).cycle();
        group.bench_function(BenchmarkId::new("remove-and-insert", n), |bencher| {
            bencher.iter(|| {
                for key in victims.by_ref().take(BATCH) {
                    let handle = table.find(&key).expect("every key is back in before its next turn");
                    table.remove(handle);
                    black_box(table.insert(key, [1; 12])).expect("one record has just been freed");
                }
            });
        });
    }
}
