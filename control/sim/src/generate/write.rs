//! A random lab as a lab file is written.

use std::fmt;

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
        flow_logs(f)?;
        section(f, "    subnets:", &self.subnets, |f, _, subnet| write_subnet(f, self, subnet))?;
        section(f, "    route_tables:", &self.tables, write_table)?;
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

fn write_subnet(f: &mut fmt::Formatter<'_>, vpc: &Vpc, subnet: &Subnet) -> fmt::Result {
    let number = subnet.number;
    write!(f, "      s{number}: {{ cidr: {}.{number}.0/24, az: us-east-1a", subnet.v4)?;
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

/// The first table is the main one.
fn write_table(f: &mut fmt::Formatter<'_>, n: usize, table: &Table) -> fmt::Result {
    let main = if n == 0 { "main: true, " } else { "" };
    writeln!(f, "      t{n}: {{ {main}routes: [")?;
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
    for (n, Interface { subnet, v4, v6, groups, checks, mtu }) in instance.interfaces.iter().enumerate() {
        writeln!(
            f,
            "          eth{n}: {{ subnet: s{}, private_ips: [{}], ipv6_addresses: [{}], security_groups: [{}], source_dest_check: {checks}, mtu: {mtu} }}",
            vpc.subnets[*subnet].number,
            v4.join(", "),
            list(v6, |address| format!("\"{address}\"")),
            list(groups, |group| format!("g{group}")),
        )?;
    }
    Ok(())
}

fn list<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}
