//! Route tables: effective routes, each prefix once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ipnet::IpNet;
use model::lab::{Destination, Route, RouteTable, Target, Vpc};
use snapshot::spec::{RouteSpec, RouteTableSpec, TargetSpec};

use crate::compiler::Common;
use crate::interface::id_of;

/// What decides between two routes with the same prefix; the lower one wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'a> {
    /// A block, written or local (RT-06).
    Cidr,
    /// An entry of the prefix list with this id; AWS picks one of several at random, here the lowest id wins (RT-08).
    PrefixList(&'a str),
}

pub(crate) fn route_tables(common: Common<'_>, vpc: &Vpc) -> Vec<RouteTableSpec> {
    let table = |table: &RouteTable| RouteTableSpec {
        id: table.id.clone(),
        name: format!("{}.{}", vpc.name, table.name),
        routes: effective(common, &table.routes)
            .into_iter()
            .map(|(prefix, route)| RouteSpec {
                id: route.id.clone(),
                prefix,
                target: target(common, vpc, route),
            })
            .collect(),
    };
    vpc.route_tables.values().map(table).collect()
}

/// The route in force for each prefix, by ascending prefix; a prefix list counts as one route per entry (RT-05). Order in
/// the lab file does not matter, so moving a line changes no table.
fn effective<'a>(common: Common<'a>, routes: &'a [Route]) -> BTreeMap<IpNet, &'a Route> {
    let mut best: BTreeMap<IpNet, (Rank<'a>, &'a Route)> = BTreeMap::new();
    for route in routes {
        let (rank, prefixes) = match &route.destination {
            Destination::Cidr(cidr) => (Rank::Cidr, std::slice::from_ref(cidr)),
            Destination::PrefixList(name) => {
                let list = &common.prefix_lists[name];
                (Rank::PrefixList(&list.id), &list.entries[..])
            }
        };
        for prefix in prefixes {
            match best.entry(prefix.trunc()) {
                Entry::Occupied(mut entry) if rank < entry.get().0 => drop(entry.insert((rank, route))),
                Entry::Occupied(_) => {}
                Entry::Vacant(entry) => drop(entry.insert((rank, route))),
            }
        }
    }
    best.into_iter().map(|(prefix, (_, route))| (prefix, route)).collect()
}

/// A target that is gone makes its route a blackhole, which still takes part in the longest match (RT-15). A peering
/// connection that is not active is still there: it knows that it carries nothing.
fn target(common: Common<'_>, vpc: &Vpc, route: &Route) -> TargetSpec {
    let interface =
        |id: Option<&str>| id.map_or(TargetSpec::Blackhole, |id| TargetSpec::Interface(id.to_owned()));
    match &route.target {
        Target::Blackhole => TargetSpec::Blackhole,
        Target::EgressOnlyInternetGateway => TargetSpec::EgressOnlyInternetGateway,
        Target::Interface(at) => interface(id_of(vpc, at)),
        Target::InternetGateway => TargetSpec::InternetGateway,
        Target::Local => TargetSpec::Local,
        Target::NatGateway(name) => {
            interface(vpc.nat_gateways.get(name).map(|gateway| gateway.interface_id.as_str()))
        }
        Target::Peering(name) => {
            let peering = common.peerings.get(name);
            peering.map_or(TargetSpec::Blackhole, |peering| TargetSpec::Peering(peering.id.clone()))
        }
    }
}
