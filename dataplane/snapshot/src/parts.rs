//! The parts of a snapshot and the questions that they answer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tables::{Classifier, Lpm, Prefix, Query, RuleSet};

use crate::{AclIx, InterfaceIx, LabelIx, NameIx, ProgramIx, RouteTableIx, SubnetIx, VpcIx};

/// Source/destination check of an interface (AD-23, AD-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The interface forwards for others.
    Off,
    /// Foreign sources and destinations are dropped.
    On,
}

/// A network interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: NameIx,
    /// Its VPC.
    pub vpc: VpcIx,
    /// Its subnet.
    pub subnet: SubnetIx,
    /// Rules of its groups.
    pub program: ProgramIx,
    /// Groups that it carries, ascending.
    pub labels: Vec<LabelIx>,
    /// IPv4 addresses, primary first.
    pub ipv4: Vec<Ipv4Addr>,
    /// IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// Source/destination check.
    pub check: Check,
    /// IP packet bytes.
    pub mtu: u16,
}

impl Interface {
    /// Whether `address` is one of its own.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.ipv4.contains(&a),
            IpAddr::V6(a) => self.ipv6.contains(&a),
        }
    }
}

/// A subnet.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Its name.
    pub name: NameIx,
    /// Its VPC.
    pub vpc: VpcIx,
    /// ACL in force.
    pub acl: AclIx,
    /// Route table in force.
    pub route_table: RouteTableIx,
    /// IPv4 block.
    pub cidr: ipnet::Ipv4Net,
    /// IPv6 block.
    pub ipv6_cidr: Option<ipnet::Ipv6Net>,
    /// The implicit router, base + 1 (AD-05).
    pub router: Ipv4Addr,
    /// The implicit router, base + 1 (AD-07).
    pub ipv6_router: Option<Ipv6Addr>,
}

impl Subnet {
    /// Whether `address` lies in this subnet.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.cidr.contains(&a),
            IpAddr::V6(a) => self.ipv6_cidr.is_some_and(|net| net.contains(&a)),
        }
    }

    /// The router's address in the family of `like`.
    #[must_use]
    pub fn router_for(&self, like: IpAddr) -> Option<IpAddr> {
        match like {
            IpAddr::V4(_) => Some(self.router.into()),
            IpAddr::V6(_) => self.ipv6_router.map(Into::into),
        }
    }
}

/// A VPC's address map.
#[derive(Clone, Debug)]
pub struct Vpc {
    /// Its name.
    pub name: NameIx,
    pub(crate) owners: HashMap<IpAddr, InterfaceIx>,
    /// Router addresses of all its subnets (AD-05, AD-07).
    pub(crate) routers: Vec<IpAddr>,
}

impl Vpc {
    /// The interface that owns `address`.
    #[must_use]
    pub fn owner_of(&self, address: IpAddr) -> Option<InterfaceIx> {
        self.owners.get(&address).copied()
    }

    /// Whether `address` is the implicit router of one of the subnets.
    #[must_use]
    pub fn is_router(&self, address: IpAddr) -> bool {
        self.routers.binary_search(&address).is_ok()
    }
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Drops (RT-15).
    Blackhole,
    /// A network interface of the same VPC.
    Interface(InterfaceIx),
    /// The VPC's own addresses.
    Local,
}

/// One effective route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub name: NameIx,
    /// Where it leads.
    pub target: Target,
}

/// A route table: one trie per family.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    pub(crate) routes: Vec<Route>,
    pub(crate) v4: Lpm<u32>,
    pub(crate) v6: Lpm<u128>,
}

impl RouteTable {
    /// The route with the longest prefix that contains `destination` (RT-05).
    #[must_use]
    pub fn lookup(&self, destination: IpAddr) -> Option<&Route> {
        let ix = match destination {
            IpAddr::V4(a) => self.v4.lookup(a.to_bits()),
            IpAddr::V6(a) => self.v6.lookup(a.to_bits()),
        }?;
        self.routes.get(ix as usize)
    }
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// IANA protocol number.
    pub protocol: u8,
    /// Destination port, or `type << 8 | code` for ICMP, else 0.
    pub selector: u16,
    /// The other side: the source for ingress, the destination for egress.
    pub peer: IpAddr,
    /// Groups of the other side, when they may be matched (SG-08).
    pub labels: &'a [LabelIx],
}

/// A classifier for each family.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByFamily<T4, T6> {
    pub(crate) v4: T4,
    pub(crate) v6: T6,
}

/// Verdict of an ACL entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclAction {
    /// Crosses the boundary.
    Allow,
    /// Does not.
    Deny,
}

/// The entry that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclMatch {
    /// Its name; the implicit deny has one too (`ACL-ID/ingress/*`, NA-03).
    pub entry: NameIx,
    /// Its verdict.
    pub action: AclAction,
}

/// One direction of a network ACL.
#[derive(Clone, Debug)]
pub(crate) struct AclSide {
    pub(crate) rules: ByFamily<(Classifier<u32>, Vec<AclMatch>), (Classifier<u128>, Vec<AclMatch>)>,
    pub(crate) last: AclMatch,
}

impl AclSide {
    fn judge(&self, flow: &Flow<'_>) -> AclMatch {
        let hit = match flow.peer {
            IpAddr::V4(a) => pick(&self.rules.v4.0, &self.rules.v4.1, flow, a.to_bits()),
            IpAddr::V6(a) => pick(&self.rules.v6.0, &self.rules.v6.1, flow, a.to_bits()),
        };
        hit.unwrap_or(self.last)
    }
}

