//! What would let a dropped packet pass, in one line.

mod gateway;

use std::net::IpAddr;

use engine::decide::StepKind;
use engine::{Direction, DropReason, Verdict};
use model::lab::Lab;

use super::packet::Packet;
use super::walk::{Leg, Walk};
use crate::place::{self, Port};
use crate::words::{Decider, Way};
use crate::world::World;

/// Which packet of an exchange was dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Reply,
    Request,
}

/// See the module's documentation; none when the exchange passes, or nothing in the lab file would help.
pub(crate) fn hint(world: &World, walk: &Walk<'_>) -> Option<String> {
    let forward = (&walk.forward, Part::Request);
    let reply = walk.reply.as_ref().map(|leg| (leg, Part::Reply));
    let (leg, part) = [Some(forward), reply].into_iter().flatten().find(|(leg, _)| leg.reason().is_some())?;
    let Verdict::Drop { reason, gate } = leg.decision.verdict else { return None };
    match reason {
        DropReason::SecurityGroupDenied => {
            let (ix, direction) = gate?;
            let id = world.id(world.snapshot.interface(ix)?.name);
            Some(group(world.lab(), leg, place::port_by_id(world.lab(), id)?, way(direction)))
        }
        DropReason::NetworkAclDenied => {
            let decider = world.catalogue.get(world.id(leg.last_decider()?))?;
            Some(acl(leg, decider, way(gate?.1), part))
        }
        DropReason::NoRoute => no_route(world.lab(), &leg.packet),
        DropReason::NoSuchDestination => {
            gateway::nobody_behind(world, leg).or_else(|| nobody(world.lab(), &leg.packet))
        }
        DropReason::RouteBlackholed => gateway::hint(world, leg, part, reason).or_else(|| {
            let decider = world.catalogue.get(world.id(leg.last_decider()?))?;
            Some(format!(
                "the blackhole in {} is the longest match: a shorter route does not step in",
                decider.owner
            ))
        }),
        DropReason::SourceDestCheck => Some(check(leg)),
        DropReason::BroadcastOrMulticast
        | DropReason::ConnectionClosed
        | DropReason::FragmentOverlap
        | DropReason::FragmentQueueFull
        | DropReason::FragmentTimeout
        | DropReason::InterfaceGone
        | DropReason::Malformed
        | DropReason::NotGloballyRoutable
        | DropReason::ReservedAddress
        | DropReason::SessionTableFull
        | DropReason::TooBig
        | DropReason::TransmitFailed
        | DropReason::TtlExceeded => None,
        DropReason::EgressOnlyWithoutFlow
        | DropReason::NatFragment
        | DropReason::NatIpv6
        | DropReason::NatPortsExhausted
        | DropReason::NatProtocol
        | DropReason::NatUnsolicited
        | DropReason::NatWithoutTranslation
        | DropReason::NoPublicAddress
        | DropReason::NoRouteBack
        | DropReason::NotOnInternet
        | DropReason::PeeringCidr
        | DropReason::RoutingLoop => gateway::hint(world, leg, part, reason),
    }
}

fn group(lab: &Lab, leg: &Leg<'_>, port: Port<'_>, way: Way) -> String {
    let groups: Vec<String> =
        port.interface.security_groups.iter().map(|name| format!("{}/{name}", port.vpc.name)).collect();
    let peer = far_side(&leg.packet, way);
    format!(
        "no {} rule of {} matches {} {} {}",
        way.word(),
        groups.join(" or "),
        leg.packet.selector(),
        way.preposition(),
        with_groups(lab, port, peer),
    )
}

/// An address with the groups that a rule could name instead of it (SG-08).
fn with_groups(lab: &Lab, port: Port<'_>, peer: IpAddr) -> String {
    let neighbour = place::owners(lab, peer).into_iter().find(|owner| owner.vpc.name == port.vpc.name);
    match neighbour {
        Some(owner) => {
            let groups: Vec<String> =
                owner.interface.security_groups.iter().map(|name| format!("sg/{name}")).collect();
            format!("{peer} ({}, which is in {})", owner.name(), groups.join(" and "))
        }
        None => peer.to_string(),
    }
}

fn acl(leg: &Leg<'_>, decider: &Decider, way: Way, part: Part) -> String {
    let (word, to) = (way.word(), way.preposition());
    let peer = far_side(&leg.packet, way);
    let selector = leg.packet.selector();
    let stateless = match part {
        Part::Request => "",
        Part::Reply if leg.packet.has_source_port() => {
            "; network ACLs keep no state, so replies to ephemeral ports (1024-65535) need an entry of their own"
        }
        Part::Reply => "; network ACLs keep no state, so replies need an entry of their own",
    };
    match decider.id.rsplit('/').next() {
        Some("*") | None => {
            format!("no {word} entry of {} matches {selector} {to} {peer}{stateless}", decider.owner)
        }
        Some(number) => format!(
            "{word} entry {number} of {} denies {selector} {to} {peer}: an allow entry needs a lower number{stateless}",
            decider.owner
        ),
    }
}

fn no_route(lab: &Lab, packet: &Packet<'_>) -> Option<String> {
    let destination = packet.parsed.tuple.dst;
    let port = packet.at.port()?;
    let subnet = &port.vpc.subnets[&port.interface.subnet];
    let table = format!("{}/{}", port.vpc.name, subnet.route_table);
    let elsewhere = place::owners(lab, destination);
    let other = elsewhere.first().map_or_else(String::new, |owner| {
        let way = gateway::way_to(lab, &port.vpc.name, &owner.vpc.name);
        format!("; {} is in VPC {}, {way}", owner.name(), owner.vpc.name)
    });
    Some(format!("route table {table} has no route to {destination}{other}"))
}

fn nobody(lab: &Lab, packet: &Packet<'_>) -> Option<String> {
    let destination = packet.parsed.tuple.dst;
    let vpc = &packet.at.port()?.vpc.name;
    let other = place::owners(lab, destination).first().map_or_else(String::new, |owner| {
        format!("; {} has it in VPC {}, which is another network", owner.name(), owner.vpc.name)
    });
    Some(format!("no interface of VPC {vpc} has the address {destination}{other}"))
}

fn check(leg: &Leg<'_>) -> String {
    let tuple = leg.packet.parsed.tuple;
    let at_source = leg.decision.steps.iter().any(|step| step.kind == StepKind::SourceCheck);
    match at_source {
        true => {
            format!("{} may send as {} only with `source_dest_check: false`", leg.packet.at.name(), tuple.src)
        }
        false => format!(
            "the interface that the route leads to may receive for {} only with `source_dest_check: false`",
            tuple.dst
        ),
    }
}

const fn far_side(packet: &Packet<'_>, way: Way) -> IpAddr {
    match way {
        Way::Egress => packet.parsed.tuple.dst,
        Way::Ingress => packet.parsed.tuple.src,
    }
}

const fn way(direction: Direction) -> Way {
    match direction {
        Direction::Egress => Way::Egress,
        Direction::Ingress => Way::Ingress,
    }
}
