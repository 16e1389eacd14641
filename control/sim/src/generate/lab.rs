//! A random lab.

use super::gateway::{self, Gateways, Host, Peering};
use super::route::{self, Purpose};
use super::rules;
use super::view::View;
use crate::Draw;

/// What a generated lab file says.
#[derive(Clone, Debug)]
pub(super) struct Lab {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) lists: Vec<List>,
    pub(super) peerings: Vec<Peering>,
    pub(super) hosts: Vec<Host>,
    /// Bytes that pass an internet gateway.
    pub(super) mtu: u16,
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
    pub(super) region: &'static str,
    pub(super) gateways: Gateways,
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
    /// The target as it is written, such as `interface/…` or `blackhole`.
    pub(super) via: String,
}

#[derive(Clone, Debug, Default)]
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
    /// Private and public addresses that the internet gateway maps to each other.
    pub(super) public: Vec<(String, String)>,
    pub(super) groups: Vec<usize>,
    pub(super) checks: bool,
    pub(super) mtu: u16,
}

/// Whether the VPCs of a lab have anything to do with each other and with the outside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// VPCs without any gateway, which may have equal blocks of both families.
    Apart,
    /// Gateways, peering connections and hosts.
    Joined,
}

/// First halves of VPC blocks. Few, so that VPCs often have equal ones.
const V4: &[&str] = &["10.0", "10.0", "172.31"];
const JOINED_V4: &[&str] = &["10.0", "10.0", "10.1", "172.31", "44.5"];

/// IPv6 blocks of VPCs apart, and of joined ones in turn: what reaches the internet is unique, and some of it is unique local.
const V6: &str = "2600:1f18:aaaa:";
const JOINED_V6: &[[&str; 2]] = &[
    ["2600:1f18:aaaa:", "fd00:aaaa:1:"],
    ["2600:1f18:bbbb:", "fd00:aaaa:2:"],
    ["2600:1f18:cccc:", "fd00:aaaa:3:"],
    ["2600:1f18:dddd:", "fd00:aaaa:4:"],
];

/// Home region of the lab first.
pub(super) const REGIONS: &[&str] = &["us-east-1", "eu-west-1"];

/// First half of secondary blocks.
pub(super) const SECOND: &str = "100.64";

impl Lab {
    pub(super) fn random(kind: Kind, draw: &mut Draw) -> Self {
        let settings = settings(draw);
        let (peerings, hosts) = (Vec::new(), Vec::new());
        let mut lab = Self { vpcs: Vec::new(), lists: Vec::new(), peerings, hosts, mtu: 1_500, settings };
        let vpcs = if kind == Kind::Joined { draw.between(2, 4) } else { draw.between(1, 3) };
        for n in 0..draw.between(0, 3) {
            let family = *draw.pick(&["ipv4", "ipv4", "ipv6"]);
            let entries = rules::list_entries(family, draw);
            lab.lists.push(List { name: format!("list-{n}"), family, entries });
        }
        for n in 0..vpcs {
            lab.vpcs.push(Vpc::random(n, kind, draw));
        }
        if kind == Kind::Joined {
            gateway::join(&mut lab, draw);
        }
        for n in 0..vpcs {
            lab.govern(n, draw);
        }
        lab
    }

    /// Gives a VPC groups, ACLs and route tables.
    fn govern(&mut self, n: usize, draw: &mut Draw) {
        let view = View::of(self, n);
        let groups: Vec<_> = view.vpc.groups.iter().map(|_| rules::group(&view, draw)).collect();
        let acls: Vec<_> = (0..draw.below(3)).map(|_| rules::acl(&view, draw)).collect();
        let purposes =
            [*draw.pick(&[Purpose::Any, Purpose::Private, Purpose::Private]), Purpose::Public, Purpose::Any];
        let least = if view.vpc.gateways.nat.is_empty() || draw.chance(20) { 1 } else { 2 };
        let purposes = &purposes[..draw.between(least, 3)];
        let tables: Vec<_> = purposes.iter().map(|purpose| route::table(&view, *purpose, draw)).collect();
        let edge = view.vpc.gateways.internet.then(|| route::edge(&view, draw)).filter(|_| draw.chance(30));
        let joined = view.is_joined();
        let vpc = &mut self.vpcs[n];
        let nat: Vec<_> = vpc.gateways.nat.iter().map(|nat| nat.subnet).collect();
        for (n, subnet) in vpc.subnets.iter_mut().enumerate() {
            let public = tables.len() > 1 && nat.contains(&n) && draw.chance(85);
            let other = draw.chance(60).then(|| draw.below(tables.len()));
            subnet.table = if public { Some(1) } else { other };
            let governed = !acls.is_empty() && draw.chance(if joined { 40 } else { 60 });
            subnet.acl = governed.then(|| draw.below(acls.len()));
        }
        (vpc.groups, vpc.acls, vpc.tables, vpc.gateways.edge) = (groups, acls, tables, edge);
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
    let nat = draw.pick(&[350, 350, 60]);
    format!(
        "settings: {{ sg: {{ tcp_established: {established}, related_icmp: {related}, track_all: {all} }}, nat: {{ idle_timeout: {nat} }}, flow_logs: {{ nitro: {nitro} }} }}"
    )
}

impl Vpc {
    /// A VPC with subnets and instances, and groups that say nothing yet.
    fn random(n: usize, kind: Kind, draw: &mut Draw) -> Self {
        let joined = kind == Kind::Joined;
        let v4 = *draw.pick(if joined { JOINED_V4 } else { V4 });
        let block = if joined { JOINED_V6[n][usize::from(draw.chance(10))] } else { V6 };
        let v6 = draw.chance(if joined { 70 } else { 60 }).then_some(block);
        let region = REGIONS[usize::from(joined && draw.chance(20))];
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
            region,
            gateways: Gateways::default(),
            subnets,
            tables: Vec::new(),
            groups: Vec::new(),
            acls: Vec::new(),
            instances: Vec::new(),
        };
        vpc.groups = vec![Group::default(); draw.between(1, 4)];
        for n in 0..draw.between(3, 6) {
            let name = format!("{}-i{n}", vpc.name);
            let instance = vpc.instance(name, draw);
            vpc.instances.push(instance);
        }
        vpc
    }

    /// A new instance whose addresses nobody has.
    pub(super) fn instance(&self, name: String, draw: &mut Draw) -> Instance {
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
            let mut mine: Vec<_> = (0..self.groups.len()).collect();
            mine.retain(|_| draw.chance(40));
            instance.interfaces.push(Interface {
                subnet,
                v4: hosts.iter().map(|host| self.v4_of(subnet, *host)).collect(),
                v6,
                public: Vec::new(),
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
