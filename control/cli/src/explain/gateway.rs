//! Gateways on a packet's way: what each makes of it, in words.

use std::net::IpAddr;

use engine::decide::{Passage, Stateful, Step, StepKind};
use engine::{Direction, DropReason};
use model::lab::{NatGateway, Traffic, Vpc};
use snapshot::InterfaceIx;
use wire::FiveTuple;

use super::walk::Leg;
use crate::place;
use crate::world::World;

/// A packet under way, which stages change one after the other.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    world: &'a World,
    here: FiveTuple,
    /// The VPC that it is in; none on the internet.
    vpc: Option<&'a Vpc>,
    passages: std::slice::Iter<'a, Passage>,
    /// The stage before.
    before: Option<StepKind>,
}

/// What a gateway does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// `source 10.0.1.10 becomes 198.51.100.20`.
    pub(crate) rewrite: Option<String>,
    /// What else there is to say.
    pub(crate) detail: Option<String>,
}

/// Whether a stage is a gateway, which has an id but no rules.
pub(crate) const fn is_gateway(kind: StepKind) -> bool {
    matches!(
        kind,
        StepKind::EgressOnlyInternetGateway
            | StepKind::InternetGateway
            | StepKind::NatGateway
            | StepKind::Peering
    )
}

/// What people call a gateway that has no name of its own: `app.igw`, `app.eigw`.
pub(crate) fn label(world: &World, step: &Step) -> Option<String> {
    let vpc = vpc_of(world, step)?;
    let kind = if step.kind == StepKind::InternetGateway { "igw" } else { "eigw" };
    Some(format!("{}.{kind}", vpc.name))
}

/// The VPC of an internet gateway of either kind.
fn vpc_of<'a>(world: &'a World, step: &Step) -> Option<&'a Vpc> {
    let id = step.by.map(|name| world.id(name))?;
    world.lab().vpcs.values().find(|vpc| {
        let internet = vpc.internet_gateway.as_ref().map(|gateway| gateway.id.as_str());
        let egress_only = vpc.egress_only_internet_gateway.as_ref().map(|gateway| gateway.id.as_str());
        [internet, egress_only].contains(&Some(id))
    })
}

/// Whether it is the gateway itself that refuses, and not what lies behind it.
pub(crate) const fn refuses(reason: DropReason) -> bool {
    matches!(
        reason,
        DropReason::EgressOnlyWithoutFlow
            | DropReason::NatFragment
            | DropReason::NatIpv6
            | DropReason::NatPortsExhausted
            | DropReason::NatProtocol
            | DropReason::NatUnsolicited
            | DropReason::NatWithoutTranslation
            | DropReason::NoPublicAddress
            | DropReason::NotGloballyRoutable
            | DropReason::PeeringCidr
            | DropReason::RoutingLoop
    )
}

impl<'a> Course<'a> {
    pub(crate) fn of(world: &'a World, leg: &'a Leg<'a>) -> Self {
        Self {
            world,
            here: leg.packet.parsed.tuple,
            vpc: leg.packet.at.port().map(|port| port.vpc),
            passages: leg.decision.passages().iter(),
            before: None,
        }
    }

    /// What the next stage does.
    pub(crate) fn pass(&mut self, step: &Step) -> Words {
        let words = match step.kind {
            StepKind::EgressOnlyInternetGateway => self.egress_only(step),
            StepKind::InternetGateway => self.internet(step),
            StepKind::NatGateway => self.nat(step),
            StepKind::Peering => self.peering(step),
            StepKind::AclEgress(_)
            | StepKind::AclIngress(_)
            | StepKind::Deliver
            | StepKind::DestinationCheck
            | StepKind::GatewayRoute
            | StepKind::GroupEgress(_)
            | StepKind::GroupIngress(_)
            | StepKind::Reserved(_)
            | StepKind::Route(_)
            | StepKind::SameSubnet
            | StepKind::SourceCheck => Words::default(),
        };
        self.before = Some(step.kind);
        words
    }

