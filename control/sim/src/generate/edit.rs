//! Random changes to a lab.

use super::lab::{Lab, List, SECOND, Vpc};
use super::rules;
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
    let n = draw.below(lab.vpcs.len());
    let vpc = &mut lab.vpcs[n];
    match draw.below(100) {
        0..=29 => change_group(vpc, &lab.lists, draw),
        30..=49 => change_acl(vpc, draw),
        50..=64 => change_table(vpc, &lab.lists, draw),
        65..=74 => associate(vpc, draw),
        75..=89 => change_interface(vpc, draw),
        90..=94 => remove_instance(vpc, draw),
        _ => add_instance(vpc, draw),
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

fn change_group(vpc: &mut Vpc, lists: &[List], draw: &mut Draw) {
    let (n, groups) = (draw.below(vpc.groups.len()), vpc.groups.len());
    let key = if draw.chance(60) { "from" } else { "to" };
    let new = rules::group_rule(key, vpc, groups, lists, draw);
    let group = &mut vpc.groups[n];
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

fn change_acl(vpc: &mut Vpc, draw: &mut Draw) {
    if vpc.acls.is_empty() {
        return;
    }
    let n = draw.below(vpc.acls.len());
    // Numbers of an ACL are small or at the very end, so this one is free until the next change.
    let new = rules::acl_entry(draw.between(400, 30_000), vpc, draw);
    let acl = &mut vpc.acls[n];
    let entries = if draw.chance(50) { &mut acl.ingress } else { &mut acl.egress };
    let number = |entry: &str| entry.split(',').next().map(str::to_owned);
    entries.retain(|entry| number(entry) != number(&new));
    change_list_of_rules(entries, new, draw);
}

fn change_table(vpc: &mut Vpc, lists: &[List], draw: &mut Draw) {
    let n = draw.below(vpc.tables.len());
    let new = rules::route(vpc, lists, draw);
    let routes = &mut vpc.tables[n].routes;
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
            interface.v4.pop();
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
    let target = format!("interface/{}.", gone.name);
    let inside: Vec<String> = [vpc.v4_blocks(), vpc.v6_blocks(), vec![format!("{}.0.0/16", vpc.v4)]]
        .into_iter()
        .flatten()
        .collect();
    for table in &mut vpc.tables {
        table.routes.retain(|route| !(route.via.starts_with(&target) && inside.contains(&route.to)));
    }
    let blocks = [Some(vpc.v4), Some(SECOND), vpc.v6];
    let inside = |to: &str| blocks.iter().flatten().any(|block| to.starts_with(block));
    for table in &mut vpc.tables {
        table.routes.retain(|route| !(route.via.starts_with(&target) && inside(&route.to)));
        for route in table.routes.iter_mut().filter(|route| route.via.starts_with(&target)) {
            route.via = "blackhole".to_owned();
        }
    }
}

/// An instance that was there before may come back, with other addresses.
fn add_instance(vpc: &mut Vpc, draw: &mut Draw) {
    let name = |n| format!("{}-i{n}", vpc.name);
    let Some(name) = (0..9).map(name).find(|name| vpc.instances.iter().all(|i| i.name != *name)) else {
        return;
    };
    let instance = vpc.instance(name, vpc.groups.len(), draw);
    vpc.instances.push(instance);
}
