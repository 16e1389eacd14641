//! `vpclab show`: the objects of a lab as they are in force, with every default filled in.

mod gateways;
mod hosts;
mod nat_gateways;
mod peerings;
mod public_addresses;

use model::lab::{
    FlowLog, FlowLogScope, Lab, LogDestination, PeeringState, SourceDestCheck, Target, TrafficType, Vpc,
};
use serde::Serialize;

use crate::args::high::Show;
use crate::args::low::ShowKind;
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row, joined};
use crate::place;
use crate::words::{self, Way};
use crate::world::World;

/// Lists them.
///
/// # Errors
///
/// A lab that is not there or not valid.
pub(crate) fn run(args: &Show, out: Out<'_>) -> Result<Answer, Error> {
    let world = World::load(&args.source)?;
    let lab = world.lab();
    match args.kind {
        ShowKind::Acls => output::rows(out, args.output, &acls(lab)),
        ShowKind::EgressOnlyInternetGateways => output::rows(out, args.output, &gateways::egress_only(lab)),
        ShowKind::FlowLogs => output::rows(out, args.output, &flow_logs(lab)),
        ShowKind::Groups => output::rows(out, args.output, &groups(lab)),
        ShowKind::Hosts => output::rows(out, args.output, &hosts::rows(lab)),
        ShowKind::Instances => output::rows(out, args.output, &instances(lab)),
        ShowKind::Interfaces => output::rows(out, args.output, &interfaces(lab)),
        ShowKind::InternetGateways => output::rows(out, args.output, &gateways::internet(lab)),
        ShowKind::NatGateways => nat_gateways::write(args, lab, out),
        ShowKind::Peerings => output::rows(out, args.output, &peerings::rows(lab)),
        ShowKind::PrefixLists => output::rows(out, args.output, &prefix_lists(lab)),
        ShowKind::PublicAddresses => output::rows(out, args.output, &public_addresses::rows(lab)),
        ShowKind::Routes => output::rows(out, args.output, &routes(lab)),
        ShowKind::Subnets => output::rows(out, args.output, &subnets(lab)),
    }?;
    Ok(Answer::Yes)
}

#[derive(Serialize)]
struct AclRow {
    acl: String,
    acl_id: String,
    direction: &'static str,
    id: String,
    entry: String,
    subnets: Vec<String>,
}

impl Row for AclRow {
    const COLUMNS: &'static [&'static str] = &["acl", "direction", "entry", "subnets", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.acl.clone(),
            self.direction.into(),
            self.entry.clone(),
            joined(&self.subnets),
            self.id.clone(),
        ]
    }
}

/// Entries in the order in which they are tried, the implicit last one included (NA-03).
fn acls(lab: &Lab) -> Vec<AclRow> {
    let mut rows = Vec::new();
    for vpc in lab.vpcs.values() {
        for acl in vpc.network_acls.values() {
            let subnets = subnets_with(vpc, |subnet| subnet.network_acl == acl.name);
            for (way, entries) in [(Way::Ingress, &acl.ingress), (Way::Egress, &acl.egress)] {
                let numbered = entries
                    .iter()
                    .map(|e| (e.number.to_string(), format!("{}: {}", e.number, words::acl_entry(e, way))));
                let last = ("*".to_owned(), "*: deny whatever no entry matches".to_owned());
                rows.extend(numbered.chain([last]).map(|(number, entry)| AclRow {
                    acl: format!("{}/{}", vpc.name, acl.name),
                    acl_id: acl.id.clone(),
                    direction: way.word(),
                    id: format!("{}/{}/{number}", acl.id, way.word()),
                    entry,
                    subnets: subnets.clone(),
                }));
            }
        }
    }
    rows
}

#[derive(Serialize)]
struct FlowLogRow {
    flow_log: String,
    id: String,
    scope: String,
    traffic: &'static str,
    max_aggregation_interval: u32,
    file: String,
    format: String,
}

impl Row for FlowLogRow {
    const COLUMNS: &'static [&'static str] = &["flow log", "scope", "traffic", "interval", "file", "id"];
    const NUMBERS: &'static [usize] = &[3];

    fn cells(&self) -> Vec<String> {
        vec![
            self.flow_log.clone(),
            self.scope.clone(),
            self.traffic.into(),
            self.max_aggregation_interval.to_string(),
            self.file.clone(),
            self.id.clone(),
        ]
    }
}

