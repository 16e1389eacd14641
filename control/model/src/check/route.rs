//! One route: where to, and via what (RT-05, RT-11, RT-12, RT-14, AD-11).

mod target;

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::group::prefix_list_name;
use super::vpc::Scope;
use super::{missing, prefix_list, text};
use crate::draft;
use crate::findings::{Code, Finding, Findings};
use crate::lab::{Destination, Subnet, Target};
use crate::spot::Spot;

/// A route that is in order.
pub(super) struct Checked {
    pub(super) destination: Destination,
    pub(super) target: Target,
    pub(super) spot: Spot,
}

/// Checks one route.
pub(super) fn check(
    scope: &Scope<'_>,
    draft: &draft::Route,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> Option<Checked> {
    let destination = destination(scope, draft, found);
    let target = target::check(scope, draft, found);
    let to = draft.to.get()?;
    let mut allowed = true;
    for place in destination.iter().flat_map(|written| places(scope, written, to.spot)) {
        allowed &= outside_services(&place, found)
            && target.as_ref().is_none_or(|target| {
                local_or_outside(scope, &place, target, subnets, found) && carries(&place, target, found)
            });
    }
    allowed.then_some(())?;
    Some(Checked { destination: destination?, target: target?, spot: to.spot })
}

fn destination(scope: &Scope<'_>, draft: &draft::Route, found: &mut Findings) -> Option<Destination> {
    if draft.to.is_absent() {
        missing(found, draft.spot, "a route", "to", "a CIDR block or prefix_list/NAME");
    }
    let to = draft.to.get()?;
    match to.value.strip_prefix("prefix_list/") {
        Some(name) => prefix_list_name(scope, to, name, found).map(Destination::PrefixList),
        None => text::block(to, found).map(Destination::Cidr),
    }
}

/// A block that a route leads away, with the place of the route's destination.
struct Place {
    net: IpNet,
    spot: Spot,
    /// Where the list of the destination holds the block.
    entry: Option<Spot>,
}

impl Place {
    fn finding(&self, code: Code, message: String) -> Finding {
        let finding = Finding::new(code, self.spot, message);
        match self.entry {
            Some(entry) => finding.also(entry, "this entry"),
            None => finding,
        }
    }
}

/// What a destination stands for: itself, or each entry of its list, which is a route of its own (RT-05).
fn places(scope: &Scope<'_>, destination: &Destination, spot: Spot) -> Vec<Place> {
    match destination {
        Destination::Cidr(net) => vec![Place { net: *net, spot, entry: None }],
        Destination::PrefixList(name) => prefix_list::entries_of(scope.world, name)
            .into_iter()
            .map(|(net, entry)| Place { net, spot, entry: Some(entry) })
            .collect(),
    }
}

/// AD-11.
fn outside_services(place: &Place, found: &mut Findings) -> bool {
    let net = place.net;
    let reserved = ["169.254.168.0/22", "fd00:ec2::/32"];
    let inside = reserved.iter().find(|r| r.parse::<IpNet>().is_ok_and(|r| r.contains(&net)));
    if let Some(range) = inside {
        let message =
            format!("{net} lies in {range}, which carries link-local services and cannot be routed");
        found.push(place.finding(Code::RouteReserved, message));
    }
    inside.is_none()
}

/// A destination inside a VPC block must be that block or a whole subnet, and only an interface or a NAT gateway may stand
/// behind it.
fn local_or_outside(
    scope: &Scope<'_>,
    place: &Place,
    target: &Target,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> bool {
    let net = place.net;
    let blocks4 = scope.blocks4.nets.iter().map(|(n, _)| IpNet::V4(*n));
    let block =
        blocks4.chain(scope.blocks6.nets.iter().map(|(n, _)| IpNet::V6(*n))).find(|b| b.contains(&net));
    let is_local = matches!(target, Target::Local);
    if is_local && block != Some(net) {
        let message = format!("only a block of the VPC is local, and {net} is none");
        found.push(place.finding(Code::RouteLocal, message).help("local routes exist without being written"));
        return false;
    }
    let Some(block) = block.filter(|_| !is_local) else { return true };
    let is_subnet =
        subnets.values().any(|s| IpNet::V4(s.cidr) == net || s.ipv6_cidr.map(IpNet::V6) == Some(net));
    let middlebox = matches!(target, Target::Interface(_) | Target::NatGateway(_));
    if middlebox && (net == block || is_subnet) {
        return true;
    }
    let message = format!("{net} lies inside {block}, which is local");
    let help = "inside a block of the VPC a route may name the whole block or a whole subnet, and lead to an interface or a NAT gateway";
    found.push(place.finding(Code::RouteInsideVpc, message).help(help));
    false
}

/// What a gateway does with packets of the destination's family (EI-01, NG-20, NG-22).
fn carries(place: &Place, target: &Target, found: &mut Findings) -> bool {
    let net = place.net;
    match (target, net) {
        (Target::EgressOnlyInternetGateway, IpNet::V4(_)) => {
            let message = format!("an egress-only internet gateway carries IPv6 only, and {net} is IPv4");
            let help = "for IPv4 take the internet gateway, or a NAT gateway";
            found.push(place.finding(Code::FamilyMismatch, message).help(help));
            false
        }
        (Target::NatGateway(name), IpNet::V6(_)) if !is_nat64(net) => {
            let message = format!("NAT gateway `{name}` drops what goes to {net}, except to {NAT64}");
            let help = "a NAT gateway translates IPv6 to IPv4 for that block only; for other IPv6 take an egress-only internet gateway";
            found.push(place.finding(Code::NatGatewayIpv6, message).help(help));
            true
        }
        _ => true,
    }
}

/// What a NAT gateway translates to IPv4 (RFC 6052 section 2.1, NG-20).
const NAT64: &str = "64:ff9b::/96";

pub(super) fn is_nat64(net: IpNet) -> bool {
    NAT64.parse::<IpNet>().is_ok_and(|block| block.contains(&net))
}
