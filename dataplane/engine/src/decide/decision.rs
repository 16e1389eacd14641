//! What `decide` answers: data that later packets replay.

use std::sync::Arc;

use snapshot::{Attachment, Generation, InterfaceIx, NameIx, Part, PeeringIx, Snapshot};
use wire::FiveTuple;

use super::Path;
use crate::{Action, Direction, DropReason};

/// The whole answer about one direction of a flow.
///
/// It says nothing of the packet itself, so that all flows that go the same way can share it; those through a stateful
/// gateway have their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// Where the packet goes.
    pub verdict: Verdict,
    /// How it passed the sender's security groups; none when it did not.
    pub egress: Option<Gate>,
    /// How it passed the receiver's security groups; none when it did not.
    pub ingress: Option<Gate>,
    /// Largest IP packet in bytes that the whole path takes, as it was when it entered; none before a way was found (MT-02).
    pub mtu: Option<u16>,
    /// What gateways do with its packets; none for those that meet none.
    pub path: Option<Box<Path>>,
    /// The connection that its packets answer over, whatever the routes say (NG-18).
    pub returns: Option<PeeringIx>,
    /// What flow logs count, in order of the path.
    pub taps: Vec<Tap>,
    /// The walk, in order.
    pub steps: Vec<Step>,
    /// Rules, entries and routes that decided, in order: the named ones of `steps`.
    pub why: Arc<[NameIx]>,
    /// The parts that it depends on, with their versions.
    pub parts: Vec<(Part, Generation)>,
}

impl Decision {
    /// Whether every part that it used is still the same.
    #[must_use]
    pub fn holds_in(&self, snapshot: &Snapshot) -> bool {
        self.parts.iter().all(|(part, version)| snapshot.version(*part) == *version)
    }

    /// Where its packets leave, unless they are refused.
    #[must_use]
    pub const fn exit(&self) -> Option<Attachment> {
        match self.verdict {
            Verdict::Deliver(to) => Some(to),
            Verdict::Drop { .. } => None,
        }
    }

    /// The gates that a packet with this tuple passed, each with the tuple that state is kept under there: that of the
    /// flow's packets as they leave the interface.
    pub fn gates(&self, tuple: FiveTuple) -> impl Iterator<Item = (Gate, FiveTuple)> {
        let received = Direction::Ingress.outward(self.leaving(tuple));
        let gates = [(self.egress, tuple), (self.ingress, received)];
        gates.into_iter().filter_map(|(gate, tuple)| Some((gate?, tuple)))
    }
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Out of this attachment.
    Deliver(Attachment),
    /// No further.
    Drop {
        /// Why.
        reason: DropReason,
        /// The interface and direction that refused, when the refusal is logged as REJECT.
        gate: Option<(InterfaceIx, Direction)>,
    },
}

/// A passage through the security groups of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// Whose groups.
    pub interface: InterfaceIx,
    /// How it passed.
    pub grant: Grant,
}

/// How a packet passed the security groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grant {
    /// By the state of its flow, or of the flow that it is an error about (SG-13, MT-09).
    Inherited,
    /// By a rule, and nothing is remembered of it: an ICMP error.
    Stateless,
    /// By a rule that makes the flow tracked.
    Tracked,
    /// By a rule that leaves it untracked (SG-14).
    Untracked,
}

/// One counter of a flow log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tap {
    /// Where.
    pub interface: InterfaceIx,
    /// Which way.
    pub direction: Direction,
    /// With which verdict.
    pub action: Action,
    /// FL-44.
    pub traffic_path: Option<u8>,
    /// How many of [`Path::rewrites`] it has met there, see [`Decision::tuple_at`].
    pub shows: u8,
}

/// One stage of the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The interface whose stage it is; none between interfaces.
    pub at: Option<InterfaceIx>,
    /// Which stage, and its answer.
    pub kind: StepKind,
    /// The rule, entry or route that decided.
    pub by: Option<NameIx>,
}

/// Stages with their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// Network ACL of the sender's subnet.
    AclEgress(Action),
    /// Network ACL of the receiver's subnet.
    AclIngress(Action),
    /// Handed to the interface.
    Deliver,
    /// Destination check of the receiver refused.
    DestinationCheck,
    /// An egress-only internet gateway, outwards or inwards.
    EgressOnlyInternetGateway,
    /// Route table of an internet gateway (RT-21).
    GatewayRoute,
    /// Security groups of the sender: how it passed, or refused.
    GroupEgress(Option<Grant>),
    /// Security groups of the receiver.
    GroupIngress(Option<Grant>),
    /// An internet gateway, outwards or inwards.
    InternetGateway,
    /// A NAT gateway.
    NatGateway,
    /// A peering connection.
    Peering,
    /// The destination is of a kind that nothing forwards or answers.
    Reserved(DropReason),
    /// Route table; the reason when it leads nowhere.
    Route(Option<DropReason>),
    /// The destination is in the sender's subnet: no ACL, no route table (RT-13, NA-01).
    SameSubnet,
    /// Source check of the sender refused.
    SourceCheck,
}

/// Why a walk ended early.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) reason: DropReason,
    pub(super) gate: Option<(InterfaceIx, Direction)>,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Drop { reason: refusal.reason, gate: refusal.gate }
    }
}
