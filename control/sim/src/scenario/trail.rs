//! What decided about a packet, in words: `sg/web ingress 1`, `acl/db egress *`, `route/main 10.0.0.0/16`.

use model::lab::{Destination, Lab, SecurityGroup, Vpc};
use oracle::{NO_ROUTE, NO_RULE, Record, Step, StepKind, TRACKED, UNTRACKED};

/// One step.
pub(super) fn words(lab: &Lab, step: &Step) -> String {
    match (step.kind, step.decided_by.as_str()) {
        (StepKind::DestCheck, _) => "destination check".to_owned(),
        (StepKind::SourceCheck, _) => "source check".to_owned(),
        (StepKind::SgEgress, by) => group(lab, "egress", by),
        (StepKind::SgIngress, by) => group(lab, "ingress", by),
        (
            StepKind::EgressOnlyInternetGateway
            | StepKind::InternetGateway
            | StepKind::NatGateway
            | StepKind::Peering,
            by,
        ) => gateway(lab, by).unwrap_or_else(|| by.to_owned()),
        (StepKind::Route, NO_ROUTE) => "no route".to_owned(),
        (StepKind::GatewayRoute | StepKind::Route, by) => route(lab, by).unwrap_or_else(|| by.to_owned()),
        (StepKind::NaclEgress | StepKind::NaclIngress, by) => entry(lab, by).unwrap_or_else(|| by.to_owned()),
    }
}

/// A flow-log record: `web egress ACCEPT path 1`.
pub(super) fn record(lab: &Lab, record: &Record) -> String {
    let (direction, action) = (record.direction.word(), record.action.word());
    let path = record.traffic_path.map_or_else(String::new, |path| format!(" path {path}"));
    format!("{} {direction} {action}{path}", interface(lab, &record.interface_id))
}

/// The short name of an interface: its instance, with the device unless that is `eth0`, or its NAT gateway.
pub(super) fn interface(lab: &Lab, id: &str) -> String {
    let mut gateways = vpcs(lab).flat_map(|vpc| vpc.nat_gateways.values());
    if let Some(gateway) = gateways.find(|gateway| gateway.interface_id == id) {
        return gateway.name.clone();
    }
    let all = vpcs(lab).flat_map(|vpc| vpc.instances.values());
    let mut all =
        all.flat_map(|instance| instance.interfaces.iter().map(move |interface| (instance, interface)));
    all.find(|(_, interface)| interface.id == id).map_or_else(
        || id.to_owned(),
        |(instance, interface)| short(&format!("{}.{}", instance.name, interface.device)),
    )
}

/// `web.eth0` is `web`.
pub(super) fn short(name: &str) -> String {
    name.strip_suffix(".eth0").unwrap_or(name).to_owned()
}

fn group(lab: &Lab, direction: &str, by: &str) -> String {
    match by {
        TRACKED | UNTRACKED => format!("sg {direction} {by}"),
        NO_RULE => format!("sg {direction} no rule"),
        id => {
            let groups = vpcs(lab).flat_map(|vpc| vpc.security_groups.values());
            let named = groups.filter_map(|group| Some((group, position(group, direction, id)?)));
            let mut named = named.map(|(group, n)| format!("sg/{} {direction} {n}", group.name));
            named.next().unwrap_or_else(|| id.to_owned())
        }
    }
}

/// The place of a rule in its list, from 1.
fn position(group: &SecurityGroup, direction: &str, id: &str) -> Option<usize> {
    let rules = if direction == "egress" { &group.egress } else { &group.ingress };
    rules.iter().position(|rule| rule.id == id).map(|n| n + 1)
}

fn entry(lab: &Lab, by: &str) -> Option<String> {
    let (acl, rest) = by.split_once('/')?;
    let (direction, number) = rest.split_once('/')?;
    let name = vpcs(lab).flat_map(|vpc| vpc.network_acls.values()).find(|known| known.id == acl)?;
    Some(format!("acl/{} {direction} {number}", name.name))
}

fn route(lab: &Lab, by: &str) -> Option<String> {
    let tables = vpcs(lab).flat_map(|vpc| vpc.route_tables.values());
    let mut routes = tables.flat_map(|table| table.routes.iter().map(move |route| (table, route)));
    let (table, route) = routes.find(|(_, route)| route.id == by)?;
    let to = match &route.destination {
        Destination::Cidr(net) => net.to_string(),
        Destination::PrefixList(name) => format!("prefix_list/{name}"),
    };
    Some(format!("route/{} {to}", table.name))
}

fn gateway(lab: &Lab, by: &str) -> Option<String> {
    let peering = lab.peering_by_id(by);
    let of_vpc = |vpc: &Vpc| {
        let internet = vpc.internet_gateway.as_ref().filter(|gateway| gateway.id == by);
        let egress_only = vpc.egress_only_internet_gateway.as_ref().filter(|gateway| gateway.id == by);
        let nat = vpc.nat_gateways.values().find(|gateway| gateway.id == by);
        internet
            .map(|_| format!("internet_gateway/{}", vpc.name))
            .or_else(|| egress_only.map(|_| format!("egress_only_internet_gateway/{}", vpc.name)))
            .or_else(|| nat.map(|gateway| format!("nat_gateway/{}", gateway.name)))
    };
    peering.map(|peering| format!("peering/{}", peering.name)).or_else(|| vpcs(lab).find_map(of_vpc))
}

fn vpcs(lab: &Lab) -> impl Iterator<Item = &Vpc> {
    lab.vpcs.values()
}
