//! Labs whose gateways cannot do what they are there for.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::check::route::is_nat64;
use crate::check::{interface, text};
use crate::draft;
use crate::findings::{Code, Finding, Findings};
use crate::lab::{Connectivity, Destination, Interface, Lab, Peering, PeeringState, Route, Target, Vpc};
use crate::spot::Spot;

/// Warns about the gateways of one VPC.
pub(super) fn vpc(draft: &draft::Vpc, lab: &Lab, vpc: &Vpc, found: &mut Findings) {
    public_addresses(draft, vpc, found);
    unique_local(draft, vpc, found);
    nat_gateways(draft, vpc, found);
    private_nat_gateways(draft, vpc, found);
    nat64_routes(draft, found);
    edge_routes(draft, vpc, found);
    peering_routes(draft, lab, vpc, found);
}

/// Replies leave by the route table of the instance's subnet (IG-07), directly or through an instance in between.
fn public_addresses(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, device, keys) in interface::each(draft) {
        let Some(spot) = keys.public_ip.key().or_else(|| keys.public_ips.key()) else { continue };
        let Some(interface) = checked(vpc, &name.value, device) else { continue };
        if vpc.internet_gateway.is_some()
            && !interface.public_ips.is_empty()
            && leads_out(vpc, &interface.subnet) == Some(false)
        {
            let message = format!("subnet `{}` has no route to the internet gateway", interface.subnet);
            found.push(
                Finding::new(Code::PublicAddressWithoutRoute, spot, message)
                    .help("what comes in to the public address is delivered, and its replies find no way"),
            );
        }
    }
}

fn nat_gateways(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, _) in draft.nat_gateways.objects() {
        let Some(gateway) = vpc.nat_gateways.get(&name.value) else { continue };
        let subnet = &gateway.subnet;
        if gateway.connectivity == Connectivity::Public
            && leads_to(vpc, subnet, &Target::InternetGateway) == Some(false)
        {
            let message = format!(
                "the public NAT gateway `{}` is in subnet `{subnet}`, which has no route to the internet gateway",
                name.value
            );
            let help =
                "a NAT gateway uses the route table of its own subnet (RT-24): put it in a public subnet";
            found.push(Finding::new(Code::NatGatewayWithoutInternetRoute, name.spot, message).help(help));
        }
        if leads_to(vpc, subnet, &Target::NatGateway(name.value.clone())) == Some(true) {
            let message =
                format!("subnet `{subnet}` of NAT gateway `{}` leads back to the same gateway", name.value);
            let help = "a NAT gateway uses the route table of its own subnet (RT-24), so such packets go round until they are dropped";
            found.push(Finding::new(Code::NatGatewayLoop, name.spot, message).help(help));
        }
    }
}

/// What a private NAT gateway translates has no public address either (IG-05).
fn private_nat_gateways(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, _) in draft.nat_gateways.objects() {
        let Some(gateway) = vpc.nat_gateways.get(&name.value) else { continue };
        let target = Target::NatGateway(name.value.clone());
        let routes = vpc.route_tables.values().flat_map(|table| &table.routes);
        let default =
            |route: &&Route| matches!(&route.destination, Destination::Cidr(net) if net.prefix_len() == 0);
        let is_default = routes.filter(default).any(|route| route.target == target);
        if gateway.connectivity == Connectivity::Private
            && is_default
            && leads_to(vpc, &gateway.subnet, &Target::InternetGateway) == Some(true)
        {
            let message = format!(
                "the default route leads over NAT gateway `{}`, which is private: the internet gateway drops what it sends",
                name.value
            );
            found.push(Finding::new(Code::NatGatewayPrivate, name.spot, message).help(
                "a NAT gateway reaches the internet with `connectivity_type: public` and a `public_ip`",
            ));
        }
    }
}

/// IG-14.
fn unique_local(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    for (name, body) in draft.subnets.objects() {
        let Some(subnet) = vpc.subnets.get(&name.value) else { continue };
        let (Some(net), Some(key)) = (subnet.ipv6_cidr, body.ipv6_cidr.key()) else { continue };
        let gateways = [Target::InternetGateway, Target::EgressOnlyInternetGateway];
        let table = vpc.route_tables.get(&subnet.route_table);
        let mut routes = table.into_iter().flat_map(|table| &table.routes);
        let leads_out = |route: &Route| {
            matches!(&route.destination, Destination::Cidr(IpNet::V6(_))) && gateways.contains(&route.target)
        };
        if net.network().is_unique_local() && routes.any(leads_out) {
            let message = format!(
                "{net} is unique local, and the internet gateways of this subnet let no such address out"
            );
            found.push(
                Finding::new(Code::UniqueLocalToInternet, key, message)
                    .help("take a global block such as 2001:db8:0:1000::/56, or leave the IPv6 route out"),
            );
        }
    }
}

/// Only a NAT gateway knows what 64:ff9b::/96 stands for (NG-20).
fn nat64_routes(draft: &draft::Vpc, found: &mut Findings) {
    for route in draft.route_tables.objects().flat_map(|(_, table)| table.routes.items()) {
        let (Some(to), Some(via)) = (route.to.get(), route.via.get()) else { continue };
        let net = text::block(to, &mut Findings::default());
        let elsewhere =
            via.value.ends_with("internet_gateway") || via.value.split('/').next() == Some("peering");
        if net.is_some_and(is_nat64) && elsewhere {
            let message =
                format!("nobody behind `{}` knows 64:ff9b::/96, which stands for IPv4 addresses", via.value);
            found.push(
                Finding::new(Code::Nat64WithoutNatGateway, via.spot, message)
                    .help("a NAT gateway translates it: write `via: nat_gateway/NAME`"),
            );
        }
    }
}

