//! Counter blocks on their way to the flow logs: every event lies within one tap interval.

use std::collections::{BTreeMap, VecDeque};

use snapshot::InterfaceIx;
use wire::Parsed;

use crate::decide::{Decision, Tap};
use crate::memory::{Memory, Place};
use crate::session::{Block, Half};
use crate::{Event, TapEvent, Time, limits};

/// Events not yet taken, and the blocks that will make more.
#[derive(Debug)]
pub(crate) struct Taps {
    events: VecDeque<Event>,
    /// Blocks that count packets of the current interval.
    dirty: Vec<Place>,
    /// Blocks of the interval that ended, being flushed in slices.
    closing: Vec<Place>,
    skipped: BTreeMap<InterfaceIx, (Time, u64)>,
    /// Length of an interval in nanoseconds.
    interval: u64,
    /// When the current interval began and when it ends.
    begins: Time,
    ends: Time,
    /// The last [`Event::Flushed`] that was given.
    flushed: Time,
}

impl Taps {
    pub(crate) fn new(interval_secs: u32, now: Time) -> Self {
        let interval = interval_ns(interval_secs);
        Self {
            events: VecDeque::new(),
            dirty: Vec::new(),
            closing: Vec::new(),
            skipped: BTreeMap::new(),
            interval,
            begins: now,
            ends: end_of(now, interval),
            flushed: now,
        }
    }

    /// Counts one packet of a half.
    pub(crate) fn count(&mut self, memory: &mut Memory, place: Place, parsed: &Parsed, now: Time) {
        let Some(half) = memory.half_mut(place) else { return };
        if half.block.packets > 0 && half.block.first < self.begins {
            self.flush_half(half);
        }
        if !std::mem::replace(&mut half.listed, true) {
            self.dirty.push(place);
        }
        half.block.count(parsed, now);
        half.last = now;
    }

    /// Emits what a half has counted, e.g. before its decision changes.
    pub(crate) fn flush_half(&mut self, half: &mut Half) {
        let block = std::mem::take(&mut half.block);
        half.past.0 += block.packets;
        half.past.1 += block.bytes;
        if block.packets > 0
            && let Some(decision) = &half.decision
        {
            self.emit(&decision.taps, &block);
        }
    }

    /// Emits one packet that no half counts, at the taps that `keep` chooses.
    pub(crate) fn emit_one(
        &mut self,
        decision: &Decision,
        keep: impl Fn(&Tap) -> bool,
        parsed: &Parsed,
        now: Time,
    ) {
        for tap in decision.taps.iter().filter(|tap| keep(tap)) {
            self.emit_at(*tap, parsed, now);
        }
    }

    /// Emits one packet at one tap.
    pub(crate) fn emit_at(&mut self, tap: Tap, parsed: &Parsed, now: Time) {
        let mut block = Block::default();
        block.count(parsed, now);
        self.emit(&[tap], &block);
    }

    /// Counts a refused packet whose refusal found no room.
    pub(crate) fn skip(&mut self, interface: InterfaceIx, now: Time) {
        self.skipped.entry(interface).or_insert((now, 0)).1 += 1;
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
        self.closing.append(&mut self.dirty);
    }

    /// Flushes a slice of the blocks of ended intervals; says so once none is left.
    pub(crate) fn drain(&mut self, memory: &mut Memory) {
        let keep = self.closing.len().saturating_sub(limits::FLUSH_SLICE);
        for place in self.closing.split_off(keep) {
            let Some(half) = memory.half_mut(place) else { continue };
            if half.block.first < self.begins {
                self.flush_half(half);
            }
            half.listed = half.block.packets > 0;
            if half.listed {
                self.dirty.push(place);
            }
        }
        if self.closing.is_empty() && self.flushed < self.begins {
            self.finish_interval(self.begins);
        }
    }

    /// Flushes every block, the current interval's too, and says that nothing before `now` is left.
    pub(crate) fn flush_all(&mut self, memory: &mut Memory, now: Time) {
        self.closing.append(&mut self.dirty);
        for place in std::mem::take(&mut self.closing) {
            if let Some(half) = memory.half_mut(place) {
                self.flush_half(half);
            }
        }
        self.finish_interval(now);
    }

    /// Whether blocks of an ended interval are still to be flushed, or the interval's end to be told.
    pub(crate) fn deadline(&self) -> Time {
        if self.closing.is_empty() && self.flushed >= self.begins { self.ends } else { Time(0) }
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

    fn emit(&mut self, taps: &[Tap], block: &Block) {
        self.events.extend(taps.iter().map(|tap| {
            Event::Tap(TapEvent {
                interface: tap.interface,
                direction: tap.direction,
                action: tap.action,
                traffic_path: tap.traffic_path,
                tuple: tap.tuple,
                packets: block.packets,
                bytes: block.bytes,
                first: block.first,
                last: block.last,
                tcp_flags: block.tcp_flags,
            })
        }));
    }
}

fn interval_ns(seconds: u32) -> u64 {
    u64::from(seconds.max(1)) * 1_000_000_000
}

/// The first multiple of `interval` after `now`.
const fn end_of(now: Time, interval: u64) -> Time {
    Time((now.0 / interval + 1) * interval)
}
