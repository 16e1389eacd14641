//! From the guest to the chosen way on: E1 to E7.

use snapshot::{Check, InterfaceIx, NameIx, Part, PeeringIx, PeeringStatus, Route, Target, VpcIx};

use super::decision::Refusal;
use super::group::Tracks;
use super::onward::Onward;
use super::{Boundary, Hop, Site, Stage, StepKind, Walk, refuse, reserved::reserved};
use crate::{Action, Direction, DropReason};

impl<'a> Walk<'a> {
    /// Leaves the sending interface.
    pub(super) fn leave(&mut self) -> Result<Stage<'a>, Refusal> {
        let Some(site) = self.facts.from.as_interface().and_then(|ix| self.site(ix)) else {
            return refuse(DropReason::InterfaceGone, None);
        };
        self.check_source(&site)?;
        self.check_reserved(&site)?;
        let onward = self.onward_of_guest(&site);
        self.judge_egress(&site, onward)?;
        let sender = site.interface.owns(self.here.tuple.src).then_some(site.interface);
        let hop = Hop { from: Some(site.interface.subnet), sender, tracks: Tracks::ByRule, nat: None };
        self.follow(&site, onward, hop)
    }

    /// An interface with its subnet, as it is now.
    pub(super) fn site(&mut self, ix: InterfaceIx) -> Option<Site<'a>> {
        let snapshot = self.snapshot;
        self.depend(Part::Interface(ix));
        let interface = snapshot.interface(ix)?;
        self.depend(Part::Subnet(interface.subnet));
        self.depend(Part::Vpc(interface.vpc));
        Some(Site { ix, interface, subnet: snapshot.subnet(interface.subnet)? })
    }

    /// E1: no policy, so nothing is logged (AD-25).
    fn check_source(&mut self, site: &Site<'_>) -> Result<(), Refusal> {
        if site.interface.check == Check::On && !site.interface.owns(self.here.tuple.src) {
            self.note(Some(site.ix), StepKind::SourceCheck, None);
            return refuse(DropReason::SourceDestCheck, None);
        }
        Ok(())
    }

    /// E2 (FL-50).
    pub(super) fn check_reserved(&mut self, site: &Site<'_>) -> Result<(), Refusal> {
        let vpc = self.snapshot.vpc(site.interface.vpc);
        if let Some(reason) = vpc.and_then(|vpc| reserved(self.here.tuple.dst, vpc)) {
            self.note(Some(site.ix), StepKind::Reserved(reason), None);
            return refuse(reason, None);
        }
        Ok(())
    }

    /// What answers a NAT gateway that sent over a peering connection returns over it (NG-18); all else goes by the tables.
    fn onward_of_guest(&mut self, site: &Site<'_>) -> Onward {
        match self.way_back(site) {
            Some(peering) => Onward::Return(peering),
            None => self.onward(site.subnet),
        }
    }

    fn way_back(&mut self, site: &Site<'_>) -> Option<PeeringIx> {
        if !self.tracked.has_ways_back() || site.subnet.contains(self.here.tuple.dst) {
            return None;
        }
        let answered = self.here.about.unwrap_or_else(|| self.here.tuple.reversed());
        let over = self.tracked.way_back(site.interface.vpc, &answered);
        self.returns = over;
        let over = over?;
        self.depend(Part::Peering(over));
        let peering = self.snapshot.peering(over)?;
        (peering.status == PeeringStatus::Active).then_some(over)
    }

    /// E3 and E5: one record for the combined verdict (FL-36, OR-01).
    fn judge_egress(&mut self, site: &Site<'_>, onward: Onward) -> Result<(), Refusal> {
        let Site { ix, interface, subnet } = *site;
        let labels = self.labels_of_destination(interface.vpc, onward);
        let (boundary, tracks) = (self.boundary(onward, interface.subnet), self.tracks(onward));
        let gate = self.group_gate(ix, interface, Direction::Egress, labels, tracks);
        let passed = gate.and_then(|gate| {
            self.egress = Some(gate);
            if boundary == Boundary::Within {
                return Ok(());
            }
            self.cross_acl(ix, subnet, Direction::Egress)
        });
        let action = if passed.is_ok() { Action::Accept } else { Action::Reject };
        self.tap(ix, Direction::Egress, action, self.traffic_path(onward));
        passed
    }

    /// E6 and E7: routing drops leave the ACCEPT record as it is (OR-02, FL-46).
    pub(super) fn follow(
        &mut self,
        site: &Site<'_>,
        onward: Onward,
        hop: Hop<'a>,
    ) -> Result<Stage<'a>, Refusal> {
        match onward {
            Onward::Neighbour => self.reach_owner(site, None, hop),
            Onward::Nowhere => self.lead_nowhere(site, None, DropReason::NoRoute),
            Onward::Return(peering) => self.cross_peering(site.interface.vpc, peering, hop),
            Onward::Routed(route) => self.follow_route(site, &route, hop),
        }
    }

    fn follow_route(&mut self, site: &Site<'_>, route: &Route, hop: Hop<'a>) -> Result<Stage<'a>, Refusal> {
        let vpc = site.interface.vpc;
        let routed = |walk: &mut Self| walk.note(Some(site.ix), StepKind::Route(None), Some(route.name));
        match route.target {
            Target::Blackhole => self.lead_nowhere(site, Some(route.name), DropReason::RouteBlackholed),
            Target::EgressOnlyInternetGateway => {
                routed(self);
                self.leave_egress_only(vpc)
            }
            Target::Interface(to) => {
                routed(self);
                Ok(Stage::Interface(to, hop))
            }
            Target::InternetGateway => {
                routed(self);
                self.leave_by_gateway(vpc)
            }
            Target::Local => self.reach_owner(site, Some(route.name), hop),
            Target::Peering(peering) => {
                routed(self);
                self.cross_peering(vpc, peering, hop)
            }
        }
    }

    /// To whoever has the destination in the VPC, as a neighbour or by the local route.
    fn reach_owner(
        &mut self,
        site: &Site<'_>,
        route: Option<NameIx>,
        hop: Hop<'a>,
    ) -> Result<Stage<'a>, Refusal> {
        let Some(to) = self.owner(site.interface.vpc) else {
            return self.lead_nowhere(site, route, DropReason::NoSuchDestination);
        };
        let kind = if route.is_some() { StepKind::Route(None) } else { StepKind::SameSubnet };
        self.note(Some(site.ix), kind, route);
        Ok(Stage::Interface(to, hop))
    }

    fn lead_nowhere<T>(
        &mut self,
        site: &Site<'_>,
        route: Option<NameIx>,
        reason: DropReason,
    ) -> Result<T, Refusal> {
        self.note(Some(site.ix), StepKind::Route(Some(reason)), route);
        refuse(reason, None)
    }

    /// Who has the destination in a VPC.
    pub(super) fn owner(&mut self, vpc: VpcIx) -> Option<InterfaceIx> {
        self.depend(Part::Vpc(vpc));
        self.snapshot.vpc(vpc)?.owner_of(self.here.tuple.dst)
    }
}
