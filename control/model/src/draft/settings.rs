//! Knobs as written.

use super::Field;
use crate::spot::{At, Spot};

/// All knobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Place of the first key.
    pub spot: Spot,
    /// `sg`
    pub sg: Field<GroupSettings>,
    /// `nat`
    pub nat: Field<NatSettings>,
    /// `limits`
    pub limits: Field<Limits>,
    /// `flow_logs`
    pub flow_logs: Field<FlowLogSettings>,
}

/// Knobs of security groups; times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// Place of the first key.
    pub spot: Spot,
    /// `tcp_established`
    pub tcp_established: Field<At<u64>>,
    /// `udp_stream`
    pub udp_stream: Field<At<u64>>,
    /// `udp_timeout`
    pub udp_timeout: Field<At<u64>>,
    /// `icmp`
    pub icmp: Field<At<u64>>,
    /// `related_icmp`
    pub related_icmp: Field<At<RelatedIcmp>>,
    /// `track_all`
    pub track_all: Field<At<bool>>,
}

/// What happens to ICMP errors about narrowly tracked flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedIcmp {
    /// `accept`
    Accept,
    /// `reject`
    Reject,
}

/// Knobs of NAT gateways; times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatSettings {
    /// Place of the first key.
    pub spot: Spot,
    /// `idle_timeout`
    pub idle_timeout: Field<At<u64>>,
}

/// Sizes of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Place of the first key.
    pub spot: Spot,
    /// `sessions`
    pub sessions: Field<At<u64>>,
}

/// Knobs of flow logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowLogSettings {
    /// Place of the first key.
    pub spot: Spot,
    /// `nitro`
    pub nitro: Field<At<bool>>,
    /// `delivery_delay`, seconds
    pub delivery_delay: Field<At<u64>>,
    /// `allow_any_interval`
    pub allow_any_interval: Field<At<bool>>,
}
