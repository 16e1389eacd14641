//! Decisions, each kept once however many flows it holds for.
//!
//! What `decide` answers says nothing that is peculiar to one flow, so the flows between two interfaces share a few
//! decisions. A half names its decision by number; the part that every packet needs lies in the slot itself.

use std::collections::HashMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use foldhash::fast::FixedState;
use snapshot::{Generation, Snapshot};
use tables::Handle;
use wire::{Parsed, Patch};

use crate::Direction;
use crate::decide::{Decision, Gate, Verdict};

/// Names a kept decision, from [`Decisions::keep`] until its last user has called [`Decisions::let_go`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecisionIx(NonZeroU32);

/// What replaying a decision needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) verdict: Verdict,
    pub(crate) egress: Option<Gate>,
    pub(crate) ingress: Option<Gate>,
    pub(crate) mtu: Option<NonZeroU16>,
    /// How many take one off the TTL.
    pub(crate) forwarders: u8,
    /// What is to be done with each packet besides forwarding it.
    pub(crate) extra: Extra,
}

/// What gateways have to do with a decision, of the flow that it was taken for.
#[derive(Debug)]
pub(crate) struct Under {
    /// The connections of its passages with the ways through them, in their order.
    pub(crate) passages: Vec<(Handle, Direction)>,
    /// Whether these are all, and not only those before the packet ended under way.
    pub(crate) through: bool,
    /// What becomes of ordinary packets.
    pub(crate) patch: Option<Patch>,
}

/// What most decisions have nothing of, in one byte so that most packets ask once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extra(u8);

const _: () = assert!(size_of::<Replay>() == 32, "each packet takes a copy");

impl Extra {
    /// It goes through stateful gateways.
    pub(crate) const PASSAGES: Self = Self(1);
    /// It leaves with another header.
    pub(crate) const REWRITE: Self = Self(2);
    /// Its receiver's half is of the other family.
    pub(crate) const FAMILY: Self = Self(4);

    pub(crate) const fn any(self) -> bool {
        self.0 != 0
    }

    pub(crate) const fn has(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    fn of(decision: &Decision) -> Self {
        if decision.path.is_none() {
            return Self(0);
        }
        let passages = if decision.passages().is_empty() { 0 } else { Self::PASSAGES.0 };
        let rewrite = if decision.changes_nothing() { 0 } else { Self::REWRITE.0 };
        let family = if decision.crosses_families() { Self::FAMILY.0 } else { 0 };
        Self(passages | rewrite | family)
    }
}

/// All decisions in use.
#[derive(Debug)]
pub(crate) struct Decisions {
    slots: Vec<Kept>,
    free: Vec<DecisionIx>,
    numbers: HashMap<Arc<Decision>, DecisionIx, FixedState>,
}

#[derive(Debug)]
struct Kept {
    replay: Replay,
    /// The snapshot in which it was last found to hold.
    checked: Generation,
    /// How many halves name it.
    users: u32,
    decision: Arc<Decision>,
    under: Option<Box<Under>>,
}

impl Decisions {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            numbers: HashMap::with_hasher(FixedState::with_seed(seed)),
        }
    }

    /// Notes one more user of this decision, taken in `generation`.
    pub(crate) fn keep(
        &mut self,
        decision: Decision,
        under: Option<Box<Under>>,
        generation: Generation,
    ) -> DecisionIx {
        if let Some(&known) = self.numbers.get(&decision) {
            let slot = self.slot_mut(known);
            slot.users += 1;
            slot.checked = generation;
            // The same flow may have begun anew; what is no ordinary packet has no patch for others.
            if under.as_ref().is_none_or(|under| under.patch.is_some() || !under.passages.is_empty()) {
                slot.under = under;
            }
            return known;
        }
        let decision = Arc::new(decision);
        let slot = Kept {
            replay: Replay::of(&decision),
            checked: generation,
            users: 1,
            decision: Arc::clone(&decision),
            under,
        };
        let ix = self.place(slot);
        self.numbers.insert(decision, ix);
        ix
    }

    /// Notes one user less; the last one takes the decision along.
    pub(crate) fn let_go(&mut self, ix: DecisionIx) {
        let slot = self.slot_mut(ix);
        slot.users -= 1;
        if slot.users == 0 {
            self.numbers.remove(&self.slots[ix.at()].decision);
            self.free.push(ix);
        }
    }

    /// What to replay, if every part that the decision used is still the same.
    #[inline]
    pub(crate) fn in_force(&mut self, ix: DecisionIx, snapshot: &Snapshot) -> Option<Replay> {
        let slot = self.slot_mut(ix);
        if slot.checked != snapshot.generation() {
            if !slot.decision.holds_in(snapshot) {
                return None;
            }
            slot.checked = snapshot.generation();
        }
        Some(slot.replay)
    }

    pub(crate) fn get(&self, ix: DecisionIx) -> &Arc<Decision> {
        &self.slots[ix.at()].decision
    }

    /// What gateways have to do with it, if anything.
    #[inline]
    pub(crate) fn under(&self, ix: DecisionIx) -> Option<&Under> {
        self.slots[ix.at()].under.as_deref()
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn place(&mut self, slot: Kept) -> DecisionIx {
        if let Some(ix) = self.free.pop() {
            self.slots[ix.at()] = slot;
            return ix;
        }
        self.slots.push(slot);
        // Positions count from zero, numbers from one.
        DecisionIx(NonZeroU32::MIN.saturating_add(self.slots.len() as u32 - 1))
    }

    fn slot_mut(&mut self, ix: DecisionIx) -> &mut Kept {
        &mut self.slots[ix.at()]
    }
}

