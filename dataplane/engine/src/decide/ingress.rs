//! From the next hop into the receiving guest: I2 to I4.

use snapshot::{Attachment, Check, Interface, InterfaceIx};

use super::decision::Refusal;
use super::{Hop, Site, Stage, StepKind, Verdict, Walk, refuse};
use crate::limits::MAX_MTU;
use crate::{Action, Direction, DropReason};

impl<'a> Walk<'a> {
    /// Into an interface: that of a guest, or of a NAT gateway, which sends the packet on.
    pub(super) fn reach(&mut self, to: InterfaceIx, hop: Hop<'a>) -> Result<Stage<'a>, Refusal> {
        let Some(site) = self.site(to) else { return refuse(DropReason::InterfaceGone, None) };
        if let Some(gateway) = site.interface.nat_gateway {
            return self.through_nat(&site, gateway, hop);
        }
        self.narrow(site.interface.mtu.min(MAX_MTU));
        self.enter(&site, &hop).map(Stage::End)
    }

    /// Reaches the receiving interface.
    pub(super) fn enter(&mut self, site: &Site<'_>, hop: &Hop<'_>) -> Result<Verdict, Refusal> {
        let passed = self.judge_ingress(site, hop);
        let action = match passed {
            Ok(()) => Some(Action::Accept),
            Err(Refusal { gate: Some(_), .. }) => Some(Action::Reject),
            // The destination check is no policy: nothing is logged (AD-25).
            Err(Refusal { gate: None, .. }) => None,
        };
        if let Some(action) = action {
            self.tap(site.ix, Direction::Ingress, action, None);
        }
        passed?;
        self.note(Some(site.ix), StepKind::Deliver, None);
        Ok(Verdict::Deliver(Attachment::interface(site.ix)))
    }

    fn judge_ingress(&mut self, site: &Site<'_>, hop: &Hop<'_>) -> Result<(), Refusal> {
        self.cross_into(site, hop)?;
        self.check_destination(site.ix, site.interface)?;
        let labels = hop.sender.map_or(&[][..], |sender| &sender.labels);
        let gate = self.group_gate(site.ix, site.interface, Direction::Ingress, labels, hop.tracks)?;
        self.ingress = Some(gate);
        Ok(())
    }

    /// Crosses the ACL into the subnet, unless the packet comes from there (NA-01).
    pub(super) fn cross_into(&mut self, site: &Site<'_>, hop: &Hop<'_>) -> Result<(), Refusal> {
        if hop.from == Some(site.interface.subnet) {
            return Ok(());
        }
        self.cross_acl(site.ix, site.subnet, Direction::Ingress)
    }

    fn check_destination(&mut self, ix: InterfaceIx, interface: &Interface) -> Result<(), Refusal> {
        if interface.check == Check::On && !interface.owns(self.here.tuple.dst) {
            self.note(Some(ix), StepKind::DestinationCheck, None);
            return refuse(DropReason::SourceDestCheck, None);
        }
        Ok(())
    }
}
