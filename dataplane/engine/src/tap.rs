//! What flow logs and operators need to know, as values.

use std::sync::Arc;

use snapshot::{Attachment, InterfaceIx, NameIx};
use wire::FiveTuple;

use crate::{DropReason, Time};

/// Direction relative to an interface: egress leaves the instance (FL-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Leaves the instance.
    Egress,
    /// Reaches the instance.
    Ingress,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Egress => Self::Ingress,
            Self::Ingress => Self::Egress,
        }
    }

    /// The tuple of the same flow as it leaves an interface that `tuple` crosses in this direction: what state is kept
    /// under there.
    #[must_use]
    pub const fn outward(self, tuple: FiveTuple) -> FiveTuple {
        match self {
            Self::Egress => tuple,
            Self::Ingress => tuple.reversed(),
        }
    }
}

/// Combined verdict of security groups and network ACL at one interface (FL-36).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Both passed.
    Accept,
    /// One did not.
    Reject,
}

/// Traffic of one flow at one interface since the last event about it; all of it within one tap interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapEvent {
    /// Where.
    pub interface: InterfaceIx,
    /// Which way.
    pub direction: Direction,
    /// With which verdict.
    pub action: Action,
    /// The `traffic-path` field; none for ingress and for packets that found no route (FL-44).
    pub traffic_path: Option<u8>,
    /// Packet-level tuple. Ports are the session's: print 0 unless [`FiveTuple::has_ports`] (FL-15).
    pub tuple: FiveTuple,
    /// Packets on the wire.
    pub packets: u64,
    /// Sum of IP packet lengths in bytes (FL-14).
    pub bytes: u64,
    /// First packet.
    pub first: Time,
    /// Last packet.
    pub last: Time,
    /// OR of the packets' flags in the encoding of FL-40; 0 unless TCP (FL-42).
    pub tcp_flags: u8,
}

/// Something that left the engine besides packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Every event about packets before this time has been given: windows that end here are complete.
    Flushed(Time),
    /// Traffic for the flow logs.
    Tap(TapEvent),
    /// Records were lost for want of room: becomes SKIPDATA (FL-39).
    Skipped {
        /// Where.
        interface: InterfaceIx,
        /// When.
        at: Time,
        /// How many packets.
        packets: u64,
    },
}

/// One dropped packet, as `drops` and `explain --last-drop` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRecord {
    /// When.
    pub at: Time,
    /// Where it had entered.
    pub from: Attachment,
    /// Its tuple, unless it could not be read.
    pub tuple: Option<FiveTuple>,
    /// Why.
    pub reason: DropReason,
    /// The interface and direction of the gate that refused, when a gate did.
    pub gate: Option<(InterfaceIx, Direction)>,
    /// What decided on the way, in order; the last one is the cause where the cause has an id.
    pub decided_by: Arc<[NameIx]>,
    /// Its IP length in bytes.
    pub length: u32,
}

/// One live half of a session, as `flows` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// Where its packets enter.
    pub from: Attachment,
    /// Where they leave; none when refused or not decided yet.
    pub to: Option<Attachment>,
    /// The tuple as seen where they enter.
    pub tuple: FiveTuple,
    /// Protocol state or the drop reason, such as `established`, `untracked`, `SUBNET_ACL_RESTRICTION`.
    pub state: &'static str,
    /// What decided.
    pub decided_by: Arc<[NameIx]>,
    /// Packets since the session began.
    pub packets: u64,
    /// Bytes since the session began.
    pub bytes: u64,
    /// Last packet.
    pub last: Time,
    /// When it expires if nothing more comes.
    pub expires: Time,
}
