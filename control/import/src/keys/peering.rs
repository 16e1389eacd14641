//! Keys of peering connections.

use model::draft;

use super::{choice, object};

object! { draft::Peering, "Peering", "A peering connection between two VPCs.";
    requester: Required "VPC that asked.";
    accepter: Required "VPC that was asked.";
    state: Optional "State of the connection (default active): only an active one carries packets, and routes to any other are blackholes.";
    requester_dns: Optional "Whether the requester's public names resolve to private addresses for the peer.";
    accepter_dns: Optional "Whether the accepter's public names resolve to private addresses for the peer.";
}

choice! { draft::PeeringState;
    "active" => Active, "deleted" => Deleted, "expired" => Expired, "failed" => Failed,
    "pending-acceptance" => PendingAcceptance, "rejected" => Rejected
}
