//! The face of the engine: frames in, dispositions and events out.

use std::collections::VecDeque;

use snapshot::{Attachment, InterfaceIx, Snapshot};
use wire::{Buffer, FiveTuple, Parsed};

use crate::counters::Counters;
use crate::decide::{Decision, Stateful, Verdict};
use crate::fragment::{Keeper, Kept};
use crate::frame::Packet;
use crate::key::Key;
use crate::lookup::Lookup;
use crate::memory::Memory;
use crate::originate::Originator;
use crate::session::Half;
use crate::taps::Taps;
use crate::{
    DropReason, DropRecord, Event, FlowRecord, Frame, Leases, NatCounters, Next, Steering, Time, limits,
};

/// What one engine is given when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Its number, below `workers`.
    pub worker: u16,
    /// How many workers share the lab.
    pub workers: u16,
    /// The run's hash seed, the same for all workers.
    pub seed: u64,
    /// Sessions that this worker remembers; each takes two halves. Memory is touched only as it fills.
    pub sessions: usize,
    /// Seconds of one tap interval at the start, see [`snapshot::Settings::tap_interval`].
    pub tap_interval: u32,
    /// The time of the start.
    pub start: Time,
}

/// The packet engine of one worker.
///
/// - input: [`Self::handle_frames`], [`Self::handle_timeout`], [`Self::handle_transmit_failure`], at last [`Self::handle_stop`]
/// - output, to be drained after every input: each frame's [`Next`], then [`Self::poll_release`], [`Self::poll_transmit`] and
///   [`Self::poll_event`] until they have no more; [`Self::poll_timeout`] says when [`Self::handle_timeout`] next has work
/// - getters: [`Self::counters`], [`Self::drops`], [`Self::flows`]
///
/// Times never go back. A frame marked [`Next::Handoff`] or [`Next::Keeper`] goes to the engine of that worker, which is given
/// it as it is. All engines of a lab are given the same snapshots in the same order.
#[derive(Debug)]
pub struct Engine {
    pub(crate) worker: u16,
    pub(crate) steering: Steering,
    pub(crate) memory: Memory,
    pub(crate) taps: Taps,
    pub(crate) originator: Originator,
    pub(crate) counters: Counters,
    keeper: Keeper,
    drops: VecDeque<DropRecord>,
    lookup: Lookup,
    /// What is to be done with each frame of the batch.
    tasks: [Task; limits::BATCH],
}

/// What this worker does with a frame once its headers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Forward,
    Keep,
    Nothing,
}