/// A middlebox behind an internet gateway needs a public address of its own (RT-21).
fn edge_routes(draft: &draft::Vpc, vpc: &Vpc, found: &mut Findings) {
    let edge = vpc.internet_gateway.as_ref().and_then(|gateway| gateway.route_table.as_ref());
    let Some(written) = edge.and_then(|name| draft.route_tables.object(name)) else { return };
    for route in written.routes.items() {
        let Some(via) = route.via.get() else { continue };
        let Some((_, target)) = via.value.split_once('/') else { continue };
        let own = target.strip_prefix(&format!("{}.", vpc.name)).unwrap_or(target);
        let (instance, device) = own.split_once('.').unwrap_or((own, interface::ONLY));
        if checked(vpc, instance, device).is_some_and(|interface| interface.public_ips.is_empty()) {
            let message = format!("`{instance}.{device}` has no public address");
            found.push(
                Finding::new(Code::EdgeRouteWithoutPublicAddress, via.spot, message).help(
                    "AWS wants one on an interface that an internet gateway routes to: write `public_ip`",
                ),
            );
        }
    }
}

fn peering_routes(draft: &draft::Vpc, lab: &Lab, vpc: &Vpc, found: &mut Findings) {
    for route in draft.route_tables.objects().flat_map(|(_, table)| table.routes.items()) {
        let Some(via) = route.via.get() else { continue };
        let name = via.value.strip_prefix("peering/");
        let Some(peering) = name.and_then(|name| lab.peerings.get(name)) else { continue };
        if peering.state != PeeringState::Active {
            let message = format!(
                "this route is a blackhole: peering connection `{}` is {}",
                peering.name,
                peering.state.as_str()
            );
            found.push(
                Finding::new(Code::RouteBlackhole, via.spot, message)
                    .help("it carries packets once the connection is active: write `state: active`, or accept it on the running lab"),
            );
        }
        outside_peer(route, lab, vpc, peering, found);
    }
}

/// PC-11.
fn outside_peer(route: &draft::Route, lab: &Lab, vpc: &Vpc, peering: &Peering, found: &mut Findings) {
    let peer = peering.other_side(&vpc.name).and_then(|name| lab.vpcs.get(name));
    let (Some(peer), Some(to)) = (peer, route.to.get()) else { return };
    let nets = match to.value.strip_prefix("prefix_list/") {
        Some(list) => lab.prefix_lists.get(list).map(|list| list.entries.clone()).unwrap_or_default(),
        None => text::block(to, &mut Findings::default()).into_iter().collect(),
    };
    if let Some(stray) = nets.iter().find(|net| !touches(peer, **net)) {
        let message = format!("{stray} is not in VPC `{}`, so the connection drops it", peer.name);
        found.push(
            Finding::new(Code::PeeringRouteOutsidePeer, to.spot, message)
                .help("a peering connection leads to the blocks of the peer and no further: not to its gateways, not to its other peers"),
        );
    }
}

fn touches(vpc: &Vpc, net: IpNet) -> bool {
    vpc.blocks().any(|own| own.contains(&net) || net.contains(&own))
}

/// Both sides need routes (PC-07); a connection that neither uses yet is no mistake.
pub(super) fn return_routes(draft: &draft::Lab, lab: &Lab, found: &mut Findings) {
    let routed: BTreeSet<(&str, &str)> = lab.vpcs.values().flat_map(routes_over).collect();
    for (name, _) in draft.peerings.objects() {
        let Some(peering) = lab.peerings.get(&name.value).filter(|p| p.state == PeeringState::Active) else {
            continue;
        };
        let uses = |vpc: &str| routed.contains(&(vpc, peering.name.as_str()));
        for (there, back) in
            [(&peering.requester, &peering.accepter), (&peering.accepter, &peering.requester)]
        {
            if uses(there) && !uses(back) {
                without_return(name.spot, there, back, found);
            }
        }
    }
}

fn without_return(spot: Spot, there: &str, back: &str, found: &mut Findings) {
    let message = format!("VPC `{there}` has a route over this connection and VPC `{back}` has none back");
    found.push(
        Finding::new(Code::PeeringWithoutReturnRoute, spot, message)
            .help("each side needs a route; only replies to a NAT gateway find back without one (NG-18)"),
    );
}

fn routes_over(vpc: &Vpc) -> impl Iterator<Item = (&str, &str)> {
    let routes = vpc.route_tables.values().flat_map(|table| &table.routes);
    routes.filter_map(|route| match &route.target {
        Target::Peering(name) => Some((vpc.name.as_str(), name.as_str())),
        Target::Blackhole
        | Target::EgressOnlyInternetGateway
        | Target::Interface(_)
        | Target::InternetGateway
        | Target::Local
        | Target::NatGateway(_) => None,
    })
}

/// Whether some route of the subnet leads to the internet gateway, or to an instance that may forward to it.
fn leads_out(vpc: &Vpc, subnet: &str) -> Option<bool> {
    let table = vpc.route_tables.get(&vpc.subnets.get(subnet)?.route_table)?;
    let out = |target: &Target| matches!(target, Target::InternetGateway | Target::Interface(_));
    Some(table.routes.iter().any(|route| out(&route.target)))
}

/// Whether some route of the subnet leads to `target`; nobody knows where a table leads that could not be read.
fn leads_to(vpc: &Vpc, subnet: &str, target: &Target) -> Option<bool> {
    let table = vpc.route_tables.get(&vpc.subnets.get(subnet)?.route_table)?;
    Some(table.routes.iter().any(|route| route.target == *target))
}

fn checked<'a>(vpc: &'a Vpc, instance: &str, device: &str) -> Option<&'a Interface> {
    vpc.instances.get(instance)?.interfaces.iter().find(|interface| interface.device == device)
}
