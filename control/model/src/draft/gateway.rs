//! Internet gateways and NAT gateways as written.

use super::{Field, FlowLog, List, Named, Text};
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
