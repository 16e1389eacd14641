//! Random rules, entries and prefix-list entries, as they are written.

use super::lab::{Acl, Group, Vpc};
use super::view::View;
use crate::Draw;

/// Ports that traffic uses, and their neighbours.
pub(super) const PORTS: &[u16] = &[0, 22, 80, 443, 1_023, 1_024, 40_000, 40_001, 65_535];

/// Port ranges of rules.
const RANGES: &[&str] =
    &["22", "80", "443", "80-443", "0-65535", "1024-65535", "0-1023", "40000-40001", "1-65535"];

/// Blocks outside every generated VPC.
pub(super) const OUTSIDE_V4: &[&str] =
    &["203.0.113.0/24", "203.0.113.128/25", "198.51.100.0/24", "192.0.2.0/24"];
pub(super) const OUTSIDE_V6: &[&str] = &["2001:db8::/32", "2001:db8:1::/48"];

/// Who may be on the other side of a rule.
struct Peer {
    text: String,
    /// Families of addresses that it can match.
    v4: bool,
    v6: bool,
}

pub(super) fn group(view: &View<'_>, draw: &mut Draw) -> Group {
    let mut ingress = group_rules("from", view, draw);
    let joined = view.is_joined();
    if (ingress.is_empty() && draw.chance(70)) || (joined && draw.chance(50)) {
        // Else most packets would meet a group that lets nothing in.
        let open = ["proto: all, from: \"0.0.0.0/0\"", "proto: all, from: \"::/0\""];
        ingress.retain(|rule| !open.contains(&rule.as_str()));
        ingress.extend(open.map(str::to_owned));
    }
    let egress = draw.chance(if joined { 30 } else { 60 }).then(|| group_rules("to", view, draw));
    Group { ingress, egress }
}

/// Up to five rules, none twice.
fn group_rules(key: &str, view: &View<'_>, draw: &mut Draw) -> Vec<String> {
    let mut rules: Vec<_> = (0..draw.between(0, 5)).map(|_| group_rule(key, view, draw)).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

pub(super) fn group_rule(key: &str, view: &View<'_>, draw: &mut Draw) -> String {
    let peer = peer(view, draw);
    let traffic = traffic(peer.v4, peer.v6, draw);
    format!("{traffic}, {key}: \"{}\"", peer.text)
}

fn peer(view: &View<'_>, draw: &mut Draw) -> Peer {
    let (groups, v6) = (view.vpc.groups.len(), view.vpc.v6.is_some());
    match draw.below(100) {
        0..=24 => {
            let foreign = view.foreign_groups();
            let far = !foreign.is_empty() && draw.chance(60);
            let text = if far { draw.pick(&foreign).clone() } else { format!("sg/g{}", draw.below(groups)) };
            Peer { text, v4: true, v6 }
        }
        25..=36 if !view.lists.is_empty() => {
            let list = draw.pick(view.lists);
            let v4 = list.family == "ipv4";
            Peer { text: format!("prefix_list/{}", list.name), v4, v6: !v4 }
        }
        _ if v6 && draw.chance(35) => Peer { text: block_v6(view, draw), v4: false, v6: true },
        _ => Peer { text: block_v4(view, draw), v4: true, v6: false },
    }
}

fn block_v4(view: &View<'_>, draw: &mut Draw) -> String {
    let vpc = view.vpc;
    if let Some(block) = block_of_peer(view, true, draw) {
        return block;
    }
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

fn block_v6(view: &View<'_>, draw: &mut Draw) -> String {
    let vpc = view.vpc;
    if let Some(block) = block_of_peer(view, false, draw) {
        return block;
    }
    match draw.below(100) {
        0..=44 => "::/0".to_owned(),
        45..=69 => draw.pick(&vpc.v6_blocks()).clone(),
        70..=89 => host(vpc, false, draw).map_or_else(|| "::/0".to_owned(), |host| format!("{host}/128")),
        _ => (*draw.pick(OUTSIDE_V6)).to_owned(),
    }
}

/// Now and then something of a peer.
fn block_of_peer(view: &View<'_>, v4: bool, draw: &mut Draw) -> Option<String> {
    let blocks: Vec<_> = view.peers.iter().flat_map(|peer| peer.blocks(v4)).collect();
    (!blocks.is_empty() && draw.chance(25)).then(|| draw.pick(&blocks).clone())
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

pub(super) fn acl(view: &View<'_>, draw: &mut Draw) -> Acl {
    Acl { ingress: acl_entries(view, draw), egress: acl_entries(view, draw) }
}

fn acl_entries(view: &View<'_>, draw: &mut Draw) -> Vec<String> {
    let mut number = 0;
    let mut entries = Vec::new();
    for _ in 0..draw.between(1, 6) {
        number += draw.between(1, 50);
        entries.push(acl_entry(number, view, draw));
    }
    if draw.chance(60) {
        entries.push("rule: 32766, action: allow, proto: all, cidr: 0.0.0.0/0".to_owned());
        entries.push("rule: 32765, action: allow, proto: all, cidr: \"::/0\"".to_owned());
    }
    entries
}

pub(super) fn acl_entry(number: usize, view: &View<'_>, draw: &mut Draw) -> String {
    let action = draw.pick(&["allow", "allow", "deny"]);
    let v6 = view.vpc.v6.is_some() && draw.chance(35);
    let block = if v6 { block_v6(view, draw) } else { block_v4(view, draw) };
    format!("rule: {number}, action: {action}, {}, cidr: \"{block}\"", traffic(!v6, v6, draw))
}

pub(super) fn is_outside(entry: &str) -> bool {
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
