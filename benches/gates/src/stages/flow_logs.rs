//! What flow logs add to a flow. They add nothing to a packet: the engine counts whether or not somebody writes it down.

use std::hint::black_box;

use engine::{Event, Time};
use flowlog::FlowLogs;

use super::engine::{BATCH, FLOWS};
use super::{Stage, measured};
use crate::packets::{Family, datagram};
use crate::world::{START, World, engine};

pub(super) const STAGES: &[Stage] = &[Stage { name: "flow-logs/line", run: lines }];

/// From what the engine says of one direction of a flow at an interface to its line, not yet written.
fn lines() -> usize {
    let world = World::with_flow_log();
    let mut logs = FlowLogs::new(1, START);
    logs.handle_snapshot(&world.snapshot, START);
    let events = events(&world);
    let lines = measured(|| {
        events.iter().for_each(|event| logs.handle_event(0, black_box(event)));
        logs.finish(END);
        std::iter::from_fn(|| logs.poll_line()).map(black_box).count()
    });
    assert_eq!(lines, 2 * usize::from(FLOWS), "one of each flow at each of two interfaces");
    lines
}

/// All that the engine says of one packet of each flow. Flows begin in another order than that of their ports, so that putting lines
/// in order is work.
fn events(world: &World) -> Vec<Event> {
    let mut engine = engine(FLOWS.into());
    let ports = (0..FLOWS).map(|n| (u32::from(n) * STEP % u32::from(FLOWS)) as u16);
    let mut frames: Vec<_> = ports.map(|n| world.frame(&datagram(Family::V4, n))).collect();
    for (frames, at) in frames.chunks_mut(BATCH).zip(START.0..) {
        engine.handle_frames(&world.snapshot, frames, Time(at));
    }
    engine.handle_stop(END);
    std::iter::from_fn(|| engine.poll_event()).collect()
}

/// Shares no factor with the number of flows, so that each comes once.
const STEP: u32 = 389;

/// Within the interval in which the stages begin.
const END: Time = Time(START.0 + 1_000_000_000);
