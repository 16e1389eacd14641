//! A random lab as a lab file is written.

use std::fmt;

use super::gateway::{Gateways, Host, NatGateway, Peering};
use super::lab::{Acl, Group, Instance, Interface, Lab, List, Route, SECOND, Subnet, Table, Vpc};

/// Everything that tells records apart, and what they sum.
pub(super) const FORMAT: &str = "${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${flow-direction} ${traffic-path} ${tcp-flags} ${log-status}";

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lab: generated\n{}", self.settings)?;
        section(f, "prefix_lists:", &self.lists, |f, _, List { name, family, entries }| {
            let entries = list(entries, |entry| format!("\"{entry}\""));
            writeln!(f, "  {name}: {{ address_family: {family}, max_entries: 10, entries: [{entries}] }}")
        })?;
        if !self.hosts.is_empty() {
            writeln!(f, "internet:\n  mtu: {}", self.mtu)?;
            section(f, "  hosts:", &self.hosts, |f, _, Host { name, ips }| {
                writeln!(f, "    {name}: {{ ips: [{}] }}", list(ips, |ip| format!("\"{ip}\"")))
            })?;
        }
        section(f, "peerings:", &self.peerings, |f, _, Peering { name, requester, accepter, state }| {
            writeln!(f, "  {name}: {{ requester: v{requester}, accepter: v{accepter}, state: {state} }}")
        })?;
        section(f, "vpcs:", &self.vpcs, |f, _, vpc| vpc.fmt(f))
    }
}

impl fmt::Display for Vpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = if self.second { format!(", {SECOND}.0.0/16") } else { String::new() };
        writeln!(f, "  {}:\n    cidr: [{}.0.0/16{second}]", self.name, self.v4)?;
        if let Some(v6) = self.v6 {
            writeln!(f, "    ipv6_cidr: \"{v6}1000::/56\"")?;
        }
        writeln!(f, "    region: {}", self.region)?;
        write_gateways(f, self, &self.gateways)?;
        flow_logs(f)?;
        section(f, "    subnets:", &self.subnets, |f, _, subnet| write_subnet(f, self, subnet))?;
        section(f, "    route_tables:", &self.tables, |f, n, table| {
            let main = if n == 0 { "main: true, " } else { "" };
            write_table(f, &format!("t{n}"), main, table)
        })?;
        self.gateways.edge.as_ref().map_or(Ok(()), |table| write_table(f, EDGE, "", table))?;
        section(f, "    security_groups:", &self.groups, write_group)?;
        section(f, "    network_acls:", &self.acls, write_acl)?;
        section(f, "    instances:", &self.instances, |f, _, instance| write_instance(f, self, instance))
    }
}

/// A key with everything below it, or nothing.
fn section<T>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    items: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, usize, &T) -> fmt::Result,
) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "{key}")?;
    items.iter().enumerate().try_for_each(|(n, item)| write(f, n, item))
}

fn flow_logs(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "    flow_logs:")?;
    writeln!(f, "      all: {{ traffic: all, format: \"{FORMAT}\", destination: {{ file: all.log }} }}")?;
    writeln!(
        f,
        "      rejects: {{ traffic: reject, max_aggregation_interval: 60, destination: {{ file: rejects.log }} }}"
    )
}

/// Name of the table of an internet gateway.
const EDGE: &str = "edge";

fn write_gateways(f: &mut fmt::Formatter<'_>, vpc: &Vpc, gateways: &Gateways) -> fmt::Result {
    match (gateways.internet, &gateways.edge) {
        (true, Some(_)) => writeln!(f, "    internet_gateway: {{ route_table: {EDGE} }}")?,
        (true, None) => writeln!(f, "    internet_gateway: true")?,
        (false, _) => {}
    }
    if gateways.egress_only {
        writeln!(f, "    egress_only_internet_gateway: true")?;
    }
    section(f, "    nat_gateways:", &gateways.nat, |f, _, nat| write_nat_gateway(f, vpc, nat))
}

