//! Random rules, entries, routes and prefix-list entries, as they are written.

use super::lab::{Acl, Group, List, Route, SECOND, Table, Vpc};
use crate::Draw;

/// Ports that traffic uses, and their neighbours.
pub(super) const PORTS: &[u16] = &[0, 22, 80, 443, 1_023, 1_024, 40_000, 40_001, 65_535];

/// Port ranges of rules.
const RANGES: &[&str] =
    &["22", "80", "443", "80-443", "0-65535", "1024-65535", "0-1023", "40000-40001", "1-65535"];

/// Blocks outside every generated VPC.
const OUTSIDE_V4: &[&str] = &["203.0.113.0/24", "203.0.113.128/25", "198.51.100.0/24", "192.0.2.0/24"];
const OUTSIDE_V6: &[&str] = &["2001:db8::/32", "2001:db8:1::/48"];

/// Who may be on the other side of a rule.
struct Peer {
    text: String,
    /// Families of addresses that it can match.
    v4: bool,
    v6: bool,
}

pub(super) fn group(vpc: &Vpc, groups: usize, lists: &[List], draw: &mut Draw) -> Group {
    let mut ingress = group_rules("from", vpc, groups, lists, draw);
    if ingress.is_empty() && draw.chance(70) {
        // Else most packets would meet a group that lets nothing in.
        ingress.push("proto: all, from: \"0.0.0.0/0\"".to_owned());
        ingress.push("proto: all, from: \"::/0\"".to_owned());
    }
    let egress = draw.chance(60).then(|| group_rules("to", vpc, groups, lists, draw));
    Group { ingress, egress }
}

