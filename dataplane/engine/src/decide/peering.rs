//! Peering connections: from one VPC's blocks into the other's and no further (PC-07 to PC-11, PC-15).

use snapshot::{Part, PeeringIx, PeeringStatus, VpcIx};

use super::decision::Refusal;
use super::{Hop, Passage, Stage, Stateful, StepKind, Walk, refuse};
use crate::DropReason;

impl<'a> Walk<'a> {
    pub(super) fn cross_peering(
        &mut self,
        vpc: VpcIx,
        ix: PeeringIx,
        hop: Hop<'a>,
    ) -> Result<Stage<'a>, Refusal> {
        self.depend(Part::Peering(ix));
        let peering = self.snapshot.peering(ix).filter(|peering| peering.status == PeeringStatus::Active);
        let Some(peering) = peering else { return refuse(DropReason::RouteBlackholed, None) };
        self.count_hop()?;
        self.note(None, StepKind::Peering, Some(peering.name));
        let Some(peer) = peering.other_side(vpc).filter(|peer| self.joins(vpc, *peer)) else {
            return refuse(DropReason::PeeringCidr, None);
        };
        // Each place tells its own MTU.
        self.begin_path();
        self.narrow(peering.mtu);
        if let Some(nat) = hop.nat {
            let outer = self.here.tuple;
            let sent =
                |passage: &&mut Passage| passage.gateway == Stateful::Nat(nat) && passage.outer == outer;
            if let Some(passage) = self.begin_path().passages.iter_mut().find(sent) {
                passage.over = Some(ix);
            }
        }
        match self.owner(peer) {
            Some(to) => Ok(Stage::Interface(to, Hop { nat: None, ..hop })),
            None => refuse(DropReason::NoSuchDestination, None),
        }
    }

    /// Whether the packet goes from the blocks of one VPC into those of the other: this alone keeps peering from being
    /// transitive and closes the other side's gateways (PC-09 to PC-11).
    fn joins(&mut self, vpc: VpcIx, peer: VpcIx) -> bool {
        self.depend(Part::Vpc(vpc));
        self.depend(Part::Vpc(peer));
        let holds = |ix, address| self.snapshot.vpc(ix).is_some_and(|vpc| vpc.contains(address));
        holds(vpc, self.here.tuple.src) && holds(peer, self.here.tuple.dst)
    }
}
