//! VPC peering connections.

use std::error::Error;
use std::fmt;

use super::Lab;

/// A peering connection between two VPCs (PC-01).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peering {
    /// Key in the lab file.
    pub name: String,
    /// `pcx-` id.
    pub id: String,
    /// Name of the VPC that asked.
    pub requester: String,
    /// Name of the VPC that was asked, another one.
    pub accepter: String,
    /// Only an active connection carries packets.
    pub state: PeeringState,
    /// Whether both VPCs are in one region.
    pub reach: PeeringReach,
}

/// State of a peering connection (PC-02), without those that pass by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringState {
    /// Accepted. The blocks of the two VPCs do not overlap (PC-05).
    Active,
    /// Deleted by either side.
    Deleted,
    /// Nobody accepted it within a week.
    Expired,
    /// It could not be made (PC-05).
    Failed,
    /// The accepter has not answered.
    PendingAcceptance,
    /// The accepter refused.
    Rejected,
}

/// How far a peering connection reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringReach {
    /// Two regions: smaller packets, no references to security groups, encrypted (PC-14 to PC-16).
    InterRegion,
    /// One region.
    IntraRegion,
}

/// What a side may ask of a peering connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringRequest {
    /// The accepter's yes.
    Accept,
    /// Either side's end of it, or the requester's withdrawal.
    Delete,
    /// The accepter's no.
    Reject,
}

/// A request that the state does not allow (ER-24, `InvalidStateTransition`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTransition {
    /// The state.
    pub state: PeeringState,
    /// The request.
    pub request: PeeringRequest,
}

impl Peering {
    /// The VPC on the other side of `vpc`; none for a VPC that it does not join.
    #[must_use]
    pub fn other_side(&self, vpc: &str) -> Option<&str> {
        match vpc {
            v if v == self.requester => Some(&self.accepter),
            v if v == self.accepter => Some(&self.requester),
            _ => None,
        }
    }

    /// Whether it joins the two VPCs, whichever asked.
    #[must_use]
    pub fn joins(&self, one: &str, other: &str) -> bool {
        self.other_side(one) == Some(other)
    }

    /// Whether rules on one side may name security groups of the other (SG-09, PC-14).
    #[must_use]
    pub fn carries_groups(&self) -> bool {
        self.state == PeeringState::Active && self.reach == PeeringReach::IntraRegion
    }

    /// Whether packets on it are said to be encrypted (PC-16).
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.reach == PeeringReach::InterRegion
    }

    /// Bytes of the largest IP packet (PC-15).
    #[must_use]
    pub const fn mtu(&self) -> u16 {
        match self.reach {
            PeeringReach::InterRegion => 8500,
            PeeringReach::IntraRegion => 9001,
        }
    }
}

impl Lab {
    /// The peering connection with this `pcx-` id.
    #[must_use]
    pub fn peering_by_id(&self, id: &str) -> Option<&Peering> {
        self.peerings.values().find(|peering| peering.id == id)
    }

    /// Why a peering connection is in its state, where that is not plain.
    #[must_use]
    pub fn peering_message(&self, peering: &Peering) -> Option<String> {
        let (requester, accepter) = (self.vpcs.get(&peering.requester)?, self.vpcs.get(&peering.accepter)?);
        match peering.state {
            PeeringState::Failed => requester.overlap(accepter).map(|(own, other)| {
                format!("{own} of VPC {} overlaps {other} of VPC {}", requester.name, accepter.name)
            }),
            PeeringState::PendingAcceptance => {
                Some(format!("account {} has to accept it for VPC {}", accepter.account, accepter.name))
            }
            PeeringState::Active | PeeringState::Deleted | PeeringState::Expired | PeeringState::Rejected => {
                None
            }
        }
    }
}

impl PeeringState {
    /// The word for it, in the lab file and in AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::PendingAcceptance => "pending-acceptance",
            Self::Rejected => "rejected",
        }
    }

    /// Whether it is over: nothing leads out of it, and the pair may peer again (PC-03).
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Active | Self::PendingAcceptance => false,
            Self::Deleted | Self::Expired | Self::Failed | Self::Rejected => true,
        }
    }

    /// The state after `request` (PC-03).
    ///
    /// # Errors
    ///
    /// [`InvalidTransition`] for a request that AWS refuses in this state.
    pub const fn after(self, request: PeeringRequest) -> Result<Self, InvalidTransition> {
        match (self, request) {
            (Self::PendingAcceptance, PeeringRequest::Accept) => Ok(Self::Active),
            (Self::PendingAcceptance, PeeringRequest::Reject) => Ok(Self::Rejected),
            (Self::PendingAcceptance | Self::Active, PeeringRequest::Delete) => Ok(Self::Deleted),
            (
                Self::Active | Self::Deleted | Self::Expired | Self::Failed | Self::Rejected,
                PeeringRequest::Accept | PeeringRequest::Delete | PeeringRequest::Reject,
            ) => Err(InvalidTransition { state: self, request }),
        }
    }
}

impl fmt::Display for InvalidTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.request {
            PeeringRequest::Accept => "accepted",
            PeeringRequest::Delete => "deleted",
            PeeringRequest::Reject => "rejected",
        };
        write!(f, "a peering connection that is {} cannot be {verb}", self.state.as_str())
    }
}

impl Error for InvalidTransition {}

#[cfg(test)]
mod tests {
    use super::PeeringRequest::{Accept, Delete, Reject};
    use super::PeeringState::{Active, Deleted, Expired, Failed, PendingAcceptance, Rejected};
    use super::*;

    /// Rules: PC-03
    #[test]
    fn only_a_pending_connection_is_answered_and_only_a_living_one_deleted() {
        assert_eq!(PendingAcceptance.after(Accept), Ok(Active));
        assert_eq!(PendingAcceptance.after(Reject), Ok(Rejected));
        assert_eq!(PendingAcceptance.after(Delete), Ok(Deleted));
        assert_eq!(Active.after(Delete), Ok(Deleted));
        for request in [Accept, Reject] {
            assert_eq!(Active.after(request), Err(InvalidTransition { state: Active, request }));
        }
        for state in [Deleted, Expired, Failed, Rejected] {
            for request in [Accept, Delete, Reject] {
                assert_eq!(state.after(request), Err(InvalidTransition { state, request }));
            }
        }
    }
}
