//! The outcome: figures, ratios, and whether they are worth anything.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::Error;
use crate::journal::Sample;
use crate::load::{Better, Load};
pub use crate::machine::Machine;
use crate::machine::ProcessorTime;
pub use crate::matrix::MatrixRow;
use crate::placement::Placement;
use crate::plan::{Cell, Form, Plan};
pub use crate::policy::Hops;
use crate::policy::MTU;
use crate::statistics::{interval, median, range, spread};
use crate::system::System;
use crate::target::{self, Rule, Target};

/// All that a run says. Its JSON is the interface: names are not changed, only added.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of this program.
    pub version: &'static str,
    /// How much was run.
    pub form: Form,
    /// Rounds that were asked for.
    pub rounds: usize,
    /// Seconds for each figure.
    pub seconds: u32,
    /// Where both ends were asked to run, but for the matrix; absent if each load chose itself.
    pub placement: Option<Placement>,
    /// `--workers` of vpclab; absent if it chose itself.
    pub workers: Option<u16>,
    /// `--io` of vpclab.
    pub io: String,
    /// MTU of every interface.
    pub mtu: u16,
    /// What it ran on.
    pub machine: Machine,
    /// Processor time that a hypervisor gave to others.
    pub steal: Steal,
    /// The judgement.
    pub verdict: Verdict,
    /// Whether every must of the loads that were sent holds, whatever the run is worth; false if none has any.
    pub musts_met: bool,
    /// Why the run is not conclusive; empty if it is.
    pub doubts: Vec<String>,
    /// Every figure.
    pub figures: Vec<Figure>,
    /// Every ratio that has a target.
    pub ratios: Vec<Ratio>,
    /// Throughput of vpclab by rules, flows, interfaces and hops; empty unless it was asked for.
    pub matrix: Vec<MatrixRow>,
    /// Figures that could not be taken.
    pub failures: Vec<Failure>,
}

/// The judgement of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A baseline moved too much, or figures are missing: run it again on a quieter machine.
    Inconclusive,
    /// Every must holds.
    Met,
    /// Nothing that was measured has a must.
    NotJudged,
    /// Some must does not hold.
    NotMet,
}

/// Processor time that a hypervisor gave to others during the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Steal {
    /// Of all processors together.
    pub seconds: f64,
    /// As a share of all processor time.
    pub share: f64,
}

/// One load on one system.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was sent.
    pub load: Load,
    /// Through what.
    pub system: System,
    /// Where the two ends ran.
    pub placement: Placement,
    /// Of all values below.
    pub unit: &'static str,
    /// The middle value of all rounds.
    pub median: f64,
    /// Smallest and largest value.
    pub range: [f64; 2],
    /// How far the middle half of the values reaches, as a share of the median.
    pub spread: f64,
    /// Medians of what else was seen.
    pub details: BTreeMap<String, f64>,
    /// The values in the order of the rounds.
    pub values: Vec<f64>,
}

/// Two figures of one load, divided round by round.
#[derive(Clone, Debug, Serialize)]
pub struct Ratio {
    /// What was sent.
    pub load: Load,
    /// What is divided.
    pub system: System,
    /// By what.
    pub over: System,
    /// Rounds in which both were taken.
    pub pairs: usize,
    /// The middle value of all rounds; absent without rounds.
    pub median: Option<f64>,
    /// Holds the true median in at least 90 % of all runs.
    pub interval: Option<[f64; 2]>,
    /// Which values are the better ones.
    pub better: Better,
    /// What must be reached.
    pub must: f64,
    /// What is aimed at.
    pub aim: f64,
    /// Whether it is.
    pub must_met: bool,
    /// Whether it is.
    pub aim_met: bool,
}

/// A figure that could not be taken.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// What was sent.
    pub load: Load,
    /// Through what.
    pub system: System,
    /// When, from 1.
    pub round: usize,
    /// Why not.
    pub error: String,
}

impl Failure {
    pub(crate) fn of(cell: Cell, error: &Error) -> Self {
        Self { load: cell.load, system: cell.system, round: cell.round + 1, error: error.to_string() }
    }
}

/// A baseline that moves more than this between the middle halves of its rounds measures the machine, not us.
const WIDEST_SPREAD: f64 = 0.15;

