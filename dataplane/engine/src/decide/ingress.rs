//! From the next hop into the receiving guest: I2 to I4.

use snapshot::{Attachment, Check, Interface, InterfaceIx, Part};

use super::decision::Refusal;
use super::egress::{Boundary, Hop};
use super::{StepKind, Verdict, Walk, refuse};
use crate::{Action, Direction, DropReason};

impl Walk<'_> {
    /// Reaches the receiving interface.
    pub(super) fn enter(&mut self, hop: &Hop<'_>) -> Result<Verdict, Refusal> {
        let snapshot = self.snapshot;
        let Some(interface) = snapshot.interface(hop.to) else {
            return refuse(DropReason::InterfaceGone, None);
        };
        let passed = self.judge_ingress(hop, interface);
        let action = match passed {
            Ok(()) => Some(Action::Accept),
            Err(Refusal { gate: Some(_), .. }) => Some(Action::Reject),
            // The destination check is no policy: nothing is logged (AD-25).
            Err(Refusal { gate: None, .. }) => None,
        };
        if let Some(action) = action {
            self.tap(hop.to, Direction::Ingress, action, None);
        }
        passed?;
        self.note(hop.to, StepKind::Deliver, None);
        Ok(Verdict::Deliver(Attachment::interface(hop.to)))
    }

    fn judge_ingress(&mut self, hop: &Hop<'_>, interface: &Interface) -> Result<(), Refusal> {
        if hop.boundary == Boundary::Crossed {
            self.cross_receiving_acl(hop.to, interface)?;
        }
        if interface.check == Check::On && !interface.owns(self.facts.tuple.dst) {
            self.note(hop.to, StepKind::DestinationCheck, None);
            return refuse(DropReason::SourceDestCheck, None);
        }
        let labels = hop.sender.map_or(&[][..], |sender| &sender.labels);
        self.ingress = Some(self.group_gate(hop.to, interface, Direction::Ingress, labels)?);
        Ok(())
    }

    fn cross_receiving_acl(&mut self, ix: InterfaceIx, interface: &Interface) -> Result<(), Refusal> {
        self.depend(Part::Subnet(interface.subnet));
        let snapshot = self.snapshot;
        let Some(subnet) = snapshot.subnet(interface.subnet) else {
            return refuse(DropReason::InterfaceGone, None);
        };
        self.cross_acl(ix, subnet, Direction::Ingress)
    }
}
