//! The second opinion: the oracle evaluates the same packets from the lab file, and must agree.

use engine::Verdict;
use engine::decide::{Step, StepKind};
use oracle::{Leases, Oracle, Outcome};

use super::walk::{Leg, Walk};
use crate::error::Error;
use crate::place::End;
use crate::world::World;

/// Differences between what the data plane decided and what the oracle says; empty when they agree.
///
/// # Errors
///
/// Tables that contradict the lab: a bug of ours.
pub(crate) fn differences(world: &World, walk: &Walk<'_>) -> Result<Vec<String>, Error> {
    let mut oracle = Oracle::new();
    let mut found = compare(world, &mut oracle, "request", &walk.forward)?;
    if let Some(reply) = &walk.reply {
        found.extend(compare(world, &mut oracle, "reply", reply)?);
    }
    Ok(found)
}

fn compare(world: &World, oracle: &mut Oracle, title: &str, leg: &Leg<'_>) -> Result<Vec<String>, Error> {
    let parsed = &leg.packet.parsed;
    // All at one moment: nothing expires between a packet and its reply.
    let said = match leg.packet.at {
        End::Host(_) => oracle.judge_from_internet(world.valid(), parsed, Leases::Lowest, 0),
        End::Port(port) => {
            let at = port.reference();
            oracle.judge(world.valid(), &oracle::Packet { vpc: &port.vpc.name, at: &at, parsed }, 0)
        }
    };
    let mut found = Vec::new();
    let (ours, theirs) = (end(world, leg)?, oracle_end(&said.outcome));
    if ours != theirs {
        found.push(format!("{title}: the data plane says {ours}, the oracle says {theirs}"));
    }
    let steps = leg.decision.steps.iter().filter(|step| oracle_kind(step.kind).is_some());
    for (step, other) in steps.zip(&said.trail) {
        let (kind, id) = (oracle_kind(step.kind), step.by.map(|name| world.id(name)));
        let agrees = kind == Some(other.kind) && id.is_none_or(|id| other.any_of.iter().any(|o| o == id));
        if !agrees {
            let ours = described(step, id);
            let theirs = format!("{:?} by {}", other.kind, other.any_of.join(" or "));
            found.push(format!("{title}: the data plane decided {ours}, the oracle {theirs}"));
        }
    }
    Ok(found)
}

fn described(step: &Step, id: Option<&str>) -> String {
    format!("{:?} by {}", step.kind, id.unwrap_or("no rule"))
}

fn end(world: &World, leg: &Leg<'_>) -> Result<String, Error> {
    Ok(match leg.decision.verdict {
        Verdict::Drop { reason, .. } => format!("dropped {}", reason.code()),
        Verdict::Deliver(_) => match leg.receiver(world)? {
            Some(end) => format!("delivered to {}", end.name()),
            None => "delivered outside the lab".to_owned(),
        },
    })
}

fn oracle_end(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered { to: (_, at) } => format!("delivered to {}.{}", at.instance, at.device),
        Outcome::DeliveredToHost { host } => format!("delivered to {host}"),
        Outcome::Dropped { reason, .. } => {
            reason.code().map_or_else(|| format!("dropped, {reason:?}"), |code| format!("dropped {code}"))
        }
    }
}

/// What the oracle calls a stage; none for those that it does not write down.
const fn oracle_kind(kind: StepKind) -> Option<oracle::StepKind> {
    match kind {
        StepKind::AclEgress(_) => Some(oracle::StepKind::NaclEgress),
        StepKind::AclIngress(_) => Some(oracle::StepKind::NaclIngress),
        StepKind::DestinationCheck => Some(oracle::StepKind::DestCheck),
        StepKind::EgressOnlyInternetGateway => Some(oracle::StepKind::EgressOnlyInternetGateway),
        StepKind::GatewayRoute => Some(oracle::StepKind::GatewayRoute),
        StepKind::GroupEgress(_) => Some(oracle::StepKind::SgEgress),
        StepKind::GroupIngress(_) => Some(oracle::StepKind::SgIngress),
        StepKind::InternetGateway => Some(oracle::StepKind::InternetGateway),
        StepKind::NatGateway => Some(oracle::StepKind::NatGateway),
        StepKind::Peering => Some(oracle::StepKind::Peering),
        StepKind::Route(_) => Some(oracle::StepKind::Route),
        StepKind::SourceCheck => Some(oracle::StepKind::SourceCheck),
        StepKind::Deliver | StepKind::Reserved(_) | StepKind::SameSubnet => None,
    }
}