pub(crate) fn of(
    plan: &Plan,
    samples: &[(Cell, &Sample)],
    failures: Vec<Failure>,
    time: ProcessorTime,
) -> Report {
    let loads = || plan.loads.iter().copied();
    let figures: Vec<Figure> = loads()
        .flat_map(|load| {
            plan.systems(load).into_iter().filter_map(move |system| figure(plan, load, system, samples))
        })
        .collect();
    let ratios: Vec<Ratio> =
        loads().flat_map(target::targets).map(|target| ratio(target, samples, plan.rounds)).collect();
    let doubts = doubts(&figures, &failures);
    let musts_met = !ratios.is_empty() && ratios.iter().all(|ratio| ratio.must_met);
    Report {
        version: env!("CARGO_PKG_VERSION"),
        form: plan.form,
        rounds: plan.rounds,
        seconds: plan.seconds,
        placement: plan.placement,
        workers: plan.workers,
        io: plan.io.clone(),
        mtu: MTU,
        machine: Machine::here(),
        steal: Steal { seconds: time.steal, share: time.steal / time.all.max(f64::MIN_POSITIVE) },
        verdict: verdict(&ratios, musts_met, &doubts),
        musts_met,
        doubts,
        figures,
        ratios,
        matrix: Vec::new(),
        failures,
    }
}

fn verdict(ratios: &[Ratio], musts_met: bool, doubts: &[String]) -> Verdict {
    match (doubts, ratios, musts_met) {
        ([_, ..], _, _) => Verdict::Inconclusive,
        ([], [], _) => Verdict::NotJudged,
        ([], [_, ..], true) => Verdict::Met,
        ([], [_, ..], false) => Verdict::NotMet,
    }
}

fn figure(plan: &Plan, load: Load, system: System, samples: &[(Cell, &Sample)]) -> Option<Figure> {
    let own = || samples.iter().filter(|(cell, _)| (cell.load, cell.system) == (load, system));
    let values: Vec<f64> = own().map(|(_, sample)| sample.value).collect();
    let mut details: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in own().flat_map(|(_, sample)| &sample.details) {
        details.entry(name.clone()).or_default().push(*value);
    }
    Some(Figure {
        load,
        system,
        placement: plan.placement(load, system),
        unit: load.unit(),
        median: median(&values)?,
        range: range(&values)?,
        spread: spread(&values)?,
        details: details.into_iter().filter_map(|(name, values)| Some((name, median(&values)?))).collect(),
        values,
    })
}

fn ratio(target: Target, samples: &[(Cell, &Sample)], rounds: usize) -> Ratio {
    let value = |round, system| {
        let mut own = samples.iter().filter(|(cell, _)| *cell == Cell { round, load: target.load, system });
        own.next().map(|(_, sample)| sample.value)
    };
    let pairs =
        (0..rounds).filter_map(|round| Some((value(round, target.system)?, value(round, target.over)?)));
    // A baseline through which nothing came is no measure.
    let ratios: Vec<f64> = pairs.filter(|(_, over)| *over > 0.0).map(|(value, over)| value / over).collect();
    let (median, interval) = (median(&ratios), interval(&ratios));
    let better = target.load.better();
    let good = |median: f64, goal: f64| match better {
        Better::Higher => median >= goal,
        Better::Lower => median <= goal,
    };
    let no_difference = target.rule == Rule::MedianOrNoDifference
        && interval.is_some_and(|[low, high]| low <= 1.0 && high >= 1.0);
    let met = |goal| median.is_some_and(|median| good(median, goal)) || no_difference;
    Ratio {
        load: target.load,
        system: target.system,
        over: target.over,
        pairs: ratios.len(),
        median,
        interval,
        better,
        must: target.must,
        aim: target.aim,
        must_met: met(target.must),
        aim_met: met(target.aim),
    }
}

fn doubts(figures: &[Figure], failures: &[Failure]) -> Vec<String> {
    let wide = figures.iter().filter(|figure| figure.system.is_baseline() && figure.spread > WIDEST_SPREAD);
    let wide = wide.map(|figure| {
        let (load, system, share) = (figure.load, figure.system, figure.spread * 100.0);
        format!("{load} on {system} moved by {share:.0} % between rounds")
    });
    let missing = failures.iter().map(|failure| {
        let Failure { load, system, round, error } = failure;
        format!("{load} on {system} failed in round {round}: {error}")
    });
    wide.chain(missing).collect()
}

#[cfg(test)]
mod tests;
