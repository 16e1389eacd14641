//! All that an engine remembers of flows, and which of it may be replayed.

use snapshot::{Attachment, Snapshot};
use tables::Handle;
use wire::FiveTuple;

use crate::decide::{Decision, Facts, Gate, Grant, Opening, Tracked, TrackedState, Verdict};
use crate::pool::Pool;
use crate::session::{Half, Key};
use crate::{Direction, DropReason, Time, limits};

/// Sessions and, in a pool of their own, refusals: a flood of refused packets takes no room from sessions.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) sessions: Pool,
    pub(crate) refusals: Pool,
}

/// Names a half in one of the two pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Refusal(Handle),
    Session(Handle),
}

impl Memory {
    pub(crate) fn new(sessions: usize, seed: u64, start: Time) -> Self {
        Self {
            sessions: Pool::new(sessions * 2, limits::UNTRACKED_IDLE, seed, start),
            refusals: Pool::new(limits::REFUSALS.min(sessions), limits::REFUSAL_IDLE, seed, start),
        }
    }

    /// The half of this key. Sessions come first: a refusal stays behind when its flow is allowed later.
    pub(crate) fn find(&self, key: &Key) -> Option<Place> {
        self.sessions.find(key).map(Place::Session).or_else(|| self.refusals.find(key).map(Place::Refusal))
    }

    pub(crate) fn pool(&mut self, place: Place) -> (&mut Pool, Handle) {
        match place {
            Place::Refusal(handle) => (&mut self.refusals, handle),
            Place::Session(handle) => (&mut self.sessions, handle),
        }
    }

    pub(crate) fn half(&self, place: Place) -> Option<&Half> {
        match place {
            Place::Refusal(handle) => self.refusals.get(handle),
            Place::Session(handle) => self.sessions.get(handle),
        }
    }

    pub(crate) fn half_mut(&mut self, place: Place) -> Option<&mut Half> {
        let (pool, handle) = self.pool(place);
        pool.get_mut(handle)
    }

    pub(crate) fn key(&self, place: Place) -> Option<&Key> {
        match place {
            Place::Refusal(handle) => self.refusals.key(handle),
            Place::Session(handle) => self.sessions.key(handle),
        }
    }

    /// Whether the decision of this half may be replayed as it is for a packet with these facts; notes that it was compared
    /// with `snapshot`.
    pub(crate) fn is_fresh(
        &mut self,
        place: Place,
        key: &Key,
        facts: &Facts,
        snapshot: &Snapshot,
        now: Time,
    ) -> bool {
        let generation = snapshot.generation();
        let Some(half) = self.half(place) else { return false };
        let Some(decision) = &half.decision else { return false };
        // What is untracked as a reply may be tracked once a SYN says that it is none (SG-14).
        let (opening, selector) = half.decided_for;
        if (opening, facts.opening) == (Opening::Midway, Opening::Fresh) || selector != facts.selector {
            return false;
        }
        // How long a closed connection refuses depends on the time, and a SYN opens it anew (SG-23, SG-24).
        if let Verdict::Drop { reason: DropReason::ConnectionClosed, .. } = decision.verdict {
            return false;
        }
        let same_world = half.checked == generation || decision.holds_in(snapshot);
        if !same_world || !self.states_agree(half, decision, key, now) {
            return false;
        }
        if let Some(half) = self.half_mut(place) {
            half.checked = generation;
        }
        true
    }

    /// Notes what the packet of this half's decision was.
    pub(crate) fn note_facts(&mut self, place: Place, facts: &Facts) {
        if let Some(half) = self.half_mut(place) {
            half.decided_for = (facts.opening, facts.selector);
        }
    }

    /// Whether the states at both gates are still what the decision found.
    fn states_agree(&self, half: &Half, decision: &Decision, key: &Key, now: Time) -> bool {
        let own = half.group.as_ref().and_then(|group| group.state(now));
        let sender_agrees = match decision.egress {
            Some(gate) if keeps_state(gate) => own == Some(TrackedState::Open),
            Some(_) | None => own.is_none(),
        };
        sender_agrees && self.receiver_agrees(half, decision, key, now)
    }

    fn receiver_agrees(&self, half: &Half, decision: &Decision, key: &Key, now: Time) -> bool {
        match (decision.ingress, decision.verdict) {
            (Some(gate), _) if keeps_state(gate) => {
                let peer = half.peer.and_then(|peer| self.sessions.get(peer));
                peer.and_then(|peer| peer.group.as_ref()?.state(now)) == Some(TrackedState::Open)
            }
            // Of protocols other than TCP, both directions of a flow go untracked alike.
            (Some(_), _) if key.tuple.proto != wire::proto::TCP => true,
            // A flow that the receiver began since makes this one its reply.
            (Some(Gate { interface, .. }), _)
            | (
                None,
                Verdict::Drop {
                    reason: DropReason::SecurityGroupDenied,
                    gate: Some((interface, Direction::Ingress)),
                },
            ) => {
                let at = Attachment::interface(interface);
                self.state(&Key { at, tuple: key.tuple.reversed() }, now).is_none()
            }
            (None, _) => true,
        }
    }

    fn state(&self, key: &Key, now: Time) -> Option<TrackedState> {
        self.sessions.get(self.sessions.find(key)?)?.group.as_ref()?.state(now)
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
        let group = sessions.get(sessions.find(&Key { at, tuple: *tuple })?)?.group.as_ref()?;
        let interface = self.snapshot.interface(at.as_interface()?)?;
        if group.began < interface.appeared { None } else { group.state(self.now) }
    }
}
