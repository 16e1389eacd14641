//! What a decision may know of the flows before, at one moment.

use std::net::Ipv4Addr;

use snapshot::{Attachment, InterfaceIx, PeeringIx, Snapshot, VpcIx};
use wire::FiveTuple;

use crate::Time;
use crate::decide::{Stateful, Tracked, TrackedState};
use crate::key::Key;
use crate::memory::Memory;

/// What is remembered at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) now: Time,
}

impl Tracked for View<'_> {
    /// State that was kept for an interface of the same id that is gone says nothing of the one that is there now.
    fn at(&self, at: Attachment, tuple: &FiveTuple) -> Option<TrackedState> {
        let sessions = &self.memory.sessions;
        let half = sessions.get(sessions.find(&Key { at, tuple: *tuple })?)?;
        let interface = self.snapshot.interface(at.as_interface()?)?;
        if half.began_before(interface.appeared) { None } else { half.state(self.now) }
    }

    fn outer_of(&self, gateway: Stateful, inner: &FiveTuple) -> Option<FiveTuple> {
        self.memory.gateways.outer_of(self.snapshot, gateway, inner, self.now)
    }

    fn inner_of(&self, gateway: Stateful, outer: &FiveTuple) -> Option<FiveTuple> {
        self.memory.gateways.inner_of(self.snapshot, gateway, outer, self.now)
    }

    fn lease(&self, nat: InterfaceIx, addresses: &[Ipv4Addr], wanted: &FiveTuple) -> Option<(Ipv4Addr, u16)> {
        self.memory.gateways.lease(self.snapshot, nat, addresses, wanted, self.now)
    }

    fn has_ways_back(&self) -> bool {
        self.memory.gateways.has_ways_back()
    }

    fn way_back(&self, vpc: VpcIx, outer: &FiveTuple) -> Option<PeeringIx> {
        self.memory.gateways.way_back(self.snapshot, vpc, outer, self.now)
    }
}