    fn id(&self, step: &Step) -> &'a str {
        step.by.map_or("", |name| self.world.id(name))
    }

    /// Out when the packet is in a VPC, else in.
    fn internet(&mut self, step: &Step) -> Words {
        let before = self.here;
        let Some(vpc) = vpc_of(self.world, step) else { return Words::default() };
        let outwards = self.vpc.take().is_some();
        match (outwards, before.src, before.dst) {
            (true, IpAddr::V4(private), _) => {
                self.here.src = place::public_of(vpc, private).map_or(before.src, IpAddr::V4);
            }
            (false, _, IpAddr::V4(public)) => {
                self.vpc = Some(vpc);
                self.here.dst = place::private_of(vpc, public).map_or(before.dst, IpAddr::V4);
            }
            (true, IpAddr::V6(_), _) => {}
            (false, _, IpAddr::V6(_)) => self.vpc = Some(vpc),
        }
        let way = if outwards { "out to the internet" } else { "in from the internet" };
        Words { rewrite: rewrite(&before, &self.here), detail: Some(way.to_owned()) }
    }

    fn egress_only(&mut self, step: &Step) -> Words {
        let outwards = self.vpc.take().is_some();
        if !outwards {
            self.vpc = vpc_of(self.world, step);
        }
        // A passage stands for each flow that it lets through; without one it is refused.
        let detail = match (outwards, self.passages.next().is_some()) {
            (true, _) => "out to the internet, unchanged; what answers may come in",
            (false, true) => "in from the internet: it answers what went out here",
            (false, false) => "nothing went out here that it would answer",
        };
        Words { rewrite: None, detail: Some(detail.to_owned()) }
    }

    fn nat(&mut self, step: &Step) -> Words {
        let before = self.here;
        let Some(passage) = self.passages.next().filter(|passage| is_at(passage, step.at)) else {
            return Words { rewrite: None, detail: Some("not translated".to_owned()) };
        };
        let detail = match passage.direction {
            Direction::Egress => {
                self.here = passage.outer;
                self.gateway(step).map(|gateway| sources(gateway, &passage.outer))
            }
            Direction::Ingress => {
                self.here = passage.inner.reversed();
                Some("it answers what went out here".to_owned())
            }
        };
        Words { rewrite: rewrite(&before, &self.here), detail }
    }

    fn gateway(&self, step: &Step) -> Option<&'a NatGateway> {
        self.world.lab().nat_gateway_by_id(self.id(step))
    }

    fn peering(&mut self, step: &Step) -> Words {
        let lab = self.world.lab();
        let Some(peering) = lab.peering_by_id(self.id(step)) else { return Words::default() };
        let peer = self.vpc.and_then(|vpc| peering.other_side(&vpc.name));
        self.vpc = peer.and_then(|name| lab.vpcs.get(name));
        let to = peer.unwrap_or_default();
        // Without a route of its own it goes back to a NAT gateway (NG-18).
        let detail = match self.before {
            Some(StepKind::Route(_)) => format!("to VPC {to}"),
            _ => format!("back to VPC {to}, whose NAT gateway it answers: no route table is asked"),
        };
        Words { rewrite: None, detail: Some(detail) }
    }
}

/// Says so where an ACL tells the ports apart from which a NAT gateway takes its own: only the lowest was tried.
pub(crate) fn untried_ports(world: &World, leg: &Leg<'_>) -> Option<String> {
    let leaves = |passage: &&Passage| passage.direction == Direction::Egress && passage.outer.has_ports();
    leg.decision.passages().iter().filter(leaves).find_map(|passage| {
        let Stateful::Nat(nat) = passage.gateway else { return None };
        let id = world.id(world.snapshot.interface(nat)?.name);
        let of_vpc = |vpc: &'_ Vpc| vpc.nat_gateways.values().find(|nat| nat.interface_id == id).cloned();
        let (vpc, nat) = world.lab().vpcs.values().find_map(|vpc| Some((vpc, of_vpc(vpc)?)))?;
        let acl = vpc.network_acls.get(&vpc.subnets.get(&nat.subnet)?.network_acl)?;
        acl.ingress.iter().any(|entry| splits(&entry.traffic)).then(|| {
            format!(
                "network ACL {}/{} tells ports of 1024-65535 apart, of which NAT gateway {} chooses one: the answer is that for {}",
                vpc.name, acl.name, nat.name, passage.outer.src_port
            )
        })
    })
}

/// Whether a range begins or ends among the ports of NAT gateways (NG-05).
fn splits(traffic: &Traffic) -> bool {
    match traffic {
        Traffic::Tcp(ports) | Traffic::Udp(ports) => {
            *ports.start() > NAT_PORTS || (NAT_PORTS..u16::MAX).contains(ports.end())
        }
        Traffic::All | Traffic::Icmp(..) | Traffic::Icmpv6(..) | Traffic::Number(_) => false,
    }
}

/// The lowest source port of a NAT gateway (NG-05).
const NAT_PORTS: u16 = 1024;

fn is_at(passage: &Passage, at: Option<InterfaceIx>) -> bool {
    match passage.gateway {
        Stateful::EgressOnly(_) => false,
        Stateful::Nat(nat) => at == Some(nat),
    }
}

/// What a new connection may have as its source; [`FiveTuple::src_port`] is but one of the ports.
fn sources(gateway: &NatGateway, outer: &FiveTuple) -> String {
    let what = if outer.has_ports() { "source port" } else { "identifier" };
    let chosen = format!("the gateway chooses its {what}, one of 1024-65535");
    let addresses: Vec<String> = gateway.addresses.iter().map(|a| a.private_ip.to_string()).collect();
    match &addresses[..] {
        [] | [_] => chosen,
        several => format!("{chosen}; new connections take turns at {}", several.join(" and ")),
    }
}

/// What differs between two tuples, addresses only.
fn rewrite(before: &FiveTuple, after: &FiveTuple) -> Option<String> {
    let changed = |what: &str, before: IpAddr, after: IpAddr| {
        (before != after).then(|| format!("{what} {before} becomes {after}"))
    };
    let parts: Vec<String> =
        [changed("source", before.src, after.src), changed("destination", before.dst, after.dst)]
            .into_iter()
            .flatten()
            .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
