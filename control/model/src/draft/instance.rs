//! Instances and their interfaces as written.

use super::{Field, FlowLog, List, Named, Text};
use crate::spot::{At, Spot};

/// An instance. All keys but `interfaces` and `run` are those of its only interface `eth0`, if it has no `interfaces`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Place of the first key.
    pub spot: Spot,
    /// `subnet`
    pub subnet: Field<Text>,
    /// `security_groups`; the default of its interfaces if it has `interfaces`.
    pub security_groups: Field<List<Text>>,
    /// `private_ip`
    pub private_ip: Field<Text>,
    /// `private_ips`
    pub private_ips: Field<List<Text>>,
    /// `public_ip`
    pub public_ip: Field<Text>,
    /// `public_ips`: public by private address.
    pub public_ips: Field<Named<Text>>,
    /// `ipv6`
    pub ipv6: Field<At<bool>>,
    /// `ipv6_addresses`
    pub ipv6_addresses: Field<List<Text>>,
    /// `source_dest_check`
    pub source_dest_check: Field<At<bool>>,
    /// `mtu`
    pub mtu: Field<At<u64>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
    /// `run`
    pub run: Field<List<Text>>,
    /// `interfaces`
    pub interfaces: Field<Named<Interface>>,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Place of the first key.
    pub spot: Spot,
    /// `subnet`
    pub subnet: Field<Text>,
    /// `security_groups`
    pub security_groups: Field<List<Text>>,
    /// `private_ip`
    pub private_ip: Field<Text>,
    /// `private_ips`, primary first
    pub private_ips: Field<List<Text>>,
    /// `public_ip`
    pub public_ip: Field<Text>,
    /// `public_ips`: public by private address.
    pub public_ips: Field<Named<Text>>,
    /// `ipv6`
    pub ipv6: Field<At<bool>>,
    /// `ipv6_addresses`
    pub ipv6_addresses: Field<List<Text>>,
    /// `source_dest_check`
    pub source_dest_check: Field<At<bool>>,
    /// `mtu`, bytes
    pub mtu: Field<At<u64>>,
    /// `flow_logs`
    pub flow_logs: Field<Named<FlowLog>>,
}
