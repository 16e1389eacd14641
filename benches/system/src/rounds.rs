//! The run: set up, take figures in turn, take down.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use crate::error::Error;
use crate::journal::{Journal, Sample};
use crate::machine::ProcessorTime;
use crate::matrix;
use crate::measure::Meter;
use crate::namespace;
use crate::plan::{Cell, Plan};
use crate::report::{self, Failure, Report};
use crate::site::{Site, Tools};
use crate::system::System;

/// What is done next, for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// In words.
    pub what: String,
    /// Steps done.
    pub done: usize,
    /// Steps there are.
    pub of: usize,
}

/// Runs the benchmark. `program` is started again as vpclab and as the agents; `tell` hears of every step.
///
/// # Errors
///
/// [`Error`] when nothing can be measured. A figure that cannot be taken twice in a row is left out and named in the report.
pub fn run(plan: &Plan, program: &Path, tell: &mut dyn FnMut(&Progress)) -> Result<Report, Error> {
    namespace::remove_stale(program)?;
    let before = ProcessorTime::now()?;
    let mut journal = Journal::open(plan)?;
    let folder = tempfile::tempdir().map_err(Error::machine("make a temporary folder"))?;
    let tools = Tools::of(plan, program, folder.path());
    let cells = plan.cells();
    let missing: Vec<Cell> =
        cells.iter().copied().filter(|cell| journal.get(&cell.key()).is_none()).collect();
    let sites = set_up(&missing, &tools, tell)?;
    let meter = Meter { program, seconds: plan.seconds };
    let failures = take_all(plan, &missing, &sites, &mut journal, &meter, tell)?;
    drop(sites);
    let matrix = match plan.matrix {
        true => matrix::run(&tools, &meter, &mut journal, tell)?,
        false => Vec::new(),
    };
    let steal = ProcessorTime::now()?.since(before);
    let samples: Vec<(Cell, &Sample)> =
        cells.iter().filter_map(|cell| Some((*cell, journal.get(&cell.key())?))).collect();
    Ok(Report { matrix, ..report::of(plan, &samples, failures, steal) })
}

fn set_up(
    cells: &[Cell],
    tools: &Tools,
    tell: &mut dyn FnMut(&Progress),
) -> Result<BTreeMap<System, Site>, Error> {
    let mut sites = BTreeMap::new();
    for cell in cells {
        if let Entry::Vacant(place) = sites.entry(cell.system) {
            tell(&Progress { what: format!("set up {}", cell.system), done: 0, of: cells.len() });
            place.insert(Site::set_up(cell.system, tools)?);
        }
    }
    Ok(sites)
}

fn take_all(
    plan: &Plan,
    cells: &[Cell],
    sites: &BTreeMap<System, Site>,
    journal: &mut Journal,
    meter: &Meter<'_>,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Vec<Failure>, Error> {
    let mut failures = Vec::new();
    for (done, cell) in cells.iter().enumerate() {
        let what = format!("round {}: {} on {}", cell.round + 1, cell.load, cell.system);
        tell(&Progress { what, done, of: cells.len() });
        let Some(site) = sites.get(&cell.system) else { continue };
        let placement = plan.placement(cell.load, cell.system);
        let take = || meter.take(cell.load, placement, site);
        match take().or_else(|_| take()) {
            Ok(sample) => journal.put(cell.key(), sample)?,
            Err(error) => failures.push(Failure::of(*cell, &error)),
        }
    }
    Ok(failures)
}