fn pick<A: tables::Bits, T: Copy>(
    classifier: &Classifier<A>,
    values: &[T],
    flow: &Flow<'_>,
    addr: A,
) -> Option<T> {
    let query = Query { proto: flow.protocol, selector: flow.selector, addr, labels: &[] };
    classifier.first(&query).and_then(|position| values.get(position as usize).copied())
}

/// A network ACL: ordered entries per direction (NA-02).
#[derive(Clone, Debug)]
pub struct Acl {
    /// Its name.
    pub name: NameIx,
    pub(crate) ingress: AclSide,
    pub(crate) egress: AclSide,
}

impl Acl {
    /// The verdict on a packet that enters the subnet.
    #[must_use]
    pub fn ingress(&self, flow: &Flow<'_>) -> AclMatch {
        self.ingress.judge(flow)
    }

    /// The verdict on a packet that leaves the subnet.
    #[must_use]
    pub fn egress(&self, flow: &Flow<'_>) -> AclMatch {
        self.egress.judge(flow)
    }
}

/// Whether some matching rule lets the flow go untracked (SG-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Every matching rule is narrow, or the other direction is: track it.
    Narrow,
    /// A matching rule has the whole family as peer, and so has an all-ports rule of the other direction.
    Wide,
}

/// A group rule that allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMatch {
    /// Its name.
    pub rule: NameIx,
    /// See [`Width`].
    pub width: Width,
}

/// One direction and family of a group program.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupSide<A> {
    pub(crate) rules: Classifier<A>,
    pub(crate) names: Vec<NameIx>,
    /// Positions of rules whose peer is the whole family.
    pub(crate) wide: RuleSet,
    /// Protocols (TCP, UDP) for which the OTHER direction allows the whole family on all ports.
    pub(crate) open_back_tcp: bool,
    pub(crate) open_back_udp: bool,
}

impl<A: tables::Bits> GroupSide<A> {
    fn judge(&self, flow: &Flow<'_>, addr: A, labels: &[u32]) -> Option<GroupMatch> {
        let query = Query { proto: flow.protocol, selector: flow.selector, addr, labels };
        let open_back = match flow.protocol {
            6 => self.open_back_tcp,
            17 => self.open_back_udp,
            _ => false,
        };
        if open_back && let Some(position) = self.rules.first_in(&query, &self.wide) {
            return self.names.get(position as usize).map(|&rule| GroupMatch { rule, width: Width::Wide });
        }
        let position = self.rules.first(&query)?;
        self.names.get(position as usize).map(|&rule| GroupMatch { rule, width: Width::Narrow })
    }
}

/// The rules of one distinct set of security groups (SG-02).
#[derive(Clone, Debug, Default)]
pub struct GroupProgram {
    pub(crate) ingress: ByFamily<GroupSide<u32>, GroupSide<u128>>,
    pub(crate) egress: ByFamily<GroupSide<u32>, GroupSide<u128>>,
}

impl GroupProgram {
    /// The rule that allows a packet to reach the interface, if any.
    #[must_use]
    pub fn ingress(&self, flow: &Flow<'_>) -> Option<GroupMatch> {
        judge(&self.ingress, flow)
    }

    /// The rule that allows a packet to leave the interface, if any.
    #[must_use]
    pub fn egress(&self, flow: &Flow<'_>) -> Option<GroupMatch> {
        judge(&self.egress, flow)
    }
}

/// Groups that one interface may carry; `labels` longer than this are not matched beyond it (SG-29: at most 16).
const MAX_LABELS: usize = 16;

fn judge(side: &ByFamily<GroupSide<u32>, GroupSide<u128>>, flow: &Flow<'_>) -> Option<GroupMatch> {
    let mut labels = [0; MAX_LABELS];
    let count = flow.labels.len().min(MAX_LABELS);
    for (slot, label) in labels.iter_mut().zip(flow.labels) {
        *slot = label.0;
    }
    match flow.peer {
        IpAddr::V4(a) => side.v4.judge(flow, a.to_bits(), &labels[..count]),
        IpAddr::V6(a) => side.v6.judge(flow, a.to_bits(), &labels[..count]),
    }
}

/// Knobs that the engine reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds of idle time for established TCP (SG-20).
    pub tcp_established: u32,
    /// Seconds of idle time for a UDP stream (SG-20).
    pub udp_stream: u32,
    /// Seconds of idle time for one UDP exchange (SG-20).
    pub udp_timeout: u32,
    /// Seconds of idle time for ICMP (SG-22).
    pub icmp: u32,
    /// Whether an ICMP error about a narrowly tracked flow passes with it (MT-09).
    pub related_icmp: RelatedIcmp,
    /// Whether every allowed flow is tracked (GAP-12).
    pub track_all: bool,
    /// Seconds between two flushes of the counter blocks: the greatest common divisor of all flow-log windows.
    pub tap_interval: u32,
}

/// See [`Settings::related_icmp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedIcmp {
    /// It passes with the flow.
    Accept,
    /// It needs a rule of its own.
    Reject,
}

pub(crate) fn v4_prefix(net: ipnet::Ipv4Net) -> Prefix<u32> {
    Prefix { bits: net.network().to_bits(), len: net.prefix_len() }
}

pub(crate) fn v6_prefix(net: ipnet::Ipv6Net) -> Prefix<u128> {
    Prefix { bits: net.network().to_bits(), len: net.prefix_len() }
}
