//! An answer as data: what `--output json` prints, and what the text for people is made from.

use engine::decide::{Grant, Step, StepKind};
use engine::{Action, Direction, DropReason};
use serde::Serialize;
use wire::{FiveTuple, Transport};

use super::gateway::{self, Course};
use super::spread::{self, EPHEMERAL, Share};
use super::walk::{Leg, Outcome, Walk};
use super::{hint, packet};
use crate::error::Error;
use crate::words::Decider;
use crate::world::World;

/// The whole answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// `delivered`, `dropped` or `reply-dropped`.
    pub(crate) verdict: &'static str,
    /// The packet itself.
    pub(crate) forward: LegReport,
    /// What the receiver answers; none if nothing arrives or nothing is answered.
    pub(crate) reply: Option<LegReport>,
    /// Present when a source port was assumed.
    pub(crate) source_ports: Option<SourcePorts>,
    /// What would let it pass, in one line.
    pub(crate) hint: Option<String>,
    /// What this answer does not cover.
    pub(crate) notes: Vec<String>,
}

/// One packet on its way.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LegReport {
    /// `delivered` or `dropped`.
    pub(crate) verdict: &'static str,
    /// Drop reason code.
    pub(crate) reason: Option<&'static str>,
    /// The reason in a sentence.
    pub(crate) sentence: Option<&'static str>,
    /// Its headers.
    pub(crate) packet: PacketReport,
    /// Stages in the order in which they were met.
    pub(crate) hops: Vec<Hop>,
}

/// Headers of a packet.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PacketReport {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) protocol: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) icmp_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) icmp_code: Option<u8>,
}

/// One stage.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Hop {
    /// Whose stage it is.
    pub(crate) at: Named,
    /// Which stage.
    pub(crate) kind: &'static str,
    /// `allow`, `deny` or `pass`; a pass is no policy's.
    pub(crate) action: &'static str,
    /// The rule, entry or route that decided.
    pub(crate) decided_by: Option<Decider>,
    /// What decided where nothing with an id did.
    pub(crate) detail: Option<String>,
    /// How a gateway changed the packet.
    pub(crate) rewrite: Option<String>,
}

/// An interface or a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// For which source ports an answer holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SourcePorts {
    /// The range that was assumed.
    pub(crate) assumed: String,
    /// Those for which the answer holds.
    pub(crate) holds_for: String,
    /// What is true of the rest.
    pub(crate) others: Vec<OtherPorts>,
}

/// See [`SourcePorts::others`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OtherPorts {
    pub(crate) ports: String,
    pub(crate) verdict: &'static str,
    pub(crate) reason: Option<&'static str>,
}

impl Report {
    /// Says what was found; `shares` come worst first and are at least one.
    ///
    /// # Errors
    ///
    /// Tables that contradict the lab: a bug of ours.
    pub(crate) fn of(world: &World, shares: &[Share<'_>]) -> Result<Self, Error> {
        let [share, others @ ..] = shares else { return Err(Error::Bug("nothing was walked".to_owned())) };
        let walk = &share.walk;
        let source_ports = (!share.ports.is_empty()).then(|| SourcePorts {
            assumed: spread::listed(&[EPHEMERAL]),
            holds_for: spread::listed(&share.ports),
            others: others.iter().map(other).collect(),
        });
        Ok(Self { source_ports, ..Self::of_walk(world, walk)? })
    }

    /// Says what became of one exchange.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub(crate) fn of_walk(world: &World, walk: &Walk<'_>) -> Result<Self, Error> {
        Ok(Self {
            verdict: walk.outcome().word(),
            forward: LegReport::of(world, &walk.forward)?,
            reply: walk.reply.as_ref().map(|leg| LegReport::of(world, leg)).transpose()?,
            source_ports: None,
            hint: hint::hint(world, walk),
            notes: notes(world, walk)?,
        })
    }
}

