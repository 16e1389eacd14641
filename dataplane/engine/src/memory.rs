//! All that an engine remembers of flows, and which of it may be replayed.

use snapshot::{Attachment, Snapshot};
use wire::{FiveTuple, Parsed};

use crate::decide::{Facts, Gate, Grant, Opening, Tracked, TrackedState, Verdict};
use crate::decisions::{DecisionIx, Decisions, Extra, Replay};
use crate::gateways::Gateways;
use crate::key::Key;
use crate::pool::{Pool, Slot};
use crate::session::{Half, icmp_word};
use crate::view::View;
use crate::{Direction, DropReason, FlowRecord, Steering, Time, limits};

/// Sessions and, in a pool of their own, refusals: a flood of refused packets takes no room from sessions.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) sessions: Pool,
    pub(crate) refusals: Pool,
    pub(crate) decisions: Decisions,
    pub(crate) gateways: Gateways,
}

/// Names a half in one of the two pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Refusal(Slot),
    Session(Slot),
}

/// A decision that may be replayed.
pub(crate) struct Ready {
    pub(crate) place: Place,
    pub(crate) decision: DecisionIx,
    pub(crate) replay: Replay,
    /// The half at the receiver whose gate keeps state.
    pub(crate) peer: Option<Slot>,
}

impl Place {
    const fn slot(self) -> Slot {
        match self {
            Self::Refusal(slot) | Self::Session(slot) => slot,
        }
    }
}

impl Memory {
    pub(crate) fn new(sessions: usize, steering: &Steering, worker: u16, start: Time) -> Self {
        let seed = steering.seed();
        Self {
            gateways: Gateways::new(sessions, steering.clone(), worker, start),
            sessions: Pool::new(sessions * 2, limits::UNTRACKED_IDLE, seed, start),
            refusals: Pool::new(limits::REFUSALS.min(sessions), limits::REFUSAL_IDLE, seed, start),
            decisions: Decisions::new(seed),
        }
    }

    /// The half of this key. Sessions come first: a refusal stays behind when its flow is allowed later.
    pub(crate) fn find(&self, key: &Key) -> Option<Place> {
        self.sessions.find(key).map(Place::Session).or_else(|| self.refusals.find(key).map(Place::Refusal))
    }

    #[inline]
    pub(crate) fn pool(&mut self, place: Place) -> (&mut Pool, Slot) {
        match place {
            Place::Refusal(slot) => (&mut self.refusals, slot),
            Place::Session(slot) => (&mut self.sessions, slot),
        }
    }

    #[inline]
    pub(crate) fn half(&self, place: Place) -> Option<&Half> {
        match place {
            Place::Refusal(slot) => self.refusals.get(slot),
            Place::Session(slot) => self.sessions.get(slot),
        }
    }

    #[inline]
    pub(crate) fn half_mut(&mut self, place: Place) -> Option<&mut Half> {
        let (pool, slot) = self.pool(place);
        pool.get_mut(slot)
    }

    pub(crate) fn key(&self, place: Place) -> Option<Key> {
        match place {
            Place::Refusal(slot) => self.refusals.key(slot),
            Place::Session(slot) => self.sessions.key(slot),
        }
    }

    /// The decision of this half, if it may be replayed as it is for this packet.
    #[inline(always)]
    pub(crate) fn ready(
        &mut self,
        place: Place,
        parsed: &Parsed,
        snapshot: &Snapshot,
        now: Time,
    ) -> Option<Ready> {
        let tuple = &parsed.tuple;
        let (opening, selector) = Facts::beyond_tuple(parsed);
        let half = self.half(place)?;
        let (decision, opened) = (half.decision?, half.opened);
        // What is untracked as a reply may be tracked once a SYN says that it is none (SG-14).
        if (opened, opening) == (Opening::Midway, Opening::Fresh)
            || icmp_word(tuple, selector).is_some_and(|word| word != half.words[0])
        {
            return None;
        }
        let own = half.state(now);
        let peer = half.peer;
        let replay = self.decisions.in_force(decision, snapshot)?;
        let across = replay.extra.has(Extra::FAMILY);
        let peer = peer.map(|handle| place.slot().beside(handle, across));
        if let Verdict::Drop { reason, .. } = replay.verdict
            && (reason.is_fleeting() || reason.is_of_whole_packets() && parsed.fragment.is_some())
        {
            return None;
        }
        let sender_agrees = match replay.egress {
            Some(gate) if keeps_state(gate) => own == Some(TrackedState::Open),
            Some(_) | None => own.is_none(),
        };
        let agree = sender_agrees
            && if replay.extra.any() || self.gateways.has_ways_back() {
                self.all_agree(place, &replay, (decision, peer), parsed, (snapshot, now))
            } else {
                self.receiver_agrees(&replay, peer, tuple, self.at(snapshot, now))
            };
        agree.then_some(Ready { place, decision, replay, peer })
    }

    /// Whether gateways, and the receiver of what they made of the packet, still say what they said when it was decided.
    #[inline(never)]
    fn all_agree(
        &self,
        place: Place,
        replay: &Replay,
        (decision, peer): (DecisionIx, Option<Slot>),
        parsed: &Parsed,
        (snapshot, now): (&Snapshot, Time),
    ) -> bool {
        if replay.extra.has(Extra::PASSAGES) && !self.passes_gateways(decision, parsed, now)
            || self.gateways.has_ways_back() && !self.goes_back(place, decision, parsed, (snapshot, now))
        {
            return false;
        }
        match (replay.ingress, replay.verdict) {
            // The internet has no gate.
            (None, Verdict::Deliver(_)) => true,
            _ => self.receiver_agrees_beyond(replay, (decision, peer), parsed, self.at(snapshot, now)),
        }
    }

