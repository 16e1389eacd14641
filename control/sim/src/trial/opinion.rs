//! One packet as the engines treated it against the oracle's verdict.

use engine::{DropReason, DropRecord, Engine, FlowRecord};
use oracle::{NO_ROUTE, NO_RULE, Outcome, Reason, Step, StepKind, TRACKED, UNTRACKED, Verdict};
use snapshot::{Attachment, Kind, Name, NameIx};
use wire::Parsed;

use super::Complaint;
use crate::{Delivery, Fate, World};

/// Compares where and why the packet ended.
pub(super) fn compare(
    world: &World,
    parsed: &Parsed,
    fate: &Fate,
    verdict: &Verdict,
) -> Result<(), Complaint> {
    let agrees = match (fate, &verdict.outcome) {
        (Fate::Delivered(to), Outcome::Delivered { to: wanted }) => {
            world.name_of(*to).as_ref() == Some(wanted)
        }
        (Fate::DeliveredToHost(to), Outcome::DeliveredToHost { host }) => {
            world.host_name(*to) == Some(host.as_str())
        }
        (Fate::Dropped(reason), Outcome::Dropped { reason: wanted, .. }) => {
            Some(*reason) == drop_reason(*wanted)
        }
        (Fate::Delivered(_) | Fate::DeliveredToHost(_) | Fate::Dropped(_) | Fate::Held, _) => false,
    };
    if agrees {
        return Ok(());
    }
    let (packet, engine) = (parsed.to_string(), format!("{fate:?}"));
    Err(Complaint::Outcome { packet, engine, oracle: Box::new(verdict.clone()) })
}

/// Compares what the engine notes about the packet: the gate that refused it, and the ids of what decided.
pub(super) fn same_notes(
    world: &World,
    from: Attachment,
    parsed: &Parsed,
    fate: &Fate,
    verdict: &Verdict,
) -> Result<(), Complaint> {
    let drop = matches!(fate, Fate::Dropped(_)).then(|| last_drop(world)).flatten();
    if let (Some(drop), Outcome::Dropped { at, .. }) = (drop, &verdict.outcome) {
        let gate = drop.gate.and_then(|(ix, _)| Some(world.snapshot().interface(ix)?.name));
        let gate = gate.map(|name| &*world.snapshot().names().get(name).id);
        if gate.is_some_and(|gate| at.as_deref() != Some(gate)) {
            let engine = format!("refused at {gate:?}");
            return Err(Complaint::Outcome {
                packet: parsed.to_string(),
                engine,
                oracle: Box::new(verdict.clone()),
            });
        }
    }
    same_deciders(world, from, parsed, fate, verdict)
}

/// The drop reason that a reason of the oracle stands for; none for one that the engine does not know.
pub(crate) fn drop_reason(reason: Reason) -> Option<DropReason> {
    let known = |code| DropReason::from_code(code).unwrap_or_else(|| panic!("`{code}` is no drop code"));
    reason.code().map(known)
}

fn last_drop(world: &World) -> Option<&DropRecord> {
    world.engines().iter().flat_map(Engine::drops).max_by_key(|drop| drop.at)
}

fn same_deciders(
    world: &World,
    from: Attachment,
    parsed: &Parsed,
    fate: &Fate,
    verdict: &Verdict,
) -> Result<(), Complaint> {
    let Some(why) = deciders(world, from, parsed, fate) else { return Ok(()) };
    let names: Vec<_> = why.iter().map(|ix| world.snapshot().names().get(*ix)).collect();
    if explains(&verdict.trail, &names) {
        return Ok(());
    }
    let engine = names.iter().map(|name| name.id.to_string()).collect();
    Err(Complaint::DecidedBy { packet: parsed.to_string(), engine, oracle: verdict.trail.clone() })
}

/// What the engine says decided; none where it keeps no note of it: ICMP errors that were delivered.
fn deciders(world: &World, from: Attachment, parsed: &Parsed, fate: &Fate) -> Option<Vec<NameIx>> {
    match fate {
        Fate::Delivered(_) | Fate::DeliveredToHost(_) if parsed.is_about_another() => None,
        // The sender was told; the note is about the drop, not about the way to it.
        Fate::Dropped(DropReason::TooBig | DropReason::TtlExceeded) | Fate::Held => None,
        Fate::Dropped(_) => Some(last_drop(world)?.decided_by.to_vec()),
        Fate::Delivered(_) | Fate::DeliveredToHost(_) => {
            let mine = |flow: &FlowRecord| flow.from == from && flow.tuple == parsed.tuple;
            let flows = world.engines().iter().flat_map(|engine| engine.flows(usize::MAX));
            flows.into_iter().find(mine).map(|flow| flow.decided_by.to_vec())
        }
    }
}

/// Whether the named things are those that the oracle's steps name, in order. What passed by state may name the rule that
/// admitted the flow, or nothing.
fn explains(trail: &[Step], names: &[&Name]) -> bool {
    let Some((step, later)) = trail.split_first() else { return names.is_empty() };
    let skip = || explains(later, names);
    let take = |fits: &dyn Fn(&Name) -> bool| {
        names.split_first().is_some_and(|(name, rest)| fits(name) && explains(later, rest))
    };
    match (step.kind, step.decided_by.as_str()) {
        (StepKind::DestCheck | StepKind::SourceCheck, _) | (_, NO_ROUTE | NO_RULE) => skip(),
        (StepKind::SgEgress | StepKind::SgIngress, TRACKED | UNTRACKED) => {
            skip() || take(&|name| name.kind == Kind::GroupRule)
        }
        (StepKind::SgEgress | StepKind::SgIngress, _) => {
            take(&|name| name.kind == Kind::GroupRule && step.any_of.iter().any(|id| **id == *name.id))
        }
        (
            StepKind::EgressOnlyInternetGateway
            | StepKind::GatewayRoute
            | StepKind::InternetGateway
            | StepKind::NaclEgress
            | StepKind::NaclIngress
            | StepKind::NatGateway
            | StepKind::Peering
            | StepKind::Route,
            id,
        ) => take(&|name| *name.id == *id),
    }
}

/// Compares the ICMP errors that were sent.
pub(super) fn same_errors(
    expected: &[Delivery],
    found: &[Delivery],
    verdict: Option<&Verdict>,
) -> Result<(), Complaint> {
    if expected == found {
        return Ok(());
    }
    Err(Complaint::Errors {
        expected: print(expected),
        found: print(found),
        why: verdict.map_or_else(|| "there is nothing to tell".to_owned(), |verdict| format!("{verdict:#?}")),
    })
}

fn print(deliveries: &[Delivery]) -> String {
    let one = |delivery: &Delivery| match wire::parse(&delivery.packet) {
        Ok(parsed) => format!("`{parsed}` to {:?}", delivery.to),
        Err(_) => format!("{:02x?} to {:?}", delivery.packet, delivery.to),
    };
    format!("{:?}", deliveries.iter().map(one).collect::<Vec<_>>())
}
