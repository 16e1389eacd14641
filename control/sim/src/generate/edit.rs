//! Random changes to a lab.

mod gateway;

use super::lab::{Lab, List, Vpc};
use super::view::View;
use super::{route, rules};
use crate::Draw;

/// Changes one thing, or now and then nothing.
pub(super) fn change(lab: &mut Lab, draw: &mut Draw) {
    if draw.chance(5) {
        return;
    }
    if draw.chance(10) && !lab.lists.is_empty() {
        let n = draw.below(lab.lists.len());
        return change_list(&mut lab.lists[n], draw);
    }
    if !lab.hosts.is_empty() && draw.chance(30) {
        return gateway::change(lab, draw);
    }
    let n = draw.below(lab.vpcs.len());
    match draw.below(100) {
        0..=29 => change_group(lab, n, draw),
        30..=49 => change_acl(lab, n, draw),
        50..=64 => change_table(lab, n, draw),
        65..=74 => associate(&mut lab.vpcs[n], draw),
        75..=89 => change_interface(&mut lab.vpcs[n], draw),
        90..=94 => remove_instance(&mut lab.vpcs[n], draw),
        _ => add_instance(&mut lab.vpcs[n], draw),
    }
}

/// A list that routes use keeps to the outside of every VPC: only its first entry comes and goes.
fn change_list(list: &mut List, draw: &mut Draw) {
    if list.entries.len() > 1 && draw.chance(50) {
        list.entries.remove(0);
    } else {
        let entry = if list.family == "ipv4" { "192.0.2.0/24" } else { "2001:db8:1::/48" };
        list.entries.retain(|known| known != entry);
        list.entries.push(entry.to_owned());
    }
}

fn change_group(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let key = if draw.chance(60) { "from" } else { "to" };
    let new = rules::group_rule(key, &View::of(lab, n), draw);
    let group = draw.below(lab.vpcs[n].groups.len());
    let group = &mut lab.vpcs[n].groups[group];
    let rules = if key == "from" { &mut group.ingress } else { group.egress.get_or_insert_default() };
    change_list_of_rules(rules, new, draw);
}

/// Adds a rule, takes one away, or puts the new one in the place of another.
fn change_list_of_rules(rules: &mut Vec<String>, new: String, draw: &mut Draw) {
    if !rules.is_empty() && draw.chance(60) {
        let n = draw.below(rules.len());
        rules.remove(n);
    }
    if draw.chance(60) && !rules.contains(&new) {
        rules.push(new);
    }
}

fn change_acl(lab: &mut Lab, n: usize, draw: &mut Draw) {
    if lab.vpcs[n].acls.is_empty() {
        return;
    }
    // Numbers of an ACL are small or at the very end, so this one is free until the next change.
    let new = rules::acl_entry(draw.between(400, 30_000), &View::of(lab, n), draw);
    let acl = draw.below(lab.vpcs[n].acls.len());
    let acl = &mut lab.vpcs[n].acls[acl];
    let entries = if draw.chance(50) { &mut acl.ingress } else { &mut acl.egress };
    let number = |entry: &str| entry.split(',').next().map(str::to_owned);
    entries.retain(|entry| number(entry) != number(&new));
    change_list_of_rules(entries, new, draw);
}

fn change_table(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let new = route::route(&View::of(lab, n), draw);
    let table = draw.below(lab.vpcs[n].tables.len());
    let routes = &mut lab.vpcs[n].tables[table].routes;
    if !routes.is_empty() && draw.chance(40) {
        let n = draw.below(routes.len());
        routes.remove(n);
    }
    if let Some(new) = new {
        routes.retain(|route| route.to != new.to);
        routes.push(new);
    }
}

fn associate(vpc: &mut Vpc, draw: &mut Draw) {
    let (tables, acls) = (vpc.tables.len(), vpc.acls.len());
    let n = draw.below(vpc.subnets.len());
    let subnet = &mut vpc.subnets[n];
    if draw.chance(50) {
        subnet.table = draw.chance(70).then(|| draw.below(tables));
    } else {
        subnet.acl = (acls > 0 && draw.chance(70)).then(|| draw.below(acls));
    }
}

fn change_interface(vpc: &mut Vpc, draw: &mut Draw) {
    let (groups, free) = (vpc.groups.len(), draw.between(250, 253));
    let n = draw.below(vpc.instances.len());
    let m = draw.below(vpc.instances[n].interfaces.len());
    let subnet = vpc.instances[n].interfaces[m].subnet;
    let address = vpc.v4_of(subnet, free);
    let taken = vpc.interfaces().any(|(_, interface)| interface.v4.contains(&address));
    let interface = &mut vpc.instances[n].interfaces[m];
    match draw.below(4) {
        0 => interface.groups = draw.some(&(0..groups).collect::<Vec<_>>(), 40),
        1 => interface.checks = !interface.checks,
        2 => interface.mtu = *draw.pick(&[9_001, 1_500, 1_280]),
        _ if interface.v4.len() > 1 => {
            let gone = interface.v4.pop();
            interface.public.retain(|(private, _)| Some(private) != gone.as_ref());
            interface.v6.truncate(1);
        }
        _ if !taken => interface.v4.push(address),
        _ => {}
    }
}

/// Its addresses are free again, routes of the VPC's own blocks through it are gone (RT-11, RT-12), and others are blackholes (RT-15).
fn remove_instance(vpc: &mut Vpc, draw: &mut Draw) {
    if vpc.instances.len() < 3 {
        return;
    }
    let n = draw.below(vpc.instances.len());
    let gone = vpc.instances.remove(n);
    lead_nowhere(vpc, &format!("interface/{}.", gone.name));
}

/// Routes whose target begins like this have lost it.
fn lead_nowhere(vpc: &mut Vpc, target: &str) {
    let (mut tables, mut edge) = (std::mem::take(&mut vpc.tables), vpc.gateways.edge.take());
    for table in tables.iter_mut().chain(&mut edge) {
        table.routes.retain(|route| !(route.via.starts_with(target) && route::is_inside(vpc, &route.to)));
        for route in table.routes.iter_mut().filter(|route| route.via.starts_with(target)) {
            route.via = "blackhole".to_owned();
        }
    }
    (vpc.tables, vpc.gateways.edge) = (tables, edge);
}

/// An instance that was there before may come back, with other addresses.
fn add_instance(vpc: &mut Vpc, draw: &mut Draw) {
    let name = |n| format!("{}-i{n}", vpc.name);
    let Some(name) = (0..9).map(name).find(|name| vpc.instances.iter().all(|i| i.name != *name)) else {
        return;
    };
    let instance = vpc.instance(name, draw);
    vpc.instances.push(instance);
}