/// Up to five rules, none twice.
fn group_rules(key: &str, vpc: &Vpc, groups: usize, lists: &[List], draw: &mut Draw) -> Vec<String> {
    let mut rules: Vec<_> =
        (0..draw.between(0, 5)).map(|_| group_rule(key, vpc, groups, lists, draw)).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

pub(super) fn group_rule(key: &str, vpc: &Vpc, groups: usize, lists: &[List], draw: &mut Draw) -> String {
    let peer = peer(vpc, groups, lists, draw);
    let traffic = traffic(peer.v4, peer.v6, draw);
    format!("{traffic}, {key}: \"{}\"", peer.text)
}

fn peer(vpc: &Vpc, groups: usize, lists: &[List], draw: &mut Draw) -> Peer {
    match draw.below(100) {
        0..=19 if groups > 0 => {
            Peer { text: format!("sg/g{}", draw.below(groups)), v4: true, v6: vpc.v6.is_some() }
        }
        20..=34 if !lists.is_empty() => {
            let list = draw.pick(lists);
            let v4 = list.family == "ipv4";
            Peer { text: format!("prefix_list/{}", list.name), v4, v6: !v4 }
        }
        _ if vpc.v6.is_some() && draw.chance(35) => Peer { text: block_v6(vpc, draw), v4: false, v6: true },
        _ => Peer { text: block_v4(vpc, draw), v4: true, v6: false },
    }
}

fn block_v4(vpc: &Vpc, draw: &mut Draw) -> String {
    match draw.below(100) {
        0..=34 => "0.0.0.0/0".to_owned(),
        35..=44 => "10.0.0.0/8".to_owned(),
        45..=59 => format!("{}.0.0/16", vpc.v4),
        60..=74 => draw.pick(&vpc.v4_blocks()).clone(),
        75..=89 => {
            host(vpc, true, draw).map_or_else(|| "10.0.1.10/32".to_owned(), |host| format!("{host}/32"))
        }
        _ => (*draw.pick(OUTSIDE_V4)).to_owned(),
    }
}

fn block_v6(vpc: &Vpc, draw: &mut Draw) -> String {
    match draw.below(100) {
        0..=44 => "::/0".to_owned(),
        45..=69 => draw.pick(&vpc.v6_blocks()).clone(),
        70..=89 => host(vpc, false, draw).map_or_else(|| "::/0".to_owned(), |host| format!("{host}/128")),
        _ => (*draw.pick(OUTSIDE_V6)).to_owned(),
    }
}

/// The address of some interface.
fn host(vpc: &Vpc, v4: bool, draw: &mut Draw) -> Option<String> {
    let all = vpc.interfaces().flat_map(|(_, interface)| if v4 { &interface.v4 } else { &interface.v6 });
    let all: Vec<_> = all.collect();
    if all.is_empty() { None } else { Some((*draw.pick(&all)).clone()) }
}

/// Protocol and ports or type for a peer of these families.
fn traffic(v4: bool, v6: bool, draw: &mut Draw) -> String {
    match draw.below(100) {
        0..=24 => "proto: all".to_owned(),
        25..=54 => format!("proto: tcp, ports: {}", draw.pick(RANGES)),
        55..=71 => format!("proto: udp, ports: {}", draw.pick(RANGES)),
        72..=91 if v4 && (!v6 || draw.chance(60)) => {
            let types: &[&str] =
                &["", ", type: 8", ", type: 0", ", type: 3", ", type: 3, code: 4", ", type: 13"];
            format!("proto: icmp{}", draw.pick(types))
        }
        72..=91 => {
            let types: &[&str] = &["", ", type: 128", ", type: 129", ", type: 2", ", type: 1, code: 4"];
            format!("proto: icmpv6{}", draw.pick(types))
        }
        _ => format!("proto: {}", draw.pick(&[47, 50, 132])),
    }
}

pub(super) fn acl(vpc: &Vpc, draw: &mut Draw) -> Acl {
    Acl { ingress: acl_entries(vpc, draw), egress: acl_entries(vpc, draw) }
}

fn acl_entries(vpc: &Vpc, draw: &mut Draw) -> Vec<String> {
    let mut number = 0;
    let mut entries = Vec::new();
    for _ in 0..draw.between(1, 6) {
        number += draw.between(1, 50);
        entries.push(acl_entry(number, vpc, draw));
    }
    if draw.chance(60) {
        entries.push("rule: 32766, action: allow, proto: all, cidr: 0.0.0.0/0".to_owned());
        entries.push("rule: 32765, action: allow, proto: all, cidr: \"::/0\"".to_owned());
    }
    entries
}

pub(super) fn acl_entry(number: usize, vpc: &Vpc, draw: &mut Draw) -> String {
    let action = draw.pick(&["allow", "allow", "deny"]);
    let v6 = vpc.v6.is_some() && draw.chance(35);
    let block = if v6 { block_v6(vpc, draw) } else { block_v4(vpc, draw) };
    format!("rule: {number}, action: {action}, {}, cidr: \"{block}\"", traffic(!v6, v6, draw))
}

pub(super) fn table(vpc: &Vpc, lists: &[List], draw: &mut Draw) -> Table {
    let mut routes: Vec<Route> = Vec::new();
    for _ in 0..draw.between(0, 5) {
        if let Some(route) = route(vpc, lists, draw)
            && routes.iter().all(|known| known.to != route.to)
        {
            routes.push(route);
        }
    }
    Table { routes }
}

/// A route to the outside, to a prefix list, or through a middlebox to the VPC or a subnet of it (RT-11, RT-12).
pub(super) fn route(vpc: &Vpc, lists: &[List], draw: &mut Draw) -> Option<Route> {
    let interfaces: Vec<_> = vpc.interfaces().map(|(name, _)| name).collect();
    let through = format!("interface/{}", draw.pick(&interfaces));
    let via = if draw.chance(25) { "blackhole".to_owned() } else { through.clone() };
    let outside = if vpc.v6.is_some() && draw.chance(30) { OUTSIDE_V6 } else { OUTSIDE_V4 };
    Some(match draw.below(100) {
        0..=19 => Route { to: "0.0.0.0/0".to_owned(), via },
        20..=29 => Route { to: vpc.v6.map(|_| "::/0".to_owned())?, via },
        30..=59 => Route { to: (*draw.pick(outside)).to_owned(), via },
        60..=79 => {
            // Lists whose entries may lie inside the VPC are for groups: AWS takes such routes for RT-11's.
            let list = lists.iter().find(|list| list.entries.iter().all(|entry| is_outside(entry)))?;
            Route { to: format!("prefix_list/{}", list.name), via }
        }
        80..=91 => Route { to: draw.pick(&vpc.v4_blocks()).clone(), via: through },
        92..=95 if vpc.v6.is_some() => Route { to: draw.pick(&vpc.v6_blocks()).clone(), via: through },
        _ if vpc.second && draw.chance(50) => Route { to: format!("{SECOND}.0.0/16"), via: through },
        _ => Route { to: format!("{}.0.0/16", vpc.v4), via: through },
    })
}

fn is_outside(entry: &str) -> bool {
    OUTSIDE_V4.contains(&entry) || OUTSIDE_V6.contains(&entry) || entry.ends_with("/0")
}

/// Entries of a prefix list, none twice.
pub(super) fn list_entries(family: &str, draw: &mut Draw) -> Vec<String> {
    let v4 = ["0.0.0.0/0", "10.0.1.0/24", "10.0.0.0/16", "172.31.2.0/24"];
    let v6 = ["::/0", "2600:1f18:aaaa:1001::/64"];
    let outside = if family == "ipv4" { OUTSIDE_V4 } else { OUTSIDE_V6 };
    let mut entries = draw.some(outside, 50);
    if draw.chance(50) {
        entries.push(if family == "ipv4" { *draw.pick(&v4) } else { *draw.pick(&v6) });
    }
    entries.into_iter().map(str::to_owned).collect()
}
