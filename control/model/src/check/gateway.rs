//! Internet gateways and egress-only internet gateways (IG-01, EI-01, EI-07, RT-20).

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv6Net};

use super::vpc::Scope;
use super::{reference, text};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{EgressOnlyInternetGateway, InternetGateway, RouteTable, Subnet, Vpc};
use crate::spot::Spot;

/// Name under which a VPC's only gateway of a kind gets its id.
const ONLY: &str = "";

/// Whether a VPC has an internet gateway, or probably meant one that could not be read.
pub(super) fn has_internet_gateway(draft: &draft::Vpc) -> bool {
    match draft.internet_gateway.get() {
        Some(draft::InternetGateway::Flag(flag)) => flag.value,
        Some(draft::InternetGateway::Options(_)) => true,
        None => draft.internet_gateway.is_broken(),
    }
}

/// Whether a VPC has an egress-only internet gateway, or probably meant one that could not be read.
pub(super) fn has_egress_only(draft: &draft::Vpc) -> bool {
    let field = &draft.egress_only_internet_gateway;
    field.is_broken() || field.get().is_some_and(|flag| flag.value)
}

/// The internet gateway with its edge table.
pub(super) fn internet(
    scope: &Scope<'_>,
    subnets: &BTreeMap<String, Subnet>,
    tables: &BTreeMap<String, RouteTable>,
    found: &mut Findings,
) -> Option<InternetGateway> {
    has_internet_gateway(scope.draft).then_some(())?;
    let written = match scope.draft.internet_gateway.get() {
        Some(draft::InternetGateway::Options(options)) => options.route_table.get(),
        Some(draft::InternetGateway::Flag(_)) | None => None,
    };
    let known = written.filter(|name| edge_table(scope, name, subnets, tables, found));
    let id = ids::derived(Kind::InternetGateway, scope.owner(), ONLY);
    Some(InternetGateway { id, route_table: known.map(|name| name.value.clone()) })
}

/// The egress-only internet gateway.
pub(super) fn egress_only(scope: &Scope<'_>, found: &mut Findings) -> Option<EgressOnlyInternetGateway> {
    has_egress_only(scope.draft).then_some(())?;
    if let (Some(key), false) = (scope.draft.egress_only_internet_gateway.key(), scope.has_ipv6())
        && !scope.blocks6.incomplete
    {
        let message = "an egress-only internet gateway carries IPv6 only, and this VPC has no IPv6 block";
        found.push(Finding::new(Code::EgressOnlyWithoutIpv6, key, message).help("write `ipv6_cidr`"));
    }
    Some(EgressOnlyInternetGateway { id: ids::derived(Kind::EgressOnlyInternetGateway, scope.owner(), ONLY) })
}

/// RT-20.
fn edge_table(
    scope: &Scope<'_>,
    name: &Text,
    subnets: &BTreeMap<String, Subnet>,
    tables: &BTreeMap<String, RouteTable>,
    found: &mut Findings,
) -> bool {
    let implied: Vec<&str> =
        tables.values().filter(|table| table.main).map(|table| table.name.as_str()).collect();
    if !reference::known("route table", name, &scope.draft.route_tables, &implied, found) {
        return false;
    }
    if implied.contains(&name.value.as_str()) {
        let message = format!("`{}` is the main route table, which cannot be that of a gateway", name.value);
        found.push(
            Finding::new(Code::EdgeRouteTable, name.spot, message).help("make a table of its own for it"),
        );
        return false;
    }
    let routes =
        scope.draft.route_tables.object(&name.value).into_iter().flat_map(|table| table.routes.items());
    for route in routes {
        edge_destination(scope, route, subnets, found);
        edge_target(route, found);
    }
    true
}

/// Only whole blocks of the VPC and whole subnets.
fn edge_destination(
    scope: &Scope<'_>,
    route: &draft::Route,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) {
    let Some(to) = route.to.get() else { return };
    let net = text::block(to, &mut Findings::default());
    let whole = |net: IpNet| match net {
        IpNet::V4(net) => {
            scope.blocks4.nets.iter().any(|(own, _)| *own == net) || subnets.values().any(|s| s.cidr == net)
        }
        IpNet::V6(net) => {
            scope.blocks6.nets.iter().any(|(own, _)| *own == net)
                || subnets.values().any(|s| s.ipv6_cidr == Some(net))
        }
    };
    let is_list = to.value.starts_with("prefix_list/");
    if is_list || net.is_some_and(|net| !whole(net)) {
        let message = format!("{} is neither a block of the VPC nor a whole subnet", to.value);
        found.push(Finding::new(Code::EdgeRoute, to.spot, message).help(
            "the route table of an internet gateway routes what comes in: its destinations lie in the VPC",
        ));
    }
}

/// Only interfaces and `local`.
fn edge_target(route: &draft::Route, found: &mut Findings) {
    let Some(via) = route.via.get() else { return };
    let kind = via.value.split('/').next().unwrap_or_default();
    if !matches!(kind, "instance" | "interface" | "local") {
        let message = format!("the route table of an internet gateway cannot lead to `{}`", via.value);
        found.push(
            Finding::new(Code::EdgeRoute, via.spot, message)
                .help("it leads to an interface of the VPC, or is local"),
        );
    }
}

/// IPv6 addresses pass to the internet as they are, so no two VPCs that reach it may share any (IG-08).
pub(super) fn distinct_ipv6(draft: &draft::Lab, vpcs: &BTreeMap<String, Vpc>, found: &mut Findings) {
    let mut blocks: Vec<(Ipv6Net, &str, Spot)> = Vec::new();
    for (name, body) in draft.vpcs.objects() {
        let reaches = has_internet_gateway(body) || has_egress_only(body);
        let Some(vpc) = vpcs.get(&name.value).filter(|_| reaches) else { continue };
        let spot = body.ipv6_cidr.key().unwrap_or(name.spot);
        blocks.extend(vpc.ipv6_cidrs.iter().map(|net| (*net, name.value.as_str(), spot)));
    }
    // Blocks are nested or apart: whoever shares addresses follows the larger block directly or after others inside it.
    blocks.sort_by_key(|(net, _, spot)| (net.network(), net.prefix_len(), *spot));
    let mut widest: Option<(Ipv6Net, &str, Spot)> = None;
    for (net, vpc, spot) in blocks {
        match widest.filter(|(wide, _, _)| wide.contains(&net)) {
            Some((wide, other, first)) if other != vpc => {
                let message = format!(
                    "{net} shares addresses with {wide} of VPC `{other}`, and both reach the internet"
                );
                found.push(
                    Finding::new(Code::InternetIpv6Overlap, spot, message)
                        .help("IPv6 is not translated on its way to the internet, so addresses there are unique")
                        .also(first, "the other block"),
                );
            }
            Some(_) => {}
            None => widest = Some((net, vpc, spot)),
        }
    }
}
