//! One worker with a million and ten million sessions: memory, speed, and whether anything ever stalls.
//!
//! A session is a UDP question and its answer, so both halves and the state of all gates are there. Memory is what the process
//! holds more than before, index, timers and counters included. Times are those of the processor on this thread. The slowest batch is the one whose fastest of several rounds is slowest: a
//! pause that belongs to the tables comes at the same place in each round, one that belongs to the machine does not.

mod cpu_time;

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use cpu_time::CpuTime;
use criterion::measurement::Measurement as _;
use engine::{Engine, Frame, Time};
use snapshot::InterfaceIx;
use vpclab_benches::worlds::{Family, Pair, START, TYPICAL, engine, exchange, frame};

const BATCH: u32 = 64;
/// Packets of the measurement of established sessions.
const PACKETS: u32 = 1 << 18;
/// Longer than any state of UDP is kept.
const LATER: Duration = Duration::from_secs(400);

fn main() -> io::Result<()> {
    // `cargo test --benches -- --test` asks only whether it runs.
    let sizes: &[(u32, usize)] = if std::env::args().any(|arg| arg == "--test") {
        &[(2_000, 1)]
    } else {
        &[(1_000_000, 5), (10_000_000, 2)]
    };
    writeln!(
        io::stdout(),
        "family    sessions  B/session    new, ns  slowest batch, us  at batch  again, ns   ends, ns  99.9 % of calls, us"
    )?;
    for family in [Family::V4, Family::V6] {
        for (sessions, rounds) in sizes {
            let row = measure(family, *sessions, *rounds);
            writeln!(io::stdout(), "{family:<7?} {sessions:>10} {row}")?;
        }
    }
    Ok(())
}

fn measure(family: Family, sessions: u32, rounds: usize) -> String {
    let pair = Pair::new(TYPICAL);
    let mut fastest = vec![Duration::MAX; sessions.div_ceil(BATCH) as usize];
    let mut last = None;
    for _ in 0..rounds {
        drop(last.take());
        let before = resident();
        let mut engine = engine(sessions as usize);
        fill(&mut engine, &pair, family, sessions, &mut fastest);
        last = Some((engine, resident() - before));
    }
    let (mut engine, bytes) = last.expect("there is at least one round");
    let again = again(&mut engine, &pair, family, sessions);
    let ends = ends(&mut engine, &pair);
    let (slowest, at) = fastest.iter().copied().zip(0_u32..).max().unwrap_or_default();
    fastest.sort_unstable();
    let median = fastest[fastest.len() / 2];
    format!(
        "{:>10.0} {:>10.0} {:>18.0} {at:>9} {:>10.0} {:>10.0} {:>20.0}",
        bytes as f64 / f64::from(sessions),
        median.as_nanos() as f64 / f64::from(BATCH),
        slowest.as_secs_f64() * 1e6,
        again.as_nanos() as f64 / f64::from(PACKETS),
        ends.all.as_nanos() as f64 / f64::from(sessions),
        ends.most.as_secs_f64() * 1e6,
    )
}

/// Opens all sessions, a batch of questions and a batch of answers at a time.
fn fill(engine: &mut Engine, pair: &Pair, family: Family, sessions: u32, fastest: &mut [Duration]) {
    for (first, fastest) in (0..sessions).step_by(BATCH as usize).zip(fastest) {
        let numbers = first..sessions.min(first + BATCH);
        let [mut questions, mut answers] = [(0, pair.client), (1, pair.server)]
            .map(|(side, from)| frames(family, numbers.clone(), side, from));
        *fastest = (*fastest).min(timed(|| engine.handle_frames(&pair.snapshot, &mut questions, START)));
        engine.handle_frames(&pair.snapshot, &mut answers, START);
        while engine.poll_event().is_some() {}
    }
    assert_eq!(engine.counters().dropped_in_all(), 0, "every flow of the bench is allowed");
}

/// Packets of sessions that are far from each other.
fn again(engine: &mut Engine, pair: &Pair, family: Family, sessions: u32) -> Duration {
    let mut spent = Duration::ZERO;
    for first in (0..PACKETS).step_by(BATCH as usize) {
        let numbers =
            (first..first + BATCH).map(|n| (u64::from(n) * 2_654_435_761 % u64::from(sessions)) as u32);
        let mut batch = frames(family, numbers, 0, pair.client);
        spent += timed(|| engine.handle_frames(&pair.snapshot, black_box(&mut batch), START));
    }
    spent
}

/// What it takes to forget all sessions.
struct Ends {
    all: Duration,
    /// 999 of 1,000 calls take at most this.
    most: Duration,
}

fn ends(engine: &mut Engine, pair: &Pair) -> Ends {
    let later = Time(START.0 + LATER.as_nanos() as u64);
    let mut calls = Vec::new();
    while engine.poll_timeout() <= later {
        calls.push(timed(|| engine.handle_timeout(&pair.snapshot, later)));
        while engine.poll_event().is_some() {}
    }
    assert!(engine.flows(1).is_empty(), "nothing is remembered any more");
    calls.sort_unstable();
    Ends { all: calls.iter().sum(), most: calls[calls.len() * 999 / 1_000] }
}

fn frames(family: Family, numbers: impl Iterator<Item = u32>, side: usize, from: InterfaceIx) -> Vec<Frame> {
    numbers.map(|n| frame(from, &exchange(family, n)[side])).collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = CpuTime.start();
    work();
    CpuTime.end(begin)
}

/// Bytes that this process has in memory, see proc(5) on `/proc/pid/statm`.
fn resident() -> usize {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has this file");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("the second field is a number") * PAGE
}
