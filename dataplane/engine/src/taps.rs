//! Counter blocks on their way to the flow logs: every event lies within one tap interval.

use std::collections::{BTreeMap, VecDeque};

use snapshot::InterfaceIx;
use wire::{FiveTuple, Parsed, icmp_is_error};

use crate::decide::{Decision, Tap};
use crate::decisions::{DecisionIx, Decisions};
use crate::key::Key;
use crate::memory::{Memory, Place};
use crate::session::{Block, Half};
use crate::{Event, TapEvent, Time, limits};

/// Events not yet taken, and the blocks that will make more.
#[derive(Debug)]
pub(crate) struct Taps {
    events: VecDeque<Event>,
    /// The search for blocks of intervals that have ended; none when all are flushed.
    sweep: Option<Sweep>,
    skipped: BTreeMap<InterfaceIx, (Time, u64)>,
    /// Length of an interval in nanoseconds.
    interval: u64,
    /// When the current interval began and when it ends.
    begins: Time,
    ends: Time,
    /// The last [`Event::Flushed`] that was given.
    flushed: Time,
}

/// A walk over all halves, sessions first.
#[derive(Clone, Copy, Debug, Default)]
struct Sweep {
    sessions: u32,
    refusals: u32,
}

impl Sweep {
    /// The next half, or nothing where none is; none at the end.
    fn next(&mut self, memory: &Memory) -> Option<Option<Place>> {
        if let Some(slot) = memory.sessions.at(self.sessions) {
            self.sessions += 1;
            return Some(slot.map(Place::Session));
        }
        let slot = memory.refusals.at(self.refusals)?;
        self.refusals += 1;
        Some(slot.map(Place::Refusal))
    }
}

impl Taps {
    pub(crate) fn new(interval_secs: u32, now: Time) -> Self {
        let interval = interval_ns(interval_secs);
        Self {
            events: VecDeque::new(),
            sweep: None,
            skipped: BTreeMap::new(),
            interval,
            begins: now,
            ends: end_of(now, interval),
            flushed: now,
        }
    }

    /// When the current interval began: no block may hold packets from before and after.
    pub(crate) const fn begins(&self) -> Time {
        self.begins
    }

    /// Emits what a half has counted, e.g. before its decision changes.
    pub(crate) fn flush(&mut self, memory: &mut Memory, place: Place) {
        let Some(key) = memory.key(place) else { return };
        let Some(half) = memory.half_mut(place) else { return };
        let (block, decision) = (half.take_block(), half.decision);
        self.emit_block(&memory.decisions, &key, block, decision);
    }

    /// Emits what a half that is gone had counted.
    pub(crate) fn flush_removed(&mut self, decisions: &Decisions, key: &Key, half: &mut Half) {
        let block = half.take_block();
        self.emit_block(decisions, key, block, half.decision);
    }

    fn emit_block(
        &mut self,
        decisions: &Decisions,
        key: &Key,
        block: Option<Block>,
        decision: Option<DecisionIx>,
    ) {
        if let (Some(block), Some(decision)) = (block, decision) {
            let decision = decisions.get(decision);
            self.emit(decision, &decision.taps, key.tuple, &block);
        }
    }

    /// Emits one packet that no half counts, at the first `taps` of its way.
    pub(crate) fn emit_one(&mut self, decision: &Decision, taps: usize, parsed: &Parsed, now: Time) {
        let taps = &decision.taps[..taps.min(decision.taps.len())];
        self.emit(decision, taps, parsed.tuple, &Block::of(parsed, now));
    }

    /// Counts refused packets whose refusal found no room.
    pub(crate) fn skip(&mut self, interface: InterfaceIx, packets: u32, now: Time) {
        self.skipped.entry(interface).or_insert((now, 0)).1 += u64::from(packets);
    }

    /// Begins a new interval when one has ended, or at once when its length has changed.
    pub(crate) fn turn(&mut self, interval_secs: u32, now: Time) {
        let interval = interval_ns(interval_secs);
        if now < self.ends && interval == self.interval {
            return;
        }
        self.begins = if interval == self.interval { Time(end_of(now, interval).0 - interval) } else { now };
        self.interval = interval;
        self.ends = end_of(now, interval);
        self.sweep = Some(Sweep::default());
    }

