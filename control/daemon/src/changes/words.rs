//! Values as the lab file writes them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use model::lab::{
    AclAction, AclEntry, Connectivity, Destination, FlowLog, FlowLogInterval, FlowLogScope, GroupRule,
    InterfaceRef, LogDestination, NatAddress, Nitro, Peer, PeeredGroup, RelatedIcmp, Route, SourceDestCheck,
    Target, Tracking, Traffic, TrafficType,
};

pub(super) fn list<T: Display>(values: &[T]) -> String {
    let words: Vec<String> = values.iter().map(ToString::to_string).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// `10.0.1.10 as 198.51.100.20`.
pub(super) fn public_ips(mapping: &BTreeMap<Ipv4Addr, Ipv4Addr>) -> String {
    let pairs: Vec<String> =
        mapping.iter().map(|(private, public)| format!("{private} as {public}")).collect();
    list(&pairs)
}

pub(super) fn nat_address(address: &NatAddress) -> String {
    match address.public_ip {
        Some(public) => format!("{} as {public}", address.private_ip),
        None => address.private_ip.to_string(),
    }
}

pub(super) const fn connectivity(connectivity: &Connectivity) -> &'static str {
    match connectivity {
        Connectivity::Private => "private",
        Connectivity::Public => "public",
    }
}

pub(super) fn route(route: &Route) -> String {
    let destination = match &route.destination {
        Destination::Cidr(cidr) => cidr.to_string(),
        Destination::PrefixList(name) => format!("prefix_list/{name}"),
    };
    let target = match &route.target {
        Target::Blackhole => "blackhole".to_owned(),
        Target::EgressOnlyInternetGateway => "egress_only_internet_gateway".to_owned(),
        Target::Interface(at) => format!("interface/{}", interface(at)),
        Target::InternetGateway => "internet_gateway".to_owned(),
        Target::Local => "local".to_owned(),
        Target::NatGateway(name) => format!("nat_gateway/{name}"),
        Target::Peering(name) => format!("peering/{name}"),
    };
    format!("{destination} via {target}")
}

pub(super) fn group_rule(rule: &GroupRule) -> String {
    let peer = match &rule.peer {
        Peer::Cidr(cidr) => cidr.to_string(),
        Peer::Group(name) => format!("sg/{name}"),
        Peer::PeeredGroup(PeeredGroup { vpc, group }) => format!("sg/{vpc}.{group}"),
        Peer::PrefixList(name) => format!("prefix_list/{name}"),
    };
    format!("{}, peer {peer} ({})", traffic(&rule.traffic), rule.id)
}

pub(super) fn acl_entry(entry: &AclEntry) -> String {
    let action = match entry.action {
        AclAction::Allow => "allow",
        AclAction::Deny => "deny",
    };
    format!("{} {action} {}, {}", entry.number, traffic(&entry.traffic), entry.cidr)
}

fn traffic(traffic: &Traffic) -> String {
    match traffic {
        Traffic::All => "all traffic".to_owned(),
        Traffic::Icmp(icmp_type, code) => icmp("icmp", *icmp_type, *code),
        Traffic::Icmpv6(icmp_type, code) => icmp("icmpv6", *icmp_type, *code),
        Traffic::Number(number) => format!("protocol {number}"),
        Traffic::Tcp(range) => ports("tcp", range),
        Traffic::Udp(range) => ports("udp", range),
    }
}

fn icmp(name: &str, icmp_type: Option<u8>, code: Option<u8>) -> String {
    let icmp_type = icmp_type.map(|number| format!(" type {number}")).unwrap_or_default();
    let code = code.map(|number| format!(" code {number}")).unwrap_or_default();
    format!("{name}{icmp_type}{code}")
}

fn ports(name: &str, range: &RangeInclusive<u16>) -> String {
    match (*range.start(), *range.end()) {
        (0, u16::MAX) => name.to_owned(),
        (first, last) if first == last => format!("{name} {first}"),
        (first, last) => format!("{name} {first}-{last}"),
    }
}

pub(super) fn flow_log(log: &FlowLog) -> String {
    let scope = match &log.scope {
        FlowLogScope::Interface(at) => format!("interface {}", interface(at)),
        FlowLogScope::NatGateway(name) => format!("NAT gateway {name}"),
        FlowLogScope::Subnet(name) => format!("subnet {name}"),
        FlowLogScope::Vpc => "the VPC".to_owned(),
    };
    let traffic = match log.traffic {
        TrafficType::Accept => "accepted traffic",
        TrafficType::All => "all traffic",
        TrafficType::Reject => "rejected traffic",
    };
    let LogDestination::File(file) = &log.destination;
    format!(
        "{} ({}) of {scope}, {traffic}, every {} s, to {}",
        log.name,
        log.id,
        log.interval,
        file.display()
    )
}

fn interface(at: &InterfaceRef) -> String {
    format!("{}.{}", at.instance, at.device)
}

pub(super) fn check(check: &SourceDestCheck) -> String {
    let word = match check {
        SourceDestCheck::Off => "off",
        SourceDestCheck::On => "on",
    };
    word.to_owned()
}

pub(super) fn related_icmp(related: &RelatedIcmp) -> String {
    let word = match related {
        RelatedIcmp::Accept => "accept",
        RelatedIcmp::Reject => "reject",
    };
    word.to_owned()
}

pub(super) fn tracking(tracking: &Tracking) -> String {
    (*tracking == Tracking::All).to_string()
}

pub(super) fn nitro(nitro: &Nitro) -> String {
    (*nitro == Nitro::On).to_string()
}

pub(super) fn any_interval(interval: &FlowLogInterval) -> String {
    (*interval == FlowLogInterval::Any).to_string()
}