    /// [`Self::receiver_agrees`] of what gateways have made of the packet.
    fn receiver_agrees_beyond(
        &self,
        replay: &Replay,
        (decision, peer): (DecisionIx, Option<Slot>),
        parsed: &Parsed,
        tracked: View<'_>,
    ) -> bool {
        // State that is kept at the receiver needs no tuple to be found.
        let by_state = replay.ingress.is_some_and(keeps_state);
        let received =
            if by_state { parsed.tuple } else { self.decisions.get(decision).leaving(parsed.tuple) };
        self.receiver_agrees(replay, peer, &received, tracked)
    }

    /// Whether the packet still has the way back that it had when it was decided (NG-18).
    fn goes_back(
        &self,
        place: Place,
        decision: DecisionIx,
        parsed: &Parsed,
        (snapshot, now): (&Snapshot, Time),
    ) -> bool {
        let sender = self.key(place).and_then(|key| snapshot.interface(key.at.as_interface()?));
        let over =
            sender.and_then(|it| self.gateways.way_back(snapshot, it.vpc, &parsed.tuple.reversed(), now));
        over == self.decisions.get(decision).returns
    }

    /// Whether every connection through a gateway lives, and a NAT gateway takes the packet as it is (NG-14).
    #[inline]
    fn passes_gateways(&self, decision: DecisionIx, parsed: &Parsed, now: Time) -> bool {
        let whole = parsed.fragment.is_none() || parsed.tuple.proto == wire::proto::UDP;
        whole
            && self.decisions.under(decision).is_none_or(|under| {
                under.through && under.passages.iter().all(|(handle, _)| self.gateways.is_live(*handle, now))
            })
    }

    #[inline(always)]
    fn receiver_agrees(
        &self,
        replay: &Replay,
        peer: Option<Slot>,
        tuple: &FiveTuple,
        tracked: View<'_>,
    ) -> bool {
        match (replay.ingress, replay.verdict) {
            (Some(gate), _) if keeps_state(gate) => {
                let peer = peer.and_then(|peer| self.sessions.get(peer));
                peer.and_then(|peer| peer.state(tracked.now)) == Some(TrackedState::Open)
            }
            // Of protocols other than TCP, both directions of a flow go untracked alike.
            (Some(_), _) if tuple.proto != wire::proto::TCP => true,
            // A flow that the receiver began since makes this one its reply.
            (Some(Gate { interface, .. }), _)
            | (
                None,
                Verdict::Drop {
                    reason: DropReason::SecurityGroupDenied,
                    gate: Some((interface, Direction::Ingress)),
                },
            ) => tracked.at(Attachment::interface(interface), &Direction::Ingress.outward(*tuple)).is_none(),
            (None, _) => true,
        }
    }

    /// Whether the block of this half can count the packet, see [`Half::takes`].
    #[inline]
    pub(crate) fn takes(&self, place: Place, parsed: &Parsed, begins: Time) -> bool {
        self.half(place).is_none_or(|half| half.takes(parsed, begins))
    }

    /// Gives a half a decision that was kept for it, and lets go of the one before.
    pub(crate) fn assign(
        &mut self,
        place: Place,
        facts: &Facts,
        decision: DecisionIx,
        peer: Option<Slot>,
        now: Time,
    ) {
        let Some(half) = self.half_mut(place) else { return self.decisions.let_go(decision) };
        half.peer = peer.map(Slot::handle);
        half.opened = facts.opening;
        half.touch(now);
        if let Some(word) = icmp_word(&facts.tuple, facts.selector) {
            half.words[0] = word;
        }
        if let Some(before) = half.decision.replace(decision) {
            self.decisions.let_go(before);
        }
    }

    /// Halves of live sessions, at most `limit`.
    pub(crate) fn flows(&self, limit: usize) -> Vec<FlowRecord> {
        self.sessions.slots().filter_map(|slot| self.record(slot)).take(limit).collect()
    }

    /// A half as `flows` shows it; none while it has not been decided.
    fn record(&self, slot: Slot) -> Option<FlowRecord> {
        let (key, half) = (self.sessions.key(slot)?, self.sessions.get(slot)?);
        let decision = self.decisions.get(half.decision?);
        let state = match decision.verdict {
            Verdict::Drop { reason, .. } => reason.code(),
            Verdict::Deliver(_) => half.group_word(key.tuple.proto).unwrap_or("untracked"),
        };
        let (packets, bytes) = half.totals();
        Some(FlowRecord {
            from: key.at,
            to: decision.exit(),
            tuple: key.tuple,
            state,
            decided_by: decision.why.clone(),
            packets,
            bytes,
            last: half.last(),
            expires: half.expires(limits::UNTRACKED_IDLE),
        })
    }

    pub(crate) const fn at<'a>(&'a self, snapshot: &'a Snapshot, now: Time) -> View<'a> {
        View { memory: self, snapshot, now }
    }
}

/// Whether a passage through a gate goes with group state at that interface.
pub(crate) const fn keeps_state(gate: Gate) -> bool {
    match gate.grant {
        Grant::Inherited | Grant::Tracked => true,
        Grant::Stateless | Grant::Untracked => false,
    }
}