    /// Flushes the blocks of ended intervals in a slice of all halves; says so once none is left.
    pub(crate) fn drain(&mut self, memory: &mut Memory) {
        if let Some(mut sweep) = self.sweep {
            for _ in 0..limits::FLUSH_SLICE {
                self.sweep = sweep.next(memory).map(|place| {
                    self.flush_if_overdue(memory, place);
                    sweep
                });
                if self.sweep.is_none() {
                    break;
                }
            }
        }
        if self.sweep.is_none() && self.flushed < self.begins {
            self.finish_interval(self.begins);
        }
    }

    fn flush_if_overdue(&mut self, memory: &mut Memory, place: Option<Place>) {
        let begins = self.begins;
        if let Some(place) = place
            && memory.half(place).is_some_and(|half| half.is_overdue(begins))
        {
            self.flush(memory, place);
        }
    }

    /// Flushes every block, the current interval's too, and says that nothing before `now` is left.
    pub(crate) fn flush_all(&mut self, memory: &mut Memory, now: Time) {
        let mut sweep = Sweep::default();
        while let Some(place) = sweep.next(memory) {
            if let Some(place) = place {
                self.flush(memory, place);
            }
        }
        self.sweep = None;
        self.finish_interval(now);
    }

    /// Whether blocks of an ended interval are still to be flushed, or the interval's end to be told.
    pub(crate) fn deadline(&self) -> Time {
        if self.sweep.is_none() && self.flushed >= self.begins { self.ends } else { Time(0) }
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn finish_interval(&mut self, until: Time) {
        for (interface, (at, packets)) in std::mem::take(&mut self.skipped) {
            self.events.push_back(Event::Skipped { interface, at, packets });
        }
        self.events.push_back(Event::Flushed(until));
        self.flushed = until;
    }

    fn emit(&mut self, decision: &Decision, taps: &[Tap], entered: FiveTuple, block: &Block) {
        self.events.extend(taps.iter().map(|tap| {
            let tuple = decision.tuple_at(tap, entered);
            Event::Tap(TapEvent {
                interface: tap.interface,
                direction: tap.direction,
                action: tap.action,
                traffic_path: tap.traffic_path,
                tuple,
                packets: block.packets,
                bytes: bytes_as(&tuple, &entered, block),
                first: block.first,
                last: block.last,
                tcp_flags: block.tcp_flags,
            })
        }));
    }
}

/// Bytes of the block's packets once they are `tuple`: NAT64 gives each another header, and what an error quotes too.
fn bytes_as(tuple: &FiveTuple, entered: &FiveTuple, block: &Block) -> u64 {
    let [icmp_type, _] = entered.dst_port.to_be_bytes();
    let is_error = entered.is_icmp() && entered.src_port == 0 && icmp_is_error(entered.proto, icmp_type);
    let headers = if is_error { 2 } else { 1 };
    let growth = block.packets * headers * limits::NAT64_GROWTH;
    match (entered.src.is_ipv4(), tuple.src.is_ipv4()) {
        (true, false) => block.bytes + growth,
        (false, true) => block.bytes.saturating_sub(growth),
        (true, true) | (false, false) => block.bytes,
    }
}

fn interval_ns(seconds: u32) -> u64 {
    u64::from(seconds.max(1)) * 1_000_000_000
}

/// The first multiple of `interval` after `now`.
const fn end_of(now: Time, interval: u64) -> Time {
    Time((now.0 / interval + 1) * interval)
}

#[cfg(test)]
mod tests {
    use wire::proto;

    use super::*;

    /// Rules: NG-20, FL-14
    #[test]
    fn an_error_grows_with_the_header_that_it_quotes() {
        let error = tuple(proto::ICMP, 0, 3 << 8 | 3);
        let reply_that_looks_like_one = tuple(proto::ICMP, 8 << 8, 3 << 8 | 3);
        for (tuple, bytes) in
            [(error, 280), (reply_that_looks_like_one, 240), (tuple(proto::UDP, 0, 3 << 8), 240)]
        {
            let block = Block { packets: 2, bytes: 200, first: Time(0), last: Time(0), tcp_flags: 0 };
            let v6 = [0xfd; 16].into();
            assert_eq!(bytes_as(&FiveTuple { src: v6, dst: v6, ..tuple }, &tuple, &block), bytes, "{tuple}");
            assert_eq!(bytes_as(&tuple, &tuple, &block), 200, "{tuple}");
        }
    }

    fn tuple(proto: u8, src_port: u16, dst_port: u16) -> FiveTuple {
        FiveTuple { src: [10, 0, 0, 1].into(), dst: [10, 0, 0, 2].into(), src_port, dst_port, proto }
    }
}
