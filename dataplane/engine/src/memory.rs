//! All that an engine remembers of flows, and which of it may be replayed.

use snapshot::{Attachment, Snapshot};
use wire::{FiveTuple, Parsed};

use crate::decide::{Facts, Gate, Grant, Opening, Tracked, TrackedState, Verdict};
use crate::decisions::{DecisionIx, Decisions, Replay};
use crate::key::Key;
use crate::pool::{Pool, Slot};
use crate::session::{Half, icmp_word};
use crate::{Direction, DropReason, FlowRecord, Time, limits};

/// Sessions and, in a pool of their own, refusals: a flood of refused packets takes no room from sessions.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) sessions: Pool,
    pub(crate) refusals: Pool,
    pub(crate) decisions: Decisions,
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
    pub(crate) fn new(sessions: usize, seed: u64, start: Time) -> Self {
        Self {
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
        let peer = half.peer.map(|handle| place.slot().beside(handle));
        let replay = self.decisions.in_force(decision, snapshot)?;
        // How long a closed connection refuses depends on the time, and a SYN opens it anew (SG-23, SG-24).
        if let Verdict::Drop { reason: DropReason::ConnectionClosed, .. } = replay.verdict {
            return None;
        }
        let sender_agrees = match replay.egress {
            Some(gate) if keeps_state(gate) => own == Some(TrackedState::Open),
            Some(_) | None => own.is_none(),
        };
        let agree = sender_agrees && self.receiver_agrees(&replay, peer, tuple, self.at(snapshot, now));
        agree.then_some(Ready { place, decision, replay, peer })
    }

    #[inline]
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

/// What is remembered at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    memory: &'a Memory,
    snapshot: &'a Snapshot,
    now: Time,
}

impl Tracked for View<'_> {
    /// State that was kept for an interface of the same id that is gone says nothing of the one that is there now.
    fn at(&self, at: Attachment, tuple: &FiveTuple) -> Option<TrackedState> {
        let sessions = &self.memory.sessions;
        let half = sessions.get(sessions.find(&Key { at, tuple: *tuple })?)?;
        let interface = self.snapshot.interface(at.as_interface()?)?;
        if half.began_before(interface.appeared) { None } else { half.state(self.now) }
    }
}
