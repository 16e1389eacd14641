//! The checked objects, with every default filled in and every reference resolved.
//!
//! All maps are keyed by the name in the lab file and therefore ordered. A reference by name always has its object.

mod gateway;
mod internet;
mod peering;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

pub use gateway::{Connectivity, EgressOnlyInternetGateway, InternetGateway, NatAddress, NatGateway};
pub use internet::{Host, Internet};
pub use peering::{InvalidTransition, Peering, PeeringReach, PeeringRequest, PeeringState};

/// One lab file.
#[derive(Clone, Debug, PartialEq)]
pub struct Lab {
    /// The lab's name: prefix of its namespaces.
    pub name: String,
    /// Default account, 12 digits.
    pub account: String,
    /// Default region.
    pub region: String,
    /// VPCs by name.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Peering connections by name.
    pub peerings: BTreeMap<String, Peering>,
    /// The network outside every VPC.
    pub internet: Internet,
    /// Customer-managed prefix lists by name.
    pub prefix_lists: BTreeMap<String, PrefixList>,
    /// Every knob, with defaults filled in.
    pub settings: Settings,
}

/// A VPC with everything in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vpc {
    /// Key in the lab file.
    pub name: String,
    /// `vpc-` id.
    pub id: String,
    /// Owner, 12 digits.
    pub account: String,
    /// Region, such as `us-east-1`.
    pub region: String,
    /// IPv4 blocks, primary first (AD-01).
    pub cidrs: Vec<Ipv4Net>,
    /// IPv6 blocks.
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// The internet gateway.
    pub internet_gateway: Option<InternetGateway>,
    /// The egress-only internet gateway.
    pub egress_only_internet_gateway: Option<EgressOnlyInternetGateway>,
    /// Subnets by name.
    pub subnets: BTreeMap<String, Subnet>,
    /// NAT gateways by name.
    pub nat_gateways: BTreeMap<String, NatGateway>,
    /// Route tables by name, exactly one of them main (RT-01).
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Security groups by name; `default` always exists (SG-07).
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// Network ACLs by name; `default` always exists (NA-04).
    pub network_acls: BTreeMap<String, NetworkAcl>,
    /// Instances by name; names are unique in the lab.
    pub instances: BTreeMap<String, Instance>,
    /// Flow logs of this VPC, its subnets and its interfaces.
    pub flow_logs: Vec<FlowLog>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Key in the lab file.
    pub name: String,
    /// `subnet-` id.
    pub id: String,
    /// IPv4 block.
    pub cidr: Ipv4Net,
    /// IPv6 block.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Availability zone name, such as `us-east-1a`.
    pub az: String,
    /// Availability zone id, such as `use1-az1`.
    pub az_id: String,
    /// Name of the route table in force: the associated one, else main (RT-02).
    pub route_table: String,
    /// Name of the network ACL in force (NA-06).
    pub network_acl: String,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// Key in the lab file.
    pub name: String,
    /// `rtb-` id.
    pub id: String,
    /// Whether this is the VPC's main table.
    pub main: bool,
    /// Local routes first, then as written.
    pub routes: Vec<Route>,
}

/// One route; a prefix list counts as one route per entry (RT-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `RTB-ID/DESTINATION`, e.g. `rtb-0123/10.0.0.0/16` or `rtb-0123/pl-0456`.
    pub id: String,
    /// What it matches.
    pub destination: Destination,
    /// Where it leads.
    pub target: Target,
}

/// Destination of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// One block.
    Cidr(IpNet),
    /// Every current entry of the prefix list with this name. A CIDR route of the same length wins (RT-06).
    PrefixList(String),
}

/// Target of a route (RT-14), as far as it is enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Drops what it matches, without falling back to a shorter route (RT-15).
    Blackhole,
    /// The VPC's egress-only internet gateway; the destination is IPv6 (EI-01).
    EgressOnlyInternetGateway,
    /// A network interface, `instance` and `device` naming it; it is in the same VPC.
    Interface(InterfaceRef),
    /// The VPC's internet gateway.
    InternetGateway,
    /// The VPC itself.
    Local,
    /// The NAT gateway of the same VPC with this name.
    NatGateway(String),
    /// The peering connection with this name, which joins this VPC; a blackhole unless that is active (RT-15, RT-16).
    Peering(String),
}

