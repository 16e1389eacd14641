//! What is said about peering connections.

use model::lab::PeeringRequest;
use model::live::{self, Acceptance};
use serde::{Deserialize, Serialize};

/// Something asked of one peering connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeeringChange {
    /// Name of the connection, or its `pcx-` id.
    pub name: String,
    /// What is asked.
    pub step: PeeringStep,
}

/// See [`PeeringChange::step`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeeringStep {
    /// The accepter's yes.
    Accept,
    /// Either side's end of it.
    Delete,
    /// Nobody accepted it within a week.
    Expire,
    /// The accepter's no.
    Reject,
    /// A request for a new connection.
    Request {
        /// Names of requester and accepter; none stands for those of the connection of this name that is over.
        between: Option<(String, String)>,
        /// Whether nobody has to accept it.
        automatic: bool,
    },
}

/// One peering connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeeringRow {
    /// Its name.
    pub name: String,
    /// `pcx-` id.
    pub id: String,
    /// Name of the VPC that asked.
    pub requester: String,
    /// Name of the VPC that was asked.
    pub accepter: String,
    /// AWS's status code: `active`, `pending-acceptance` …
    pub status: String,
    /// Why it is in this state, where that is not plain.
    pub message: Option<String>,
    /// The generation now in force.
    pub generation: u64,
}

impl From<PeeringChange> for live::PeeringChange {
    fn from(PeeringChange { name, step }: PeeringChange) -> Self {
        let answer = |name, request| Self::Answer { name, request };
        match step {
            PeeringStep::Accept => answer(name, PeeringRequest::Accept),
            PeeringStep::Delete => answer(name, PeeringRequest::Delete),
            PeeringStep::Expire => Self::Expire { name },
            PeeringStep::Reject => answer(name, PeeringRequest::Reject),
            PeeringStep::Request { between, automatic } => {
                let acceptance = if automatic { Acceptance::Automatic } else { Acceptance::Asked };
                Self::Create { name, between, acceptance }
            }
        }
    }
}

impl From<live::PeeringChange> for PeeringChange {
    fn from(change: live::PeeringChange) -> Self {
        match change {
            live::PeeringChange::Answer { name, request } => {
                let step = match request {
                    PeeringRequest::Accept => PeeringStep::Accept,
                    PeeringRequest::Delete => PeeringStep::Delete,
                    PeeringRequest::Reject => PeeringStep::Reject,
                };
                Self { name, step }
            }
            live::PeeringChange::Create { name, between, acceptance } => {
                let automatic = acceptance == Acceptance::Automatic;
                Self { name, step: PeeringStep::Request { between, automatic } }
            }
            live::PeeringChange::Expire { name } => Self { name, step: PeeringStep::Expire },
        }
    }
}
