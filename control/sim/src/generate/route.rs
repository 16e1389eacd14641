//! Random routes, as they are written.

use super::lab::{Route, SECOND, Table, Vpc};
use super::rules::{OUTSIDE_V4, OUTSIDE_V6, is_outside};
use super::view::View;
use crate::Draw;

/// What a NAT gateway translates to IPv4 (NG-20), and a part of it.
const NAT64: &[&str] = &["64:ff9b::/96", "64:ff9b::/96", "64:ff9b::cb00:7100/120"];

/// Addresses that a route speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Any,
    /// Subnets that reach the internet by NAT gateways and egress-only.
    Private,
    /// Subnets that reach it by the internet gateway.
    Public,
}

pub(super) fn table(view: &View<'_>, purpose: Purpose, draw: &mut Draw) -> Table {
    let planned = view.is_joined() && (purpose != Purpose::Any || draw.chance(60));
    let mut routes = if planned { plan(view, purpose, draw) } else { Vec::new() };
    let random = if routes.is_empty() { draw.between(0, 5) } else { draw.between(0, 2) };
    routes.extend((0..random).filter_map(|_| route(view, draw)));
    Table { routes: without_twins(routes) }
}

/// The first route to each destination.
fn without_twins(routes: Vec<Route>) -> Vec<Route> {
    let mut kept: Vec<Route> = Vec::new();
    for route in routes {
        if kept.iter().all(|known| known.to != route.to) {
            kept.push(route);
        }
    }
    kept
}

/// Routes that make sense together: out to the internet, and to most peers.
fn plan(view: &View<'_>, purpose: Purpose, draw: &mut Draw) -> Vec<Route> {
    let gateways = &view.vpc.gateways;
    let nat: Vec<_> = gateways.nat.iter().map(|nat| format!("nat_gateway/{}", nat.name)).collect();
    let mut routes = Vec::new();
    let mut out = if purpose == Purpose::Public { Vec::new() } else { nat.clone() };
    if purpose != Purpose::Private || out.is_empty() {
        out.extend(gateways.internet.then(|| "internet_gateway".to_owned()));
    }
    if !out.is_empty() && draw.chance(90) {
        routes.push(Route { to: "0.0.0.0/0".to_owned(), via: draw.pick(&out).clone() });
    }
    if view.vpc.v6.is_some() {
        let out =
            [(gateways.internet, "internet_gateway"), (gateways.egress_only, "egress_only_internet_gateway")];
        let out: Vec<_> = out.iter().filter(|(there, _)| *there).map(|(_, via)| *via).collect();
        if !out.is_empty() && draw.chance(90) {
            routes.push(Route { to: "::/0".to_owned(), via: (*draw.pick(&out)).to_owned() });
        }
        if !nat.is_empty() && draw.chance(70) {
            routes.push(Route { to: (*draw.pick(NAT64)).to_owned(), via: draw.pick(&nat).clone() });
        }
    }
    for peer in &view.peers {
        let via = format!("peering/{}", peer.peering);
        for blocks in [peer.blocks(true), peer.blocks(false)] {
            if !blocks.is_empty() && draw.chance(80) {
                let to = if draw.chance(70) { &blocks[0] } else { draw.pick(&blocks) };
                routes.push(Route { to: to.clone(), via: via.clone() });
            }
        }
    }
    // A peer may have the block of this VPC, over a connection that failed for it (PC-05).
    routes.retain(|route| !is_inside(view.vpc, &route.to));
    routes
}

