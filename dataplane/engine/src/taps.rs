//! Counter blocks on their way to the flow logs: every event lies within one tap interval.

use std::collections::{BTreeMap, VecDeque};

use snapshot::InterfaceIx;
use wire::{FiveTuple, Parsed};

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
            self.emit(decision, &decision.taps, key.tuple, &block, limits::NAT64_GROWTH);
        }
    }

    /// Emits one packet that no half counts, at the first `taps` of its way.
    pub(crate) fn emit_one(&mut self, decision: &Decision, taps: usize, parsed: &Parsed, now: Time) {
        let taps = &decision.taps[..taps.min(decision.taps.len())];
        self.emit(decision, taps, parsed.tuple, &Block::of(parsed, now), nat64_growth(parsed));
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

    fn emit(&mut self, decision: &Decision, taps: &[Tap], entered: FiveTuple, block: &Block, growth: i64) {
        self.events.extend(taps.iter().map(|tap| {
            let tuple = decision.tuple_at(tap, entered);
            Event::Tap(TapEvent {
                interface: tap.interface,
                direction: tap.direction,
                action: tap.action,
                traffic_path: tap.traffic_path,
                tuple,
                packets: block.packets,
                bytes: bytes_as(&tuple, &entered, block, growth),
                first: block.first,
                last: block.last,
                tcp_flags: block.tcp_flags,
            })
        }));
    }
}

/// Bytes that become of `block` with other headers: each packet grows by `growth` as IPv6, or shrinks by it as IPv4.
fn bytes_as(tuple: &FiveTuple, entered: &FiveTuple, block: &Block, growth: i64) -> u64 {
    // A block holds less than 2^32 packets.
    let growth = growth * block.packets as i64;
    match (entered.src.is_ipv4(), tuple.src.is_ipv4()) {
        (true, false) => block.bytes.saturating_add_signed(growth),
        (false, true) => block.bytes.saturating_add_signed(-growth),
        (true, true) | (false, false) => block.bytes,
    }
}

/// Whether the IP header is the shortest of its family, so that NAT64 changes the length by [`limits::NAT64_GROWTH`].
pub(crate) const fn has_plain_header(parsed: &Parsed) -> bool {
    let shortest = if parsed.tuple.src.is_ipv4() { 20 } else { 40 };
    parsed.fragment.is_none() && parsed.transport_offset == shortest
}

/// How many bytes longer this packet is as IPv6 than as IPv4 (RFC 7915 sections 4.1 and 5.1): options and extension headers
/// stay behind, a fragment has a header of its own over IPv6, and an error quotes a packet that changes alike.
fn nat64_growth(parsed: &Parsed) -> i64 {
    let header = i64::from(parsed.transport_offset);
    let fragment = if parsed.fragment.is_some() { 8 } else { 0 };
    let own = if parsed.tuple.src.is_ipv4() { 40 + fragment - header } else { header - 20 };
    own + if parsed.is_about_another() { limits::NAT64_GROWTH } else { 0 }
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
    use wire::testing::{at, echo_request, udp};
    use wire::{compose, parse};

    use super::*;

    /// Rules: NG-20, FL-14
    #[test]
    fn a_packet_is_counted_with_the_headers_that_it_has_at_each_tap() {
        let [v4, v6] =
            [["10.0.0.1:7", "10.0.0.2:7"], ["[fd00::1]:7", "[fd00::2]:7"]].map(|ends| ends.map(at));
        for [src, dst] in [v4, v6] {
            let plain = udp(src, dst, &[0; 32]);
            let parsed = parse(&plain).expect("a packet of ours");
            assert!(has_plain_header(&parsed));
            assert_eq!(nat64_growth(&parsed), 20);
            let error = compose::time_exceeded(&plain, &parsed, dst.ip()).expect("an answer");
            assert_eq!(nat64_growth(&parse(error.bytes()).expect("a packet of ours")), 40);
            let echo = echo_request(src.ip(), dst.ip(), 3, 1, &[]);
            assert_eq!(nat64_growth(&parse(&echo).expect("a packet of ours")), 20);
        }
        let block = Block { packets: 2, bytes: 200, first: Time(0), last: Time(0), tcp_flags: 0 };
        let [v4, v6] = [v4, v6].map(|[src, dst]| parse(&udp(src, dst, &[])).expect("a packet of ours").tuple);
        for (entered, now, bytes) in [(v4, v6, 240), (v6, v4, 160), (v4, v4, 200), (v6, v6, 200)] {
            assert_eq!(bytes_as(&now, &entered, &block, 20), bytes);
        }
    }

    /// Rules: NG-14, NG-20, FL-14
    #[test]
    fn a_fragment_over_ipv6_has_a_header_of_its_own() {
        let [src, dst] = ["10.0.0.1:7", "10.0.0.2:7"].map(at);
        let mut first = udp(src, dst, &[0; 32]);
        first[6] = 0x20;
        let parsed = parse(&first).expect("a first fragment");
        assert!(parsed.fragment.is_some() && !has_plain_header(&parsed));
        assert_eq!(nat64_growth(&parsed), 28);
    }
}
