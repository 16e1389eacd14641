//! `vpclab bench`.

mod progress;

use std::path::Path;

use bench::report::{Figure, Hops, MatrixRow, Ratio};
use bench::{Agent, Report, Verdict, plot};
use serde::Serialize;

use crate::args::high::Bench;
use crate::args::low::{BenchAgent, Output};
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row};

/// Measures; yes if every must is met.
///
/// # Errors
///
/// When nothing can be measured.
pub(crate) fn run(args: &Bench, out: Out<'_>) -> Result<Answer, Error> {
    let program = std::env::current_exe()?;
    let mut bar = progress::Bar::start();
    let report = bench::run(&args.plan, &program, &mut |progress| bar.show(progress));
    bar.finish();
    let report = report.map_err(|error| Error::Refused(error.to_string()))?;
    if let Some(path) = &args.plot {
        write(path, &plot::svg(&report))?;
    }
    match args.output {
        Output::Json => output::json(out, &report)?,
        Output::Table => tables(&report, out)?,
    }
    Ok(match report.verdict {
        Verdict::Inconclusive => Answer::Inconclusive,
        Verdict::Met | Verdict::NotJudged => Answer::Yes,
        Verdict::NotMet => Answer::No,
    })
}

/// One end of a load.
///
/// # Errors
///
/// Text that no benchmark has written, and what the kernel refuses.
pub(crate) fn agent(args: &BenchAgent, out: Out<'_>) -> Result<Answer, Error> {
    let agent = Agent::from_json(&args.agent).map_err(|error| Error::Usage(error.to_string()))?;
    agent.run(out).map_err(|error| Error::Refused(error.to_string()))?;
    Ok(Answer::Yes)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn tables(report: &Report, out: Out<'_>) -> Result<(), Error> {
    let figures: Vec<FigureRow> = report.figures.iter().map(FigureRow::of).collect();
    let ratios: Vec<RatioRow> = report.ratios.iter().map(RatioRow::of).collect();
    section(&figures, out)?;
    section(&ratios, out)?;
    section(&report.matrix.iter().map(MatrixLine::of).collect::<Vec<_>>(), out)?;
    for doubt in &report.doubts {
        writeln!(out, "{doubt}")?;
    }
    let steal = report.steal.share * 100.0;
    writeln!(
        out,
        "{} rounds of {} s; others took {steal:.1} % of the processors",
        report.rounds, report.seconds
    )?;
    let verdict = match (report.verdict, report.musts_met) {
        (Verdict::Inconclusive, true) => {
            "inconclusive, though every must is met: try again on a quieter machine"
        }
        (Verdict::Inconclusive, false) => {
            "inconclusive, and not every must is met: try again on a quieter machine"
        }
        (Verdict::Met, _) => "every must is met",
        (Verdict::NotJudged, _) => "nothing that was measured has a target",
        (Verdict::NotMet, _) => "not every must is met",
    };
    Ok(writeln!(out, "{verdict}")?)
}

fn section<R: Row>(rows: &[R], out: Out<'_>) -> Result<(), Error> {
    match rows {
        [] => Ok(()),
        _ => Ok(writeln!(out, "{}\n", output::table(rows))?),
    }
}

#[derive(Serialize)]
struct FigureRow {
    load: String,
    system: String,
    placement: &'static str,
    unit: &'static str,
    median: String,
    range: String,
    spread: String,
}

impl FigureRow {
    fn of(figure: &Figure) -> Self {
        let [low, high] = figure.range.map(plot::number);
        Self {
            load: figure.load.to_string(),
            system: figure.system.to_string(),
            placement: figure.placement.name(),
            unit: figure.unit,
            median: plot::number(figure.median),
            range: format!("{low} to {high}"),
            spread: format!("{:.0} %", figure.spread * 100.0),
        }
    }
}

impl Row for FigureRow {
    const COLUMNS: &'static [&'static str] =
        &["load", "system", "placement", "unit", "median", "range", "spread"];
    const NUMBERS: &'static [usize] = &[4, 6];

    fn cells(&self) -> Vec<String> {
        let Self { load, system, placement, unit, median, range, spread } = self;
        let [placement, unit] = [*placement, *unit].map(str::to_owned);
        vec![load.clone(), system.clone(), placement, unit, median.clone(), range.clone(), spread.clone()]
    }
}

#[derive(Serialize)]
struct RatioRow {
    load: String,
    ratio: String,
    median: String,
    interval: String,
    must: String,
    aim: String,
    result: &'static str,
}

impl RatioRow {
    fn of(ratio: &Ratio) -> Self {
        let missing = || "-".to_owned();
        Self {
            load: ratio.load.to_string(),
            ratio: format!("{} / {}", ratio.system, ratio.over),
            median: ratio.median.map_or_else(missing, |median| format!("{median:.2}")),
            interval: ratio.interval.map_or_else(missing, |[low, high]| format!("{low:.2} to {high:.2}")),
            must: format!("{:.2}", ratio.must),
            aim: format!("{:.2}", ratio.aim),
            result: match (ratio.must_met, ratio.aim_met) {
                (_, true) => "aim met",
                (true, false) => "must met",
                (false, false) => "not met",
            },
        }
    }
}

impl Row for RatioRow {
    const COLUMNS: &'static [&'static str] =
        &["load", "ratio", "median", "90 % interval", "must", "aim", "result"];
    const NUMBERS: &'static [usize] = &[2, 4, 5];

    fn cells(&self) -> Vec<String> {
        let Self { load, ratio, median, interval, must, aim, result } = self;
        vec![
            load.clone(),
            ratio.clone(),
            median.clone(),
            interval.clone(),
            must.clone(),
            aim.clone(),
            (*result).to_owned(),
        ]
    }
}

#[derive(Serialize)]
struct MatrixLine {
    rules: usize,
    flows: usize,
    interfaces: usize,
    hops: &'static str,
    kpps: String,
    range: String,
}

impl MatrixLine {
    fn of(row: &MatrixRow) -> Self {
        let [low, high] = row.range.map(plot::number);
        Self {
            rules: row.rules,
            flows: row.flows,
            interfaces: row.interfaces,
            hops: match row.hops {
                Hops::CrossSubnet => "two subnets",
                Hops::SameSubnet => "one subnet",
            },
            kpps: plot::number(row.median),
            range: format!("{low} to {high}"),
        }
    }
}

impl Row for MatrixLine {
    const COLUMNS: &'static [&'static str] = &["rules", "flows", "interfaces", "hops", "kpps", "range"];
    const NUMBERS: &'static [usize] = &[0, 1, 2, 4];

    fn cells(&self) -> Vec<String> {
        let Self { rules, flows, interfaces, hops, kpps, range } = self;
        vec![
            rules.to_string(),
            flows.to_string(),
            interfaces.to_string(),
            (*hops).to_owned(),
            kpps.clone(),
            range.clone(),
        ]
    }
}
