//! What the engine does with a packet, through its public face only, whatever is behind it.

use std::hint::black_box;

use engine::{Facts, Frame, Next, Steering, Time, Tracked, TrackedState, decide};
use snapshot::Attachment;
use wire::FiveTuple;

use super::{Stage, TIMES, measured};
use crate::packets::{Family, datagram, datagram_abroad, syn};
use crate::world::{START, World, engine};

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "steer/v4", run: || steer(Family::V4) },
    Stage { name: "steer/v6", run: || steer(Family::V6) },
    Stage { name: "decide/v4", run: || decision(Family::V4) },
    Stage { name: "decide/v6", run: || decision(Family::V6) },
    Stage { name: "first-packet/tcp-v4", run: || first_packets(&packets(|n| syn(Family::V4, n))) },
    Stage { name: "first-packet/udp-v4", run: || first_packets(&packets(|n| datagram(Family::V4, n))) },
    Stage { name: "established/udp-v4", run: || established(&packets(|n| datagram(Family::V4, n))) },
    Stage { name: "established/udp-v6", run: || established(&packets(|n| datagram(Family::V6, n))) },
    Stage { name: "established/tcp-v4", run: || established(&packets(|n| syn(Family::V4, n))) },
    Stage { name: "established/nat-udp-v4", run: || established_in(&World::with_nat_gateway(), &abroad()) },
    Stage { name: "first-packet/nat-udp-v4", run: || first_in(&World::with_nat_gateway(), &abroad()) },
];

/// As many as a worker handles at once.
pub(super) const BATCH: usize = 64;
/// Flows of the stages.
pub(super) const FLOWS: u16 = 1_000;

fn steer(family: Family) -> usize {
    let (world, steering) = (World::new(), Steering::new(4, 7));
    let parsed = wire::parse(&datagram(family, 0)).expect("a packet of ours");
    measured(|| {
        for _ in 0..TIMES {
            black_box(steering.owner(&world.snapshot, black_box(&parsed)));
        }
    });
    TIMES
}

struct Nothing;

impl Tracked for Nothing {
    fn at(&self, _: Attachment, _: &FiveTuple) -> Option<TrackedState> {
        None
    }
}

fn decision(family: Family) -> usize {
    let world = World::new();
    let parsed = wire::parse(&syn(family, 0)).expect("a packet of ours");
    let facts = Facts::of(Attachment::interface(world.client), &parsed);
    measured(|| {
        for _ in 0..TIMES {
            black_box(decide(&world.snapshot, black_box(&facts), &Nothing));
        }
    });
    TIMES
}

fn abroad() -> Vec<Vec<u8>> {
    packets(datagram_abroad)
}

fn packets(packet: impl Fn(u16) -> Vec<u8>) -> Vec<Vec<u8>> {
    (0..FLOWS).map(packet).collect()
}

/// A packet of each flow through an engine that knows none of them.
fn first_packets(packets: &[Vec<u8>]) -> usize {
    first_in(&World::new(), packets)
}

fn first_in(world: &World, packets: &[Vec<u8>]) -> usize {
    let mut engine = engine(FLOWS.into());
    let mut frames: Vec<_> = packets.iter().map(|packet| world.frame(packet)).collect();
    measured(|| {
        for batch in frames.chunks_mut(BATCH) {
            engine.handle_frames(&world.snapshot, black_box(batch), START);
        }
    });
    all_leave(&frames);
    frames.len()
}

/// The second packet of each flow.
fn established(packets: &[Vec<u8>]) -> usize {
    established_in(&World::new(), packets)
}

fn established_in(world: &World, packets: &[Vec<u8>]) -> usize {
    let mut engine = engine(FLOWS.into());
    let frames = || -> Vec<Frame> { packets.iter().map(|packet| world.frame(packet)).collect() };
    let (mut first, mut second) = (frames(), frames());
    for batch in first.chunks_mut(BATCH) {
        engine.handle_frames(&world.snapshot, batch, START);
    }
    measured(|| {
        for batch in second.chunks_mut(BATCH) {
            engine.handle_frames(&world.snapshot, black_box(batch), Time(START.0 + 1));
        }
    });
    all_leave(&second);
    second.len()
}

fn all_leave(frames: &[Frame]) {
    let left = frames.iter().filter(|frame| matches!(frame.next, Next::Transmit(_))).count();
    assert_eq!(left, frames.len(), "every packet of a stage is allowed");
}
