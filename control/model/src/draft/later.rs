//! Objects that are understood but not enforced yet, as written.

use super::{Account, Field, FlowLog, List, Named, Text};
use crate::spot::{At, Spot};

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