fn write_nat_gateway(f: &mut fmt::Formatter<'_>, vpc: &Vpc, nat: &NatGateway) -> fmt::Result {
    let address = |(private, public): &(String, Option<String>)| {
        let public = public.as_ref().map_or_else(String::new, |public| format!(", public_ip: {public}"));
        format!("private_ip: {private}{public}")
    };
    let Some((primary, secondary)) = nat.addresses.split_first() else { return Ok(()) };
    let kind = if primary.1.is_some() { "public" } else { "private" };
    let secondary = list(secondary, |one| format!("{{ {} }}", address(one)));
    writeln!(
        f,
        "      {}: {{ subnet: s{}, connectivity_type: {kind}, {}, secondary: [{secondary}] }}",
        nat.name,
        vpc.subnets[nat.subnet].number,
        address(primary)
    )
}

fn write_subnet(f: &mut fmt::Formatter<'_>, vpc: &Vpc, subnet: &Subnet) -> fmt::Result {
    let number = subnet.number;
    write!(f, "      s{number}: {{ cidr: {}.{number}.0/24, az: {}a", subnet.v4, vpc.region)?;
    if let Some(v6) = vpc.v6 {
        write!(f, ", ipv6_cidr: \"{v6}100{number}::/64\"")?;
    }
    if let Some(table) = subnet.table {
        write!(f, ", route_table: t{table}")?;
    }
    if let Some(acl) = subnet.acl {
        write!(f, ", network_acl: a{acl}")?;
    }
    writeln!(f, " }}")
}

fn write_table(f: &mut fmt::Formatter<'_>, name: &str, main: &str, table: &Table) -> fmt::Result {
    writeln!(f, "      {name}: {{ {main}routes: [")?;
    for Route { to, via } in &table.routes {
        writeln!(f, "        {{ to: \"{to}\", via: {via} }},")?;
    }
    writeln!(f, "      ] }}")
}

fn write_group(f: &mut fmt::Formatter<'_>, n: usize, group: &Group) -> fmt::Result {
    writeln!(f, "      g{n}:")?;
    write_rules(f, "ingress", &group.ingress)?;
    group.egress.as_ref().map_or(Ok(()), |egress| write_rules(f, "egress", egress))
}

fn write_acl(f: &mut fmt::Formatter<'_>, n: usize, acl: &Acl) -> fmt::Result {
    writeln!(f, "      a{n}:")?;
    write_rules(f, "ingress", &acl.ingress)?;
    write_rules(f, "egress", &acl.egress)
}

fn write_rules(f: &mut fmt::Formatter<'_>, direction: &str, rules: &[String]) -> fmt::Result {
    if rules.is_empty() {
        return writeln!(f, "        {direction}: []");
    }
    writeln!(f, "        {direction}:")?;
    rules.iter().try_for_each(|rule| writeln!(f, "          - {{ {rule} }}"))
}

fn write_instance(f: &mut fmt::Formatter<'_>, vpc: &Vpc, instance: &Instance) -> fmt::Result {
    writeln!(f, "      {}:\n        interfaces:", instance.name)?;
    for (n, Interface { subnet, v4, v6, public, groups, checks, mtu }) in
        instance.interfaces.iter().enumerate()
    {
        writeln!(
            f,
            "          eth{n}: {{ subnet: s{}, private_ips: [{}], ipv6_addresses: [{}], public_ips: {{ {} }}, security_groups: [{}], source_dest_check: {checks}, mtu: {mtu} }}",
            vpc.subnets[*subnet].number,
            v4.join(", "),
            list(v6, |address| format!("\"{address}\"")),
            list(public, |(private, public)| format!("{private}: {public}")),
            list(groups, |group| format!("g{group}")),
        )?;
    }
    Ok(())
}

fn list<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}
