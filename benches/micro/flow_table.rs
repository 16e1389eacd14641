//! The flow table at 1,000 and 1,000,000 records.
//!
//! One element of throughput is one operation; a batch is 64 of them, in an order that no prefetcher guesses.
//! The two lookups with work between them stand for packets: each result starts the next piece of work, so
//! that the processor cannot look far ahead.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tables::FlowTable;
use vpclab_benches::flows::{keys, shuffled, work};

criterion_group!(benches, flow_table);
criterion_main!(benches);

/// As many as the engine handles per batch.
const BATCH: usize = 64;

type Key = [u32; 4];
/// What a record holds beside its key: about a session half.
type Value = [u64; 12];
type Table = FlowTable<Key, Value>;

fn flow_table(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flow_table");
    group.throughput(Throughput::Elements(BATCH as u64));
    for n in [1_000, 1_000_000] {
        let all = keys(2 * n, 3);
        let (present, absent) = all.split_at(n);
        let mut table: Table = FlowTable::new(n, 4);
        for key in present {
            table.insert(*key, [0; 12]).expect("the capacity is the number of keys");
        }
        let order = shuffled(n, 5);
        let present: Vec<Key> = order.iter().map(|i| present[*i]).collect();
        let absent: Vec<Key> = order.iter().map(|i| absent[*i]).collect();
        lookups(&mut group, &table, &present);
        time(&mut group, "miss", &absent, |keys| {
            for key in keys {
                black_box(table.find(key));
            }
        });
        time(&mut group, "remove-and-insert", &present, |keys| {
            for key in keys {
                let handle = table.find(key).expect("every key is back in before its next turn");
                table.remove(handle);
                black_box(table.insert(*key, [1; 12])).expect("one record has just been freed");
            }
        });
    }
}

fn lookups(group: &mut BenchmarkGroup<'_, WallTime>, table: &Table, present: &[Key]) {
    time(group, "find-and-get", present, |keys| {
        for key in keys {
            black_box(table.find(key).and_then(|handle| table.get(handle)).map(|value| value[0]));
        }
    });
    time(group, "find-and-work", present, |keys| {
        let done = keys.iter().fold(0, |done, key| {
            let value = table.find(key).and_then(|handle| table.get(handle));
            work(done ^ value.map_or(0, |value| value[0]))
        });
        black_box(done);
    });
    let mut found = Vec::with_capacity(BATCH);
    time(group, "find-many-and-work", present, |keys| {
        found.clear();
        table.find_many(keys, &mut found);
        let done = found.iter().fold(0, |done, handle| {
            let value = handle.and_then(|handle| table.get(handle));
            work(done ^ value.map_or(0, |value| value[0]))
        });
        black_box(done);
    });
}

/// Times `operate` on one batch of `keys` after the other.
fn time(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, keys: &[Key], mut operate: impl FnMut(&[Key])) {
    let mut batches = keys.chunks_exact(BATCH).cycle();
    group.bench_function(BenchmarkId::new(name, keys.len()), |bencher| {
        bencher.iter(|| operate(batches.next().unwrap_or_default()));
    });
}
