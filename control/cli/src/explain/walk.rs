//! A packet and its reply through the data plane's decision.

use engine::decide::{Decision, Grant, Passage, Stateful};
use engine::{DropReason, Facts, Tracked, TrackedState, Verdict, decide};
use snapshot::{Attachment, NameIx, PeeringIx, VpcIx};
use wire::FiveTuple;

use super::packet::Packet;
use crate::error::Error;
use crate::place::{self, End};
use crate::world::World;

/// One packet with what was decided about it.
#[derive(Clone, Debug)]
pub(crate) struct Leg<'a> {
    pub(crate) packet: Packet<'a>,
    pub(crate) decision: Decision,
}

/// A packet, and its reply if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) forward: Leg<'a>,
    pub(crate) reply: Option<Leg<'a>>,
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The packet arrives, and so does its reply if it has one.
    Delivered,
    /// The packet arrives and the reply does not.
    ReplyDropped(DropReason),
    /// The packet does not arrive.
    Dropped(DropReason),
}

/// Sends a packet, then the reply of whoever received it. Gates and gateways remember what the packet was granted, and
/// nothing else.
///
/// # Errors
///
/// Tables that contradict the lab: a bug of ours.
pub(crate) fn walk<'a>(world: &'a World, packet: Packet<'a>) -> Result<Walk<'a>, Error> {
    let forward = Leg::of(world, packet, &Granted::default())?;
    let reply = match forward.receiver(world)? {
        Some(receiver) => {
            let remembered = Granted::by(world, &forward);
            forward.arrived().reply(receiver).map(|reply| Leg::of(world, reply, &remembered)).transpose()?
        }
        None => None,
    };
    Ok(Walk { forward, reply })
}

impl<'a> Leg<'a> {
    fn of(world: &World, packet: Packet<'a>, tracked: &Granted) -> Result<Self, Error> {
        let facts: Facts = packet.facts(&world.snapshot)?;
        Ok(Self { packet, decision: decide(&world.snapshot, &facts, tracked) })
    }

    /// The interface or host that receives the packet; none when it is dropped.
    ///
    /// # Errors
    ///
    /// One that is in the tables and not in the lab: a bug of ours.
    pub(crate) fn receiver(&self, world: &'a World) -> Result<Option<End<'a>>, Error> {
        let Some(exit) = self.decision.exit() else { return Ok(None) };
        let snapshot = &world.snapshot;
        let name = match (exit.as_interface(), exit.as_host()) {
            (Some(ix), _) => snapshot.interface(ix).map(|interface| interface.name),
            (None, Some(ix)) => snapshot.internet().host(ix).map(|host| host.name),
            (None, None) => return Ok(None),
        };
        let id = name.map(|name| world.id(name));
        let end = id.and_then(|id| place::end_by_id(world.lab(), id));
        end.map(Some).ok_or_else(|| Error::Bug(format!("{id:?} is in the tables and not in the lab")))
    }

    /// The packet as gateways have left it.
    pub(crate) fn arrived(&self) -> Packet<'a> {
        self.packet.rewritten(&self.decision.rewrite())
    }

    /// Why it was dropped, if it was.
    pub(crate) const fn reason(&self) -> Option<DropReason> {
        match self.decision.verdict {
            Verdict::Deliver(_) => None,
            Verdict::Drop { reason, .. } => Some(reason),
        }
    }

    /// What decided last, when something with a name did.
    pub(crate) fn last_decider(&self) -> Option<NameIx> {
        self.decision.steps.last().and_then(|step| step.by)
    }
}

impl Walk<'_> {
    pub(crate) fn outcome(&self) -> Outcome {
        match (self.forward.reason(), self.reply.as_ref().and_then(Leg::reason)) {
            (Some(reason), _) => Outcome::Dropped(reason),
            (None, Some(reason)) => Outcome::ReplyDropped(reason),
            (None, None) => Outcome::Delivered,
        }
    }
}

impl Outcome {
    /// `delivered`, `dropped` or `reply-dropped`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dropped(_) => "dropped",
            Self::ReplyDropped(_) => "reply-dropped",
        }
    }

    pub(crate) const fn reason(self) -> Option<DropReason> {
        match self {
            Self::Delivered => None,
            Self::Dropped(reason) | Self::ReplyDropped(reason) => Some(reason),
        }
    }
}

/// What gates and gateways remember.
#[derive(Clone, Debug, Default)]
struct Granted {
    /// The flows that gates granted, as these leave the interface.
    flows: Vec<(Attachment, FiveTuple)>,
    /// The ways through stateful gateways.
    passages: Vec<Passage>,
    /// Where a packet from a NAT gateway came by a peering connection, with its tuple there and the connection.
    ways_back: Vec<(VpcIx, FiveTuple, PeeringIx)>,
}

impl Granted {
    /// What is remembered once this packet has passed (OR-03).
    fn by(world: &World, leg: &Leg<'_>) -> Self {
        let gates =
            leg.decision.gates(leg.packet.parsed.tuple).filter(|(gate, _)| gate.grant == Grant::Tracked);
        let passages = leg.decision.passages().to_vec();
        let way_back = |passage: &Passage| {
            let (far, over) = passage.way_back(&world.snapshot)?;
            Some((far, passage.outer, over))
        };
        Self {
            flows: gates.map(|(gate, tuple)| (Attachment::interface(gate.interface), tuple)).collect(),
            ways_back: passages.iter().filter_map(way_back).collect(),
            passages,
        }
    }
}

impl Tracked for Granted {
    fn at(&self, interface: Attachment, tuple: &FiveTuple) -> Option<TrackedState> {
        self.flows.contains(&(interface, *tuple)).then_some(TrackedState::Open)
    }

    fn outer_of(&self, gateway: Stateful, inner: &FiveTuple) -> Option<FiveTuple> {
        self.passages.iter().find(|p| p.gateway == gateway && p.inner == *inner).map(|p| p.outer)
    }

    fn inner_of(&self, gateway: Stateful, outer: &FiveTuple) -> Option<FiveTuple> {
        self.passages.iter().find(|p| p.gateway == gateway && p.outer == *outer).map(|p| p.inner)
    }

    fn has_ways_back(&self) -> bool {
        !self.ways_back.is_empty()
    }

    fn way_back(&self, vpc: VpcIx, outer: &FiveTuple) -> Option<PeeringIx> {
        let known = self.ways_back.iter().find(|(far, tuple, _)| *far == vpc && tuple == outer);
        known.map(|(_, _, over)| *over)
    }
}
