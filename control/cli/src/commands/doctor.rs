//! `vpclab doctor`.

use daemon::doctor;
use serde::Serialize;

use crate::args::low::{Doctor, Output};
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row};

#[derive(Serialize)]
struct CheckRow {
    check: String,
    /// `ok`, `missing`, or `lacking` for what a lab can do without.
    result: &'static str,
    detail: String,
}

impl Row for CheckRow {
    const COLUMNS: &'static [&'static str] = &["check", "result", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![self.check.clone(), self.result.into(), self.detail.clone()]
    }
}

/// Looks at the machine; no if something is missing without which no lab runs.
///
/// # Errors
///
/// [`Error::Output`].
pub(crate) fn run(args: &Doctor, out: Out<'_>) -> Result<Answer, Error> {
    let checks = doctor::checks();
    let rows: Vec<CheckRow> = checks
        .iter()
        .map(|check| CheckRow {
            check: check.name.clone(),
            result: match (check.ok(), check.blocks()) {
                (true, _) => "ok",
                (false, true) => "missing",
                (false, false) => "lacking",
            },
            detail: check.detail.clone(),
        })
        .collect();
    output::rows(out, args.format.output, &rows)?;
    let blocked = checks.iter().any(doctor::Check::blocks);
    if args.format.output == Output::Table {
        let verdict = if blocked { "no lab can run here: see what is missing" } else { "labs can run here" };
        writeln!(out, "{verdict}")?;
    }
    Ok(if blocked { Answer::No } else { Answer::Yes })
}
