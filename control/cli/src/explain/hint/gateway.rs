//! What would let a packet pass the gateways.

use std::net::IpAddr;

use engine::DropReason;
use engine::decide::StepKind;
use model::lab::{Lab, PeeringState, Target, Vpc};
use wire::FiveTuple;

use super::Part;
use crate::explain::walk::Leg;
use crate::place;
use crate::world::World;

/// None for what no gateway refuses.
pub(super) fn hint(world: &World, leg: &Leg<'_>, part: Part, reason: DropReason) -> Option<String> {
    let arrived = leg.arrived();
    let (tuple, selector) = (arrived.parsed.tuple, arrived.selector());
    let FiveTuple { src, dst, .. } = tuple;
    let text = match reason {
        DropReason::EgressOnlyWithoutFlow => format!(
            "{dst} can only start over an egress-only internet gateway: to be reached from {src}, its subnet needs a route to \
             the internet gateway"
        ),
        DropReason::NatFragment => {
            "a NAT gateway takes fragments of UDP only: send smaller packets".to_owned()
        }
        DropReason::NatIpv6 => format!(
            "a NAT gateway takes IPv6 to 64:ff9b::/96 only, outside the sender's own subnet: route {dst} to the egress-only \
             internet gateway"
        ),
        DropReason::NatPortsExhausted => {
            format!("each address of a NAT gateway has 55,000 connections to {dst}: give it a secondary one")
        }
        DropReason::NatProtocol => format!(
            "a NAT gateway translates TCP, UDP and ICMP queries, and no {selector}: the sender needs a public address of its own"
        ),
        DropReason::NatUnsolicited => format!(
            "a NAT gateway lets in only what answers the inside and forwards no ports: what {src} shall reach needs a public \
             address of its own"
        ),
        DropReason::NatWithoutTranslation => without_translation(part, dst),
        DropReason::NoPublicAddress => no_public_address(world.lab(), src),
        DropReason::NoRouteBack => {
            format!(
                "the subnet of {dst} has no route to {src} over the internet: it needs one to be reached from there"
            )
        }
        DropReason::NotOnInternet => {
            format!("{dst} is no host under `internet.hosts`, and no public address of an instance")
        }
        DropReason::PeeringCidr => outside_peering(world, leg, tuple)?,
        DropReason::RouteBlackholed => inactive_peering(world, leg)?,
        DropReason::RoutingLoop => {
            "a NAT gateway sends by the route table of its own subnet (RT-24), which leads back to it"
                .to_owned()
        }
        DropReason::BroadcastOrMulticast
        | DropReason::ConnectionClosed
        | DropReason::FragmentOverlap
        | DropReason::FragmentQueueFull
        | DropReason::FragmentTimeout
        | DropReason::InterfaceGone
        | DropReason::Malformed
        | DropReason::NetworkAclDenied
        | DropReason::NoRoute
        | DropReason::NoSuchDestination
        | DropReason::NotGloballyRoutable
        | DropReason::ReservedAddress
        | DropReason::SecurityGroupDenied
        | DropReason::SessionTableFull
        | DropReason::SourceDestCheck
        | DropReason::TooBig
        | DropReason::TransmitFailed
        | DropReason::TtlExceeded => return None,
    };
    Some(text)
}

fn without_translation(part: Part, to: IpAddr) -> String {
    match part {
        Part::Request => format!("a connection through a NAT gateway to {to} begins with a SYN or a query"),
        Part::Reply => format!(
            "the route table sends the reply to a NAT gateway that the request did not come through: a route to {to} has to \
             lead back the way that it came"
        ),
    }
}

fn no_public_address(lab: &Lab, source: IpAddr) -> String {
    let nats = lab.vpcs.values().flat_map(|vpc| vpc.nat_gateways.values());
    let nat = nats.into_iter().find(|nat| nat.addresses.iter().any(|a| IpAddr::V4(a.private_ip) == source));
    match (nat, &place::owners(lab, source)[..]) {
        (Some(nat), _) => format!(
            "NAT gateway {} is private: it reaches the internet with `connectivity_type: public` and a `public_ip`",
            nat.name
        ),
        (None, [owner, ..]) => format!(
            "{} has no public address for {source}: write `public_ip`, or route its subnet to a NAT gateway",
            owner.name()
        ),
        (None, []) => format!("{source} is no address of the VPC that could have a public one"),
    }
}

/// PC-09 to PC-11.
fn outside_peering(world: &World, leg: &Leg<'_>, tuple: FiveTuple) -> Option<String> {
    let step = leg.decision.steps.iter().rev().find(|step| step.kind == StepKind::Peering)?;
    let peering = world.lab().peering_by_id(world.id(step.by?))?;
    let vpcs = [&peering.requester, &peering.accepter].map(|name| world.lab().vpcs.get(name));
    let in_either = |address: IpAddr| vpcs.iter().flatten().any(|vpc: &&Vpc| has(vpc, address));
    let (what, stray) = if in_either(tuple.src) { ("to", tuple.dst) } else { ("from", tuple.src) };
    Some(format!(
        "peering connection {} carries packets between the blocks of {} and {} and none {what} {stray}: it leads neither to \
         gateways nor to other peers",
        peering.name, peering.requester, peering.accepter
    ))
}

/// How packets could get from one VPC to another.
pub(super) fn way_to(lab: &Lab, from: &str, to: &str) -> String {
    let peering = lab.peerings.values().find(|peering| !peering.state.is_over() && peering.joins(from, to));
    match peering {
        Some(peering) => format!("where a route via peering/{} would lead", peering.name),
        None => "and nothing connects the two".to_owned(),
    }
}

/// A peer that a connection leads to does not have the destination.
pub(super) fn nobody_behind(world: &World, leg: &Leg<'_>) -> Option<String> {
    let step = leg.decision.steps.last().filter(|step| step.kind == StepKind::Peering)?;
    let name = &world.lab().peering_by_id(world.id(step.by?))?.name;
    let destination = leg.arrived().parsed.tuple.dst;
    Some(format!("nobody in the VPC behind peering connection {name} has the address {destination}"))
}

fn has(vpc: &Vpc, address: IpAddr) -> bool {
    vpc.blocks().any(|block| block.contains(&address))
}

/// A route over a connection that carries nothing (RT-16).
fn inactive_peering(world: &World, leg: &Leg<'_>) -> Option<String> {
    let id = world.id(leg.last_decider()?);
    let tables = world.lab().vpcs.values().flat_map(|vpc| vpc.route_tables.values());
    let route = tables.flat_map(|table| &table.routes).find(|route| route.id == id)?;
    let Target::Peering(name) = &route.target else { return None };
    let peering = world.lab().peerings.get(name)?;
    let help = match peering.state {
        PeeringState::PendingAcceptance => format!("`vpclab peering accept {name}` on the running lab"),
        PeeringState::Active
        | PeeringState::Deleted
        | PeeringState::Expired
        | PeeringState::Failed
        | PeeringState::Rejected => {
            format!("`vpclab peering request {name}` on the running lab, or another `state` in the lab file")
        }
    };
    Some(format!("peering connection {name} is {}: {help}", peering.state.as_str()))
}