/// Names one interface of a VPC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceRef {
    /// Instance name.
    pub instance: String,
    /// Device name, such as `eth0`.
    pub device: String,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Key in the lab file.
    pub name: String,
    /// `sg-` id.
    pub id: String,
    /// Inbound rules.
    pub ingress: Vec<GroupRule>,
    /// Outbound rules.
    pub egress: Vec<GroupRule>,
}

/// One allow rule of a security group (SG-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// `sgr-` id.
    pub id: String,
    /// Protocol with its ports or ICMP type.
    pub traffic: Traffic,
    /// The other side.
    pub peer: Peer,
}

/// The other side of a security-group rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// One block of either family.
    Cidr(IpNet),
    /// Members of the group with this name in the same VPC (SG-08).
    Group(String),
    /// Members of a group of a peered VPC; nobody while no active connection in one region joins the two (SG-09, SG-10).
    PeeredGroup(PeeredGroup),
    /// Current entries of the prefix list with this name (SG-11).
    PrefixList(String),
}

/// Names a security group of another VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeeredGroup {
    /// VPC name.
    pub vpc: String,
    /// Group name.
    pub group: String,
}

/// Protocol with ports or ICMP type and code, for security groups and network ACLs (SG-04, NA-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Every protocol.
    All,
    /// ICMP for IPv4; `None` is any. A code is given only with a type.
    Icmp(Option<u8>, Option<u8>),
    /// ICMP for IPv6; `None` is any.
    Icmpv6(Option<u8>, Option<u8>),
    /// Any other protocol by number; ports do not matter. Never 1, 6, 17 or 58.
    Number(u8),
    /// TCP destination ports.
    Tcp(RangeInclusive<u16>),
    /// UDP destination ports.
    Udp(RangeInclusive<u16>),
}

/// A network ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAcl {
    /// Key in the lab file.
    pub name: String,
    /// `acl-` id.
    pub id: String,
    /// Inbound entries in ascending number, without the implicit last deny (NA-02, NA-03).
    pub ingress: Vec<AclEntry>,
    /// Outbound entries in ascending number.
    pub egress: Vec<AclEntry>,
}

/// One entry of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclEntry {
    /// 1 to 32766 (NA-02).
    pub number: u16,
    /// Verdict of a match.
    pub action: AclAction,
    /// Protocol with its ports or ICMP type; ports are the packet's destination ports (NA-10).
    pub traffic: Traffic,
    /// Inbound: the source. Outbound: the destination.
    pub cidr: IpNet,
}

/// Verdict of a network ACL entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclAction {
    /// Lets the packet cross the subnet boundary.
    Allow,
    /// Drops it.
    Deny,
}

/// An instance: one network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Key in the lab file.
    pub name: String,
    /// `i-` id.
    pub id: String,
    /// Namespace name, `LAB-INSTANCE`.
    pub namespace: String,
    /// Interfaces in order of device name; at least one.
    pub interfaces: Vec<Interface>,
    /// Programs kept running in the namespace, each a shell command line.
    pub run: Vec<String>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Device name in the namespace, such as `eth0`.
    pub device: String,
    /// `eni-` id.
    pub id: String,
    /// Subnet name.
    pub subnet: String,
    /// IPv4 addresses, primary first; at least one (AD-16).
    pub private_ips: Vec<Ipv4Addr>,
    /// Public by private IPv4 address; a mapping of the internet gateway, unknown to the guest (AD-16, IG-03).
    pub public_ips: BTreeMap<Ipv4Addr, Ipv4Addr>,
    /// IPv6 addresses.
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// Names of its security groups, at least one.
    pub security_groups: Vec<String>,
    /// AD-23.
    pub source_dest_check: SourceDestCheck,
    /// IP packet bytes, 1280 to 9001 (MT-01).
    pub mtu: u16,
}

/// Whether an interface may send and receive only for its own addresses (AD-23, AD-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceDestCheck {
    /// Foreign sources and destinations are dropped.
    On,
    /// The instance forwards for others.
    Off,
}

/// A customer-managed prefix list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixList {
    /// Key in the lab file.
    pub name: String,
    /// `pl-` id.
    pub id: String,
    /// Entries, all of one family, at most `max_entries`.
    pub entries: Vec<IpNet>,
    /// Size that quotas count.
    pub max_entries: u32,
}