impl DecisionIx {
    const fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Replay {
    pub(crate) fn of(decision: &Decision) -> Self {
        let Decision { verdict, egress, ingress, mtu, path, .. } = decision;
        let forwarders = path.as_ref().map_or(0, |path| path.forwarders.len() as u8); // one a hop at most
        Self {
            verdict: *verdict,
            egress: *egress,
            ingress: *ingress,
            mtu: mtu.and_then(NonZeroU16::new),
            forwarders,
            extra: Extra::of(decision),
        }
    }

    /// Whether the packet is too long for its way (MT-05).
    #[inline]
    pub(crate) fn is_too_narrow_for(&self, parsed: &Parsed) -> bool {
        parsed.dont_fragment && self.is_exceeded_by(parsed)
    }

    #[inline]
    pub(crate) fn is_exceeded_by(&self, parsed: &Parsed) -> bool {
        self.mtu.is_some_and(|mtu| parsed.longest > u32::from(mtu.get()))
    }

    #[inline]
    pub(crate) fn mtu(&self) -> Option<u16> {
        self.mtu.map(NonZeroU16::get)
    }

    /// Whether nobody may split the packet under way; as IPv6, nobody may.
    pub(crate) fn keeps_whole(&self, parsed: &Parsed) -> bool {
        parsed.dont_fragment || self.extra.has(Extra::FAMILY)
    }

    /// Whether its time to live runs out at a NAT gateway.
    #[inline]
    pub(crate) fn ends_life_of(&self, parsed: &Parsed) -> bool {
        self.forwarders > 0 && parsed.ttl <= self.forwarders
    }
}

#[cfg(test)]
mod tests {
    use snapshot::{Attachment, InterfaceIx, Part};

    use super::*;

    fn deliver(to: u32) -> Decision {
        Decision {
            verdict: Verdict::Deliver(Attachment::interface(InterfaceIx(to))),
            egress: None,
            ingress: None,
            mtu: Some(9001),
            path: None,
            returns: None,
            taps: vec![],
            steps: vec![],
            why: [].into(),
            parts: vec![(Part::Settings, Generation(1))],
        }
    }

    #[test]
    fn equal_decisions_are_kept_once_and_until_the_last_user_goes() {
        let mut decisions = Decisions::new(1);
        let first = decisions.keep(deliver(1), None, Generation(1));
        assert_eq!(decisions.keep(deliver(1), None, Generation(1)), first);
        let other = decisions.keep(deliver(2), None, Generation(1));
        assert_ne!(other, first);
        decisions.let_go(first);
        assert_eq!((decisions.len(), &**decisions.get(first)), (2, &deliver(1)));
        decisions.let_go(first);
        assert_eq!(decisions.len(), 1);
        assert_eq!(decisions.keep(deliver(3), None, Generation(1)), first, "its place is used again");
        assert_eq!(&**decisions.get(other), &deliver(2));
    }
}
