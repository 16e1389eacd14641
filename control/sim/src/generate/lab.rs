//! A random lab.

use super::rules;
use crate::Draw;

/// What a generated lab file says.
#[derive(Clone, Debug)]
pub(super) struct Lab {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) lists: Vec<List>,
    /// As it is written.
    pub(super) settings: String,
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
    pub(super) name: String,
    /// First half of the addresses of its primary block, such as `10.0`.
    pub(super) v4: &'static str,
    /// Whether it has the block [`SECOND`] too.
    pub(super) second: bool,
    /// First three quarters of all its IPv6 addresses without the subnet's number.
    pub(super) v6: Option<&'static str>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) tables: Vec<Table>,
    pub(super) groups: Vec<Group>,
    pub(super) acls: Vec<Acl>,
    pub(super) instances: Vec<Instance>,
}

/// Subnet number n has the blocks V4.n.0/24 and V6:100n::/64.
#[derive(Clone, Debug)]
pub(super) struct Subnet {
    pub(super) number: usize,
    /// The block of the VPC that it is in, as [`Vpc::v4`].
    pub(super) v4: &'static str,
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

/// First half of secondary blocks.
pub(super) const SECOND: &str = "100.64";

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
        let (v4, v6) = (*draw.pick(V4), draw.chance(60).then_some(V6));
        let second = draw.chance(25);
        let mut subnet = |number| {
            let v4 = if second && draw.chance(40) { SECOND } else { v4 };
            Subnet { number, v4, table: None, acl: None }
        };
        let mut subnets: Vec<_> = (1..=4).map(&mut subnet).collect();
        subnets.truncate(draw.between(2, 4));
        let mut vpc = Self {
            name: format!("v{n}"),
            v4,
            second,
            v6,
            subnets,
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

    pub(super) fn v4_of(&self, subnet: usize, host: usize) -> String {
        format!("{}.{}.{host}", self.subnets[subnet].v4, self.subnets[subnet].number)
    }

    pub(super) fn v6_of(&self, subnet: usize, host: usize) -> Option<String> {
        Some(format!("{}100{}::{host:x}", self.v6?, self.subnets[subnet].number))
    }

    pub(super) fn v4_blocks(&self) -> Vec<String> {
        self.subnets.iter().map(|subnet| format!("{}.{}.0/24", subnet.v4, subnet.number)).collect()
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
