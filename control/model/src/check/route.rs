//! One route: where to, and via what (RT-05, RT-11, RT-12, RT-14, AD-11).

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::group::prefix_list_name;
use super::vpc::Scope;
use super::{missing, prefix_list, reference, text};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::lab::{Destination, InterfaceRef, Subnet, Target};
use crate::spot::{At, Spot};

/// A route that is in order.
pub(super) struct Checked {
    pub(super) destination: Destination,
    pub(super) target: Target,
    pub(super) spot: Spot,
}

/// What a route leads to, of which not everything is enforced.
enum Via {
    Enforced(Target),
    /// Named as in messages.
    Later(String),
}

/// Checks one route.
pub(super) fn check(
    scope: &Scope<'_>,
    draft: &draft::Route,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> Option<Checked> {
    let destination = destination(scope, draft, found);
    let via = via(scope, draft, found);
    let to = draft.to.get()?;
    let mut allowed = true;
    for place in destination.iter().flat_map(|written| places(scope, written, to.spot)) {
        allowed &= outside_services(&place, found)
            && via.as_ref().is_none_or(|via| local_or_outside(scope, &place, via, subnets, found));
    }
    allowed.then_some(())?;
    match (via?, draft.via.get()) {
        (Via::Enforced(target), _) => Some(Checked { destination: destination?, target, spot: to.spot }),
        (Via::Later(what), at) => {
            let spot = at.map_or(to.spot, |text| text.spot);
            found.push(Finding::new(
                Code::NotEnforcedYet,
                spot,
                format!("routes to {what} are not enforced yet"),
            ));
            None
        }
    }
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

/// A destination inside a VPC block must be that block or a whole subnet, and only an interface may stand behind it.
fn local_or_outside(
    scope: &Scope<'_>,
    place: &Place,
    via: &Via,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> bool {
    let net = place.net;
    let blocks4 = scope.blocks4.nets.iter().map(|(n, _)| IpNet::V4(*n));
    let block =
        blocks4.chain(scope.blocks6.nets.iter().map(|(n, _)| IpNet::V6(*n))).find(|b| b.contains(&net));
    let is_local = matches!(via, Via::Enforced(Target::Local));
    if is_local && block != Some(net) {
        let message = format!("only a block of the VPC is local, and {net} is none");
        found.push(place.finding(Code::RouteLocal, message).help("local routes exist without being written"));
        return false;
    }
    let Some(block) = block.filter(|_| !is_local) else { return true };
    let is_subnet =
        subnets.values().any(|s| IpNet::V4(s.cidr) == net || s.ipv6_cidr.map(IpNet::V6) == Some(net));
    let middlebox = match via {
        Via::Enforced(target) => matches!(target, Target::Interface(_)),
        Via::Later(what) => what.starts_with("NAT gateway"),
    };
    if middlebox && (net == block || is_subnet) {
        return true;
    }
    let message = format!("{net} lies inside {block}, which is local");
    let help = "inside a block of the VPC a route may name the whole block or a whole subnet, and lead to an interface or a NAT gateway";
    found.push(place.finding(Code::RouteInsideVpc, message).help(help));
    false
}

const TARGETS: &str = "a target is instance/NAME, interface/INSTANCE.DEVICE, local, blackhole, internet_gateway, \
                       egress_only_internet_gateway, nat_gateway/NAME or peering/NAME";

fn via(scope: &Scope<'_>, draft: &draft::Route, found: &mut Findings) -> Option<Via> {
    if draft.via.is_absent() {
        missing(found, draft.spot, "a route", "via", TARGETS);
    }
    let via = draft.via.get()?;
    match via.value.split_once('/') {
        None => plain(draft, via, found),
        Some(("instance", name)) => instance(scope, via, name, found).map(Via::Enforced),
        Some(("interface", name)) => interface(scope, via, name, found).map(Via::Enforced),
        Some(("nat_gateway", name)) => {
            let at = At::new(name.to_owned(), via.spot);
            let known = reference::known("NAT gateway", &at, &scope.draft.nat_gateways, &[], found);
            known.then(|| Via::Later(format!("NAT gateway `{name}`")))
        }
        Some(("peering", name)) => {
            let at = At::new(name.to_owned(), via.spot);
            let known = reference::known("peering connection", &at, &scope.world.draft.peerings, &[], found);
            known.then(|| Via::Later(format!("peering connection `{name}`")))
        }
        Some(_) => malformed(via, TARGETS, found),
    }
}

fn plain(draft: &draft::Route, via: &Text, found: &mut Findings) -> Option<Via> {
    match via.value.as_str() {
        "blackhole" => Some(Via::Enforced(Target::Blackhole)),
        "local" => Some(Via::Enforced(Target::Local)),
        "internet_gateway" => Some(Via::Later("the internet gateway".to_owned())),
        "egress_only_internet_gateway" => {
            if let Some(to) = draft.to.get().filter(|to| !to.value.contains(':') && to.value.contains('.')) {
                let message =
                    format!("an egress-only internet gateway carries IPv6 only, and {} is IPv4", to.value);
                found.push(Finding::new(Code::FamilyMismatch, to.spot, message));
                return None;
            }
            Some(Via::Later("the egress-only internet gateway".to_owned()))
        }
        other => {
            let words = ["blackhole", "local", "internet_gateway", "egress_only_internet_gateway"];
            let near = crate::suggest::nearest(other, words).map(|word| format!("did you mean `{word}`?"));
            malformed(via, near.as_deref().unwrap_or(TARGETS), found)
        }
    }
}

fn malformed(via: &Text, help: &str, found: &mut Findings) -> Option<Via> {
    found.push(
        Finding::new(Code::ReferenceMalformed, via.spot, format!("`{}` is no route target", via.value))
            .help(help),
    );
    None
}

fn instance(scope: &Scope<'_>, via: &Text, name: &str, found: &mut Findings) -> Option<Target> {
    let name = own_name(scope, via, name, found)?;
    let at = At::new(name.to_owned(), via.spot);
    let instance = find_instance(scope, &at, found)?;
    let mut devices = instance.interfaces.names();
    let device = devices.next().unwrap_or(super::interface::ONLY);
    if devices.next().is_some() {
        let message = format!("instance `{name}` has several interfaces");
        let choice: Vec<String> =
            instance.interfaces.names().map(|d| format!("interface/{name}.{d}")).collect();
        found.push(
            Finding::new(Code::RouteTargetAmbiguous, via.spot, message)
                .help(format!("name one: {}", choice.join(", "))),
        );
        return None;
    }
    Some(Target::Interface(InterfaceRef { instance: name.to_owned(), device: device.to_owned() }))
}

/// A route leads to an interface of its own VPC, so a VPC may be named only if it is this one.
fn own_name<'a>(scope: &Scope<'_>, via: &Text, name: &'a str, found: &mut Findings) -> Option<&'a str> {
    let path = reference::path(name);
    match path.vpc {
        Some(vpc) if vpc != scope.name.value => {
            let message = format!("`{}` is not in VPC `{}`", via.value, scope.name.value);
            found.push(
                Finding::new(Code::ReferenceOtherVpc, via.spot, message)
                    .help("a route leads to an interface of its own VPC"),
            );
            None
        }
        _ => Some(path.name),
    }
}

fn interface(scope: &Scope<'_>, via: &Text, rest: &str, found: &mut Findings) -> Option<Target> {
    let Some((owner, device)) = rest.rsplit_once('.') else {
        let help = format!("such as interface/{rest}.eth0");
        malformed(via, &help, found);
        return None;
    };
    let instance_name = own_name(scope, via, owner, found)?;
    let at = At::new(instance_name.to_owned(), via.spot);
    let instance = find_instance(scope, &at, found)?;
    let devices = &instance.interfaces;
    let implied: &[&str] = if devices.is_absent() { &[super::interface::ONLY] } else { &[] };
    let at = At::new(device.to_owned(), via.spot);
    reference::known(&format!("interface of `{instance_name}` called"), &at, devices, implied, found).then(
        || Target::Interface(InterfaceRef { instance: instance_name.to_owned(), device: device.to_owned() }),
    )
}

fn find_instance<'a>(scope: &Scope<'a>, name: &Text, found: &mut Findings) -> Option<&'a draft::Instance> {
    let instances = &scope.draft.instances;
    let home = scope.world.instances.get(name.value.as_str());
    if let Some(vpc) = home.filter(|vpc| **vpc != scope.name.value) {
        let message = format!("instance `{}` is in VPC `{vpc}`, not in `{}`", name.value, scope.name.value);
        found.push(
            Finding::new(Code::ReferenceOtherVpc, name.spot, message)
                .help("a route leads to an interface of its own VPC"),
        );
        return None;
    }
    reference::known("instance", name, instances, &[], found).then(|| instances.object(&name.value)).flatten()
}
