//! A VPC: its blocks, and everything in it.

use std::collections::BTreeSet;

use ipnet::{Ipv4Net, Ipv6Net};

use super::quota::Quota;
use super::{
    Home, World, acl, flow_log, gateway, group, instance, later, name, nat_gateway, route_table, subnet, text,
};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind, Owner};
use crate::lab::Vpc;
use crate::spot::Spot;

/// IPv4 blocks of a VPC (AD-01).
const BLOCKS: Quota = Quota { unasked: 5, most: 50 };

/// What every object of one VPC may look at.
pub(super) struct Scope<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) draft: &'a draft::Vpc,
    pub(super) name: &'a Text,
    pub(super) home: &'a Home,
    pub(super) blocks4: Blocks<Ipv4Net>,
    pub(super) blocks6: Blocks<Ipv6Net>,
    /// Names of the security groups that are written, for the many references to them.
    pub(super) group_names: BTreeSet<&'a str>,
}

/// Blocks of one family.
pub(super) struct Blocks<N> {
    pub(super) nets: Vec<(N, Spot)>,
    /// Whether some block could not be read, so that "outside every block" means nothing.
    pub(super) incomplete: bool,
}

impl Scope<'_> {
    /// Whose names are unique here.
    pub(super) fn owner(&self) -> Owner<'_> {
        Owner { account: &self.home.account, region: &self.home.region, vpc: &self.name.value }
    }

    /// Whether the VPC has IPv6.
    pub(super) fn has_ipv6(&self) -> bool {
        !self.blocks6.nets.is_empty()
    }
}

/// Checks one VPC.
pub(super) fn check<'a>(
    world: &'a World<'a>,
    name: &'a Text,
    draft: &'a draft::Vpc,
    found: &mut Findings,
) -> Option<Vpc> {
    later::vpc(draft, found);
    let named = name::object(name, found);
    let home = world.homes.get(name.value.as_str())?;
    let blocks4 = blocks4(name, draft, found);
    let blocks6 = blocks6(draft, found);
    let group_names = draft.security_groups.names().collect();
    let scope = Scope { world, draft, name, home, blocks4, blocks6, group_names };
    let subnets = subnet::all(&scope, found);
    let nat_plans = nat_gateway::plans(&scope, found);
    let (instances, rest) = instance::all(&scope, &subnets, nat_gateway::requests(&nat_plans), found);
    let nat_gateways = nat_gateway::all(&scope, nat_plans, &subnets, rest, found);
    let route_tables = route_table::all(&scope, &subnets, found);
    let internet_gateway = gateway::internet(&scope, &subnets, &route_tables, found);
    let egress_only_internet_gateway = gateway::egress_only(&scope, found);
    let security_groups = group::all(&scope, found);
    group::per_interface(&scope, &security_groups, &instances, found);
    let network_acls = acl::all(&scope, found);
    let flow_logs = flow_log::all(&scope, found);
    named.then(|| Vpc {
        name: name.value.clone(),
        id: ids::id(Kind::Vpc, Owner { vpc: "", ..scope.owner() }, &name.value),
        account: home.account.clone(),
        region: home.region.clone(),
        cidrs: scope.blocks4.nets.iter().map(|(net, _)| *net).collect(),
        ipv6_cidrs: scope.blocks6.nets.iter().map(|(net, _)| *net).collect(),
        internet_gateway,
        egress_only_internet_gateway,
        subnets,
        nat_gateways,
        route_tables,
        security_groups,
        network_acls,
        instances,
        flow_logs,
    })
}

fn blocks4(name: &Text, draft: &draft::Vpc, found: &mut Findings) -> Blocks<Ipv4Net> {
    if draft.cidr.is_absent() {
        let what = format!("VPC `{}`", name.value);
        super::missing(
            found,
            name.spot,
            &what,
            "cidr",
            "a list of IPv4 blocks, such as `cidr: [10.0.0.0/16]`",
        );
    }
    if let (Some(list), Some(key)) = (draft.cidr.get(), draft.cidr.key())
        && list.is_empty()
    {
        let message = format!("VPC `{}` has no IPv4 block", name.value);
        found.push(
            Finding::new(Code::CidrMissing, key, message)
                .help("every VPC has a primary IPv4 block, also one that uses IPv6 only"),
        );
    }
    let mut nets: Vec<(Ipv4Net, Spot)> = Vec::new();
    for item in draft.cidr.items() {
        if let Some(net) = text::block4(item, found)
            && allowed4(net, &nets, item, found)
        {
            nets.push((net, item.spot));
        }
    }
    let written = draft.cidr.get().map_or(0, Vec::len);
    if let Some(key) = draft.cidr.key() {
        BLOCKS.check(written, "IPv4 blocks", key, found);
    }
    Blocks { incomplete: written == 0 || nets.len() < written, nets }
}

