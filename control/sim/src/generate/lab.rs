//! A random lab as a lab file is written.

use std::fmt;

use super::rules;
use crate::Draw;

/// What a generated lab file says.
#[derive(Clone, Debug)]
pub(super) struct Lab {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) lists: Vec<List>,
    settings: String,
}

/// A prefix list.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) name: String,
    pub(super) family: &'static str,
    pub(super) entries: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Vpc {
    name: String,
    /// First half of all its IPv4 addresses, such as `10.0`.
    pub(super) v4: &'static str,
    /// First three quarters of all its IPv6 addresses without the subnet's number.
    pub(super) v6: Option<&'static str>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) tables: Vec<Table>,
    pub(super) groups: Vec<Group>,
    pub(super) acls: Vec<Acl>,
    pub(super) instances: Vec<Instance>,
}

/// Subnet number n has the blocks V4.n.0/24 and V6:10n::/64.
#[derive(Clone, Debug)]
pub(super) struct Subnet {
    pub(super) number: usize,
    /// Positions in the VPC's lists; none is the main table, the default ACL.
    pub(super) table: Option<usize>,
    pub(super) acl: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) to: String,
    /// `interface/…` or `blackhole`.
    pub(super) via: String,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) ingress: Vec<String>,
    /// None is not written, which lets everything out.
    pub(super) egress: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
pub(super) struct Acl {
    pub(super) ingress: Vec<String>,
    pub(super) egress: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) interfaces: Vec<Interface>,
}

#[derive(Clone, Debug)]
pub(super) struct Interface {
    /// Position in the VPC's list.
    pub(super) subnet: usize,
    pub(super) v4: Vec<String>,
    pub(super) v6: Vec<String>,
    pub(super) groups: Vec<usize>,
    pub(super) checks: bool,
    pub(super) mtu: u16,
}

/// First halves of VPC blocks. Few, so that VPCs often have equal ones.
const V4: &[&str] = &["10.0", "10.0", "172.31"];
const V6: &str = "2600:1f18:aaaa:";

impl Lab {
    pub(super) fn random(draw: &mut Draw) -> Self {
        let settings = settings(draw);
        let mut lab = Self { vpcs: Vec::new(), lists: Vec::new(), settings };
        let vpcs = draw.between(1, 3);
        for n in 0..draw.between(0, 3) {
            let family = *draw.pick(&["ipv4", "ipv4", "ipv6"]);
            let entries = rules::list_entries(family, draw);
            lab.lists.push(List { name: format!("list-{n}"), family, entries });
        }
        for n in 0..vpcs {
            let vpc = Vpc::random(n, &lab.lists, draw);
            lab.vpcs.push(vpc);
        }
        lab
    }

    /// Every interface with its VPC, as `INSTANCE.DEVICE`.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = (&Vpc, String, &Interface)> {
        self.vpcs.iter().flat_map(|vpc| vpc.interfaces().map(move |(name, interface)| (vpc, name, interface)))
    }
}

/// The knobs that change what packets may do.
fn settings(draw: &mut Draw) -> String {
    let established = draw.pick(&[60, 350, 3_600]);
    let related = draw.pick(&["accept", "accept", "reject"]);
    let all = draw.chance(15);
    let nitro = draw.chance(90);
    format!(
        "settings: {{ sg: {{ tcp_established: {established}, related_icmp: {related}, track_all: {all} }}, flow_logs: {{ nitro: {nitro} }} }}"
    )
}

impl Vpc {
    fn random(n: usize, lists: &[List], draw: &mut Draw) -> Self {
        let v6 = draw.chance(60).then_some(V6);
        let mut vpc = Self {
            name: format!("v{n}"),
            v4: *draw.pick(V4),
            v6,
            subnets: (1..=draw.between(2, 4))
                .map(|number| Subnet { number, table: None, acl: None })
                .collect(),
            tables: Vec::new(),
            groups: Vec::new(),
            acls: Vec::new(),
            instances: Vec::new(),
        };
        let groups = draw.between(1, 4);
        for n in 0..draw.between(3, 6) {
            let name = format!("{}-i{n}", vpc.name);
            let instance = vpc.instance(name, groups, draw);
            vpc.instances.push(instance);
        }
        vpc.groups = (0..groups).map(|_| rules::group(&vpc, groups, lists, draw)).collect();
        vpc.acls = (0..draw.below(3)).map(|_| rules::acl(&vpc, draw)).collect();
        vpc.tables = (0..draw.between(1, 3)).map(|_| rules::table(&vpc, lists, draw)).collect();
        let (tables, acls) = (vpc.tables.len(), vpc.acls.len());
        for subnet in &mut vpc.subnets {
            subnet.table = draw.chance(60).then(|| draw.below(tables));
            subnet.acl = (acls > 0 && draw.chance(60)).then(|| draw.below(acls));
        }
        vpc
    }

