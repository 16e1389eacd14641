//! All ordered pairs of instances.

use serde::Serialize;

use super::question::{Question, Traffic};
use super::spread::{self, Share};
use super::verify;
use super::walk::Outcome;
use crate::error::Error;
use crate::output::Row;
use crate::place::{self, Family, Place};
use crate::world::World;

/// One pair.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pair {
    from: String,
    to: String,
    /// `delivered`, `dropped`, `reply-dropped`, `elsewhere` or `no-address`.
    verdict: &'static str,
    reason: Option<&'static str>,
    /// What decided a drop.
    decided_by: Option<String>,
    /// `INSTANCE.DEVICE` that receives the packet instead, when the verdict is `elsewhere`.
    receiver: Option<String>,
    /// Source ports for which it does not pass, when that is not so for all.
    source_ports: Option<String>,
    /// What the oracle says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) differences: Vec<String>,
}

/// Whether the oracle is asked too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    No,
    Yes,
}

/// Every pair of instances in order of VPC and name, the first address of each.
///
/// # Errors
///
/// Tables that contradict the lab: a bug of ours.
pub(crate) fn matrix(
    world: &World,
    traffic: Traffic,
    family: Option<Family>,
    verify: Verify,
) -> Result<Vec<Pair>, Error> {
    let names: Vec<&str> =
        place::instances(world.lab()).map(|(_, instance)| instance.name.as_str()).collect();
    let family = traffic.family().or(family).unwrap_or(Family::V4);
    let mut pairs = Vec::new();
    for from in &names {
        for to in names.iter().filter(|to| *to != from) {
            pairs.push(pair(world, from, to, traffic, family, verify)?);
        }
    }
    Ok(pairs)
}

fn pair(
    world: &World,
    from: &str,
    to: &str,
    traffic: Traffic,
    family: Family,
    verify: Verify,
) -> Result<Pair, Error> {
    let pair = Pair {
        from: from.to_owned(),
        to: to.to_owned(),
        verdict: "no-address",
        reason: None,
        decided_by: None,
        receiver: None,
        source_ports: None,
        differences: Vec::new(),
    };
    if !(has_address(world, from, family)? && has_address(world, to, family)?) {
        return Ok(pair);
    }
    let question = Question {
        from: from.to_owned(),
        to: to.to_owned(),
        traffic,
        source_port: None,
        source_address: None,
        family: Some(family),
    };
    let shares = spread::spread(world, &question)?;
    let [worst, others @ ..] = &shares[..] else { return Ok(pair) };
    let outcome = worst.walk.outcome();
    let receiver = stranger(world, worst, to)?;
    Ok(Pair {
        verdict: if receiver.is_none() { outcome.word() } else { "elsewhere" },
        reason: outcome.reason().map(engine::DropReason::code),
        decided_by: decided_by(world, worst),
        receiver,
        source_ports: (!others.is_empty()).then(|| failing_ports(&shares)),
        differences: if verify == Verify::Yes { differences(world, &shares)? } else { Vec::new() },
        ..pair
    })
}

fn has_address(world: &World, instance: &str, family: Family) -> Result<bool, Error> {
    Ok(match place::find(world.lab(), instance)? {
        Place::Instance(vpc, instance) => {
            place::ports_of(vpc, instance).any(|port| port.address(family).is_some())
        }
        Place::Address(_) | Place::Host(_) | Place::Port(_) => false,
    })
}

/// Who receives what is delivered, if not `to`: in another VPC somebody else may have its address, and a route may lead to a
/// middlebox.
fn stranger(world: &World, share: &Share<'_>, to: &str) -> Result<Option<String>, Error> {
    let receiver = share.walk.forward.receiver(world)?;
    Ok(receiver.filter(|receiver| receiver.machine() != to).map(|receiver| receiver.name()))
}

fn decided_by(world: &World, share: &Share<'_>) -> Option<String> {
    let leg = match share.walk.outcome() {
        Outcome::Delivered => return None,
        Outcome::Dropped(_) => &share.walk.forward,
        Outcome::ReplyDropped(_) => share.walk.reply.as_ref()?,
    };
    let by = leg.last_decider()?;
    Some(world.id(by).to_owned())
}

/// The source ports of everything that does not pass, whatever ends it.
fn failing_ports(shares: &[Share<'_>]) -> String {
    let failing = shares.iter().filter(|share| share.walk.outcome() != Outcome::Delivered);
    let mut ports: Vec<_> = failing.flat_map(|share| share.ports.clone()).collect();
    ports.sort_by_key(|range| *range.start());
    spread::listed(&ports)
}

fn differences(world: &World, shares: &[Share<'_>]) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for share in shares {
        found.extend(verify::differences(world, &share.walk)?);
    }
    Ok(found)
}

impl Row for Pair {
    const COLUMNS: &'static [&'static str] = &["from", "to", "answer"];

    fn cells(&self) -> Vec<String> {
        let ports =
            self.source_ports.as_ref().map_or_else(String::new, |ports| format!(" (source ports {ports})"));
        let reason = self.reason.unwrap_or_default();
        let answer = match self.verdict {
            "delivered" => "ok".to_owned(),
            "reply-dropped" => format!("forward passes, reply dropped {reason}{ports}"),
            "elsewhere" => format!("delivered to {} instead", self.receiver.as_deref().unwrap_or("another")),
            "no-address" => "no address of this family".to_owned(),
            _ => format!("dropped {reason}{ports}"),
        };
        vec![self.from.clone(), self.to.clone(), answer]
    }
}
