//! How throughput depends on rules, flows, interfaces and hops: datagrams of 64 bytes through vpclab at each combination.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::journal::{Journal, Sample};
use crate::measure::Meter;
use crate::policy::{Hops, World};
use crate::rounds::Progress;
use crate::site::{MatrixSite, Tools};
use crate::statistics::{median, range};

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) world: World,
    pub(crate) flows: usize,
}

/// What was measured at one combination.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixRow {
    /// Group rules of the receiver's interface.
    pub rules: usize,
    /// Flows that take turns.
    pub flows: usize,
    /// Interfaces of the lab.
    pub interfaces: usize,
    /// Whether sender and receiver are in one subnet.
    pub hops: Hops,
    /// Of all values below.
    pub unit: &'static str,
    /// The middle value.
    pub median: f64,
    /// Smallest and largest value.
    pub range: [f64; 2],
    /// All values.
    pub values: Vec<f64>,
}

const RULES: [usize; 4] = [1, 10, 100, 1000];
const FLOWS: [usize; 4] = [1, 100, 10_000, 1_000_000];
const INTERFACES: [usize; 3] = [2, 20, 200];

/// How often each combination is measured.
const REPEATS: usize = 3;

/// Takes every figure that the journal lacks. A lab is brought up for each combination of rules, interfaces and hops.
pub(crate) fn run(
    tools: &Tools,
    meter: &Meter<'_>,
    journal: &mut Journal,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Vec<MatrixRow>, Error> {
    let worlds = worlds();
    for (done, world) in worlds.iter().enumerate() {
        let what = format!("matrix, {world}");
        tell(&Progress { what, done, of: worlds.len() });
        measure(*world, tools, meter, journal)?;
    }
    Ok(worlds.into_iter().flat_map(points).filter_map(|point| row(point, journal)).collect())
}

fn measure(world: World, tools: &Tools, meter: &Meter<'_>, journal: &mut Journal) -> Result<(), Error> {
    let keys = points(world).flat_map(|point| (0..REPEATS).map(move |repeat| (point, point.key(repeat))));
    let missing: Vec<(Point, String)> = keys.filter(|(_, key)| journal.get(key).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let site = MatrixSite::set_up(world, tools)?;
    for (point, key) in missing {
        let value = meter.scattered(&site, point.flows)?;
        journal.put(key, Sample { value, details: BTreeMap::new() })?;
    }
    Ok(())
}

fn row(point: Point, journal: &Journal) -> Option<MatrixRow> {
    let samples = (0..REPEATS).filter_map(|repeat| journal.get(&point.key(repeat)));
    let values: Vec<f64> = samples.map(|sample| sample.value).collect();
    let World { rules, interfaces, hops } = point.world;
    let (median, range) = (median(&values)?, range(&values)?);
    Some(MatrixRow { rules, flows: point.flows, interfaces, hops, unit: "kpps", median, range, values })
}

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for hops in [Hops::SameSubnet, Hops::CrossSubnet] {
        for interfaces in INTERFACES {
            worlds.extend(RULES.map(|rules| World { rules, interfaces, hops }));
        }
    }
    worlds
}

fn points(world: World) -> impl Iterator<Item = Point> {
    FLOWS.into_iter().map(move |flows| Point { world, flows })
}

impl Point {
    /// Its name in a journal.
    fn key(self, repeat: usize) -> String {
        let World { rules, interfaces, hops } = self.world;
        format!("matrix/{rules}/{}/{interfaces}/{hops:?}/{repeat}", self.flows)
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rules, interfaces, hops } = self;
        let hops = match hops {
            Hops::CrossSubnet => "two subnets",
            Hops::SameSubnet => "one subnet",
        };
        write!(f, "{rules} rules, {interfaces} interfaces, {hops}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_combination_has_a_figure_of_its_own() {
        let keys: BTreeSet<String> =
            worlds().into_iter().flat_map(points).map(|point| point.key(0)).collect();
        assert_eq!(keys.len(), 4 * 4 * 3 * 2);
    }

    #[test]
    fn a_row_is_made_of_what_the_journal_has() {
        let point = Point { world: worlds()[0], flows: 100 };
        let mut journal = Journal::default();
        assert!(row(point, &journal).is_none());
        for (repeat, value) in [300.0, 100.0].into_iter().enumerate() {
            let sample = Sample { value, details: BTreeMap::new() };
            journal.put(point.key(repeat), sample).expect("kept in memory");
        }
        let row = row(point, &journal).expect("two values");
        assert_eq!((row.median, row.range, row.hops), (200.0, [100.0, 300.0], Hops::SameSubnet));
    }
}
