//! Objects that are understood but not enforced yet, as written.

use super::{Account, Field, FlowLog, List, Named, OneOrMany, Text};
use crate::spot::{At, Spot};

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InternetGateway {
    /// `true` or `false`
    Flag(At<bool>),
    /// With options.
    Options(InternetGatewayOptions),
}

/// Options of an internet gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternetGatewayOptions {
    /// Place of the first key.
    pub spot: Spot,
    /// `route_table`: the edge table (RT-20).
    pub route_table: Field<Text>,
}

/// A NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatGateway {
    /// Place of the first key.
    pub spot: Spot,
    /// `subnet`
    pub subnet: Field<Text>,
    /// `connectivity_type`
    pub connectivity_type: Field<At<ConnectivityType>>,
    /// `public_ip`
    pub public_ip: Field<Text>,
    /// `private_ip`
    pub private_ip: Field<Text>,
    /// `secondary`
    pub secondary: Field<List<NatAddress>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
}

/// Whether a NAT gateway reaches the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectivityType {
    /// `private`
    Private,
    /// `public`
    Public,
}

/// A secondary address of a NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatAddress {
    /// Place of the first key.
    pub spot: Spot,
    /// `public_ip`
    pub public_ip: Field<Text>,
    /// `private_ip`
    pub private_ip: Field<Text>,
}

/// A VPC endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Place of the first key.
    pub spot: Spot,
    /// `service`
    pub service: Field<Text>,
    /// `type`
    pub endpoint_type: Field<At<EndpointType>>,
    /// `route_tables`
    pub route_tables: Field<List<Text>>,
    /// `subnets`
    pub subnets: Field<EndpointSubnets>,
    /// `security_groups`
    pub security_groups: Field<List<Text>>,
    /// `policy`: path of a document.
    pub policy: Field<Text>,
    /// `private_dns`
    pub private_dns: Field<At<bool>>,
    /// `accepted`
    pub accepted: Field<At<bool>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
}

/// Kind of a VPC endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointType {
    /// `gateway`
    Gateway,
    /// `interface`
    Interface,
}

/// Subnets of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointSubnets {
    /// With an address each.
    Addresses(Named<Text>),
    /// By name.
    Names(List<Text>),
}

/// An endpoint service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointService {
    /// Place of the first key.
    pub spot: Spot,
    /// `load_balancers`
    pub load_balancers: Field<List<Text>>,
    /// `acceptance_required`
    pub acceptance_required: Field<At<bool>>,
    /// `allowed_accounts`
    pub allowed_accounts: Field<List<At<Account>>>,
    /// `private_dns_name`
    pub private_dns_name: Field<Text>,
}

/// A network load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Place of the first key.
    pub spot: Spot,
    /// `subnets`
    pub subnets: Field<List<Text>>,
    /// `cross_zone`
    pub cross_zone: Field<At<bool>>,
    /// `listeners`
    pub listeners: Field<List<Listener>>,
}

/// A listener of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Place of the first key.
    pub spot: Spot,
    /// `proto`
    pub proto: Field<At<ListenerProtocol>>,
    /// `port`
    pub port: Field<At<u64>>,
    /// `targets`: `INSTANCE:PORT`
    pub targets: Field<List<Text>>,
}

/// Protocol of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerProtocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
}

/// DHCP options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhcpOptions {
    /// Place of the first key.
    pub spot: Spot,
    /// `domain_name`
    pub domain_name: Field<Text>,
    /// `domain_name_servers`
    pub domain_name_servers: Field<List<Text>>,
}

/// A peering connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peering {
    /// Place of the first key.
    pub spot: Spot,
    /// `requester`
    pub requester: Field<Text>,
    /// `accepter`
    pub accepter: Field<Text>,
    /// `state`
    pub state: Field<At<PeeringState>>,
    /// `requester_dns`
    pub requester_dns: Field<At<bool>>,
    /// `accepter_dns`
    pub accepter_dns: Field<At<bool>>,
}

/// State of a peering connection (PC-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringState {
    /// `active`
    Active,
    /// `pending-acceptance`
    PendingAcceptance,
    /// `rejected`
    Rejected,
}

/// The network outside every VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Internet {
    /// Place of the first key.
    pub spot: Spot,
    /// `mtu`, bytes
    pub mtu: Field<At<u64>>,
    /// `public_pool`
    pub public_pool: Field<List<Text>>,
    /// `hosts`
    pub hosts: Field<Named<Host>>,
    /// `services`: by region the blocks, or under `backend` a URL.
    pub services: Field<Named<Named<OneOrMany<Text>>>>,
    /// `uplink`
    pub uplink: Field<At<bool>>,
}

/// A host on the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Place of the first key.
    pub spot: Spot,
    /// `ips`
    pub ips: Field<List<Text>>,
    /// `names`
    pub names: Field<List<Text>>,
}

/// A bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Place of the first key.
    pub spot: Spot,
    /// `region`
    pub region: Field<Text>,
    /// `policy`: path of a document.
    pub policy: Field<Text>,
}

/// Who signs requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Place of the first key.
    pub spot: Spot,
    /// `access_key`
    pub access_key: Field<Text>,
    /// `secret_key`
    pub secret_key: Field<Text>,
    /// `arn`
    pub arn: Field<Text>,
}