/// A flow log (FL-02..05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLog {
    /// Key in the lab file.
    pub name: String,
    /// `fl-` id.
    pub id: String,
    /// What it covers.
    pub scope: FlowLogScope,
    /// Which verdicts it records (FL-04).
    pub traffic: TrafficType,
    /// Seconds of one aggregation window; 60 or 600, any positive number with `settings.flow_logs.allow_any_interval`.
    pub interval: u32,
    /// `${field}` format string; the default format when not written (FL-20, FL-21).
    pub format: String,
    /// Where records go.
    pub destination: LogDestination,
}

/// What a flow log covers, by name; inheritance goes down only (FL-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowLogScope {
    /// One interface.
    Interface(InterfaceRef),
    /// The network interface of the NAT gateway with this name.
    NatGateway(String),
    /// One subnet.
    Subnet(String),
    /// The whole VPC.
    Vpc,
}

/// Verdicts that a flow log records (FL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrafficType {
    /// Accepted traffic.
    Accept,
    /// Both.
    All,
    /// Rejected traffic.
    Reject,
}

/// Where flow-log records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDestination {
    /// A text file, appended to; absolute, or relative to the lab file.
    File(PathBuf),
}

/// Every knob of the lab file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds of idle time for established TCP: 60 to 432000 (SG-20).
    pub tcp_established: u32,
    /// Seconds of idle time for a UDP stream: 60 to 180 (SG-20).
    pub udp_stream: u32,
    /// Seconds of idle time for one UDP exchange: 30 to 60 (SG-20).
    pub udp_timeout: u32,
    /// Seconds of idle time for ICMP (SG-22).
    pub icmp: u32,
    /// What happens to an ICMP error about a flow tracked only by narrow rules (MT-09).
    pub related_icmp: RelatedIcmp,
    /// Whether flows that AWS leaves untracked are tracked (GAP-12).
    pub tracking: Tracking,
    /// Seconds of idle time for a connection through a NAT gateway (NG-10, NG-11).
    pub nat_idle_timeout: u32,
    /// Sessions that the flow table holds, all workers together.
    pub sessions: u32,
    /// Whether flow-log windows may have any length in seconds, for tests (GAP-16).
    pub flow_log_interval: FlowLogInterval,
    /// Whether interfaces aggregate for at most 60 s whatever the flow log says (FL-12).
    pub nitro: Nitro,
}

/// See [`Settings::related_icmp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedIcmp {
    /// It passes with the flow.
    Accept,
    /// It needs a rule of its own.
    Reject,
}

/// See [`Settings::tracking`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// Every allowed flow is tracked.
    All,
    /// SG-14 decides.
    Aws,
}

/// See [`Settings::flow_log_interval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowLogInterval {
    /// Any positive number of seconds.
    Any,
    /// 60 or 600 (FL-12).
    Aws,
}

/// See [`Settings::nitro`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nitro {
    /// Windows of at most 60 s.
    On,
    /// Windows as long as the flow log says.
    Off,
}

impl Vpc {
    /// The interface that owns `address`, with its instance.
    #[must_use]
    pub fn owner_of(&self, address: IpAddr) -> Option<(&Instance, &Interface)> {
        self.instances
            .values()
            .flat_map(|i| i.interfaces.iter().map(move |e| (i, e)))
            .find(|(_, e)| e.owns(address))
    }

    /// Its blocks of both families.
    pub fn blocks(&self) -> impl Iterator<Item = IpNet> {
        let v4 = self.cidrs.iter().map(|net| IpNet::V4(*net));
        v4.chain(self.ipv6_cidrs.iter().map(|net| IpNet::V6(*net)))
    }

    /// A block of its own and one of `other` that share addresses, for which the two cannot peer (PC-05).
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<(IpNet, IpNet)> {
        self.blocks().find_map(|own| {
            other.blocks().find(|net| own.contains(net) || net.contains(&own)).map(|net| (own, net))
        })
    }
}

impl Interface {
    /// Whether `address` is one of its own.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.private_ips.contains(&a),
            IpAddr::V6(a) => self.ipv6_addresses.contains(&a),
        }
    }
}
