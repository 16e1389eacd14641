//! What a route leads to (RT-14).

use super::super::interface::ONLY;
use super::super::vpc::Scope;
use super::super::{gateway, missing, reference};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::lab::{InterfaceRef, Target};
use crate::spot::At;

const TARGETS: &str = "a target is instance/NAME, interface/INSTANCE.DEVICE, local, blackhole, internet_gateway, \
                       egress_only_internet_gateway, nat_gateway/NAME or peering/NAME";

/// The target of a route.
pub(super) fn check(scope: &Scope<'_>, draft: &draft::Route, found: &mut Findings) -> Option<Target> {
    if draft.via.is_absent() {
        missing(found, draft.spot, "a route", "via", TARGETS);
    }
    let via = draft.via.get()?;
    match via.value.split_once('/') {
        None => plain(scope, via, found),
        Some(("instance", name)) => instance(scope, via, name, found),
        Some(("interface", name)) => interface(scope, via, name, found),
        Some(("nat_gateway", name)) => {
            let at = At::new(own_name(scope, via, name, found)?.to_owned(), via.spot);
            let known = reference::known("NAT gateway", &at, &scope.draft.nat_gateways, &[], found);
            known.then_some(Target::NatGateway(at.value))
        }
        Some(("peering", name)) => peering(scope, via, name, found),
        Some(_) => malformed(via, TARGETS, found),
    }
}

fn plain(scope: &Scope<'_>, via: &Text, found: &mut Findings) -> Option<Target> {
    match via.value.as_str() {
        "blackhole" => Some(Target::Blackhole),
        "local" => Some(Target::Local),
        "internet_gateway" => {
            let there = gateway::has_internet_gateway(scope.draft);
            attached(there, via, "internet gateway", found).then_some(Target::InternetGateway)
        }
        "egress_only_internet_gateway" => {
            let there = gateway::has_egress_only(scope.draft);
            attached(there, via, "egress-only internet gateway", found)
                .then_some(Target::EgressOnlyInternetGateway)
        }
        other => {
            let words = ["blackhole", "local", "internet_gateway", "egress_only_internet_gateway"];
            let near = crate::suggest::nearest(other, words).map(|word| format!("did you mean `{word}`?"));
            malformed(via, near.as_deref().unwrap_or(TARGETS), found)
        }
    }
}

/// A route leads to a gateway of its own VPC only (ER-14).
fn attached(there: bool, via: &Text, what: &str, found: &mut Findings) -> bool {
    if !there {
        let message = format!("this VPC has no {what}");
        found.push(
            Finding::new(Code::GatewayNotAttached, via.spot, message)
                .help(format!("write `{}: true` in the VPC", via.value)),
        );
    }
    there
}

/// A route leads over a connection that joins its own VPC (ER-14).
fn peering(scope: &Scope<'_>, via: &Text, name: &str, found: &mut Findings) -> Option<Target> {
    let Some(peering) = scope.world.peerings.by_name.get(name) else {
        let at = At::new(name.to_owned(), via.spot);
        reference::known("peering connection", &at, &scope.world.draft.peerings, &[], found);
        return None;
    };
    if peering.other_side(&scope.name.value).is_none() {
        let message = format!(
            "peering connection `{name}` joins `{}` and `{}`, not `{}`",
            peering.requester, peering.accepter, scope.name.value
        );
        found.push(
            Finding::new(Code::ReferenceOtherVpc, via.spot, message)
                .help("a route leads over a connection of its own VPC; peering is not transitive"),
        );
        return None;
    }
    Some(Target::Peering(name.to_owned()))
}

fn malformed(via: &Text, help: &str, found: &mut Findings) -> Option<Target> {
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
    let device = devices.next().unwrap_or(ONLY);
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
    let implied: &[&str] = if devices.is_absent() { &[ONLY] } else { &[] };
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
