//! VPCs, subnets, route tables, prefix lists and flow logs as written.

use super::{
    Account, DhcpOptions, Endpoint, EndpointService, Field, Instance, InternetGateway, List, LoadBalancer,
    Named, NatGateway, NetworkAcl, OneOrMany, SecurityGroup, Text,
};
use crate::spot::{At, Spot};

/// A VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vpc {
    /// Place of the first key.
    pub spot: Spot,
    /// `account`
    pub account: Field<At<Account>>,
    /// `region`
    pub region: Field<Text>,
    /// `cidr`
    pub cidr: Field<List<Text>>,
    /// `ipv6_cidr`
    pub ipv6_cidr: Field<OneOrMany<Text>>,
    /// `enable_dns_support`
    pub enable_dns_support: Field<At<bool>>,
    /// `enable_dns_hostnames`
    pub enable_dns_hostnames: Field<At<bool>>,
    /// `internet_gateway`
    pub internet_gateway: Field<InternetGateway>,
    /// `egress_only_internet_gateway`
    pub egress_only_internet_gateway: Field<At<bool>>,
    /// `subnets`
    pub subnets: Field<Named<Subnet>>,
    /// `nat_gateways`
    pub nat_gateways: Field<Named<NatGateway>>,
    /// `route_tables`
    pub route_tables: Field<Named<RouteTable>>,
    /// `security_groups`
    pub security_groups: Field<Named<SecurityGroup>>,
    /// `network_acls`
    pub network_acls: Field<Named<NetworkAcl>>,
    /// `endpoints`
    pub endpoints: Field<Named<Endpoint>>,
    /// `endpoint_services`
    pub endpoint_services: Field<Named<EndpointService>>,
    /// `load_balancers`
    pub load_balancers: Field<Named<LoadBalancer>>,
    /// `dhcp_options`
    pub dhcp_options: Field<DhcpOptions>,
    /// `hosted_zones`: addresses by host name by zone.
    pub hosted_zones: Field<Named<Named<OneOrMany<Text>>>>,
    /// `instances`
    pub instances: Field<Named<Instance>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// Place of the first key.
    pub spot: Spot,
    /// `cidr`
    pub cidr: Field<Text>,
    /// `ipv6_cidr`
    pub ipv6_cidr: Field<Text>,
    /// `az`
    pub az: Field<Text>,
    /// `az_id`
    pub az_id: Field<Text>,
    /// `route_table`
    pub route_table: Field<Text>,
    /// `network_acl`
    pub network_acl: Field<Text>,
    /// `dns64`
    pub dns64: Field<At<bool>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
}

/// A route table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// Place of the first key.
    pub spot: Spot,
    /// `main`
    pub main: Field<At<bool>>,
    /// `routes`
    pub routes: Field<List<Route>>,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Place of the first key.
    pub spot: Spot,
    /// `to`
    pub to: Field<Text>,
    /// `via`
    pub via: Field<Text>,
}

/// A customer-managed prefix list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixList {
    /// Place of the first key.
    pub spot: Spot,
    /// `region`
    pub region: Field<Text>,
    /// `address_family`
    pub address_family: Field<At<AddressFamily>>,
    /// `max_entries`
    pub max_entries: Field<At<u64>>,
    /// `entries`
    pub entries: Field<List<Text>>,
}

/// Family of a prefix list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
}

/// A flow log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowLog {
    /// Place of the first key.
    pub spot: Spot,
    /// `traffic`
    pub traffic: Field<At<TrafficType>>,
    /// `max_aggregation_interval`, seconds
    pub max_aggregation_interval: Field<At<u64>>,
    /// `format`
    pub format: Field<Text>,
    /// `destination`
    pub destination: Field<Destination>,
}

/// Verdicts that a flow log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrafficType {
    /// `accept`
    Accept,
    /// `all`
    All,
    /// `reject`
    Reject,
}

/// Where flow-log records go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Place of the first key.
    pub spot: Spot,
    /// `file`
    pub file: Field<Text>,
    /// `s3`
    pub s3: Field<S3Destination>,
    /// `cloudwatch_logs`
    pub cloudwatch_logs: Field<CloudWatchDestination>,
}

/// A bucket for flow-log files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct S3Destination {
    /// Place of the first key.
    pub spot: Spot,
    /// `bucket`
    pub bucket: Field<Text>,
    /// `prefix`
    pub prefix: Field<Text>,
    /// `endpoint`
    pub endpoint: Field<Text>,
    /// `file_format`
    pub file_format: Field<At<FileFormat>>,
    /// `hive`
    pub hive: Field<At<bool>>,
    /// `hourly`
    pub hourly: Field<At<bool>>,
}

/// Format of flow-log files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// `parquet`
    Parquet,
    /// `plain-text`
    PlainText,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudWatchDestination {
    /// Place of the first key.
    pub spot: Spot,
    /// `log_group`
    pub log_group: Field<Text>,
    /// `endpoint`
    pub endpoint: Field<Text>,
}