fn flow_logs(lab: &Lab) -> Vec<FlowLogRow> {
    let row = |vpc: &Vpc, log: &FlowLog| {
        let LogDestination::File(file) = &log.destination;
        FlowLogRow {
            flow_log: format!("{}/{}", vpc.name, log.name),
            id: log.id.clone(),
            scope: match &log.scope {
                FlowLogScope::Interface(at) => format!("interface {}.{}", at.instance, at.device),
                FlowLogScope::NatGateway(name) => format!("NAT gateway {name}"),
                FlowLogScope::Subnet(name) => format!("subnet {}/{name}", vpc.name),
                FlowLogScope::Vpc => format!("vpc {}", vpc.name),
            },
            traffic: match log.traffic {
                TrafficType::Accept => "accept",
                TrafficType::All => "all",
                TrafficType::Reject => "reject",
            },
            max_aggregation_interval: log.interval,
            file: file.display().to_string(),
            format: log.format.clone(),
        }
    };
    lab.vpcs.values().flat_map(|vpc| vpc.flow_logs.iter().map(move |log| row(vpc, log))).collect()
}

#[derive(Serialize)]
struct GroupRow {
    group: String,
    group_id: String,
    direction: &'static str,
    id: String,
    rule: String,
    interfaces: Vec<String>,
}

impl Row for GroupRow {
    const COLUMNS: &'static [&'static str] = &["group", "direction", "rule", "members", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group.clone(),
            self.direction.into(),
            self.rule.clone(),
            joined(&self.interfaces),
            self.id.clone(),
        ]
    }
}

/// One row for each rule; a direction without any has one that says so.
fn groups(lab: &Lab) -> Vec<GroupRow> {
    let mut rows = Vec::new();
    for vpc in lab.vpcs.values() {
        for group in vpc.security_groups.values() {
            let members: Vec<String> = place::ports(lab)
                .filter(|p| p.vpc.name == vpc.name && p.interface.security_groups.contains(&group.name))
                .map(|port| port.name())
                .collect();
            for (way, rules) in [(Way::Ingress, &group.ingress), (Way::Egress, &group.egress)] {
                let row = |id: &str, rule: String| GroupRow {
                    group: format!("{}/{}", vpc.name, group.name),
                    group_id: group.id.clone(),
                    direction: way.word(),
                    id: id.to_owned(),
                    rule,
                    interfaces: members.clone(),
                };
                if rules.is_empty() {
                    rows.push(row("-", "nothing".to_owned()));
                }
                rows.extend(rules.iter().map(|rule| row(&rule.id, words::group_rule(rule, way))));
            }
        }
    }
    rows
}

#[derive(Serialize)]
struct InstanceRow {
    instance: String,
    id: String,
    vpc: String,
    namespace: String,
    interfaces: Vec<String>,
    addresses: Vec<String>,
    run: Vec<String>,
}

impl Row for InstanceRow {
    const COLUMNS: &'static [&'static str] = &["instance", "vpc", "namespace", "addresses", "run", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.instance.clone(),
            self.vpc.clone(),
            self.namespace.clone(),
            joined(&self.addresses),
            programs(&self.run),
            self.id.clone(),
        ]
    }
}

fn programs(run: &[String]) -> String {
    match run.len() {
        0 => "-".to_owned(),
        1 => "1 program".to_owned(),
        number => format!("{number} programs"),
    }
}

fn instances(lab: &Lab) -> Vec<InstanceRow> {
    let row = |(vpc, instance)| {
        let ports: Vec<place::Port<'_>> = place::ports_of(vpc, instance).collect();
        let addresses = ports.iter().flat_map(place::Port::addresses).map(|a| a.to_string()).collect();
        InstanceRow {
            instance: instance.name.clone(),
            id: instance.id.clone(),
            vpc: vpc.name.clone(),
            namespace: instance.namespace.clone(),
            interfaces: ports.iter().map(place::Port::name).collect(),
            addresses,
            run: instance.run.clone(),
        }
    };
    place::instances(lab).map(row).collect()
}

#[derive(Serialize)]
struct InterfaceRow {
    interface: String,
    id: String,
    vpc: String,
    subnet: String,
    addresses: Vec<String>,
    security_groups: Vec<String>,
    source_dest_check: bool,
    mtu: u16,
}

impl Row for InterfaceRow {
    const COLUMNS: &'static [&'static str] =
        &["interface", "subnet", "addresses", "groups", "check", "mtu", "id"];
    const NUMBERS: &'static [usize] = &[5];

    fn cells(&self) -> Vec<String> {
        vec![
            self.interface.clone(),
            format!("{}/{}", self.vpc, self.subnet),
            joined(&self.addresses),
            joined(&self.security_groups),
            if self.source_dest_check { "on" } else { "off" }.into(),
            self.mtu.to_string(),
            self.id.clone(),
        ]
    }
}

fn interfaces(lab: &Lab) -> Vec<InterfaceRow> {
    let row = |port: place::Port<'_>| InterfaceRow {
        interface: port.name(),
        id: port.interface.id.clone(),
        vpc: port.vpc.name.clone(),
        subnet: port.interface.subnet.clone(),
        addresses: port.addresses().iter().map(ToString::to_string).collect(),
        security_groups: port.interface.security_groups.clone(),
        source_dest_check: port.interface.source_dest_check == SourceDestCheck::On,
        mtu: port.interface.mtu,
    };
    place::ports(lab).map(row).collect()
}

