//! Peering connections as written.

use super::{Field, Text};
use crate::spot::{At, Spot};

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
    /// `deleted`
    Deleted,
    /// `expired`
    Expired,
    /// `failed`
    Failed,
    /// `pending-acceptance`
    PendingAcceptance,
    /// `rejected`
    Rejected,
}