fn allowed4(net: Ipv4Net, earlier: &[(Ipv4Net, Spot)], item: &Text, found: &mut Findings) -> bool {
    if !(16..=28).contains(&net.prefix_len()) {
        let message = format!("{net} is a /{}: a VPC block is /16 to /28", net.prefix_len());
        found.push(Finding::new(Code::CidrSize, item.spot, message));
        return false;
    }
    let special = [
        ("0.0.0.0/8", "this network"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("224.0.0.0/3", "multicast and reserved"),
    ];
    if let Some((_, what)) = special.iter().find(|(block, _)| within(net, block)) {
        found.push(Finding::new(
            Code::CidrForbidden,
            item.spot,
            format!("{net} is {what} and cannot be a VPC block"),
        ));
        return false;
    }
    if let Some((other, spot)) = earlier.iter().find(|(other, _)| overlap4(net, *other)) {
        found.push(
            Finding::new(Code::CidrOverlap, item.spot, format!("{net} overlaps {other} of the same VPC"))
                .also(*spot, "this block"),
        );
        return false;
    }
    if let Some((why, spot)) = restriction(net, earlier) {
        found.push(
            Finding::new(Code::CidrRestricted, item.spot, format!("{net} cannot be added: {why}"))
                .also(spot, "this block"),
        );
        return false;
    }
    true
}

/// Why AWS would not add `net` as a secondary block, and beside which of the blocks that the VPC already has (AD-12).
fn restriction(net: Ipv4Net, earlier: &[(Ipv4Net, Spot)]) -> Option<(String, Spot)> {
    let families = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.19.0.0/16"];
    let family = |n: Ipv4Net| families.iter().find(|f| within(n, f));
    let own = family(net)?;
    let mut theirs = earlier.iter().filter_map(|(n, spot)| Some((family(*n)?, *spot)));
    if let Some((other, spot)) = theirs.find(|(f, _)| *f != own) {
        return Some((format!("a VPC cannot mix {own} and {other}"), spot));
    }
    let kept_free = [("10.0.0.0/16", "10.0.0.0/15"), ("172.31.0.0/16", "172.16.0.0/12")];
    let (free, beside) = kept_free.into_iter().find(|(free, _)| within(net, free))?;
    let (_, spot) = earlier.iter().find(|(n, _)| within(*n, beside))?;
    Some((format!("AWS keeps {free} free beside a block in {beside}"), *spot))
}

fn blocks6(draft: &draft::Vpc, found: &mut Findings) -> Blocks<Ipv6Net> {
    let mut nets: Vec<(Ipv6Net, Spot)> = Vec::new();
    let mut incomplete = draft.ipv6_cidr.is_broken();
    for item in draft.ipv6_cidr.each() {
        match text::block6(item, found).filter(|net| allowed6(*net, &nets, item, found)) {
            Some(net) => nets.push((net, item.spot)),
            None => incomplete = true,
        }
    }
    Blocks { nets, incomplete }
}

fn allowed6(net: Ipv6Net, earlier: &[(Ipv6Net, Spot)], item: &Text, found: &mut Findings) -> bool {
    if !(44..=60).contains(&net.prefix_len()) || !net.prefix_len().is_multiple_of(4) {
        let message =
            format!("{net} is a /{}: an IPv6 VPC block is /44, /48, /52, /56 or /60", net.prefix_len());
        found.push(Finding::new(Code::CidrSize, item.spot, message));
        return false;
    }
    let usable =
        ["2000::/3", "fc00::/7"].iter().any(|block| within6(net, block)) && !within6(net, "fd00:ec2::/32");
    if !usable {
        found
            .push(Finding::new(Code::CidrForbidden, item.spot, format!("{net} cannot be a VPC block")).help(
            "take a global unicast block (2000::/3) or a unique local one (fc00::/7) outside fd00:ec2::/32",
        ));
        return false;
    }
    if let Some((other, spot)) = earlier.iter().find(|(other, _)| net.contains(other) || other.contains(&net))
    {
        found.push(
            Finding::new(Code::CidrOverlap, item.spot, format!("{net} overlaps {other} of the same VPC"))
                .also(*spot, "this block"),
        );
        return false;
    }
    true
}

/// Whether two blocks share addresses.
pub(super) fn overlap4(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

fn within(net: Ipv4Net, block: &str) -> bool {
    block.parse::<Ipv4Net>().is_ok_and(|b| b.contains(&net))
}

fn within6(net: Ipv6Net, block: &str) -> bool {
    block.parse::<Ipv6Net>().is_ok_and(|b| b.contains(&net))
}
