//! Route tables: longest prefix of the effective CIDRs (RT-05).

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;
use model::lab::{Destination, Lab, Route, RouteTable};

/// The route that `destination` takes.
///
/// The longest prefix wins, blackholes included (RT-07, RT-15); at equal length a CIDR beats a prefix list (RT-06), and
/// of two prefix lists the one with the lowest id (RT-08).
pub(crate) fn choose<'a>(lab: &'a Lab, table: &'a RouteTable, destination: IpAddr) -> Option<&'a Route> {
    let matching = table.routes.iter().flat_map(|route| {
        let length = longest(&effective(lab, &route.destination), destination)?;
        Some((Reverse(length), list_id(lab, &route.destination), route))
    });
    matching.min_by_key(|(length, list, _)| (*length, *list)).map(|(_, _, route)| route)
}

/// A prefix list counts as one route per entry (RT-05).
fn effective(lab: &Lab, destination: &Destination) -> Vec<IpNet> {
    match destination {
        Destination::Cidr(cidr) => vec![*cidr],
        Destination::PrefixList(name) => lab.prefix_lists[name].entries.clone(),
    }
}

fn longest(cidrs: &[IpNet], address: IpAddr) -> Option<u8> {
    cidrs.iter().filter(|cidr| cidr.contains(&address)).map(IpNet::prefix_len).max()
}

/// `None`, which sorts first, for a plain CIDR.
fn list_id<'a>(lab: &'a Lab, destination: &Destination) -> Option<&'a str> {
    match destination {
        Destination::Cidr(_) => None,
        Destination::PrefixList(name) => Some(&lab.prefix_lists[name].id),
    }
}
