//! What one packet costs in one worker, without I/O: parsing, the established flow, the first packet of a flow.
//!
//! All are processor time of one thread.

mod cpu_time;

use std::hint::black_box;

use cpu_time::CpuTime;
use criterion::measurement::Measurement as _;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::{Facts, Time, Tracked, TrackedState, decide};
use snapshot::Attachment;
use vpclab_benches::worlds::{Pair, START, Size, TYPICAL, engine, frame, reset, udp};
use wire::FiveTuple;

const BATCH: usize = 64;

struct Nothing;

impl Tracked for Nothing {
    fn at(&self, _: Attachment, _: &FiveTuple) -> Option<TrackedState> {
        None
    }
}

fn parse(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(1));
    let [a, b] = ["10.0.1.10:40000", "10.0.2.10:443"].map(wire::testing::at);
    let [a6, b6] = ["[2001:db8::1]:40000", "[2001:db8::2]:443"].map(wire::testing::at);
    let packets = [
        ("tcp-v4", wire::testing::tcp(a, b, 0x10, 1, 1, &[0; 64])),
        ("udp-v4", wire::testing::udp(a, b, &[0; 64])),
        ("tcp-v6", wire::testing::tcp(a6, b6, 0x10, 1, 1, &[0; 64])),
        ("echo-v4", wire::testing::echo_request(a.ip(), b.ip(), 7, 1, &[0; 56])),
    ];
    for (name, packet) in &packets {
        group.bench_function(*name, |bencher| bencher.iter(|| wire::parse(black_box(packet))));
    }
}

/// Batches of 64 over `flows` flows: parse to disposition.
fn established(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("established");
    group.throughput(Throughput::Elements(BATCH as u64));
    let pair = Pair::new(TYPICAL);
    for (name, flows) in [("1k", 1_000_u32), ("1M", 1_000_000)] {
        let mut engine = engine(flows as usize);
        let mut frames: Vec<_> = (0..flows).map(|n| frame(pair.client, &udp(n))).collect();
        for batch in frames.chunks_mut(BATCH) {
            engine.handle_frames(&pair.snapshot, batch, START);
        }
        assert_eq!(engine.counters().dropped_in_all(), 0, "every flow of the bench is allowed");
        let mut at = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                at = (at + BATCH) % (frames.len() - BATCH);
                let batch = &mut frames[at..at + BATCH];
                batch.iter_mut().for_each(reset);
                engine.handle_frames(&pair.snapshot, black_box(batch), START);
            });
        });
    }
}

/// `decide` alone, and `decide` with `commit`.
fn first_packet(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("first_packet");
    group.throughput(Throughput::Elements(1));
    let sizes = [
        ("10", Size { groups: 1, rules: 10, entries: 10, routes: 10 }),
        ("typical", TYPICAL),
        ("1000", Size { groups: 16, rules: 60, entries: 20, routes: 999 }),
    ];
    for (name, size) in sizes {
        let pair = Pair::new(size);
        let parsed = wire::parse(&udp(0)).expect("a packet of ours");
        let facts = Facts::of(Attachment::interface(pair.client), &parsed);
        group.bench_function(format!("decide/{name}"), |bencher| {
            bencher.iter(|| decide(&pair.snapshot, black_box(&facts), &Nothing));
        });
        group.bench_function(format!("forward/{name}"), |bencher| forward_first(bencher, &pair));
    }
}

/// Each iteration forwards 1,024 packets of as many new flows through an engine that knows none of them.
fn forward_first(bencher: &mut criterion::Bencher<'_, CpuTime>, pair: &Pair) {
    const FLOWS: u32 = 1_024;
    bencher.iter_custom(|rounds| {
        let mut spent = std::time::Duration::ZERO;
        for _ in 0..rounds.div_ceil(u64::from(FLOWS)) {
            let mut engine = engine(FLOWS as usize);
            let mut frames: Vec<_> = (0..FLOWS).map(|n| frame(pair.client, &udp(n))).collect();
            let begin = CpuTime.start();
            for batch in frames.chunks_mut(BATCH) {
                engine.handle_frames(&pair.snapshot, batch, Time(START.0 + 1));
            }
            spent += CpuTime.end(begin);
        }
        spent.mul_f64(rounds as f64 / (rounds.div_ceil(u64::from(FLOWS)) * u64::from(FLOWS)) as f64)
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = parse, established, first_packet
}
criterion_main!(benches);
