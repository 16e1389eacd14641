//! Remembering a decision: the only writer of new flow state, and the only place where room for flows can run out.

use snapshot::{Attachment, Generation, Snapshot};
use tables::Handle;

use crate::decide::{Decision, Facts, Gate, Grant, TrackedState};
use crate::decisions::{Replay, Under};
use crate::key::Key;
use crate::memory::{Place, Ready, keeps_state};
use crate::pool::Slot;
use crate::{Direction, DropReason, Engine, Time};

/// A decision that is applied to one packet only; `instead` replaces its verdict.
pub(crate) struct Uncached {
    pub(crate) decision: Decision,
    pub(crate) instead: Option<DropReason>,
}

/// What the slow path knows of a packet that was just decided.
pub(crate) struct Asked {
    pub(crate) key: Key,
    /// The half that there is under this key.
    pub(crate) known: Option<Place>,
    pub(crate) facts: Facts,
    /// See [`wire::Parsed::packets`].
    pub(crate) packets: u32,
    /// Of a packet that ends under way: how many passages it gets through.
    pub(crate) halted: Option<usize>,
}

impl Engine {
    /// Remembers a decision, whole or not at all.
    pub(crate) fn commit(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        decision: Decision,
        now: Time,
    ) -> Result<Ready, Box<Uncached>> {
        let Asked { key, known, facts, packets, halted } = asked;
        let known = *known;
        let plan = Plan::of(self, key, known, &decision);
        if plan.own_in == Pools::Refusals && decision.taps.is_empty() {
            // Decided early and counted in no record: its room belongs to refusals that are.
            return Err(Box::new(Uncached { decision, instead: None }));
        }
        if plan.new_sessions > self.memory.sessions.room() {
            let stateless =
                !decision.egress.is_some_and(keeps_state) && !decision.ingress.is_some_and(keeps_state);
            // What the policy refuses is refused and logged so, room or not.
            let passes = decision.exit().is_some();
            let instead = (passes && !stateless).then_some(DropReason::SessionTableFull);
            return Err(Box::new(Uncached { decision, instead }));
        }
        let passages = match self.enter_gateways(snapshot, &decision, *halted, now) {
            Ok(passages) => passages,
            Err(reason) => return Err(Box::new(Uncached { decision, instead: Some(reason) })),
        };
        let Some(place) = self.place(key, known, plan.own_in, now) else {
            return Err(self.skip(decision, *packets, now));
        };
        let peer = plan.peer.and_then(|key| self.memory.sessions.find_or_insert(&key, now).ok());
        let receiver =
            peer.or_else(|| self.memory.sessions.find(&receiving(decision.ingress?, &decision, key)));
        // What ends under way tells the receiver's gate nothing.
        if let Some(receiver) = receiver.filter(|_| halted.is_none()) {
            let gate = (decision.ingress, Direction::Ingress);
            let proto = decision.leaving(key.tuple).proto;
            self.grant(Place::Session(receiver), gate, proto, snapshot.generation(), now);
        }
        let gate = (decision.egress, Direction::Egress);
        self.grant(place, gate, key.tuple.proto, snapshot.generation(), now);
        Ok(self.remember_decision(place, facts, decision, Links { peer, passages }, snapshot, now))
    }

    /// The connections of the gateways on the way, begun where they are new.
    fn enter_gateways(
        &mut self,
        snapshot: &Snapshot,
        decision: &Decision,
        halted: Option<usize>,
        now: Time,
    ) -> Result<Vec<(Handle, Direction)>, DropReason> {
        let passages = &decision.passages()[..halted.unwrap_or_else(|| decision.passages().len())];
        self.memory.gateways.enter(snapshot, passages, now)
    }

    fn place(&mut self, key: &Key, known: Option<Place>, own_in: Pools, now: Time) -> Option<Place> {
        match (known, own_in) {
            (Some(place @ Place::Session(_)), _) | (Some(place @ Place::Refusal(_)), Pools::Refusals) => {
                Some(place)
            }
            (_, Pools::Sessions) => self.memory.sessions.find_or_insert(key, now).ok().map(Place::Session),
            (None, Pools::Refusals) => self.memory.refusals.find_or_insert(key, now).ok().map(Place::Refusal),
        }
    }

    /// A refusal that finds no room is counted for SKIPDATA instead of its records.
    fn skip(&mut self, mut decision: Decision, packets: u32, now: Time) -> Box<Uncached> {
        for tap in decision.taps.drain(..) {
            self.taps.skip(tap.interface, packets, now);
        }
        Box::new(Uncached { decision, instead: None })
    }

    /// Begins group state where a rule made the flow tracked, and lets it go where the flow is no longer.
    fn grant(
        &mut self,
        place: Place,
        (gate, direction): (Option<Gate>, Direction),
        proto: u8,
        began: Generation,
        now: Time,
    ) {
        let Some(half) = self.memory.half_mut(place) else { return };
        let open = half.state(now) == Some(TrackedState::Open);
        match gate.map(|gate| gate.grant) {
            Some(Grant::Tracked) => half.begin_group(direction, began, proto),
            Some(Grant::Untracked) => half.end_group(),
            // What is open lets pass; this one was kept for an interface that is gone.
            None if open => half.end_group(),
            Some(Grant::Inherited | Grant::Stateless) | None => {}
        }
    }

    fn remember_decision(
        &mut self,
        place: Place,
        facts: &Facts,
        decision: Decision,
        Links { peer, passages }: Links,
        snapshot: &Snapshot,
        now: Time,
    ) -> Ready {
        let replay = Replay::of(&decision);
        let under = decision.path.is_some().then(|| {
            let through = passages.len() == decision.passages().len();
            Box::new(Under { passages, through, patch: decision.patch(&facts.tuple) })
        });
        let decision = self.memory.decisions.keep(decision, under, snapshot.generation());
        if self.memory.half(place).is_some_and(|half| half.decision != Some(decision)) {
            self.taps.flush(&mut self.memory, place);
        }
        self.memory.assign(place, facts, decision, peer, now);
        Ready { place, decision, replay, peer }
    }
}

/// The other states that a half goes with.
struct Links {
    peer: Option<Slot>,
    passages: Vec<(Handle, Direction)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pools {
    Refusals,
    Sessions,
}

/// What a commit needs, found before anything is written.
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
        let peer = receiver.map(|gate| receiving(gate, decision, key));
        let new_own = usize::from(own_in == Pools::Sessions && !stays);
        let new_peer = peer.is_some_and(|peer| peer != *key && engine.memory.sessions.find(&peer).is_none());
        Self { own_in, peer, new_sessions: new_own + usize::from(new_peer) }
    }
}

/// The key of the half at the receiver whose gate this is.
fn receiving(gate: Gate, decision: &Decision, key: &Key) -> Key {
    let tuple = Direction::Ingress.outward(decision.leaving(key.tuple));
    Key { at: Attachment::interface(gate.interface), tuple }
}
