//! The network outside every VPC as written.

use super::{Field, List, Named, OneOrMany, Text};
use crate::spot::{At, Spot};

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
    /// `run`
    pub run: Field<List<Text>>,
}
