//! Whether an expectation holds, and apart from it, whether `explain` says what was seen.

use daemon::protocol::DropRow;
use engine::DropReason;
use serde::Serialize;

use super::file::Expect;
use super::plan::Job;
use super::probing::{Probed, Seen};
use crate::error::Error;
use crate::explain::packet::{self, Packet};
use crate::explain::walk::{self, Outcome, Walk};
use crate::place;
use crate::world::World;

/// One expectation with what was seen.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Judged {
    /// Line of the row in the file.
    pub(crate) line: usize,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) traffic: String,
    pub(crate) expect: &'static str,
    pub(crate) by: Option<String>,
    /// `allowed`, `refused`, `reply-dropped`, or `-` when that could not be told.
    pub(crate) seen: &'static str,
    /// Drop reason code on record.
    pub(crate) reason: Option<String>,
    /// What decided: of a drop the last, else all on the way.
    pub(crate) decided_by: Vec<DecidedBy>,
    pub(crate) result: Result,
    /// What is wrong beside an expectation that differs from what was seen, or remarkable.
    pub(crate) detail: Option<String>,
    /// What `explain` says otherwise: a bug of ours, whatever was expected.
    pub(crate) disagreement: Option<String>,
}

/// Something that decided, under all its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DecidedBy {
    /// `VPC/security_groups/NAME` and the like; the id for what the lab no longer has.
    name: String,
    /// Its id, and that of the rule or entry.
    ids: Vec<String>,
}

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Result {
    /// It could not be tried.
    Error,
    Failed,
    Passed,
}

impl Result {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failed => "FAILED",
            Self::Passed => "ok",
        }
    }
}

impl Judged {
    /// The row in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| format!("; {detail}"));
        let Self { from, to, traffic, expect, seen, .. } = self;
        format!("from {from} to {to} {traffic}: expected {expect}, seen {seen}{reason}{detail}")
    }
}

/// Judges one probe.
///
/// # Errors
///
/// Tables that contradict the lab: a bug of ours.
pub(crate) fn judge(world: &World, job: &Job<'_>, probed: &Probed) -> std::result::Result<Judged, Error> {
    // The very packet that was sent, now that its source port is known.
    let packet = Packet::of(world.lab(), &job.question, probed.source_port)?;
    let walk = walk::walk(world, packet)?;
    let (seen, row) = told(&probed.seen);
    let decided_by = match row {
        Some(row) => deciders_of(world, row),
        None => walk.forward.decision.why.iter().map(|name| DecidedBy::of(world, world.id(*name))).collect(),
    };
    let (result, detail) = result(job, &probed.seen, seen, &decided_by);
    Ok(Judged {
        line: job.check.spot.line,
        from: job.check.from.value.clone(),
        to: job.check.to.value.clone(),
        traffic: job.traffic(),
        expect: job.check.expect.word(),
        by: job.check.by.as_ref().map(|by| by.value.clone()),
        seen: seen.map_or("-", Expect::word),
        reason: row.map(|row| row.reason.clone()),
        decided_by,
        result,
        detail,
        disagreement: disagreement(world, &walk, seen, row)?,
    })
}

fn told(seen: &Seen) -> (Option<Expect>, Option<&DropRow>) {
    match seen {
        Seen::Arrived(_) => (Some(Expect::Allowed), None),
        Seen::Failed(_) => (None, None),
        Seen::Refused(row) => (Some(Expect::Refused), Some(row)),
        Seen::ReplyDropped(row) => (Some(Expect::ReplyDropped), Some(row)),
    }
}

fn result(
    job: &Job<'_>,
    probed: &Seen,
    seen: Option<Expect>,
    decided_by: &[DecidedBy],
) -> (Result, Option<String>) {
    match (probed, seen) {
        (Seen::Failed(why), _) => return (Result::Error, Some(why.clone())),
        (_, Some(seen)) if seen != job.check.expect => {
            return (Result::Failed, None);
        }
        _ => {}
    }
    match &job.check.by {
        Some(by) if !decided_by.iter().any(|decided| decided.is(&by.value)) => {
            let names: Vec<&str> = decided_by.iter().map(|decided| decided.name.as_str()).collect();
            let text = match &names[..] {
                [] => "nothing of the lab file decided".to_owned(),
                names => format!("decided by {}, not by {}", names.join(" and "), by.value),
            };
            (Result::Failed, Some(text))
        }
        Some(_) | None => {
            let remark = if let Seen::Arrived(remark) = probed { remark.map(str::to_owned) } else { None };
            (Result::Passed, remark)
        }
    }
}

