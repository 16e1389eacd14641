//! What the control plane says; the [`crate::Builder`] turns it into tables.
//!
//! Objects refer to each other by AWS id. Equal specifications in two consecutive builds share one compiled part. An object
//! that is the very same in both is not even looked at, so whoever makes a specification keeps what did not change [`Shared`].

mod gateway;
mod shared;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::{AclAction, Check, Settings};

pub use gateway::{HostSpec, InternetGatewaySpec, InternetSpec, NatGatewaySpec, PeeringSpec};
pub use shared::Shared;

/// A VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcSpec {
    /// `vpc-` id.
    pub id: String,
    /// Name in the lab file.
    pub name: String,
    /// Owner.
    pub account: String,
    /// Region.
    pub region: String,
    /// IPv4 blocks, primary first.
    pub cidrs: Vec<Ipv4Net>,
    /// IPv6 blocks.
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// The internet gateway.
    pub internet_gateway: Option<InternetGatewaySpec>,
    /// `eigw-` id of the egress-only internet gateway.
    pub egress_only_internet_gateway: Option<String>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetSpec {
    /// `subnet-` id.
    pub id: String,
    /// Name in the lab file, `VPC.SUBNET`.
    pub name: String,
    /// `vpc-` id.
    pub vpc: String,
    /// IPv4 block.
    pub cidr: Ipv4Net,
    /// IPv6 block.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// `acl-` id in force.
    pub network_acl: String,
    /// `rtb-` id in force.
    pub route_table: String,
    /// Availability zone.
    pub az: String,
    /// Availability zone id.
    pub az_id: String,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceSpec {
    /// `eni-` id.
    pub id: String,
    /// `INSTANCE.DEVICE`.
    pub name: String,
    /// `i-` id.
    pub instance: Option<String>,
    /// `subnet-` id.
    pub subnet: String,
    /// IPv4 addresses, primary first.
    pub ipv4: Vec<Ipv4Addr>,
    /// Private IPv4 addresses that the internet gateway maps, each with its public one; each address once (IG-03).
    pub public: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// `sg-` ids.
    pub groups: Vec<String>,
    /// `nat-` id of the gateway whose interface this is.
    pub nat_gateway: Option<String>,
    /// Source/destination check.
    pub check: Check,
    /// IP packet bytes.
    pub mtu: u16,
}

/// A route table; prefix lists are already expanded and ties resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTableSpec {
    /// `rtb-` id.
    pub id: String,
    /// Name in the lab file, `VPC.TABLE`.
    pub name: String,
    /// Routes with distinct prefixes.
    pub routes: Vec<RouteSpec>,
}

/// One effective route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// `RTB-ID/DESTINATION`, the id that explanations print.
    pub id: String,
    /// Effective block.
    pub prefix: IpNet,
    /// Where it leads.
    pub target: TargetSpec,
}

/// Target of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSpec {
    /// Drops.
    Blackhole,
    /// The egress-only internet gateway of the VPC.
    EgressOnlyInternetGateway,
    /// `eni-` id, also that of a NAT gateway.
    Interface(String),
    /// The internet gateway of the VPC.
    InternetGateway,
    /// The VPC's own addresses.
    Local,
    /// `pcx-` id; a blackhole while that is not active (RT-15).
    Peering(String),
}

/// Protocol and ports of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficSpec {
    /// IANA number; `None` is every protocol.
    pub protocol: Option<u8>,
    /// Destination ports, or `type << 8 | code` for ICMP; the full range when they do not matter.
    pub selectors: RangeInclusive<u16>,
}

/// A network ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclSpec {
    /// `acl-` id.
    pub id: String,
    /// Name in the lab file, `VPC.ACL`.
    pub name: String,
    /// Inbound entries in ascending number.
    pub ingress: Vec<AclEntrySpec>,
    /// Outbound entries in ascending number.
    pub egress: Vec<AclEntrySpec>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclEntrySpec {
    /// Its number.
    pub number: u16,
    /// Its verdict.
    pub action: AclAction,
    /// What it matches.
    pub traffic: TrafficSpec,
    /// Source (inbound) or destination (outbound).
    pub cidr: IpNet,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSpec {
    /// `sg-` id.
    pub id: String,
    /// Name in the lab file, `VPC.GROUP`.
    pub name: String,
    /// Inbound rules; prefix lists are already expanded, the entries sharing one id.
    pub ingress: Vec<GroupRuleSpec>,
    /// Outbound rules.
    pub egress: Vec<GroupRuleSpec>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRuleSpec {
    /// `sgr-` id.
    pub id: String,
    /// What it matches.
    pub traffic: TrafficSpec,
    /// The other side.
    pub peer: PeerSpec,
}

/// The other side of a security-group rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerSpec {
    /// A block.
    Cidr(IpNet),
    /// `sg-` id.
    Group(String),
}

/// A flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLogSpec {
    /// `fl-` id.
    pub id: String,
    /// `eni-` ids that it covers.
    pub interfaces: Vec<String>,
    /// Which verdicts it records.
    pub traffic: TrafficFilter,
    /// Seconds of one window.
    pub interval: u32,
    /// `${field}` format.
    pub format: String,
    /// File that records are appended to.
    pub file: std::path::PathBuf,
}

/// Verdicts that a flow log records (FL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrafficFilter {
    /// ACCEPT only.
    Accept,
    /// Both.
    All,
    /// REJECT only.
    Reject,
}

/// The whole lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabSpec {
    /// Lab name.
    pub name: String,
    /// All network ACLs.
    pub acls: Vec<Shared<AclSpec>>,
    /// All flow logs.
    pub flow_logs: Vec<Shared<FlowLogSpec>>,
    /// All security groups.
    pub groups: Vec<Shared<GroupSpec>>,
    /// All interfaces.
    pub interfaces: Vec<Shared<InterfaceSpec>>,
    /// The network outside every VPC.
    pub internet: InternetSpec,
    /// All NAT gateways.
    pub nat_gateways: Vec<Shared<NatGatewaySpec>>,
    /// All peering connections.
    pub peerings: Vec<Shared<PeeringSpec>>,
    /// All route tables.
    pub route_tables: Vec<Shared<RouteTableSpec>>,
    /// Knobs.
    pub settings: Settings,
    /// All subnets.
    pub subnets: Vec<Shared<SubnetSpec>>,
    /// All VPCs.
    pub vpcs: Vec<Shared<VpcSpec>>,
}