impl Engine {
    /// An engine that remembers nothing.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let steering = Steering::new(config.workers, config.seed);
        Self {
            worker: config.worker,
            memory: Memory::new(config.sessions, &steering, config.worker, config.start),
            steering,
            taps: Taps::new(config.tap_interval, config.start),
            originator: Originator::new(config.workers),
            counters: Counters::default(),
            keeper: Keeper::default(),
            drops: VecDeque::new(),
            lookup: Lookup::default(),
            tasks: [Task::Nothing; limits::BATCH],
        }
    }

    /// Gives every frame its disposition.
    pub fn handle_frames(&mut self, snapshot: &Snapshot, frames: &mut [Frame], now: Time) {
        self.taps.turn(snapshot.settings().tap_interval, now);
        for batch in frames.chunks_mut(limits::BATCH) {
            self.look_up(snapshot, batch, now);
            for (number, frame) in batch.iter_mut().enumerate() {
                self.handle_frame(snapshot, frame, number, now);
            }
        }
        self.counters.held = self.keeper.held() as u64;
    }

    /// Reads and steers the frames of a batch, and finds the halves of those that this worker owns.
    fn look_up(&mut self, snapshot: &Snapshot, batch: &mut [Frame], now: Time) {
        self.lookup.begin(batch.len());
        for (number, frame) in batch.iter_mut().enumerate() {
            self.tasks[number] = match (frame.next, &frame.parsed) {
                (Next::Pending, _) => self.receive(snapshot, frame, number, now),
                (Next::Handoff(_), Some(parsed)) => self.own(frame.from, parsed, number),
                (Next::Keeper(_), Some(_)) => Task::Keep,
                // A frame that has had its disposition is not looked at again.
                _ => Task::Nothing,
            };
        }
        self.lookup.run(&self.memory.sessions);
    }

    /// Reads a frame fresh from a device of this worker, and finds out who is to do what with it.
    #[inline]
    fn receive(&mut self, snapshot: &Snapshot, frame: &mut Frame, number: usize, now: Time) -> Task {
        let Ok(parsed) = wire::read(&frame.buffer) else { return self.receive_unread(frame, now) };
        self.counters.received += u64::from(parsed.packets);
        frame.parsed = Some(parsed);
        if parsed.fragment.is_some() {
            return self.receive_fragment(snapshot, frame, &parsed);
        }
        let owner = self.steering.owner(snapshot, &parsed);
        if owner == self.worker {
            return self.own(frame.from, &parsed, number);
        }
        self.pass_on(frame, &parsed, Next::Handoff(owner))
    }

    /// Lets another worker have what this one has read.
    #[inline(never)]
    fn pass_on(&mut self, frame: &mut Frame, parsed: &Parsed, next: Next) -> Task {
        self.counters.strays += u64::from(parsed.packets);
        frame.next = next;
        Task::Nothing
    }

    #[cold]
    fn receive_unread(&mut self, frame: &mut Frame, now: Time) -> Task {
        self.counters.received += 1;
        frame.next = self.drop_unread(frame, now);
        Task::Nothing
    }

    #[cold]
    fn receive_fragment(&mut self, snapshot: &Snapshot, frame: &mut Frame, parsed: &Parsed) -> Task {
        let keeper = self.steering.keeper(snapshot, &parsed.tuple);
        if keeper == self.worker {
            return Task::Keep;
        }
        self.pass_on(frame, parsed, Next::Keeper(keeper))
    }

    /// Asks for the half of a packet that this worker owns; of what is no flow there is none.
    #[inline]
    fn own(&mut self, from: Attachment, parsed: &Parsed, number: usize) -> Task {
        if !parsed.is_about_another() {
            self.lookup.want(number, &Key { at: from, tuple: parsed.tuple });
        }
        Task::Forward
    }

    /// Does with frame `number` of the batch what is to be done.
    #[inline]
    fn handle_frame(&mut self, snapshot: &Snapshot, frame: &mut Frame, number: usize, now: Time) {
        let mut task = self.tasks[number];
        if task == Task::Keep {
            task = self.keep(snapshot, frame, now);
        }
        if task == Task::Forward
            && let Frame { from, buffer, parsed: Some(parsed), next, pieces } = frame
        {
            let mut packet = Packet { from: *from, buffer, parsed, pieces };
            *next = self.forward(snapshot, &mut packet, self.lookup.found(number), now);
        }
    }

    /// Forwards a fragment whose flow this worker owns, and passes on all others.
    fn steer(&self, snapshot: &Snapshot, frame: &mut Frame) -> Task {
        let Some(parsed) = &frame.parsed else { return Task::Nothing };
        let owner = self.steering.owner(snapshot, parsed);
        if owner == self.worker {
            return Task::Forward;
        }
        frame.next = Next::Handoff(owner);
        Task::Nothing
    }

    /// Matches a fragment up with its first one.
    #[cold]
    fn keep(&mut self, snapshot: &Snapshot, frame: &mut Frame, now: Time) -> Task {
        let Some(parsed) = frame.parsed else { return Task::Nothing };
        let Some(fragment) = parsed.fragment else { return self.steer(snapshot, frame) };
        match self.keeper.handle(frame, parsed, fragment, now) {
            Kept::Known => return self.steer(snapshot, frame),
            Kept::Drop(reason) => frame.next = self.drop_frame(frame.from, Some(&parsed), reason, None, now),
            Kept::Waits => frame.next = Next::Held,
        }
        Task::Nothing
    }

    /// A fragment that waited and whose first one has come: hand it back to [`Self::handle_frames`] of this engine.
    pub fn poll_release(&mut self) -> Option<Frame> {
        let mut frame = self.keeper.poll()?;
        self.counters.held = self.keeper.held() as u64;
        frame.next = Next::Keeper(self.worker);
        Some(frame)
    }

    /// A packet that the engine made, and where it leaves.
    pub fn poll_transmit(&mut self) -> Option<(Attachment, Buffer)> {
        self.originator.poll()
    }

    /// The next event for flow logs.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.taps.poll()
    }

    /// Does a bounded slice of what time asks for: ends halves, flushes counters, drops fragments that waited too long.
    pub fn handle_timeout(&mut self, snapshot: &Snapshot, now: Time) {
        self.taps.turn(snapshot.settings().tap_interval, now);
        self.taps.drain(&mut self.memory);
        for frame in self.keeper.expire(now) {
            self.drop_frame(frame.from, frame.parsed.as_ref(), DropReason::FragmentTimeout, None, now);
        }
        self.counters.held = self.keeper.held() as u64;
        let Memory { sessions, refusals, decisions, gateways } = &mut self.memory;
        gateways.expire(now);
        let gone = |key: &Key| key.at.as_interface().is_some_and(|ix| snapshot.interface(ix).is_none());
        let mut bury = |key: Key, mut half: Half| {
            self.taps.flush_removed(decisions, &key, &mut half);
            if let Some(decision) = half.decision {
                decisions.let_go(decision);
            }
        };
        sessions.expire(now, gone, &mut bury);
        refusals.expire(now, gone, &mut bury);
    }

    /// Emits everything that is still counted: the last input of an engine.
    pub fn handle_stop(&mut self, now: Time) {
        self.taps.flush_all(&mut self.memory, now);
    }

    /// When [`Self::handle_timeout`] next has work; a time in the past means it has work left now.
    #[must_use]
    pub fn poll_timeout(&self) -> Time {
        let timers = [
            self.memory.sessions.next_deadline(),
            self.memory.refusals.next_deadline(),
            self.memory.gateways.next_deadline(),
            self.keeper.next_deadline(),
        ];
        timers.into_iter().flatten().fold(self.taps.deadline(), Time::min)
    }

    /// Takes note that the kernel refused one packet that this engine had given [`Next::Transmit`] or transmitted.
    ///
    /// `parsed` is what [`wire::read`] says of it: a super-packet fails as all that it stands for.
    pub fn handle_transmit_failure(&mut self, from: Attachment, parsed: Option<&Parsed>, now: Time) {
        self.counters.delivered -= parsed.map_or(1, |parsed| u64::from(parsed.packets));
        self.drop_frame(from, parsed, DropReason::TransmitFailed, None, now);
    }

    /// Counts the source ports of NAT gateways together with other engines: all engines of a lab are given clones of one.
    #[must_use]
    pub fn sharing(mut self, leases: Leases) -> Self {
        self.memory.gateways.share(leases);
        self
    }

    /// What each NAT gateway has counted here (NG-25).
    pub fn nat_gateways(&self) -> impl Iterator<Item = (InterfaceIx, NatCounters)> + '_ {
        self.memory.gateways.metrics().iter()
    }

    /// Live connections through stateful gateways: the gateway, and the tuple of the inside's packets before and after it.
    pub fn connections(&self, now: Time) -> impl Iterator<Item = (Stateful, FiveTuple, FiveTuple)> + '_ {
        self.memory.gateways.iter(now)
    }

    /// Where this engine's packets ended.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The latest dropped packets, oldest first.
    pub fn drops(&self) -> impl Iterator<Item = &DropRecord> {
        self.drops.iter()
    }

    /// Halves of live sessions, at most `limit`.
    #[must_use]
    pub fn flows(&self, limit: usize) -> Vec<FlowRecord> {
        self.memory.flows(limit)
    }

    fn drop_unread(&mut self, frame: &Frame, now: Time) -> Next {
        let length = u32::try_from(frame.buffer.bytes().len()).unwrap_or(u32::MAX);
        self.counters.drop(DropReason::Malformed, 1);
        self.remember(DropRecord {
            at: now,
            from: frame.from,
            tuple: None,
            reason: DropReason::Malformed,
            gate: None,
            decided_by: [].into(),
            length,
        });
        Next::Drop(DropReason::Malformed)
    }

    /// Counts and remembers a dropped packet; the only way to drop one whose headers were read.
    pub(crate) fn drop_frame(
        &mut self,
        from: Attachment,
        parsed: Option<&Parsed>,
        reason: DropReason,
        decision: Option<&Decision>,
        now: Time,
    ) -> Next {
        self.counters.drop(reason, parsed.map_or(1, |parsed| parsed.packets));
        let gate = decision.and_then(|decision| match decision.verdict {
            Verdict::Drop { gate, .. } => gate,
            Verdict::Deliver(_) => None,
        });
        self.remember(DropRecord {
            at: now,
            from,
            tuple: parsed.map(|parsed| parsed.tuple),
            reason,
            gate,
            decided_by: decision.map_or_else(|| [].into(), |decision| decision.why.clone()),
            length: parsed.map_or(0, |parsed| parsed.length),
        });
        Next::Drop(reason)
    }

    fn remember(&mut self, record: DropRecord) {
        if self.drops.len() == limits::DROPS_REMEMBERED {
            self.drops.pop_front();
        }
        self.drops.push_back(record);
    }
}
