//! Subnets.

use std::collections::BTreeMap;

use ipnet::{Ipv4Net, Ipv6Net};

use super::vpc::{Scope, overlap4};
use super::{later, missing, name, reference, text, zone};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::Subnet;

/// Name of the network ACL and of the security group that every VPC has (NA-04, SG-07).
pub(super) const DEFAULT: &str = "default";

/// All subnets that are in order.
pub(super) fn all(scope: &Scope<'_>, found: &mut Findings) -> BTreeMap<String, Subnet> {
    let mut subnets = BTreeMap::new();
    let mut blocks = Taken::default();
    for (name, draft) in scope.draft.subnets.objects() {
        later::subnet(draft, found);
        if let Some(subnet) = check(scope, name, draft, &mut blocks, found) {
            subnets.insert(name.value.clone(), subnet);
        }
    }
    subnets
}

/// Blocks of earlier subnets with the names that stand in the text.
#[derive(Default)]
struct Taken<'a> {
    nets4: Vec<(Ipv4Net, &'a Text)>,
    nets6: Vec<(Ipv6Net, &'a Text)>,
}

fn check<'a>(
    scope: &Scope<'_>,
    name: &'a Text,
    draft: &'a draft::Subnet,
    taken: &mut Taken<'a>,
    found: &mut Findings,
) -> Option<Subnet> {
    let named = name::object(name, found);
    let cidr = block4(scope, name, draft, taken, found);
    let ipv6_cidr = match draft.ipv6_cidr.get() {
        Some(text) => Some(block6(scope, name, text, taken, found)?),
        None => None,
    };
    let route_table = route_table(scope, draft, found);
    let network_acl = network_acl(scope, draft, found);
    let az = zone::zone_of(draft, &scope.home.region);
    let az_id = scope.world.zones.id(&scope.home.account, &az).unwrap_or_default().to_owned();
    let id = ids::id(Kind::Subnet, scope.owner(), &name.value);
    named.then_some(())?;
    Some(Subnet { name: name.value.clone(), id, cidr: cidr?, ipv6_cidr, az, az_id, route_table, network_acl })
}

fn block4<'a>(
    scope: &Scope<'_>,
    name: &'a Text,
    draft: &draft::Subnet,
    taken: &mut Taken<'a>,
    found: &mut Findings,
) -> Option<Ipv4Net> {
    if draft.cidr.is_absent() {
        missing(
            found,
            name.spot,
            &format!("subnet `{}`", name.value),
            "cidr",
            "an IPv4 block inside one of the VPC, such as 10.0.1.0/24",
        );
    }
    let text = draft.cidr.get()?;
    let net = text::block4(text, found)?;
    if !(16..=28).contains(&net.prefix_len()) {
        found.push(Finding::new(
            Code::CidrSize,
            text.spot,
            format!("{net} is a /{}: a subnet is /16 to /28", net.prefix_len()),
        ));
        return None;
    }
    let blocks = &scope.blocks4;
    if !blocks.incomplete && !blocks.nets.iter().any(|(b, _)| b.contains(&net)) {
        found.push(outside(text, &net.to_string(), blocks.nets.iter().map(|(b, _)| b.to_string()).collect()));
        return None;
    }
    if let Some((other, spot)) = taken.nets4.iter().find(|(n, _)| overlap4(*n, net)) {
        found.push(overlap(text, &net.to_string(), &other.to_string(), spot));
        return None;
    }
    taken.nets4.push((net, name));
    Some(net)
}

fn block6<'a>(
    scope: &Scope<'_>,
    name: &'a Text,
    text: &Text,
    taken: &mut Taken<'a>,
    found: &mut Findings,
) -> Option<Ipv6Net> {
    let net = text::block6(text, found)?;
    if !(44..=64).contains(&net.prefix_len()) || !net.prefix_len().is_multiple_of(4) {
        let message =
            format!("{net} is a /{}: an IPv6 subnet is /44, /48, /52, /56, /60 or /64", net.prefix_len());
        found.push(Finding::new(Code::CidrSize, text.spot, message));
        return None;
    }
    let blocks = &scope.blocks6;
    if !blocks.incomplete && !blocks.nets.iter().any(|(b, _)| b.contains(&net)) {
        found.push(outside(text, &net.to_string(), blocks.nets.iter().map(|(b, _)| b.to_string()).collect()));
        return None;
    }
    if let Some((other, spot)) = taken.nets6.iter().find(|(n, _)| n.contains(&net) || net.contains(n)) {
        found.push(overlap(text, &net.to_string(), &other.to_string(), spot));
        return None;
    }
    taken.nets6.push((net, name));
    Some(net)
}

fn outside(text: &Text, net: &str, blocks: Vec<String>) -> Finding {
    let help = if blocks.is_empty() {
        "the VPC has no IPv6 block: write `ipv6_cidr` there first".to_owned()
    } else {
        format!("the VPC has {}", blocks.join(", "))
    };
    Finding::new(Code::SubnetOutsideVpc, text.spot, format!("{net} lies in no block of the VPC")).help(help)
}

fn overlap(text: &Text, net: &str, other: &str, owner: &Text) -> Finding {
    let message = format!("{net} overlaps {other} of subnet `{}`", owner.value);
    Finding::new(Code::CidrOverlap, text.spot, message).also(owner.spot, "this subnet")
}

/// The associated table, else the main one (RT-02).
fn route_table(scope: &Scope<'_>, draft: &draft::Subnet, found: &mut Findings) -> String {
    let main = super::route_table::main_name(scope);
    match draft.route_table.get() {
        Some(name) => {
            let implied = [main.as_str()];
            reference::known("route table", name, &scope.draft.route_tables, &implied, found);
            name.value.clone()
        }
        None => main,
    }
}

/// The associated ACL, else the default one (NA-06).
fn network_acl(scope: &Scope<'_>, draft: &draft::Subnet, found: &mut Findings) -> String {
    match draft.network_acl.get() {
        Some(name) => {
            reference::known("network ACL", name, &scope.draft.network_acls, &[DEFAULT], found);
            name.value.clone()
        }
        None => DEFAULT.to_owned(),
    }
}
