//! How a packet leaves an interface: to a neighbour, by a route, or back to the NAT gateway that it answers.

use std::net::IpAddr;

use model::lab::{
    Interface, InterfaceRef, Lab, NatGateway, Peering, PeeringReach, PeeringState, Route, SourceDestCheck,
    Subnet, Target, Vpc,
};

use crate::group::Tracks;
use crate::route;

/// `traffic-path` of what stays in the VPC (FL-44).
const SAME_VPC: u8 = 1;
/// `traffic-path` over a peering connection in one region.
const PEERED: u8 = 4;
/// `traffic-path` over a peering connection between regions.
const PEERED_FAR: u8 = 5;
/// `traffic-path` over an internet gateway of either kind, as Nitro instances write it; for the egress-only one AWS says nothing.
const INTERNET: u8 = 8;

/// An interface of an instance with the name that it goes by.
#[derive(Clone, Copy)]
pub(crate) struct Port<'a> {
    pub(crate) vpc: &'a Vpc,
    pub(crate) instance: &'a str,
    pub(crate) interface: &'a Interface,
}

/// Who has an address of a VPC.
#[derive(Clone, Copy)]
pub(crate) enum Holder<'a> {
    Instance(Port<'a>),
    NatGateway(&'a NatGateway),
}

/// How a packet leaves.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// No route matches.
    NoRoute,
    /// Over this connection to the NAT gateway that it answers, whatever the route table says (NG-18).
    Return(&'a Peering),
    /// A route of the sender's table.
    Routed(&'a Route),
    /// To a neighbour: no route table, no network ACL (AD-22, RT-13, NA-01).
    SameSubnet,
}

impl<'a> Way<'a> {
    /// E4 and E6: looked up before the gates, since the way says which of them the packet meets.
    pub(crate) fn out(lab: &'a Lab, vpc: &'a Vpc, subnet: &Subnet, destination: IpAddr) -> Self {
        if in_subnet(subnet, destination) {
            return Self::SameSubnet;
        }
        let table = &vpc.route_tables[&subnet.route_table];
        route::choose(lab, table, destination).map_or(Self::NoRoute, Self::Routed)
    }

    /// Whether the egress ACL is asked. A route to an interface of the sender's own subnet crosses no boundary, nor does one
    /// to a NAT gateway there (OR-12).
    pub(crate) fn leaves_subnet(self, vpc: &Vpc, subnet: &str) -> bool {
        match self {
            Self::SameSubnet => false,
            Self::NoRoute | Self::Return(_) => true,
            Self::Routed(route) => match &route.target {
                Target::Interface(name) => find(vpc, name).is_none_or(|port| port.interface.subnet != subnet),
                Target::NatGateway(name) => vpc.nat_gateways[name].subnet != subnet,
                Target::Blackhole
                | Target::EgressOnlyInternetGateway
                | Target::InternetGateway
                | Target::Local
                | Target::Peering(_) => true,
            },
        }
    }

    /// FL-44; a packet that finds no usable route has no path.
    pub(crate) fn traffic_path(self, lab: &Lab) -> Option<u8> {
        match self {
            Self::NoRoute => None,
            Self::Return(peering) => Some(peered(peering)),
            Self::SameSubnet => Some(SAME_VPC),
            Self::Routed(route) => match &route.target {
                Target::Blackhole => None,
                Target::Interface(_) | Target::Local | Target::NatGateway(_) => Some(SAME_VPC),
                Target::EgressOnlyInternetGateway | Target::InternetGateway => Some(INTERNET),
                Target::Peering(name) => {
                    let peering = &lab.peerings[name];
                    (peering.state == PeeringState::Active).then(|| peered(peering))
                }
            },
        }
    }

    /// The VPC on the other side, if it leads over an active peering connection.
    pub(crate) fn peer(self, lab: &'a Lab, vpc: &Vpc) -> Option<&'a Vpc> {
        let peering = match self {
            Self::Return(peering) => peering,
            Self::Routed(Route { target: Target::Peering(name), .. }) => &lab.peerings[name],
            Self::NoRoute | Self::Routed(_) | Self::SameSubnet => return None,
        };
        let active = peering.state == PeeringState::Active;
        peering.other_side(&vpc.name).filter(|_| active).and_then(|name| lab.vpcs.get(name))
    }

    /// SG-16: flows through NAT gateways and egress-only internet gateways are tracked.
    pub(crate) const fn tracks(self) -> Tracks {
        match self {
            Self::Routed(Route {
                target: Target::EgressOnlyInternetGateway | Target::NatGateway(_), ..
            }) => Tracks::Always,
            Self::NoRoute | Self::Return(_) | Self::Routed(_) | Self::SameSubnet => Tracks::ByRule,
        }
    }
}

const fn peered(peering: &Peering) -> u8 {
    match peering.reach {
        PeeringReach::InterRegion => PEERED_FAR,
        PeeringReach::IntraRegion => PEERED,
    }
}

pub(crate) fn in_subnet(subnet: &Subnet, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => subnet.cidr.contains(&a),
        IpAddr::V6(a) => subnet.ipv6_cidr.is_some_and(|net| net.contains(&a)),
    }
}

/// Whether some block of the VPC holds the address.
pub(crate) fn in_vpc(vpc: &Vpc, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => vpc.cidrs.iter().any(|net| net.contains(&a)),
        IpAddr::V6(a) => vpc.ipv6_cidrs.iter().any(|net| net.contains(&a)),
    }
}

pub(crate) fn find<'a>(vpc: &'a Vpc, name: &InterfaceRef) -> Option<Port<'a>> {
    let instance = vpc.instances.get(&name.instance)?;
    let interface = instance.interfaces.iter().find(|interface| interface.device == name.device)?;
    Some(Port { vpc, instance: &instance.name, interface })
}

/// Who has `address` in the VPC.
pub(crate) fn holder(vpc: &Vpc, address: IpAddr) -> Option<Holder<'_>> {
    if let Some((instance, interface)) = vpc.owner_of(address) {
        return Some(Holder::Instance(Port { vpc, instance: &instance.name, interface }));
    }
    let IpAddr::V4(address) = address else { return None };
    vpc.nat_gateways.values().find(|gateway| gateway.owns(address)).map(Holder::NatGateway)
}

pub(crate) const fn has_check_off(interface: &Interface) -> bool {
    matches!(interface.source_dest_check, SourceDestCheck::Off)
}
