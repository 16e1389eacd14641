//! Internet gateways of both kinds, and what lies beyond (IG-02 to IG-14, EI-01 to EI-10).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::lab::{EgressOnlyInternetGateway, InternetGateway, Target, Vpc};
use wire::FiveTuple;

use crate::flow::Flow;
use crate::group::Tracks;
use crate::rewrite;
use crate::route;
use crate::verdict::{Direction, Reason, Step, StepKind};
use crate::walk::{End, Hop, Loss, Place, Walk};
use crate::way::{Holder, find, holder, in_subnet, in_vpc};

impl<'a> Walk<'a> {
    /// Out by the internet gateway: IPv4 under a public source, IPv6 as it is.
    pub(crate) fn leave_by_gateway(&mut self, vpc: &'a Vpc) -> End<'a> {
        let gateway = vpc.internet_gateway.as_ref().ok_or(Loss::between(Reason::Blackhole))?;
        self.trail.push(Step::one(StepKind::InternetGateway, &gateway.id));
        self.fits(self.lab.internet.mtu)?;
        match self.parsed.tuple.src {
            IpAddr::V4(private) => {
                let public = public_of(vpc, private).ok_or(Loss::between(Reason::NoPublicAddress))?;
                rewrite::source(&mut self.parsed, IpAddr::V4(public));
            }
            IpAddr::V6(source) => self.routed_ipv6(vpc, source)?,
        }
        self.internet()
    }

    /// Out by the egress-only internet gateway, which remembers the flow (EI-02).
    pub(crate) fn leave_egress_only(&mut self, vpc: &'a Vpc) -> End<'a> {
        let gateway = vpc.egress_only_internet_gateway.as_ref().ok_or(Loss::between(Reason::Blackhole))?;
        self.trail.push(Step::one(StepKind::EgressOnlyInternetGateway, &gateway.id));
        self.fits(self.lab.internet.mtu)?;
        let IpAddr::V6(source) = self.parsed.tuple.src else {
            return Err(Loss::between(Reason::Blackhole));
        };
        self.routed_ipv6(vpc, source)?;
        if !self.parsed.is_about_another() {
            let sent = self.parsed.tuple;
            let flow = match self.flow_of(gateway, sent) {
                Some(flow) => flow,
                None => {
                    self.flows.push(Flow::new(&gateway.id, sent, Direction::Egress));
                    self.flows.len() - 1
                }
            };
            if let Some(flow) = self.flows.get_mut(flow) {
                flow.observe(Direction::Egress, self.parsed.transport, self.now_ns);
            }
        }
        self.internet()
    }

    /// On the internet: to a host, or back in by a gateway of the lab (IG-10).
    pub(crate) fn internet(&mut self) -> End<'a> {
        self.count_hop()?;
        let destination = self.parsed.tuple.dst;
        if let Some(host) = self.lab.internet.host_of(destination) {
            return Ok(Place::Host(host));
        }
        match destination {
            IpAddr::V4(public) => {
                let mapped = self.lab.vpcs.values().find_map(|vpc| private_of(vpc, public));
                let (vpc, gateway, private) = mapped.ok_or(Loss::between(Reason::NotOnInternet))?;
                // A packet from out there is from nobody inside.
                if in_vpc(vpc, self.parsed.tuple.src) {
                    return Err(Loss::between(Reason::NotGloballyRoutable));
                }
                self.trail.push(Step::one(StepKind::InternetGateway, &gateway.id));
                rewrite::destination(&mut self.parsed, IpAddr::V4(private));
                self.enter_by_gateway(vpc, gateway)
            }
            IpAddr::V6(destination) => self.enter_ipv6(destination),
        }
    }

    /// EI-08: the route back says which gateway the packet comes in by.
    fn enter_ipv6(&mut self, destination: Ipv6Addr) -> End<'a> {
        let lab = self.lab;
        let (source, to) = (self.parsed.tuple.src, IpAddr::V6(destination));
        if is_unique_local(destination) {
            return Err(Loss::between(Reason::NotGloballyRoutable));
        }
        let reaches =
            |vpc: &&Vpc| vpc.internet_gateway.is_some() || vpc.egress_only_internet_gateway.is_some();
        let home = lab.vpcs.values().filter(reaches).find(|vpc| in_vpc(vpc, to));
        let vpc = home.ok_or(Loss::between(Reason::NotOnInternet))?;
        let subnet = vpc.subnets.values().find(|subnet| in_subnet(subnet, to));
        let table = subnet.map(|subnet| &vpc.route_tables[&subnet.route_table]);
        let back = table.and_then(|table| route::choose(lab, table, source)).map(|route| &route.target);
        match (back, &vpc.internet_gateway, &vpc.egress_only_internet_gateway) {
            (Some(Target::InternetGateway), Some(gateway), _) => {
                self.trail.push(Step::one(StepKind::InternetGateway, &gateway.id));
                self.enter_by_gateway(vpc, gateway)
            }
            (Some(Target::EgressOnlyInternetGateway), _, Some(gateway)) => {
                self.trail.push(Step::one(StepKind::EgressOnlyInternetGateway, &gateway.id));
                self.answers(gateway)?;
                self.deliver(vpc, holder(vpc, to), outside(Tracks::Always))
            }
            _ => Err(Loss::between(Reason::NoRouteBack)),
        }
    }

