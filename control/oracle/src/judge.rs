//! The order in which a packet meets checks, gates and routes.
//!
//! Out of the sender: E1 source check, E2 reserved destinations, E3 group gate, E4 neighbours, E5 network ACL, its
//! record, E6 route, E7 target and MTU. Into the receiver: I2 network ACL, I3 destination check, I4 group gate, its
//! record (OR-01 to OR-05).

use std::net::IpAddr;

use model::Valid;
use model::lab::{AclAction, Interface, InterfaceRef, Lab, Route, Subnet, Target, Vpc};
use wire::Parsed;

use crate::flow::Flow;
use crate::group::Side;
use crate::verdict::{Action, Direction, NO_ROUTE, Outcome, Packet, Reason, Record, Step, StepKind, Verdict};
use crate::{acl, gate, reserved, route};

/// `traffic-path` of what stays in the VPC (FL-44).
const SAME_VPC: u8 = 1;

/// Judges packets one after the other and remembers the flows that they make.
///
/// Cheap to make, costly to ask: everything is a linear scan.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    flows: Vec<Flow>,
}

impl Oracle {
    /// An oracle that has seen no packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens to `packet` at `now_ns`, a time in nanoseconds that never runs backwards.
    ///
    /// Connection tracking is brought up to date: flows whose idle time ran out are forgotten, and every security-group
    /// gate that lets the packet pass remembers it, even if it is dropped further on (OR-03).
    pub fn judge(&mut self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        let lab = lab.lab();
        self.forget_expired(lab, now_ns);
        let mut walk = Walk::new(lab, packet.parsed, now_ns, &mut self.flows);
        let end = walk.start_at_instance(packet);
        walk.verdict(packet.vpc, end)
    }

    /// What [`Self::judge`] would say, without remembering anything.
    #[must_use]
    pub fn preview(&self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        self.clone().judge(lab, packet, now_ns)
    }

    /// What happens to an ICMP error that the implicit router sends to interface `packet.at` (MT-05): it enters the
    /// subnet through its network ACL and the interface through its security groups, and is logged there.
    pub fn judge_from_router(&mut self, lab: &Valid, packet: &Packet<'_>, now_ns: u64) -> Verdict {
        let lab = lab.lab();
        self.forget_expired(lab, now_ns);
        let mut walk = Walk::new(lab, packet.parsed, now_ns, &mut self.flows);
        let end = walk.start_at_router(packet);
        walk.verdict(packet.vpc, end)
    }

    fn forget_expired(&mut self, lab: &Lab, now_ns: u64) {
        self.flows.retain(|flow| flow.is_live(&lab.settings, now_ns));
    }
}

/// Where and why a packet is dropped.
struct Loss {
    reason: Reason,
    at: Option<String>,
}

impl Loss {
    fn at(interface: &Interface, reason: Reason) -> Self {
        Self { reason, at: Some(interface.id.clone()) }
    }

    const fn between(reason: Reason) -> Self {
        Self { reason, at: None }
    }
}

/// An interface with the name that it goes by.
#[derive(Clone, Copy)]
struct Port<'a> {
    instance: &'a str,
    interface: &'a Interface,
}

/// How a packet leaves its sender.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// No route matches.
    NoRoute,
    /// A route of the sender's table.
    Routed(&'a Route),
    /// To a neighbour: no route table, no network ACL (AD-22, RT-13, NA-01).
    SameSubnet,
}

/// One packet under way, with what it has met so far.
struct Walk<'a> {
    lab: &'a Lab,
    parsed: &'a Parsed,
    now_ns: u64,
    flows: &'a mut Vec<Flow>,
    trail: Vec<Step>,
    records: Vec<Record>,
}

impl<'a> Walk<'a> {
    const fn new(lab: &'a Lab, parsed: &'a Parsed, now_ns: u64, flows: &'a mut Vec<Flow>) -> Self {
        Self { lab, parsed, now_ns, flows, trail: Vec::new(), records: Vec::new() }
    }

