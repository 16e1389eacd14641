//! Route tables (RT-01..06, RT-11, RT-12, RT-25).

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::quota::{FAMILIES, Quota};
use super::route::{self, Checked};
use super::vpc::Scope;
use super::{name, prefix_list};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{Destination, Route, RouteTable, Subnet, Target};
use crate::spot::Spot;

/// Name of the main table of a VPC that writes none.
const MAIN: &str = "main";
/// Routes per table and family. The quota has been raised several times, so only the maximum counts (RT-25).
const ROUTES: Quota = Quota { unasked: 1000, most: 1000 };
/// Tables per VPC (RT-25); there is no published maximum.
const TABLES: Quota = Quota { unasked: 200, most: usize::MAX };

/// Name of the main table: the written one, or the one that every VPC gets.
pub(super) fn main_name(scope: &Scope<'_>) -> String {
    let written = scope.draft.route_tables.objects().find(|(_, table)| is_main(table));
    written.map_or_else(|| MAIN.to_owned(), |(name, _)| name.value.clone())
}

/// All tables that are in order, exactly one of them main.
pub(super) fn all(
    scope: &Scope<'_>,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> BTreeMap<String, RouteTable> {
    mains(scope, found);
    let main = main_name(scope);
    let mut tables = BTreeMap::new();
    for (name, draft) in scope.draft.route_tables.objects() {
        let table = check(scope, name, draft, *name.value == main, subnets, found);
        if name::object(name, found) {
            tables.insert(name.value.clone(), table);
        }
    }
    if let Some(key) = scope.draft.route_tables.key() {
        TABLES.check(tables.len(), "route tables", key, found);
    }
    tables.entry(main.clone()).or_insert_with(|| {
        let id = ids::id(Kind::RouteTable, scope.owner(), &main);
        RouteTable { routes: local_routes(scope, &id), name: main, id, main: true }
    });
    tables
}

fn mains(scope: &Scope<'_>, found: &mut Findings) {
    let mut mains = scope.draft.route_tables.objects().filter(|(_, table)| is_main(table));
    let first = mains.next();
    for (name, table) in mains {
        let spot = table.main.key().unwrap_or(name.spot);
        let finding = Finding::new(Code::MainTables, spot, format!("`{}` cannot be main too", name.value));
        found.push(
            finding
                .help("a VPC has one main route table")
                .also(first.map_or(spot, |(n, _)| n.spot), "this table is main"),
        );
    }
    if first.is_none()
        && let Some((name, _)) =
            scope.draft.route_tables.objects().find(|(n, table)| n.value == MAIN && !table.main.is_broken())
    {
        found.push(
            Finding::new(Code::MainTableName, name.spot, "this table is named `main` but is not the main table")
                .help("add `main: true`, or give it another name: a VPC without a main table gets one with this name"),
        );
    }
}

fn is_main(table: &draft::RouteTable) -> bool {
    table.main.get().is_some_and(|main| main.value)
}

fn check(
    scope: &Scope<'_>,
    name: &Text,
    draft: &draft::RouteTable,
    main: bool,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) -> RouteTable {
    let id = ids::id(Kind::RouteTable, scope.owner(), &name.value);
    let mut routes = local_routes(scope, &id);
    let mut seen: Vec<(Destination, Spot)> = Vec::new();
    for route in draft.routes.items() {
        let Some(checked) = route::check(scope, route, subnets, found) else { continue };
        if let Some((_, first)) = seen.iter().find(|(to, _)| *to == checked.destination) {
            let message = "the table already has a route to this destination";
            found.push(Finding::new(Code::DuplicateRoute, checked.spot, message).also(*first, "here"));
            continue;
        }
        seen.push((checked.destination.clone(), checked.spot));
        add(scope, &id, checked, &mut routes);
    }
    count(scope, draft, &routes, found);
    RouteTable { name: name.value.clone(), id, main, routes }
}

/// Adds a route, or changes the target of the local route that it replaces (RT-12).
fn add(scope: &Scope<'_>, table: &str, checked: Checked, routes: &mut Vec<Route>) {
    match routes.iter_mut().find(|r| r.destination == checked.destination) {
        Some(local) => local.target = checked.target,
        None => routes.push(route(scope, table, checked.destination, checked.target)),
    }
}

fn local_routes(scope: &Scope<'_>, table: &str) -> Vec<Route> {
    let nets4 = scope.blocks4.nets.iter().map(|(net, _)| IpNet::V4(*net));
    let nets6 = scope.blocks6.nets.iter().map(|(net, _)| IpNet::V6(*net));
    nets4.chain(nets6).map(|net| route(scope, table, Destination::Cidr(net), Target::Local)).collect()
}

fn route(scope: &Scope<'_>, table: &str, destination: Destination, target: Target) -> Route {
    let to = match &destination {
        Destination::Cidr(net) => net.to_string(),
        Destination::PrefixList(name) => {
            scope.world.prefix_lists.get(name).map_or_else(String::new, |l| l.id.clone())
        }
    };
    Route { id: format!("{table}/{to}"), destination, target }
}

/// Compares the number of routes with what AWS grants; a prefix list counts its size.
fn count(scope: &Scope<'_>, draft: &draft::RouteTable, routes: &[Route], found: &mut Findings) {
    let Some(key) = draft.routes.key() else { return };
    for (family, is_v4) in FAMILIES {
        let weight = |route: &Route| match &route.destination {
            Destination::Cidr(net) => usize::from(net.addr().is_ipv4() == is_v4),
            Destination::PrefixList(name) => prefix_list::weight(scope.world, name, is_v4),
        };
        ROUTES.check(routes.iter().map(weight).sum(), &format!("routes for {family}"), key, found);
    }
}
