//! What the owner does with a packet: replay what is cached, else decide and commit.

use std::sync::Arc;

use snapshot::{Attachment, Generation, Snapshot};
use wire::{Parsed, Transport};

use crate::decide::{Decision, Facts, Gate, Grant, Tap, TrackedState, Verdict, decide, decide_from_router};
use crate::memory::{Place, keeps_state};
use crate::originate::Composed;
use crate::session::{GroupState, Half, Key};
use crate::{Action, Direction, DropReason, Engine, FlowRecord, Frame, Next, Time};

impl Engine {
    /// Forwards a packet that this worker owns.
    pub(crate) fn forward(
        &mut self,
        snapshot: &Snapshot,
        frame: &mut Frame,
        parsed: &Parsed,
        now: Time,
    ) -> Next {
        if let Transport::Icmp { about: Some(_), .. } = parsed.transport {
            return self.forward_error(snapshot, frame, parsed, now);
        }
        let key = Key { at: frame.from, tuple: parsed.tuple };
        let facts = Facts::of(frame.from, parsed);
        let known = self.memory.find(&key);
        if let Some(place) = known
            && self.memory.is_fresh(place, &key, &facts, snapshot, now)
        {
            return self.replay(snapshot, frame, parsed, place, now);
        }
        let decision = decide(snapshot, &facts, &self.memory.at(snapshot, now));
        let oversize = is_oversize(&decision, parsed);
        match self.commit(snapshot, &key, known, decision, oversize, now) {
            Ok(place) => {
                self.memory.note_facts(place, &facts);
                self.replay(snapshot, frame, parsed, place, now)
            }
            Err(uncached) => self.apply_once(snapshot, frame, parsed, &uncached, now),
        }
    }

    /// An ICMP error about a flow: judged anew each time, remembered nowhere; only the group gates inherit (MT-09).
    fn forward_error(&mut self, snapshot: &Snapshot, frame: &mut Frame, parsed: &Parsed, now: Time) -> Next {
        let decision = decide(snapshot, &Facts::of(frame.from, parsed), &self.memory.at(snapshot, now));
        self.apply_once(snapshot, frame, parsed, &Uncached { decision, instead: None }, now)
    }

    /// Applies the cached decision of `place` to one packet.
    fn replay(
        &mut self,
        snapshot: &Snapshot,
        frame: &mut Frame,
        parsed: &Parsed,
        place: Place,
        now: Time,
    ) -> Next {
        let Some((decision, peer)) =
            self.memory.half(place).and_then(|half| Some((half.decision.clone()?, half.peer)))
        else {
            return self.drop_frame(frame.from, Some(parsed), DropReason::SessionTableFull, None, now);
        };
        let oversize = is_oversize(&decision, parsed);
        if !oversize {
            self.taps.count(&mut self.memory, place, parsed, now);
        }
        self.see(snapshot, place, &decision, Direction::Egress, parsed, now);
        if oversize {
            return self.refuse_size(snapshot, frame, parsed, &decision, now);
        }
        if let Some(peer) = peer {
            self.see(snapshot, Place::Session(peer), &decision, Direction::Ingress, parsed, now);
        }
        self.finish(frame, parsed, &decision, now)
    }

    /// Lets the group state at one end take note of the packet.
    fn see(
        &mut self,
        snapshot: &Snapshot,
        place: Place,
        decision: &Decision,
        direction: Direction,
        parsed: &Parsed,
        now: Time,
    ) {
        let gate = match direction {
            Direction::Egress => decision.egress,
            Direction::Ingress => decision.ingress,
        };
        let (pool, handle) = self.memory.pool(place);
        if gate.is_some_and(keeps_state)
            && let Some(group) = pool.get_mut(handle).and_then(|half| half.group.as_mut())
        {
            group.see(direction, parsed, snapshot.settings(), now);
        }
        pool.schedule(handle, now);
    }

    /// Delivers or drops; the flow logs already know.
    fn finish(&mut self, frame: &mut Frame, parsed: &Parsed, decision: &Decision, now: Time) -> Next {
        match decision.verdict {
            Verdict::Deliver(to) => self.deliver(frame, parsed, decision.mtu, to),
            Verdict::Drop { reason, .. } => {
                self.drop_frame(frame.from, Some(parsed), reason, Some(decision), now)
            }
        }
    }

    fn deliver(&mut self, frame: &mut Frame, parsed: &Parsed, mtu: Option<u16>, to: Attachment) -> Next {
        if let Some(mtu) = mtu.filter(|mtu| parsed.length > u32::from(*mtu)) {
            frame.pieces = wire::fragment_ipv4(frame.buffer.bytes(), parsed, mtu);
        }
        let packets = frame.packets().len() as u64;
        self.counters.fragments += packets - 1;
        self.counters.delivered += packets;
        Next::Transmit(to)
    }

