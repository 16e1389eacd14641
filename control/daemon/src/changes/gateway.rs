//! What differs in gateways, peering connections and the internet.

use std::collections::BTreeMap;

use model::lab::{Host, Internet, InternetGateway, NatGateway, Peering, Vpc};

use super::{Lines, Pair, pairs, words};

pub(super) fn of_vpc(lines: &mut Lines, vpc: &str, old: &Vpc, new: &Vpc) {
    let ids = |gateway: &Option<InternetGateway>| {
        gateway.as_ref().map_or_else(|| "none".to_owned(), |gateway| gateway.id.clone())
    };
    let (before, after) = (old.internet_gateway.as_ref(), new.internet_gateway.as_ref());
    if before.is_some() == after.is_some() {
        let table = |gateway: Option<&InternetGateway>| gateway.and_then(|g| g.route_table.clone());
        lines.changed(
            format!("VPC {vpc}: route table of the internet gateway"),
            &table(before),
            &table(after),
            |table| table.clone().unwrap_or_else(|| "none".to_owned()),
        );
    } else {
        lines.changed(
            format!("VPC {vpc}: internet gateway"),
            &old.internet_gateway,
            &new.internet_gateway,
            ids,
        );
    }
    lines.changed(
        format!("VPC {vpc}: egress-only internet gateway"),
        &old.egress_only_internet_gateway,
        &new.egress_only_internet_gateway,
        |gateway| gateway.as_ref().map_or_else(|| "none".to_owned(), |gateway| gateway.id.clone()),
    );
    for pair in pairs(&old.nat_gateways, &new.nat_gateways, |gateway: &NatGateway| gateway.id.as_str()) {
        match pair {
            Pair::Added(gateway) => {
                lines.added(format!("NAT gateway {vpc}.{} ({})", gateway.name, gateway.id))
            }
            Pair::Removed(gateway) => {
                lines.removed(format!("NAT gateway {vpc}.{} ({})", gateway.name, gateway.id));
            }
            Pair::Both(old, new) => compare_nat_gateways(lines, vpc, old, new),
        }
    }
}

fn compare_nat_gateways(lines: &mut Lines, vpc: &str, old: &NatGateway, new: &NatGateway) {
    let gateway = format!("NAT gateway {vpc}.{}", new.name);
    lines.changed(format!("{gateway}: subnet"), &old.subnet, &new.subnet, String::clone);
    lines.changed(format!("{gateway}: connectivity type"), &old.connectivity, &new.connectivity, |c| {
        words::connectivity(c).to_owned()
    });
    lines.elements(&format!("{gateway}: address"), &old.addresses, &new.addresses, words::nat_address);
}

pub(super) fn peerings(lines: &mut Lines, old: &BTreeMap<String, Peering>, new: &BTreeMap<String, Peering>) {
    for pair in pairs(old, new, |peering: &Peering| peering.id.as_str()) {
        match pair {
            Pair::Added(peering) => lines.added(peering_words(peering)),
            Pair::Removed(peering) => lines.removed(peering_words(peering)),
            Pair::Both(old, new) => {
                let what = format!("peering connection {}", new.name);
                let sides = |p: &Peering| format!("{} and {}", p.requester, p.accepter);
                lines.changed(format!("{what}: VPCs"), &sides(old), &sides(new), String::clone);
                lines.changed(format!("{what}: state"), &old.state, &new.state, |s| s.as_str().to_owned());
            }
        }
    }
}

fn peering_words(peering: &Peering) -> String {
    let Peering { name, id, requester, accepter, state, .. } = peering;
    format!("peering connection {name} ({id}) of {requester} and {accepter}, {}", state.as_str())
}

pub(super) fn internet(lines: &mut Lines, old: &Internet, new: &Internet) {
    lines.changed("the internet: MTU", &old.mtu, &new.mtu, u16::to_string);
    lines.changed("the internet: public pool", &old.public_pool, &new.public_pool, |pool| words::list(pool));
    for pair in pairs(&old.hosts, &new.hosts, |host: &Host| host.id.as_str()) {
        match pair {
            Pair::Added(host) => lines.added(format!("host {}", host.name)),
            Pair::Removed(host) => lines.removed(format!("host {}", host.name)),
            Pair::Both(old, new) => {
                let host = format!("host {}", new.name);
                lines.changed(format!("{host}: addresses"), &old.ips, &new.ips, |ips| words::list(ips));
                lines.changed(format!("{host}: names"), &old.names, &new.names, |names| words::list(names));
                lines.elements(&format!("{host}: program"), &old.run, &new.run, String::clone);
            }
        }
    }
}