impl DecidedBy {
    /// What has this id.
    fn of(world: &World, id: &str) -> Self {
        match world.catalogue.get(id) {
            Some(decider) => {
                Self { name: decider.path.clone(), ids: vec![decider.owner_id.clone(), decider.id.clone()] }
            }
            None => Self { name: id.to_owned(), ids: Vec::new() },
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.ids.iter().any(|id| id == name)
    }
}

/// What dropped a packet: the groups at the gate together, or the last thing that decided.
fn deciders_of(world: &World, row: &DropRow) -> Vec<DecidedBy> {
    if row.reason == DropReason::SecurityGroupDenied.code() {
        let gate = row.gate.as_ref().and_then(|(name, _)| place::find_port(world.lab(), name).ok());
        let Some(port) = gate else { return Vec::new() };
        let groups = port.interface.security_groups.iter().map(|name| &port.vpc.security_groups[name]);
        let decided = |group: &model::lab::SecurityGroup| DecidedBy {
            name: format!("{}/security_groups/{}", port.vpc.name, group.name),
            ids: vec![group.id.clone()],
        };
        return groups.map(decided).collect();
    }
    let names_a_decider =
        [DropReason::NetworkAclDenied, DropReason::RouteBlackholed, DropReason::NoSuchDestination];
    if !names_a_decider.iter().any(|reason| reason.code() == row.reason) {
        return Vec::new();
    }
    row.decided_by.last().map(|id| DecidedBy::of(world, id)).into_iter().collect()
}

/// What `explain` says otherwise. It knows nothing of what happens behind a middlebox, and nothing of a failed probe.
fn disagreement(
    world: &World,
    walk: &Walk<'_>,
    seen: Option<Expect>,
    row: Option<&DropRow>,
) -> std::result::Result<Option<String>, Error> {
    let receiver = walk.forward.receiver(world)?;
    let passes_middlebox =
        receiver.is_some_and(|port| packet::forwards(&port, walk.forward.packet.parsed.tuple.dst));
    let Some(seen) = seen.filter(|_| !passes_middlebox) else { return Ok(None) };
    let outcome = walk.outcome();
    let said = match outcome {
        Outcome::Delivered => Expect::Allowed,
        Outcome::Dropped(_) => Expect::Refused,
        Outcome::ReplyDropped(_) => Expect::ReplyDropped,
    };
    let reason = outcome.reason().map(DropReason::code);
    let recorded = row.map(|row| row.reason.as_str());
    if said == seen && reason == recorded {
        return Ok(None);
    }
    let with = |word: &str, reason: Option<&str>| {
        reason.map_or_else(|| word.to_owned(), |reason| format!("{word} ({reason})"))
    };
    let (said, seen) = (with(said.word(), reason), with(seen.word(), recorded));
    Ok(Some(format!("explain says {said}, the probe saw {seen}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{file, plan};

    const TWO_TIER: &str = include_str!("../../../../examples/two-tier.yaml");

    /// The judgement on one row, when this was seen of its probe.
    fn judged(row: &str, seen: Seen) -> Judged {
        let world = World::of("two-tier.yaml", TWO_TIER).expect("the example is right");
        let checks = file::parse(row).expect("a row");
        let jobs = plan::plan(&world, &checks).expect("names of the example");
        judge(&world, &jobs[0], &Probed { seen, source_port: 40_000 }).expect("judged")
    }

    /// What the data plane writes down when group `db` refuses web-1.
    fn refused() -> Seen {
        let gate = Some(("db-1.eth0".to_owned(), "ingress".to_owned()));
        Seen::Refused(Box::new(DropRow {
            at: 1,
            from: "web-1.eth0".to_owned(),
            source: "10.0.1.10".to_owned(),
            destination: "10.0.2.10".to_owned(),
            protocol: wire::proto::TCP,
            source_port: 40_000,
            destination_port: 5432,
            length: 60,
            reason: DropReason::SecurityGroupDenied.code().to_owned(),
            sentence: String::new(),
            gate,
            decided_by: Vec::new(),
        }))
    }

    #[test]
    fn what_is_seen_as_expected_and_by_whom_holds() {
        let row = "- { from: web-1, to: db-1, tcp: 5432, expect: refused, by: shop/security_groups/db }";
        let judged = judged(row, refused());
        assert_eq!((judged.result, judged.detail, judged.disagreement), (Result::Passed, None, None));
    }

    #[test]
    fn another_outcome_or_another_decider_fails() {
        let other = judged("- { from: web-1, to: db-1, tcp: 5432, expect: allowed }", refused());
        assert_eq!((other.result, other.disagreement.as_deref()), (Result::Failed, None));
        let row = "- { from: web-1, to: db-1, tcp: 5432, expect: refused, by: shop/network_acls/db }";
        let by = judged(row, refused());
        let detail = "decided by shop/security_groups/db, not by shop/network_acls/db";
        assert_eq!((by.result, by.detail.as_deref()), (Result::Failed, Some(detail)));
        assert_eq!(by.disagreement, None);
    }

    #[test]
    fn an_outcome_that_explain_denies_is_a_disagreement_even_where_it_was_expected() {
        let row = "- { from: web-1, to: db-1, tcp: 5432, expect: allowed }";
        let judged = judged(row, Seen::Arrived(None));
        assert_eq!(judged.result, Result::Passed);
        let text = "explain says refused (ENI_SG_RULES_MISMATCH), the probe saw allowed";
        assert_eq!(judged.disagreement.as_deref(), Some(text));
    }

    #[test]
    fn a_probe_that_failed_is_neither_right_nor_wrong() {
        let row = "- { from: app-1, to: db-1, tcp: 5432, expect: allowed }";
        let judged = judged(row, Seen::Failed("no answer".to_owned()));
        assert_eq!((judged.result, judged.seen, judged.disagreement), (Result::Error, "-", None));
    }

    #[test]
    fn names_that_the_lab_does_not_have_are_mistakes() {
        let world = World::of("two-tier.yaml", TWO_TIER).expect("the example is right");
        let text = "- { from: app-2, to: db-1, tcp: 1, expect: allowed, by: shop/security_groups/dp }";
        let checks = file::parse(text).expect("a row");
        let mistakes = plan::plan(&world, &checks).expect_err("two mistakes");
        let found: Vec<(usize, &str)> =
            mistakes.iter().map(|m| (m.spot.column, m.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (11, "lab two-tier has no instance or host `app-2`: did you mean `app-1`?"),
                (
                    57,
                    "nothing in lab two-tier is called `shop/security_groups/dp`: did you mean `shop/security_groups/db`?"
                ),
            ]
        );
    }
}
