//! Internet gateways of both kinds, and what lies beyond (IG-02 to IG-14, EI-01 to EI-10).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use snapshot::{Attachment, NameIx, Part, Target, VpcIx};

use super::decision::Refusal;
use super::group::Tracks;
use super::{Hop, Passage, Stage, Stateful, StepKind, Verdict, Walk, refuse};
use crate::{Direction, DropReason};

impl<'a> Walk<'a> {
    /// Out by the internet gateway: IPv4 under a public source, IPv6 as it is (IG-02, IG-08).
    pub(super) fn leave_by_gateway(&mut self, vpc: VpcIx) -> Result<Stage<'a>, Refusal> {
        let gateway = self.snapshot.vpc(vpc).and_then(|vpc| vpc.internet_gateway);
        let Some(gateway) = gateway else { return refuse(DropReason::RouteBlackholed, None) };
        self.leave_lab(StepKind::InternetGateway, gateway.name);
        match self.here.tuple.src {
            IpAddr::V4(private) => self.publish(vpc, private)?,
            IpAddr::V6(source) => self.check_global(vpc, source)?,
        }
        Ok(Stage::Internet)
    }

    /// Out by the egress-only internet gateway, which remembers the flow (EI-02, EI-03).
    pub(super) fn leave_egress_only(&mut self, vpc: VpcIx) -> Result<Stage<'a>, Refusal> {
        let gateway = self.snapshot.vpc(vpc).and_then(|vpc| vpc.egress_only_internet_gateway);
        let (Some(gateway), IpAddr::V6(source)) = (gateway, self.here.tuple.src) else {
            return refuse(DropReason::RouteBlackholed, None);
        };
        self.leave_lab(StepKind::EgressOnlyInternetGateway, gateway);
        self.check_global(vpc, source)?;
        if self.here.about.is_none() {
            self.pass_egress_only(vpc, Direction::Egress);
        }
        Ok(Stage::Internet)
    }

    fn leave_lab(&mut self, kind: StepKind, gateway: NameIx) {
        self.note(None, kind, Some(gateway));
        self.depend(Part::Internet);
        // Each place tells its own MTU.
        self.begin_path();
        self.narrow(self.snapshot.internet().mtu);
    }

    /// IG-03 to IG-05.
    fn publish(&mut self, vpc: VpcIx, private: Ipv4Addr) -> Result<(), Refusal> {
        let Some(public) = self.snapshot.vpc(vpc).and_then(|vpc| vpc.public_of(private)) else {
            return refuse(DropReason::NoPublicAddress, None);
        };
        self.change(|here| here.set_source(public.into()));
        Ok(())
    }

    /// IG-14, and only what belongs to the VPC.
    fn check_global(&self, vpc: VpcIx, source: Ipv6Addr) -> Result<(), Refusal> {
        if source.is_unique_local() {
            return refuse(DropReason::NotGloballyRoutable, None);
        }
        match self.snapshot.vpc(vpc).is_some_and(|vpc| vpc.contains(source.into())) {
            true => Ok(()),
            false => refuse(DropReason::NoPublicAddress, None),
        }
    }

    fn pass_egress_only(&mut self, vpc: VpcIx, direction: Direction) {
        let sent = direction.outward(self.here.tuple);
        let gateway = Stateful::EgressOnly(vpc);
        self.begin_path().passages.push(Passage { gateway, inner: sent, outer: sent, direction, over: None });
    }

    /// On the internet: to a host, or into the lab by a gateway (IG-06, IG-10).
    pub(super) fn internet(&mut self) -> Result<Stage<'a>, Refusal> {
        self.count_hop()?;
        self.depend(Part::Internet);
        if let Some(host) = self.snapshot.internet().host_for(self.here.tuple.dst) {
            return Ok(Stage::End(Verdict::Deliver(Attachment::host(host))));
        }
        match self.here.tuple.dst {
            IpAddr::V4(public) => self.enter_ipv4(public),
            IpAddr::V6(destination) => self.enter_ipv6(destination),
        }
    }

    fn enter_ipv4(&mut self, public: Ipv4Addr) -> Result<Stage<'a>, Refusal> {
        let Some((vpc, private)) = self.snapshot.internet().private_of(public) else {
            return refuse(DropReason::NotOnInternet, None);
        };
        // Nobody out there is somebody inside.
        self.depend(Part::Vpc(vpc));
        if self.snapshot.vpc(vpc).is_some_and(|vpc| vpc.contains(self.here.tuple.src)) {
            return refuse(DropReason::NotGloballyRoutable, None);
        }
        self.change(|here| here.set_destination(private.into()));
        self.enter_by_gateway(vpc)
    }

    /// The route back says which gateway the packet comes in by (EI-08).
    fn enter_ipv6(&mut self, destination: Ipv6Addr) -> Result<Stage<'a>, Refusal> {
        if destination.is_unique_local() {
            return refuse(DropReason::NotGloballyRoutable, None);
        }
        let Some(vpc) = self.snapshot.internet().vpc_of(destination.into()) else {
            return refuse(DropReason::NotOnInternet, None);
        };
        self.depend(Part::Vpc(vpc));
        match self.route_back(vpc, destination) {
            Some(Target::InternetGateway) => self.enter_by_gateway(vpc),
            Some(Target::EgressOnlyInternetGateway) => self.enter_egress_only(vpc),
            _ => refuse(DropReason::NoRouteBack, None),
        }
    }

    /// Where the subnet of `destination` sends what goes to the source, if the VPC has that gateway.
    fn route_back(&mut self, vpc: VpcIx, destination: Ipv6Addr) -> Option<Target> {
        let snapshot = self.snapshot;
        let vpc = snapshot.vpc(vpc)?;
        let ix = vpc.ipv6_subnet_of(destination)?;
        self.depend(Part::Subnet(ix));
        let table = snapshot.subnet(ix)?.route_table;
        self.depend(Part::RouteTable(table));
        let target = snapshot.route_table(table)?.lookup(self.here.tuple.src)?.target;
        let there = match target {
            Target::InternetGateway => vpc.internet_gateway.is_some(),
            Target::EgressOnlyInternetGateway => vpc.egress_only_internet_gateway.is_some(),
            Target::Blackhole | Target::Interface(_) | Target::Local | Target::Peering(_) => false,
        };
        there.then_some(target)
    }

    /// In by the internet gateway: its own route table first (RT-21).
    fn enter_by_gateway(&mut self, vpc: VpcIx) -> Result<Stage<'a>, Refusal> {
        self.depend(Part::Vpc(vpc));
        let Some(gateway) = self.snapshot.vpc(vpc).and_then(|vpc| vpc.internet_gateway) else {
            return refuse(DropReason::NotOnInternet, None);
        };
        self.note(None, StepKind::InternetGateway, Some(gateway.name));
        if let Some(ix) = gateway.route_table {
            self.depend(Part::RouteTable(ix));
            let table = self.snapshot.route_table(ix);
            if let Some(&route) = table.and_then(|table| table.lookup(self.here.tuple.dst)) {
                self.note(None, StepKind::GatewayRoute, Some(route.name));
                if let Target::Interface(to) = route.target {
                    return Ok(Stage::Interface(to, Hop::outside(Tracks::ByRule)));
                }
            }
        }
        self.reach_from_outside(vpc, Tracks::ByRule)
    }

    /// In by the egress-only internet gateway: only what belongs to a flow that went out there (EI-02, EI-10).
    fn enter_egress_only(&mut self, vpc: VpcIx) -> Result<Stage<'a>, Refusal> {
        let name = self.snapshot.vpc(vpc).and_then(|vpc| vpc.egress_only_internet_gateway);
        self.note(None, StepKind::EgressOnlyInternetGateway, name);
        let sent = self.here.about.unwrap_or_else(|| self.here.tuple.reversed());
        // An error goes back to whoever sent what it quotes.
        let returns = self.here.about.is_none_or(|about| about.src == self.here.tuple.dst);
        if !returns || self.outer_of(Stateful::EgressOnly(vpc), &sent).is_none() {
            return refuse(DropReason::EgressOnlyWithoutFlow, None);
        }
        if self.here.about.is_none() {
            self.pass_egress_only(vpc, Direction::Ingress);
        }
        self.reach_from_outside(vpc, Tracks::Always)
    }

    fn reach_from_outside(&mut self, vpc: VpcIx, tracks: Tracks) -> Result<Stage<'a>, Refusal> {
        match self.owner(vpc) {
            Some(to) => Ok(Stage::Interface(to, Hop::outside(tracks))),
            None => refuse(DropReason::NoSuchDestination, None),
        }
    }
}
