//! How a packet leaves a subnet: to a neighbour, by a route, or back to the NAT gateway that it answers.

use snapshot::{
    InterfaceIx, LabelIx, Part, PeeringIx, PeeringReach, PeeringStatus, Route, Subnet, Target, VpcIx,
};

use super::group::Tracks;
use super::{Boundary, Walk};

/// Where the packet would go, found before the gates judge it and noted after them.
#[derive(Clone, Copy)]
pub(super) enum Onward {
    Neighbour,
    Nowhere,
    /// Over this connection, whatever the route table says (NG-18).
    Return(PeeringIx),
    Routed(Route),
}

/// `traffic-path` (FL-44): what stays in the VPC, what crosses to one in the same or another region, and what leaves by an
/// internet gateway of either kind.
const SAME_VPC: u8 = 1;
const PEERED: u8 = 4;
const PEERED_FAR: u8 = 5;
const INTERNET: u8 = 8;

impl<'a> Walk<'a> {
    /// E4 and E6: looked up before the gates, since the way says which of them the packet meets.
    pub(super) fn onward(&mut self, subnet: &Subnet) -> Onward {
        let destination = self.here.tuple.dst;
        if subnet.contains(destination) {
            return Onward::Neighbour;
        }
        self.depend(Part::RouteTable(subnet.route_table));
        match self.snapshot.route_table(subnet.route_table).and_then(|table| table.lookup(destination)) {
            Some(&route) => {
                self.depend_on_target(&route);
                Onward::Routed(route)
            }
            None => Onward::Nowhere,
        }
    }

    fn depend_on_target(&mut self, route: &Route) {
        match route.target {
            Target::Interface(to) => self.depend(Part::Interface(to)),
            Target::Peering(peering) => self.depend(Part::Peering(peering)),
            Target::Blackhole
            | Target::EgressOnlyInternetGateway
            | Target::InternetGateway
            | Target::Local => {}
        }
    }

    /// An interface target in the packet's own subnet crosses nothing, as with a NAT gateway there (OR-12).
    pub(super) fn boundary(&self, onward: Onward, subnet: snapshot::SubnetIx) -> Boundary {
        let within = match onward {
            Onward::Neighbour => true,
            Onward::Routed(Route { target: Target::Interface(to), .. }) => {
                self.snapshot.interface(to).is_some_and(|to| to.subnet == subnet)
            }
            Onward::Routed(_) | Onward::Nowhere | Onward::Return(_) => false,
        };
        if within { Boundary::Within } else { Boundary::Crossed }
    }

    pub(super) fn traffic_path(&self, onward: Onward) -> Option<u8> {
        match onward {
            Onward::Neighbour => Some(SAME_VPC),
            Onward::Nowhere => None,
            Onward::Return(peering) => self.peered_path(peering),
            Onward::Routed(route) => match route.target {
                Target::Blackhole => None,
                Target::EgressOnlyInternetGateway | Target::InternetGateway => Some(INTERNET),
                Target::Interface(_) | Target::Local => Some(SAME_VPC),
                Target::Peering(peering) => self.peered_path(peering),
            },
        }
    }

    fn peered_path(&self, peering: PeeringIx) -> Option<u8> {
        let peering = self.snapshot.peering(peering)?;
        match (peering.status, peering.reach) {
            (PeeringStatus::Active, PeeringReach::InterRegion) => Some(PEERED_FAR),
            (PeeringStatus::Active, PeeringReach::IntraRegion) => Some(PEERED),
            (PeeringStatus::Inactive, _) => None,
        }
    }

    /// SG-16: flows through NAT gateways and egress-only internet gateways are tracked.
    pub(super) fn tracks(&self, onward: Onward) -> Tracks {
        let always = match onward {
            Onward::Routed(route) => match route.target {
                Target::EgressOnlyInternetGateway => true,
                Target::Interface(to) => {
                    self.snapshot.interface(to).is_some_and(|to| to.nat_gateway.is_some())
                }
                Target::Blackhole | Target::InternetGateway | Target::Local | Target::Peering(_) => false,
            },
            Onward::Neighbour | Onward::Nowhere | Onward::Return(_) => false,
        };
        if always { Tracks::Always } else { Tracks::ByRule }
    }

    /// Egress rules match the groups of whoever owns the destination, in the VPC or in the one that the way leads to over a
    /// peering connection (SG-08, SG-09).
    pub(super) fn labels_of_destination(&mut self, vpc: VpcIx, onward: Onward) -> &'a [LabelIx] {
        let snapshot = self.snapshot;
        let destination = self.here.tuple.dst;
        let own = snapshot.vpc(vpc).and_then(|vpc| vpc.owner_of(destination));
        let Some(owner) = own.or_else(|| self.owner_over(vpc, onward)) else { return &[] };
        self.depend(Part::Interface(owner));
        snapshot.interface(owner).map_or(&[], |owner| &owner.labels)
    }

    fn owner_over(&mut self, vpc: VpcIx, onward: Onward) -> Option<InterfaceIx> {
        let (Onward::Return(peering) | Onward::Routed(Route { target: Target::Peering(peering), .. })) =
            onward
        else {
            return None;
        };
        let peering = self.snapshot.peering(peering)?;
        let peer = peering.other_side(vpc).filter(|_| peering.status == PeeringStatus::Active)?;
        self.depend(Part::Vpc(peer));
        self.snapshot.vpc(peer)?.owner_of(self.here.tuple.dst)
    }
}
