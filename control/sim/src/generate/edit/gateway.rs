//! Random changes to gateways, public addresses, peering connections and hosts.

use super::super::gateway::{NAT_GATEWAYS, add_nat_gateway, publish};
use super::super::lab::Lab;
use super::super::route;
use super::super::view::View;
use super::lead_nowhere;
use crate::Draw;

/// Changes one of them.
pub(super) fn change(lab: &mut Lab, draw: &mut Draw) {
    let n = draw.below(lab.vpcs.len());
    match draw.below(100) {
        0..=24 => change_peering(lab, draw),
        25..=49 => change_public(lab, n, draw),
        50..=69 => change_nat_gateway(lab, n, draw),
        70..=79 => change_edge(lab, n, draw),
        80..=86 => change_internet_gateway(lab, n, draw),
        87..=93 => change_egress_only(lab, n),
        _ => lab.mtu = *draw.pick(&[1_500, 1_280, 9_001]),
    }
}

/// Accepted, or ended and begun again.
fn change_peering(lab: &mut Lab, draw: &mut Draw) {
    if lab.peerings.is_empty() {
        return;
    }
    let n = draw.below(lab.peerings.len());
    if lab.is_possible(&lab.peerings[n]) {
        let peering = &mut lab.peerings[n];
        peering.state = if peering.state == "active" { "deleted" } else { "active" };
    }
}

/// Takes all public addresses from an interface, or gives it some.
fn change_public(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let vpc = &lab.vpcs[n];
    if !vpc.gateways.internet {
        return;
    }
    let instance = draw.below(vpc.instances.len());
    let interface = draw.below(vpc.instances[instance].interfaces.len());
    let public = &mut lab.vpcs[n].instances[instance].interfaces[interface].public;
    if !public.is_empty() && draw.chance(50) {
        public.clear();
    } else {
        publish(lab, n, instance, interface, draw);
    }
}

/// Deletes one, or makes one.
fn change_nat_gateway(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let known = lab.vpcs[n].gateways.nat.len();
    if known == NAT_GATEWAYS || (known > 0 && draw.chance(50)) {
        let vpc = &mut lab.vpcs[n];
        let gone = vpc.gateways.nat.remove(draw.below(known));
        lead_nowhere(vpc, &format!("nat_gateway/{}", gone.name));
    } else {
        add_nat_gateway(lab, n, draw);
    }
}

fn change_edge(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let there = lab.vpcs[n].gateways.internet && draw.chance(70);
    let edge = there.then(|| route::edge(&View::of(lab, n), draw));
    lab.vpcs[n].gateways.edge = edge;
}

/// Detached, it takes public addresses along and leaves routes that lead nowhere.
fn change_internet_gateway(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let vpc = &mut lab.vpcs[n];
    vpc.gateways.internet = !vpc.gateways.internet;
    if vpc.gateways.internet {
        return change_public(lab, n, draw);
    }
    vpc.gateways.edge = None;
    let interfaces = vpc.instances.iter_mut().flat_map(|instance| &mut instance.interfaces);
    interfaces.for_each(|interface| interface.public.clear());
    let addresses = vpc.gateways.nat.iter_mut().flat_map(|nat| &mut nat.addresses);
    addresses.for_each(|(_, public)| *public = None);
    lead_nowhere(vpc, "internet_gateway");
}

/// EI-09.
fn change_egress_only(lab: &mut Lab, n: usize) {
    let vpc = &mut lab.vpcs[n];
    vpc.gateways.egress_only = !vpc.gateways.egress_only && vpc.v6.is_some();
    if !vpc.gateways.egress_only {
        lead_nowhere(vpc, "egress_only_internet_gateway");
    }
}