    /// E1 to E7, then I2 to I4.
    fn start_at_instance(&mut self, packet: &Packet<'_>) -> Result<Port<'a>, Loss> {
        let lab = self.lab;
        let vpc = lab.vpcs.get(packet.vpc).ok_or(Loss::between(Reason::UnknownSender))?;
        let sender = find(vpc, packet.at).ok_or(Loss::between(Reason::UnknownSender))?.interface;
        let subnet = &vpc.subnets[&sender.subnet];
        let destination = self.parsed.tuple.dst;
        self.source_check(sender)?;
        if reserved::is_multicast_or_broadcast(vpc, destination) {
            return Err(Loss::between(Reason::MulticastOrBroadcast));
        }
        if reserved::is_reserved(vpc, destination) {
            return Err(Loss::between(Reason::ReservedAddress));
        }
        let way = way_out(lab, vpc, subnet, destination);
        self.leave(vpc, sender, way)?;
        let receiver = self.follow(vpc, way)?;
        self.fits(receiver.interface)?;
        self.enter(vpc, Some(sender), receiver.interface)?;
        Ok(receiver)
    }

    /// I2 to I4 for what the implicit router sends; it stands outside every subnet.
    fn start_at_router(&mut self, packet: &Packet<'_>) -> Result<Port<'a>, Loss> {
        let lab = self.lab;
        let vpc = lab.vpcs.get(packet.vpc).ok_or(Loss::between(Reason::NoSuchDestination))?;
        let receiver = find(vpc, packet.at).ok_or(Loss::between(Reason::NoSuchDestination))?;
        self.enter(vpc, None, receiver.interface)?;
        Ok(receiver)
    }

    /// E1 (AD-23); not logged (AD-25).
    fn source_check(&mut self, sender: &Interface) -> Result<(), Loss> {
        if has_check_off(sender) || sender.owns(self.parsed.tuple.src) {
            return Ok(());
        }
        self.trail.push(Step::one(StepKind::SourceCheck, &sender.id));
        Err(Loss::at(sender, Reason::SourceDestCheck))
    }

    /// E3 to E5 and the sender's record (FL-36, OR-01).
    fn leave(&mut self, vpc: &'a Vpc, sender: &'a Interface, way: Way<'_>) -> Result<(), Loss> {
        let group = Side {
            lab: self.lab,
            vpc,
            interface: sender,
            direction: Direction::Egress,
            sender: Some(sender),
        };
        let passed = self.group_gate(&group).and_then(|()| {
            if leaves_subnet(vpc, sender, way) {
                self.acl_gate(vpc, sender, Direction::Egress)
            } else {
                Ok(())
            }
        });
        self.record(sender, Direction::Egress, &passed, traffic_path(way));
        passed
    }

    /// E6 and E7: the interface that the way leads to. Nothing lost here is a REJECT (FL-46, OR-02).
    fn follow(&mut self, vpc: &'a Vpc, way: Way<'_>) -> Result<Port<'a>, Loss> {
        let target = match way {
            Way::SameSubnet => &Target::Local,
            Way::NoRoute => {
                self.trail.push(Step::one(StepKind::Route, NO_ROUTE));
                return Err(Loss::between(Reason::NoRoute));
            }
            Way::Routed(route) => {
                self.trail.push(Step::one(StepKind::Route, &route.id));
                &route.target
            }
        };
        let receiver = match target {
            Target::Blackhole
            | Target::EgressOnlyInternetGateway
            | Target::InternetGateway
            | Target::NatGateway(_)
            | Target::Peering(_) => return Err(Loss::between(Reason::Blackhole)),
            Target::Interface(name) => find(vpc, name),
            Target::Local => owner(vpc, self.parsed.tuple.dst),
        };
        receiver.ok_or(Loss::between(Reason::NoSuchDestination))
    }

    /// MT-05; what may be fragmented arrives in pieces.
    fn fits(&self, receiver: &Interface) -> Result<(), Loss> {
        if self.parsed.length > u32::from(receiver.mtu) && self.parsed.dont_fragment {
            return Err(Loss::at(receiver, Reason::TooBig));
        }
        Ok(())
    }

    /// I2 to I4 and the receiver's record, which a packet refused by the destination check does not get.
    fn enter(
        &mut self,
        vpc: &'a Vpc,
        sender: Option<&'a Interface>,
        receiver: &'a Interface,
    ) -> Result<(), Loss> {
        if sender.is_none_or(|sender| sender.subnet != receiver.subnet) {
            let passed = self.acl_gate(vpc, receiver, Direction::Ingress);
            if passed.is_err() {
                self.record(receiver, Direction::Ingress, &passed, None);
                return passed;
            }
        }
        self.dest_check(receiver)?;
        let group = Side { lab: self.lab, vpc, interface: receiver, direction: Direction::Ingress, sender };
        let passed = self.group_gate(&group);
        self.record(receiver, Direction::Ingress, &passed, None);
        passed
    }

    /// I3 (AD-23, AD-24).
    fn dest_check(&mut self, receiver: &Interface) -> Result<(), Loss> {
        if has_check_off(receiver) || receiver.owns(self.parsed.tuple.dst) {
            return Ok(());
        }
        self.trail.push(Step::one(StepKind::DestCheck, &receiver.id));
        Err(Loss::at(receiver, Reason::SourceDestCheck))
    }

    fn group_gate(&mut self, side: &Side<'_>) -> Result<(), Loss> {
        let answer = gate::judge(self.flows, side, self.parsed, self.now_ns);
        self.trail.push(answer.step);
        answer.refusal.map_or(Ok(()), |reason| Err(Loss::at(side.interface, reason)))
    }

    fn acl_gate(&mut self, vpc: &Vpc, interface: &Interface, direction: Direction) -> Result<(), Loss> {
        let acl = &vpc.network_acls[&vpc.subnets[&interface.subnet].network_acl];
        let said = acl::judge(acl, direction, self.parsed);
        let kind = match direction {
            Direction::Egress => StepKind::NaclEgress,
            Direction::Ingress => StepKind::NaclIngress,
        };
        self.trail.push(Step::one(kind, said.decided_by));
        match said.action {
            AclAction::Allow => Ok(()),
            AclAction::Deny => Err(Loss::at(interface, Reason::NetworkAcl)),
        }
    }

    fn record(
        &mut self,
        at: &Interface,
        direction: Direction,
        passed: &Result<(), Loss>,
        traffic_path: Option<u8>,
    ) {
        let action = if passed.is_ok() { Action::Accept } else { Action::Reject };
        self.records.push(Record { interface_id: at.id.clone(), direction, action, traffic_path });
    }

    fn verdict(self, vpc: &str, end: Result<Port<'_>, Loss>) -> Verdict {
        let outcome = match end {
            Ok(Port { instance, interface }) => {
                let name = InterfaceRef { instance: instance.to_owned(), device: interface.device.clone() };
                Outcome::Delivered { to: (vpc.to_owned(), name) }
            }
            Err(Loss { reason, at }) => Outcome::Dropped { reason, at },
        };
        Verdict { outcome, trail: self.trail, records: self.records }
    }
}

/// E4 and E6: looked up before the gates, since the way says which of them the packet meets.
fn way_out<'a>(lab: &'a Lab, vpc: &'a Vpc, subnet: &Subnet, destination: IpAddr) -> Way<'a> {
    let in_subnet = match destination {
        IpAddr::V4(a) => subnet.cidr.contains(&a),
        IpAddr::V6(a) => subnet.ipv6_cidr.is_some_and(|net| net.contains(&a)),
    };
    if in_subnet {
        return Way::SameSubnet;
    }
    route::choose(lab, &vpc.route_tables[&subnet.route_table], destination).map_or(Way::NoRoute, Way::Routed)
}

/// Whether the egress ACL is asked. A route to an interface of the sender's own subnet crosses no boundary, as a NAT
/// gateway's does not (OR-12).
fn leaves_subnet(vpc: &Vpc, sender: &Interface, way: Way<'_>) -> bool {
    match way {
        Way::SameSubnet => false,
        Way::NoRoute => true,
        Way::Routed(route) => match &route.target {
            Target::Blackhole
            | Target::Local
            | Target::EgressOnlyInternetGateway
            | Target::InternetGateway
            | Target::NatGateway(_)
            | Target::Peering(_) => true,
            Target::Interface(name) => {
                find(vpc, name).is_none_or(|port| port.interface.subnet != sender.subnet)
            }
        },
    }
}

/// FL-44; a packet that finds no usable route has no path.
const fn traffic_path(way: Way<'_>) -> Option<u8> {
    match way {
        Way::NoRoute => None,
        Way::SameSubnet => Some(SAME_VPC),
        Way::Routed(route) => match route.target {
            Target::Blackhole
            | Target::EgressOnlyInternetGateway
            | Target::InternetGateway
            | Target::NatGateway(_)
            | Target::Peering(_) => None,
            Target::Interface(_) | Target::Local => Some(SAME_VPC),
        },
    }
}

fn find<'a>(vpc: &'a Vpc, name: &InterfaceRef) -> Option<Port<'a>> {
    let instance = vpc.instances.get(&name.instance)?;
    let interface = instance.interfaces.iter().find(|interface| interface.device == name.device)?;
    Some(Port { instance: &instance.name, interface })
}

fn owner(vpc: &Vpc, address: IpAddr) -> Option<Port<'_>> {
    let (instance, interface) = vpc.owner_of(address)?;
    Some(Port { instance: &instance.name, interface })
}

const fn has_check_off(interface: &Interface) -> bool {
    matches!(interface.source_dest_check, model::lab::SourceDestCheck::Off)
}
