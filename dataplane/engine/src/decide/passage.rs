//! Gateways that keep state of the flows through them.

use snapshot::{InterfaceIx, PeeringIx, Snapshot, VpcIx};
use wire::FiveTuple;

use crate::Direction;

/// A gateway that keeps state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stateful {
    /// The egress-only internet gateway of a VPC (EI-02).
    EgressOnly(VpcIx),
    /// The NAT gateway with this interface (NG-09).
    Nat(InterfaceIx),
}

/// One flow's way through a stateful gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Passage {
    /// Which gateway.
    pub gateway: Stateful,
    /// The tuple of the inside's packets as they reach it.
    pub inner: FiveTuple,
    /// The tuple of the same packets as they leave it. Of a new connection through a NAT gateway, source address and port are
    /// those that it is to have (NG-05).
    pub outer: FiveTuple,
    /// Which way these packets go: egress leads away from the inside.
    pub direction: Direction,
    /// The peering connection that the inside's packets leave by: answers come back over it, whatever the routes say (NG-18).
    pub over: Option<PeeringIx>,
}

impl Passage {
    /// The VPC that the inside's packets reach over a peering connection, and the connection: where answers return by it.
    #[must_use]
    pub fn way_back(&self, snapshot: &Snapshot) -> Option<(VpcIx, PeeringIx)> {
        let Stateful::Nat(nat) = self.gateway else { return None };
        let near = snapshot.interface(nat)?.vpc;
        Some((snapshot.peering(self.over?)?.other_side(near)?, self.over?))
    }
}
