//! Network ACLs: stateless, ordered, only where a packet crosses a subnet boundary (NA-01, NA-02, NA-11).

use snapshot::{AclAction, Flow, InterfaceIx, Part, Subnet};

use super::decision::Refusal;
use super::here::Here;
use super::{StepKind, Walk, refuse};
use crate::{Action, Direction, DropReason};

impl Walk<'_> {
    /// Crosses the boundary of the subnet that `ix` is in.
    pub(super) fn cross_acl(
        &mut self,
        ix: InterfaceIx,
        subnet: &Subnet,
        direction: Direction,
    ) -> Result<(), Refusal> {
        self.depend(Part::Acl(subnet.acl));
        let Some(acl) = self.snapshot.acl(subnet.acl) else {
            return refuse(DropReason::NetworkAclDenied, Some((ix, direction)));
        };
        let Here { tuple, selector, .. } = self.here;
        let flow = |peer| Flow { protocol: tuple.proto, selector, peer, labels: &[] };
        let matched = match direction {
            Direction::Egress => acl.egress(&flow(tuple.dst)),
            Direction::Ingress => acl.ingress(&flow(tuple.src)),
        };
        match matched.action {
            AclAction::Allow => {
                self.note(Some(ix), acl_step(direction, Action::Accept), Some(matched.entry));
                Ok(())
            }
            AclAction::Deny => {
                self.note(Some(ix), acl_step(direction, Action::Reject), Some(matched.entry));
                refuse(DropReason::NetworkAclDenied, Some((ix, direction)))
            }
        }
    }
}

const fn acl_step(direction: Direction, action: Action) -> StepKind {
    match direction {
        Direction::Egress => StepKind::AclEgress(action),
        Direction::Ingress => StepKind::AclIngress(action),
    }
}
