//! Instances with their interfaces.

use std::collections::BTreeMap;

use super::address::{Addresses, Owner, Request};
use super::interface::{self, Keys, Plan};
use super::vpc::Scope;
use super::{address, name};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{Instance, Interface, Subnet};

/// All instances of a VPC. What NAT gateways ask of its subnets is `others`; the second part are their addresses.
pub(super) fn all(
    scope: &Scope<'_>,
    subnets: &BTreeMap<String, Subnet>,
    others: Vec<Request<'_>>,
    found: &mut Findings,
) -> (BTreeMap<String, Instance>, Vec<Addresses>) {
    let mut plans: Vec<Plan<'_>> = Vec::new();
    let mut instances = BTreeMap::new();
    for (name, draft) in scope.draft.instances.objects() {
        if name::instance(name, found) {
            instances.insert(name.value.clone(), empty(scope, name, draft));
        }
        let own = plans_of(scope, name, draft, found);
        one_zone(&own, subnets, found);
        plans.extend(own);
    }
    plans.sort_by_key(|plan| (plan.instance, plan.device));
    let mut requests: Vec<Request<'_>> = plans.iter().map(request).collect();
    requests.extend(others);
    let mut addresses = address::allocate(subnets, &requests, found);
    let rest = addresses.split_off(plans.len());
    for (plan, (private_ips, ipv6_addresses)) in plans.into_iter().zip(addresses) {
        let id = ids::derived(Kind::Interface, scope.owner(), &format!("{}.{}", plan.instance, plan.device));
        if let Some(instance) = instances.get_mut(plan.instance) {
            instance.interfaces.push(Interface {
                device: plan.device.to_owned(),
                id,
                subnet: plan.subnet.value.clone(),
                private_ips,
                public_ips: BTreeMap::new(),
                ipv6_addresses,
                security_groups: plan.groups,
                source_dest_check: plan.check,
                mtu: plan.mtu,
            });
        }
    }
    (instances, rest)
}

fn request<'a>(plan: &'a Plan<'_>) -> Request<'a> {
    let owner = Owner::Interface(plan.instance, plan.device);
    Request { owner, subnet: &plan.subnet.value, v4: &plan.v4, v6: &plan.v6 }
}

fn empty(scope: &Scope<'_>, name: &Text, draft: &draft::Instance) -> Instance {
    Instance {
        name: name.value.clone(),
        id: ids::id(Kind::Instance, scope.owner(), &name.value),
        namespace: format!("{}-{}", scope.world.name, name.value),
        interfaces: Vec::new(),
        run: draft.run.items().map(|line| line.value.clone()).collect(),
    }
}

fn plans_of<'a>(
    scope: &Scope<'a>,
    name: &'a Text,
    draft: &'a draft::Instance,
    found: &mut Findings,
) -> Vec<Plan<'a>> {
    let own = Keys::of_instance(draft);
    if draft.interfaces.is_absent() {
        if own.subnet.is_absent() {
            let message = format!("instance `{}` is in no subnet", name.value);
            found.push(
                Finding::new(Code::InstanceWithoutSubnet, name.spot, message)
                    .help("write `subnet: NAME`, or `interfaces` with a subnet each"),
            );
            return Vec::new();
        }
        return interface::plan(scope, name, interface::ONLY, name.spot, own, own.security_groups, found)
            .into_iter()
            .collect();
    }
    if draft.interfaces.get().is_some() {
        no_interface_keys(name, own, found);
        interface::groups(scope, own.security_groups, found);
    }
    some_interface(name, draft, found);
    let plan = |(device, body): (&'a Text, &'a draft::Interface)| {
        let keys = Keys::of_interface(body);
        let named = name::device(device, found);
        let plan = interface::plan(scope, name, &device.value, device.spot, keys, own.security_groups, found);
        plan.filter(|_| named)
    };
    draft.interfaces.objects().filter_map(plan).collect()
}

fn some_interface(name: &Text, draft: &draft::Instance, found: &mut Findings) {
    if let (Some(interfaces), Some(key)) = (draft.interfaces.get(), draft.interfaces.key())
        && interfaces.entries.is_empty()
    {
        let message = format!("instance `{}` has no interface", name.value);
        found.push(
            Finding::new(Code::InstanceWithoutSubnet, key, message).help("name at least one, such as eth0"),
        );
    }
}

/// With `interfaces`, everything but the groups is theirs to say.
fn no_interface_keys(name: &Text, own: Keys<'_>, found: &mut Findings) {
    let keys = [
        ("subnet", own.subnet.key()),
        ("private_ip", own.private_ip.key()),
        ("private_ips", own.private_ips.key()),
        ("public_ip", own.public_ip.key()),
        ("public_ips", own.public_ips.key()),
        ("ipv6", own.ipv6.key()),
        ("ipv6_addresses", own.ipv6_addresses.key()),
        ("source_dest_check", own.source_dest_check.key()),
        ("mtu", own.mtu.key()),
        ("flow_logs", own.flow_logs.key()),
    ];
    for (key, spot) in keys {
        if let Some(spot) = spot {
            let message =
                format!("instance `{}` has `interfaces`, so `{key}` belongs to one of them", name.value);
            found.push(Finding::new(Code::ConflictingKeys, spot, message));
        }
    }
}

/// An instance lies in one zone, and so do its interfaces.
fn one_zone(plans: &[Plan<'_>], subnets: &BTreeMap<String, Subnet>, found: &mut Findings) {
    let zone = |plan: &Plan<'_>| subnets.get(&plan.subnet.value).map(|s| s.az.as_str());
    let Some((first, az)) = plans.iter().find_map(|p| zone(p).map(|az| (p, az))) else { return };
    for plan in plans {
        if let Some(other) = zone(plan).filter(|other| *other != az) {
            let message = format!(
                "`{}.{}` is in {other}, but `{}` is in {az}",
                plan.instance, plan.device, first.device
            );
            found.push(
                Finding::new(Code::InterfacesInSeveralZones, plan.subnet.spot, message)
                    .help("all interfaces of an instance are in one availability zone")
                    .also(first.subnet.spot, format!("in {az}")),
            );
        }
    }
}