    /// Drops a packet that is too large and tells its sender (MT-05); the sender's record stays ACCEPT (FL-46).
    fn refuse_size(
        &mut self,
        snapshot: &Snapshot,
        frame: &Frame,
        parsed: &Parsed,
        decision: &Decision,
        now: Time,
    ) -> Next {
        self.taps.emit_one(decision, |tap| tap.direction == Direction::Egress, parsed, now);
        if let (Some(from), Some(mtu)) = (frame.from.as_interface(), decision.mtu) {
            let composed = self.originator.too_big(snapshot, from, frame.buffer.bytes(), parsed, mtu, now);
            if let Some(error) = composed {
                self.send_error(snapshot, error, now);
            }
        }
        self.drop_frame(frame.from, Some(parsed), DropReason::TooBig, None, now)
    }

    /// Lets an error of ours reach the guest as any packet from the router does.
    fn send_error(&mut self, snapshot: &Snapshot, error: Composed, now: Time) {
        self.counters.originated += 1;
        let facts = Facts::of(Attachment::interface(error.to), &error.parsed);
        let decision = decide_from_router(snapshot, error.to, &facts, &self.memory.at(snapshot, now));
        self.taps.emit_one(&decision, |_| true, &error.parsed, now);
        match decision.verdict {
            Verdict::Deliver(_) => {
                self.counters.delivered += 1;
                self.originator.send(error.to, error.buffer);
            }
            Verdict::Drop { reason, .. } => {
                self.drop_frame(facts.from, Some(&error.parsed), reason, Some(&decision), now);
            }
        }
    }

    /// Applies a decision that nothing remembers.
    fn apply_once(
        &mut self,
        snapshot: &Snapshot,
        frame: &mut Frame,
        parsed: &Parsed,
        uncached: &Uncached,
        now: Time,
    ) -> Next {
        let Uncached { decision, instead } = uncached;
        if let Some(reason) = *instead {
            // A lack of room is no policy: what the sender's gates allowed stays ACCEPT (SG-25, FL-46).
            let sent = |tap: &Tap| tap.direction == Direction::Egress && tap.action == Action::Accept;
            self.taps.emit_one(decision, sent, parsed, now);
            return self.drop_frame(frame.from, Some(parsed), reason, None, now);
        }
        if is_oversize(decision, parsed) {
            return self.refuse_size(snapshot, frame, parsed, decision, now);
        }
        self.taps.emit_one(decision, |_| true, parsed, now);
        self.finish(frame, parsed, decision, now)
    }

    /// Remembers a decision: the only writer of new state, and the only place where room can run out.
    fn commit(
        &mut self,
        snapshot: &Snapshot,
        key: &Key,
        known: Option<Place>,
        decision: Decision,
        oversize: bool,
        now: Time,
    ) -> Result<Place, Box<Uncached>> {
        let plan = Plan::of(self, key, known, &decision);
        if plan.own_in == Pools::Refusals && decision.taps.is_empty() {
            // Decided early and counted in no record: its room belongs to refusals that are.
            return Err(Box::new(Uncached { decision, instead: None }));
        }
        if plan.new_sessions > self.memory.sessions.room() {
            let stateless =
                !decision.egress.is_some_and(keeps_state) && !decision.ingress.is_some_and(keeps_state);
            let instead = (!stateless).then_some(DropReason::SessionTableFull);
            return Err(Box::new(Uncached { decision, instead }));
        }
        let Some(place) = self.place(key, known, plan.own_in, now) else {
            return Err(self.skip(decision, now));
        };
        let peer = plan.peer.and_then(|key| self.memory.sessions.find_or_insert(key, now).ok());
        let receiver = peer.or_else(|| self.memory.sessions.find(&receiving(decision.ingress?)));
        // What is too large for the way to the receiver tells its gate nothing.
        if let Some(receiver) = receiver.filter(|_| !oversize) {
            self.grant(
                Place::Session(receiver),
                decision.ingress,
                Direction::Ingress,
                snapshot.generation(),
                now,
            );
        }
        self.grant(place, decision.egress, Direction::Egress, snapshot.generation(), now);
        self.remember_decision(place, decision, peer, snapshot, now);
        Ok(place)
    }