    /// In by the internet gateway: its own route table first (RT-21).
    fn enter_by_gateway(&mut self, vpc: &'a Vpc, gateway: &'a InternetGateway) -> End<'a> {
        let destination = self.parsed.tuple.dst;
        let table = gateway.route_table.as_ref().map(|name| &vpc.route_tables[name]);
        if let Some(route) = table.and_then(|table| route::choose(self.lab, table, destination)) {
            self.trail.push(Step::one(StepKind::GatewayRoute, &route.id));
            if let Target::Interface(name) = &route.target {
                return self.deliver(vpc, find(vpc, name).map(Holder::Instance), outside(Tracks::ByRule));
            }
        }
        self.deliver(vpc, holder(vpc, destination), outside(Tracks::ByRule))
    }

    /// IG-14, and only what belongs to the VPC.
    fn routed_ipv6(&self, vpc: &Vpc, source: Ipv6Addr) -> Result<(), Loss> {
        if is_unique_local(source) {
            return Err(Loss::between(Reason::NotGloballyRoutable));
        }
        match in_vpc(vpc, IpAddr::V6(source)) {
            true => Ok(()),
            false => Err(Loss::between(Reason::NoPublicAddress)),
        }
    }

    /// Whether the packet belongs to a flow that went out here (EI-02, EI-10).
    fn answers(&mut self, gateway: &EgressOnlyInternetGateway) -> Result<(), Loss> {
        let refused = Loss::between(Reason::EgressOnlyWithoutFlow);
        if let Some(about) = self.parsed.about() {
            let returns = about.src == self.parsed.tuple.dst;
            return self.flow_of(gateway, about).filter(|_| returns).map(drop).ok_or(refused);
        }
        let flow = self.flow_of(gateway, self.parsed.tuple.reversed()).ok_or(refused)?;
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.observe(Direction::Ingress, self.parsed.transport, self.now_ns);
        }
        Ok(())
    }

    fn flow_of(&self, gateway: &EgressOnlyInternetGateway, sent: FiveTuple) -> Option<usize> {
        self.flows.iter().position(|flow| flow.interface == gateway.id && flow.sent == sent)
    }
}

/// From outside every subnet.
pub(crate) const fn outside<'a>(tracks: Tracks) -> Hop<'a> {
    Hop { from: None, sender: None, tracks, nat: None }
}

/// The public address that the gateway maps a private one to (IG-03).
fn public_of(vpc: &Vpc, private: Ipv4Addr) -> Option<Ipv4Addr> {
    mappings(vpc).find(|(own, _)| *own == private).map(|(_, public)| public)
}

fn private_of(vpc: &Vpc, public: Ipv4Addr) -> Option<(&Vpc, &InternetGateway, Ipv4Addr)> {
    let gateway = vpc.internet_gateway.as_ref()?;
    mappings(vpc).find(|(_, own)| *own == public).map(|(private, _)| (vpc, gateway, private))
}

/// All mappings of the internet gateway, private to public.
fn mappings(vpc: &Vpc) -> impl Iterator<Item = (Ipv4Addr, Ipv4Addr)> {
    let interfaces = vpc.instances.values().flat_map(|instance| &instance.interfaces);
    let of_interfaces =
        interfaces.flat_map(|e| e.public_ips.iter().map(|(private, public)| (*private, *public)));
    let addresses = vpc.nat_gateways.values().flat_map(|gateway| &gateway.addresses);
    of_interfaces.chain(addresses.filter_map(|address| Some((address.private_ip, address.public_ip?))))
}

/// fc00::/7 (RFC 4193 section 3.1).
const fn is_unique_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xfe00 == 0xfc00
}