fn other(share: &Share<'_>) -> OtherPorts {
    let outcome = share.walk.outcome();
    OtherPorts {
        ports: spread::listed(&share.ports),
        verdict: outcome.word(),
        reason: outcome.reason().map(DropReason::code),
    }
}

fn notes(world: &World, walk: &Walk<'_>) -> Result<Vec<String>, Error> {
    let destination = walk.forward.packet.parsed.tuple.dst;
    let Some(receiver) = walk.forward.receiver(world)? else { return Ok(Vec::new()) };
    let mut notes: Vec<String> = gateway::untried_ports(world, &walk.forward).into_iter().collect();
    if packet::forwards(&receiver, destination) {
        notes.push(format!(
            "{} receives it to forward it, as its source/destination check is off; what happens behind it depends on the \
             program there, and the reply shown is one that it would send back unchanged",
            receiver.name()
        ));
    } else if walk.reply.is_none() && walk.outcome() == Outcome::Delivered {
        notes.push("nothing answers such a packet, so there is no reply to follow".to_owned());
    }
    Ok(notes)
}

impl LegReport {
    fn of(world: &World, leg: &Leg<'_>) -> Result<Self, Error> {
        let reason = leg.reason();
        Ok(Self {
            verdict: if reason.is_none() { "delivered" } else { "dropped" },
            reason: reason.map(DropReason::code),
            sentence: reason.map(DropReason::sentence),
            packet: PacketReport::of(leg.packet.parsed.tuple, leg.packet.parsed.transport),
            hops: hops(world, leg)?,
        })
    }
}

impl PacketReport {
    fn of(tuple: FiveTuple, transport: Transport) -> Self {
        let icmp = match transport {
            Transport::Icmp { icmp_type, code, .. } => Some((icmp_type, code)),
            Transport::Later | Transport::Other | Transport::Tcp { .. } | Transport::Udp => None,
        };
        let port = |port| tuple.has_ports().then_some(port);
        Self {
            source: tuple.src.to_string(),
            destination: tuple.dst.to_string(),
            protocol: tuple.proto,
            source_port: port(tuple.src_port),
            destination_port: port(tuple.dst_port),
            icmp_type: icmp.map(|(icmp_type, _)| icmp_type),
            icmp_code: icmp.map(|(_, code)| code),
        }
    }
}

fn hops(world: &World, leg: &Leg<'_>) -> Result<Vec<Hop>, Error> {
    let mut course = Course::of(world, leg);
    let mut hops = Vec::new();
    for step in &leg.decision.steps {
        let mut hop = hop(world, step, course.pass(step))?;
        // The route table of a gateway is the gateway's own.
        if let (StepKind::GatewayRoute, Some(gateway)) = (step.kind, hops.last()) {
            hop.at = Hop::clone(gateway).at;
        }
        hops.push(hop);
    }
    let by_gateway = leg.decision.steps.last().is_some_and(|step| gateway::is_gateway(step.kind));
    if let Some(last) = hops.last_mut().filter(|_| by_gateway && leg.reason().is_some_and(gateway::refuses)) {
        last.action = "deny";
    }
    Ok(hops)
}

fn hop(world: &World, step: &Step, words: gateway::Words) -> Result<Hop, Error> {
    let (kind, action) = kind(step.kind);
    // A gateway has no rules: it is where the step is, and nothing in it decides.
    let rule = step.by.filter(|_| !gateway::is_gateway(step.kind));
    Ok(Hop {
        at: named(world, step)?,
        kind,
        action,
        decided_by: rule.map(|name| decider(world, name)).transpose()?,
        detail: words.detail.or_else(|| detail(step.kind)),
        rewrite: words.rewrite,
    })
}

/// The rule, entry or route behind a name in the tables.
///
/// # Errors
///
/// One that the lab does not have: a bug of ours.
pub(crate) fn decider(world: &World, name: snapshot::NameIx) -> Result<Decider, Error> {
    let id = world.id(name);
    let known = world.catalogue.get(id).cloned();
    known.ok_or_else(|| Error::Bug(format!("{id} decided and is not in the lab")))
}