#[derive(Serialize)]
struct PrefixListRow {
    prefix_list: String,
    id: String,
    entries: Vec<String>,
    max_entries: u32,
}

impl Row for PrefixListRow {
    const COLUMNS: &'static [&'static str] = &["prefix list", "entries", "max", "id"];
    const NUMBERS: &'static [usize] = &[2];

    fn cells(&self) -> Vec<String> {
        vec![self.prefix_list.clone(), joined(&self.entries), self.max_entries.to_string(), self.id.clone()]
    }
}

fn prefix_lists(lab: &Lab) -> Vec<PrefixListRow> {
    let row = |list: &model::lab::PrefixList| PrefixListRow {
        prefix_list: list.name.clone(),
        id: list.id.clone(),
        entries: list.entries.iter().map(ToString::to_string).collect(),
        max_entries: list.max_entries,
    };
    lab.prefix_lists.values().map(row).collect()
}

#[derive(Serialize)]
struct RouteRow {
    route_table: String,
    route_table_id: String,
    main: bool,
    destination: String,
    target: String,
    /// `blackhole` if its target carries nothing (RT-15), else `active`.
    state: &'static str,
    subnets: Vec<String>,
    /// The internet gateway whose edge table this is.
    gateway: Option<String>,
    id: String,
}

impl Row for RouteRow {
    const COLUMNS: &'static [&'static str] =
        &["route table", "destination", "target", "state", "used by", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            format!("{}{}", self.route_table, if self.main { " (main)" } else { "" }),
            self.destination.clone(),
            self.target.clone(),
            self.state.into(),
            joined(self.subnets.iter().chain(&self.gateway)),
            self.id.clone(),
        ]
    }
}

fn routes(lab: &Lab) -> Vec<RouteRow> {
    let mut rows = Vec::new();
    for vpc in lab.vpcs.values() {
        for table in vpc.route_tables.values() {
            let subnets = subnets_with(vpc, |subnet| subnet.route_table == table.name);
            let edge = vpc.internet_gateway.as_ref();
            let edge = edge.filter(|gateway| gateway.route_table.as_ref() == Some(&table.name));
            let gateway = edge.map(|gateway| gateway.id.clone());
            rows.extend(table.routes.iter().map(|route| RouteRow {
                route_table: format!("{}/{}", vpc.name, table.name),
                route_table_id: table.id.clone(),
                main: table.main,
                destination: words::destination(route),
                target: words::target(route),
                state: if is_blackhole(lab, route) { "blackhole" } else { "active" },
                subnets: subnets.clone(),
                gateway: gateway.clone(),
                id: route.id.clone(),
            }));
        }
    }
    rows
}

#[derive(Serialize)]
struct SubnetRow {
    subnet: String,
    id: String,
    cidr: String,
    ipv6_cidr: Option<String>,
    az: String,
    az_id: String,
    route_table: String,
    network_acl: String,
}

impl Row for SubnetRow {
    const COLUMNS: &'static [&'static str] =
        &["subnet", "cidr", "ipv6 cidr", "az", "route table", "network acl", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.subnet.clone(),
            self.cidr.clone(),
            joined(&self.ipv6_cidr),
            self.az.clone(),
            self.route_table.clone(),
            self.network_acl.clone(),
            self.id.clone(),
        ]
    }
}

fn subnets(lab: &Lab) -> Vec<SubnetRow> {
    let row = |vpc: &Vpc, subnet: &model::lab::Subnet| SubnetRow {
        subnet: format!("{}/{}", vpc.name, subnet.name),
        id: subnet.id.clone(),
        cidr: subnet.cidr.to_string(),
        ipv6_cidr: subnet.ipv6_cidr.map(|block| block.to_string()),
        az: subnet.az.clone(),
        az_id: subnet.az_id.clone(),
        route_table: subnet.route_table.clone(),
        network_acl: subnet.network_acl.clone(),
    };
    lab.vpcs.values().flat_map(|vpc| vpc.subnets.values().map(move |subnet| row(vpc, subnet))).collect()
}

/// RT-15, RT-16.
fn is_blackhole(lab: &Lab, route: &model::lab::Route) -> bool {
    match &route.target {
        Target::Blackhole => true,
        Target::Peering(name) => {
            lab.peerings.get(name).is_none_or(|peering| peering.state != PeeringState::Active)
        }
        Target::EgressOnlyInternetGateway
        | Target::Interface(_)
        | Target::InternetGateway
        | Target::Local
        | Target::NatGateway(_) => false,
    }
}

fn subnets_with(vpc: &Vpc, which: impl Fn(&model::lab::Subnet) -> bool) -> Vec<String> {
    vpc.subnets.values().filter(|subnet| which(subnet)).map(|subnet| subnet.name.clone()).collect()
}