    fn place(&mut self, key: &Key, known: Option<Place>, own_in: Pools, now: Time) -> Option<Place> {
        match (known, own_in) {
            (Some(place @ Place::Session(_)), _) | (Some(place @ Place::Refusal(_)), Pools::Refusals) => {
                Some(place)
            }
            (_, Pools::Sessions) => self.memory.sessions.find_or_insert(*key, now).ok().map(Place::Session),
            (None, Pools::Refusals) => {
                self.memory.refusals.find_or_insert(*key, now).ok().map(Place::Refusal)
            }
        }
    }

    /// A refusal that finds no room is counted for SKIPDATA instead of its records.
    fn skip(&mut self, mut decision: Decision, now: Time) -> Box<Uncached> {
        for tap in decision.taps.drain(..) {
            self.taps.skip(tap.interface, now);
        }
        Box::new(Uncached { decision, instead: None })
    }

    /// Begins group state where a rule made the flow tracked, and lets it go where the flow is no longer.
    fn grant(
        &mut self,
        place: Place,
        gate: Option<Gate>,
        direction: Direction,
        began: Generation,
        now: Time,
    ) {
        let Some(tuple) = self.memory.key(place).map(|key| key.tuple) else { return };
        let Some(half) = self.memory.half_mut(place) else { return };
        let open = half.group.as_ref().is_some_and(|group| group.state(now) == Some(TrackedState::Open));
        match gate.map(|gate| gate.grant) {
            Some(Grant::Tracked) => half.group = Some(GroupState::new(direction, &tuple, began)),
            Some(Grant::Untracked) => half.group = None,
            // What is open lets pass; this one was kept for an interface that is gone.
            None if open => half.group = None,
            Some(Grant::Inherited | Grant::Stateless) | None => {}
        }
    }

    fn remember_decision(
        &mut self,
        place: Place,
        decision: Decision,
        peer: Option<tables::Handle>,
        snapshot: &Snapshot,
        now: Time,
    ) {
        let Some(half) = self.memory.half_mut(place) else { return };
        half.checked = snapshot.generation();
        half.peer = peer;
        half.last = now;
        if half.decision.as_deref() != Some(&decision) {
            self.taps.flush_half(half);
            half.decision = Some(Arc::new(decision));
        }
    }
}

/// A decision that is applied to one packet only; `instead` replaces its verdict.
struct Uncached {
    decision: Decision,
    instead: Option<DropReason>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pools {
    Refusals,
    Sessions,
}

/// What a commit needs, found before anything is written: a commit happens whole or not at all.
struct Plan {
    own_in: Pools,
    /// The half at the receiver whose gate keeps state.
    peer: Option<Key>,
    new_sessions: usize,
}

impl Plan {
    fn of(engine: &Engine, key: &Key, known: Option<Place>, decision: &Decision) -> Self {
        let stays = matches!(known, Some(Place::Session(_)));
        let own = decision.egress.is_some_and(keeps_state) || decision.exit().is_some();
        let own_in = if own || stays { Pools::Sessions } else { Pools::Refusals };
        let receiver = decision.ingress.filter(|gate| keeps_state(*gate));
        let peer = receiver.map(receiving);
        let new_own = usize::from(own_in == Pools::Sessions && !stays);
        let new_peer = peer.is_some_and(|peer| peer != *key && engine.memory.sessions.find(&peer).is_none());
        Self { own_in, peer, new_sessions: new_own + usize::from(new_peer) }
    }
}

/// Whether a packet ends before its receiver because of its size (MT-05).
fn is_oversize(decision: &Decision, parsed: &Parsed) -> bool {
    parsed.dont_fragment && decision.mtu.is_some_and(|mtu| parsed.length > u32::from(mtu))
}

/// The key of the half at the receiver whose gate this is.
const fn receiving(gate: Gate) -> Key {
    Key { at: Attachment::interface(gate.interface), tuple: gate.tuple }
}

impl Half {
    /// The half as `flows` shows it; none while it has not been decided.
    pub(crate) fn record(&self, key: &Key) -> Option<FlowRecord> {
        let decision = self.decision.as_ref()?;
        let state = match (&decision.verdict, &self.group) {
            (Verdict::Drop { reason, .. }, _) => reason.code(),
            (Verdict::Deliver(_), Some(group)) => group.word(),
            (Verdict::Deliver(_), None) => "untracked",
        };
        Some(FlowRecord {
            from: key.at,
            to: decision.exit(),
            tuple: key.tuple,
            state,
            decided_by: decision.why.clone(),
            packets: self.past.0 + self.block.packets,
            bytes: self.past.1 + self.block.bytes,
            last: self.last,
            expires: self.expires(crate::limits::UNTRACKED_IDLE),
        })
    }
}