    /// A new instance whose addresses nobody has.
    pub(super) fn instance(&self, name: String, groups: usize, draw: &mut Draw) -> Instance {
        let mut instance = Instance { name, interfaces: Vec::new() };
        for _ in 0..if draw.chance(25) { 2 } else { 1 } {
            let subnet = draw.below(self.subnets.len());
            let taken = |host: usize| {
                let address = self.v4_of(subnet, host);
                let all = self.instances.iter().chain([&instance]);
                all.flat_map(|i| &i.interfaces).any(|e| e.v4.contains(&address))
            };
            let mut free = (10..250).step_by(3).filter(|host| !taken(*host));
            let hosts: Vec<_> = free.by_ref().take(if draw.chance(25) { 2 } else { 1 }).collect();
            let v6 = hosts.iter().filter_map(|host| self.v6_of(subnet, *host)).collect();
            let mut mine: Vec<_> = (0..groups).collect();
            mine.retain(|_| draw.chance(40));
            instance.interfaces.push(Interface {
                subnet,
                v4: hosts.iter().map(|host| self.v4_of(subnet, *host)).collect(),
                v6,
                groups: mine,
                checks: draw.chance(70),
                mtu: *draw.pick(&[9_001, 9_001, 1_500, 1_280]),
            });
        }
        instance
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn v4_of(&self, subnet: usize, host: usize) -> String {
        format!("{}.{}.{host}", self.v4, self.subnets[subnet].number)
    }

    pub(super) fn v6_of(&self, subnet: usize, host: usize) -> Option<String> {
        Some(format!("{}100{}::{host:x}", self.v6?, self.subnets[subnet].number))
    }

    pub(super) fn v4_blocks(&self) -> Vec<String> {
        self.subnets.iter().map(|subnet| format!("{}.{}.0/24", self.v4, subnet.number)).collect()
    }

    pub(super) fn v6_blocks(&self) -> Vec<String> {
        let block = |subnet: &Subnet| Some(format!("{}100{}::/64", self.v6?, subnet.number));
        self.subnets.iter().filter_map(block).collect()
    }

    pub(super) fn interfaces(&self) -> impl Iterator<Item = (String, &Interface)> {
        self.instances.iter().flat_map(|instance| {
            let name = |n| format!("{}.eth{n}", instance.name);
            instance.interfaces.iter().enumerate().map(move |(n, interface)| (name(n), interface))
        })
    }
}

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lab: generated\n{}", self.settings)?;
        if !self.lists.is_empty() {
            writeln!(f, "prefix_lists:")?;
        }
        for List { name, family, entries } in &self.lists {
            let entries = entries.iter().map(|entry| format!("\"{entry}\"")).collect::<Vec<_>>().join(", ");
            writeln!(f, "  {name}: {{ address_family: {family}, max_entries: 10, entries: [{entries}] }}")?;
        }
        writeln!(f, "vpcs:")?;
        self.vpcs.iter().try_for_each(|vpc| vpc.fmt(f))
    }
}

impl fmt::Display for Vpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}:\n    cidr: [{}.0.0/16]", self.name, self.v4)?;
        if let Some(v6) = self.v6 {
            writeln!(f, "    ipv6_cidr: \"{v6}1000::/56\"")?;
        }
        writeln!(
            f,
            "    flow_logs: {{ all: {{ traffic: all, format: \"{FORMAT}\", destination: {{ file: all.log }} }}, rejects: {{ traffic: reject, max_aggregation_interval: 60, destination: {{ file: rejects.log }} }} }}"
        )?;
        writeln!(f, "    subnets:")?;
        self.subnets.iter().try_for_each(|subnet| self.fmt_subnet(subnet, f))?;
        writeln!(f, "    route_tables:")?;
        for (n, table) in self.tables.iter().enumerate() {
            let main = if n == 0 { "main: true, " } else { "" };
            writeln!(f, "      t{n}: {{ {main}routes: [")?;
            for Route { to, via } in &table.routes {
                writeln!(f, "        {{ to: \"{to}\", via: {via} }},")?;
            }
            writeln!(f, "      ] }}")?;
        }
        writeln!(f, "    security_groups:")?;
        for (n, group) in self.groups.iter().enumerate() {
            writeln!(f, "      g{n}:")?;
            rules_of(f, "ingress", &group.ingress)?;
            group.egress.as_ref().map_or(Ok(()), |egress| rules_of(f, "egress", egress))?;
        }
        if !self.acls.is_empty() {
            writeln!(f, "    network_acls:")?;
        }
        for (n, acl) in self.acls.iter().enumerate() {
            writeln!(f, "      a{n}:")?;
            rules_of(f, "ingress", &acl.ingress)?;
            rules_of(f, "egress", &acl.egress)?;
        }
        writeln!(f, "    instances:")?;
        self.instances.iter().try_for_each(|instance| self.fmt_instance(instance, f))
    }
}

/// Everything that tells records apart, and what they sum.
pub(super) const FORMAT: &str = "${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${flow-direction} ${traffic-path} ${tcp-flags} ${log-status}";

fn rules_of(f: &mut fmt::Formatter<'_>, direction: &str, rules: &[String]) -> fmt::Result {
    if rules.is_empty() {
        return writeln!(f, "        {direction}: []");
    }
    writeln!(f, "        {direction}:")?;
    rules.iter().try_for_each(|rule| writeln!(f, "          - {{ {rule} }}"))
}

impl Vpc {
    fn fmt_subnet(&self, subnet: &Subnet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = subnet.number;
        write!(f, "      s{number}: {{ cidr: {}.{number}.0/24, az: us-east-1a", self.v4)?;
        if let Some(v6) = self.v6 {
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

    fn fmt_instance(&self, instance: &Instance, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "      {}:\n        interfaces:", instance.name)?;
        for (n, interface) in instance.interfaces.iter().enumerate() {
            let groups: Vec<_> = interface.groups.iter().map(|group| format!("g{group}")).collect();
            let v6: Vec<_> = interface.v6.iter().map(|address| format!("\"{address}\"")).collect();
            writeln!(
                f,
                "          eth{n}: {{ subnet: s{}, private_ips: [{}], ipv6_addresses: [{}], security_groups: [{}], source_dest_check: {}, mtu: {} }}",
                self.subnets[interface.subnet].number,
                interface.v4.join(", "),
                v6.join(", "),
                groups.join(", "),
                interface.checks,
                interface.mtu
            )?;
        }
        Ok(())
    }
}
