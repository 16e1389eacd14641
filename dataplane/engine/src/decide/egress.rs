//! From the guest to the chosen next hop: E1 to E7.

use snapshot::{Check, Interface, InterfaceIx, LabelIx, Part, Route, Snapshot, Subnet, Target};

use super::decision::Refusal;
use super::{StepKind, Walk, refuse, reserved::reserved};
use crate::limits::MAX_MTU;
use crate::{Action, Direction, DropReason};

/// The way from the sender to the receiver.
pub(super) struct Hop<'a> {
    /// Who receives.
    pub(super) to: InterfaceIx,
    /// The sender, when it sent with one of its own addresses: whose groups the receiver may match (SG-08).
    pub(super) sender: Option<&'a Interface>,
    /// Whether the packet crosses a subnet boundary (NA-01).
    pub(super) boundary: Boundary,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    Crossed,
    Within,
}

/// Where the packet would go, found before the gates judge it and noted after them.
enum Onward {
    Neighbour(Option<InterfaceIx>),
    Routed(Route, Option<InterfaceIx>),
    Nowhere,
}

/// `traffic-path` of everything that stays in the VPC (FL-44).
const SAME_VPC: u8 = 1;

impl<'a> Walk<'a> {
    /// Leaves the sending interface.
    pub(super) fn leave(&mut self) -> Result<Hop<'a>, Refusal> {
        let snapshot = self.snapshot;
        let Some((ix, interface, subnet)) = self.sender(snapshot) else {
            return refuse(DropReason::InterfaceGone, None);
        };
        self.check_addresses(ix, interface)?;
        let onward = self.onward(interface, subnet);
        let boundary = onward.boundary(snapshot, interface);
        self.judge_egress(ix, interface, subnet, &onward, boundary)?;
        let to = self.follow(ix, &onward)?;
        self.depend(Part::Interface(to));
        let receiver_mtu = snapshot.interface(to).map_or(MAX_MTU, |receiver| receiver.mtu);
        self.mtu = Some(receiver_mtu.min(MAX_MTU));
        let sender = interface.owns(self.facts.tuple.src).then_some(interface);
        Ok(Hop { to, sender, boundary })
    }

    fn sender(&mut self, snapshot: &'a Snapshot) -> Option<(InterfaceIx, &'a Interface, &'a Subnet)> {
        let ix = self.facts.from.as_interface()?;
        self.depend(Part::Interface(ix));
        let interface = snapshot.interface(ix)?;
        self.depend(Part::Subnet(interface.subnet));
        self.depend(Part::Vpc(interface.vpc));
        Some((ix, interface, snapshot.subnet(interface.subnet)?))
    }

    /// E1 and E2: neither is a policy, neither is logged (AD-25, FL-50).
    fn check_addresses(&mut self, ix: InterfaceIx, interface: &Interface) -> Result<(), Refusal> {
        let tuple = self.facts.tuple;
        if interface.check == Check::On && !interface.owns(tuple.src) {
            self.note(ix, StepKind::SourceCheck, None);
            return refuse(DropReason::SourceDestCheck, None);
        }
        let vpc = self.snapshot.vpc(interface.vpc);
        if let Some(reason) = vpc.and_then(|vpc| reserved(tuple.dst, vpc)) {
            self.note(ix, StepKind::Reserved(reason), None);
            return refuse(reason, None);
        }
        Ok(())
    }

    fn onward(&mut self, interface: &Interface, subnet: &Subnet) -> Onward {
        let destination = self.facts.tuple.dst;
        let owner = self.snapshot.vpc(interface.vpc).and_then(|vpc| vpc.owner_of(destination));
        if subnet.contains(destination) {
            return Onward::Neighbour(owner);
        }
        self.depend(Part::RouteTable(subnet.route_table));
        match self.snapshot.route_table(subnet.route_table).and_then(|table| table.lookup(destination)) {
            Some(&route) => {
                if let Target::Interface(to) = route.target {
                    self.depend(Part::Interface(to));
                }
                Onward::Routed(route, owner)
            }
            None => Onward::Nowhere,
        }
    }

    /// E3 and E5: one record for the combined verdict (FL-36, OR-01).
    fn judge_egress(
        &mut self,
        ix: InterfaceIx,
        interface: &Interface,
        subnet: &Subnet,
        onward: &Onward,
        boundary: Boundary,
    ) -> Result<(), Refusal> {
        let labels = self.labels_of_destination(interface);
        let passed = self.group_gate(ix, interface, Direction::Egress, labels).and_then(|gate| {
            self.egress = Some(gate);
            if boundary == Boundary::Within {
                return Ok(());
            }
            self.cross_acl(ix, subnet, Direction::Egress)
        });
        let action = if passed.is_ok() { Action::Accept } else { Action::Reject };
        self.tap(ix, Direction::Egress, action, onward.traffic_path());
        passed
    }

    /// Egress rules match the groups of whoever owns the destination in the VPC (SG-08).
    fn labels_of_destination(&mut self, interface: &Interface) -> &'a [LabelIx] {
        let snapshot = self.snapshot;
        let owner = snapshot.vpc(interface.vpc).and_then(|vpc| vpc.owner_of(self.facts.tuple.dst));
        let Some(owner) = owner else { return &[] };
        self.depend(Part::Interface(owner));
        snapshot.interface(owner).map_or(&[], |owner| &owner.labels)
    }

    /// E6: routing drops leave the ACCEPT record as it is (OR-02, FL-46).
    fn follow(&mut self, ix: InterfaceIx, onward: &Onward) -> Result<InterfaceIx, Refusal> {
        let failed = |walk: &mut Self, route: Option<&Route>, reason| {
            walk.note(ix, StepKind::Route(Some(reason)), route.map(|route| route.name));
            refuse(reason, None)
        };
        match onward {
            Onward::Neighbour(Some(to)) => {
                self.note(ix, StepKind::SameSubnet, None);
                Ok(*to)
            }
            Onward::Neighbour(None) => failed(self, None, DropReason::NoSuchDestination),
            Onward::Nowhere => failed(self, None, DropReason::NoRoute),
            Onward::Routed(route, owner) => match (route.target, owner) {
                // No packet goes through a gateway yet.
                (
                    Target::Blackhole
                    | Target::EgressOnlyInternetGateway
                    | Target::InternetGateway
                    | Target::Peering(_),
                    _,
                ) => failed(self, Some(route), DropReason::RouteBlackholed),
                (Target::Interface(to), _) | (Target::Local, &Some(to)) => {
                    self.note(ix, StepKind::Route(None), Some(route.name));
                    Ok(to)
                }
                (Target::Local, None) => failed(self, Some(route), DropReason::NoSuchDestination),
            },
        }
    }
}

impl Onward {
    /// An interface target in the sender's own subnet crosses nothing, as with a NAT gateway there (OR-12).
    fn boundary(&self, snapshot: &Snapshot, sender: &Interface) -> Boundary {
        let within = match self {
            Self::Neighbour(_) => true,
            Self::Routed(Route { target: Target::Interface(to), .. }, _) => {
                snapshot.interface(*to).is_some_and(|to| to.subnet == sender.subnet)
            }
            Self::Routed(..) | Self::Nowhere => false,
        };
        if within { Boundary::Within } else { Boundary::Crossed }
    }

    const fn traffic_path(&self) -> Option<u8> {
        match self {
            Self::Neighbour(_) => Some(SAME_VPC),
            Self::Routed(route, _) => match route.target {
                Target::Blackhole
                | Target::EgressOnlyInternetGateway
                | Target::InternetGateway
                | Target::Peering(_) => None,
                Target::Interface(_) | Target::Local => Some(SAME_VPC),
            },
            Self::Nowhere => None,
        }
    }
}