fn named(world: &World, step: &Step) -> Result<Named, Error> {
    // Between interfaces a step is at what decided.
    let interface = step.at.and_then(|at| world.snapshot.interface(at));
    let name = interface.map(|interface| interface.name).or(step.by);
    let name = name.map(|name| world.snapshot.names().get(name));
    let label = gateway::label(world, step);
    name.map(|name| Named { id: name.id.to_string(), name: label.unwrap_or_else(|| name.label.to_string()) })
        .ok_or_else(|| Error::Bug(format!("a step at interface {:?}, which does not exist", step.at)))
}

const fn kind(kind: StepKind) -> (&'static str, &'static str) {
    match kind {
        StepKind::AclEgress(action) => ("acl-egress", allow_or_deny(action)),
        StepKind::AclIngress(action) => ("acl-ingress", allow_or_deny(action)),
        StepKind::Deliver => ("deliver", "pass"),
        StepKind::DestinationCheck => ("destination-check", "deny"),
        StepKind::EgressOnlyInternetGateway => ("egress-only-internet-gateway", "pass"),
        StepKind::GatewayRoute => ("gateway-route", "pass"),
        StepKind::GroupEgress(Some(_)) => ("sg-egress", "allow"),
        StepKind::GroupEgress(None) => ("sg-egress", "deny"),
        StepKind::GroupIngress(Some(_)) => ("sg-ingress", "allow"),
        StepKind::GroupIngress(None) => ("sg-ingress", "deny"),
        StepKind::InternetGateway => ("internet-gateway", "pass"),
        StepKind::NatGateway => ("nat-gateway", "pass"),
        StepKind::Peering => ("peering", "pass"),
        StepKind::Reserved(_) => ("reserved-address", "deny"),
        StepKind::Route(None) => ("route", "pass"),
        StepKind::Route(Some(_)) => ("route", "deny"),
        StepKind::SameSubnet => ("same-subnet", "pass"),
        StepKind::SourceCheck => ("source-check", "deny"),
    }
}

const fn allow_or_deny(action: Action) -> &'static str {
    match action {
        Action::Accept => "allow",
        Action::Reject => "deny",
    }
}

fn detail(kind: StepKind) -> Option<String> {
    let text = match kind {
        StepKind::GroupEgress(Some(grant)) => return of_grant(grant, Direction::Egress),
        StepKind::GroupIngress(Some(grant)) => return of_grant(grant, Direction::Ingress),
        StepKind::GroupEgress(None) | StepKind::GroupIngress(None) => "no rule matches",
        StepKind::SameSubnet => "same subnet: no route table and no network ACL is asked",
        StepKind::Route(Some(DropReason::NoRoute)) => "no route matches",
        StepKind::SourceCheck => "the source is not an address of this interface",
        StepKind::DestinationCheck => "the destination is not an address of this interface",
        StepKind::AclEgress(_)
        | StepKind::AclIngress(_)
        | StepKind::Deliver
        | StepKind::EgressOnlyInternetGateway
        | StepKind::GatewayRoute
        | StepKind::InternetGateway
        | StepKind::NatGateway
        | StepKind::Peering
        | StepKind::Reserved(_)
        | StepKind::Route(_) => return None,
    };
    Some(text.to_owned())
}

fn of_grant(grant: Grant, direction: Direction) -> Option<String> {
    match (grant, direction) {
        (Grant::Inherited, Direction::Egress) => Some("tracked: it answers what was let in".to_owned()),
        (Grant::Inherited, Direction::Ingress) => Some("tracked: it answers what was let out".to_owned()),
        (Grant::Untracked, _) => Some("not tracked: replies pass by rules, not by state".to_owned()),
        (Grant::Stateless | Grant::Tracked, _) => None,
    }
}