/// A route to the outside, to a prefix list, or through a middlebox to the VPC or a subnet of it (RT-11, RT-12).
pub(super) fn route(view: &View<'_>, draw: &mut Draw) -> Option<Route> {
    let vpc = view.vpc;
    let v6 = vpc.v6.is_some();
    let outside = if v6 && draw.chance(30) { Family::V6 } else { Family::V4 };
    match draw.below(100) {
        0..=19 => Some(outwards("0.0.0.0/0".to_owned(), Family::V4, view, draw)),
        20..=29 => v6.then(|| outwards("::/0".to_owned(), Family::V6, view, draw)),
        30..=54 => {
            let block = *draw.pick(if outside == Family::V4 { OUTSIDE_V4 } else { OUTSIDE_V6 });
            Some(outwards(block.to_owned(), outside, view, draw))
        }
        55..=62 if view.is_joined() => beyond(outside, view, draw),
        55..=79 => {
            // Lists whose entries may lie inside the VPC are for groups: AWS takes such routes for RT-11's.
            let list = view.lists.iter().find(|list| list.entries.iter().all(|entry| is_outside(entry)))?;
            let family = if list.family == "ipv4" { Family::V4 } else { Family::V6 };
            Some(outwards(format!("prefix_list/{}", list.name), family, view, draw))
        }
        80..=91 => Some(inwards(draw.pick(&vpc.v4_blocks()).clone(), view, draw)),
        92..=95 if v6 => Some(inwards(draw.pick(&vpc.v6_blocks()).clone(), view, draw)),
        _ if vpc.second && draw.chance(50) => Some(inwards(format!("{SECOND}.0.0/16"), view, draw)),
        _ => Some(inwards(format!("{}.0.0/16", vpc.v4), view, draw)),
    }
}

/// To a peer or to NAT64, by a way that may be any.
fn beyond(family: Family, view: &View<'_>, draw: &mut Draw) -> Option<Route> {
    let mut blocks: Vec<_> = view.peers.iter().flat_map(|peer| peer.blocks(family == Family::V4)).collect();
    if family == Family::V6 {
        blocks.extend(NAT64.iter().map(|block| (*block).to_owned()));
    }
    blocks.retain(|block| !is_inside(view.vpc, block));
    let block = if blocks.is_empty() { return None } else { draw.pick(&blocks).clone() };
    Some(outwards(block, family, view, draw))
}

/// By any way that such a route may have, also by those that lead nowhere.
fn outwards(to: String, family: Family, view: &View<'_>, draw: &mut Draw) -> Route {
    let gateways = &view.vpc.gateways;
    let mut ways = vec![middlebox(view, draw), middlebox(view, draw), "blackhole".to_owned()];
    ways.extend(gateways.internet.then(|| "internet_gateway".to_owned()));
    // EI-01.
    let egress_only = gateways.egress_only && family == Family::V6;
    ways.extend(egress_only.then(|| "egress_only_internet_gateway".to_owned()));
    ways.extend(gateways.nat.iter().map(|nat| format!("nat_gateway/{}", nat.name)));
    ways.extend(view.peers.iter().map(|peer| format!("peering/{}", peer.peering)));
    Route { to, via: draw.pick(&ways).clone() }
}

/// Inside the VPC, where only interfaces and NAT gateways may stand in the way (RT-11).
fn inwards(to: String, view: &View<'_>, draw: &mut Draw) -> Route {
    let nat = &view.vpc.gateways.nat;
    let via = match nat.is_empty() || draw.chance(70) {
        true => middlebox(view, draw),
        false => format!("nat_gateway/{}", draw.pick(nat).name),
    };
    Route { to, via }
}

/// The table of an internet gateway: blocks and subnets of the VPC by interfaces (RT-20).
pub(super) fn edge(view: &View<'_>, draw: &mut Draw) -> Table {
    let vpc = view.vpc;
    let mut blocks = vpc.v4_blocks();
    blocks.extend(vpc.v6_blocks());
    blocks.push(format!("{}.0.0/16", vpc.v4));
    let routes = (0..draw.between(0, 3)).map(|_| {
        let to = draw.pick(&blocks).clone();
        let is_block = to.ends_with("/16");
        let via = if is_block && draw.chance(20) { "local".to_owned() } else { middlebox(view, draw) };
        Route { to, via }
    });
    Table { routes: without_twins(routes.collect()) }
}

fn middlebox(view: &View<'_>, draw: &mut Draw) -> String {
    let interfaces: Vec<_> = view.vpc.interfaces().map(|(name, _)| name).collect();
    format!("interface/{}", draw.pick(&interfaces))
}

/// Whether a destination lies in a block of the VPC.
pub(super) fn is_inside(vpc: &Vpc, to: &str) -> bool {
    let starts = |block: &str| to.starts_with(block) && !to.ends_with("/0");
    let v4 = [Some(vpc.v4), vpc.second.then_some(SECOND)];
    v4.iter().flatten().any(|block| starts(&format!("{block}."))) || vpc.v6.is_some_and(starts)
}
