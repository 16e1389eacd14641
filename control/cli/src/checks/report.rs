//! The outcome for people.

use owo_colors::OwoColorize as _;

use super::judge::{Judged, Result as Verdict};
use crate::args::low::Output;
use crate::error::{Answer, Error};
use crate::output::{self, Out, Row, joined};

impl Row for Judged {
    const COLUMNS: &'static [&'static str] =
        &["line", "from", "to", "probe", "expected", "seen", "reason", "result"];
    const NUMBERS: &'static [usize] = &[0];

    fn cells(&self) -> Vec<String> {
        vec![
            self.line.to_string(),
            self.from.clone(),
            self.to.clone(),
            self.traffic.clone(),
            self.expect.to_owned(),
            self.seen.to_owned(),
            joined(&self.reason),
            self.result.word().to_owned(),
        ]
    }
}

/// Writes all rows, then what is wrong with each that is not right, then where probes and `explain` differ.
///
/// # Errors
///
/// [`Error::Output`].
pub(crate) fn write(out: Out<'_>, output: Output, name: &str, rows: &[Judged]) -> Result<(), Error> {
    output::rows(out, output, rows)?;
    if output == Output::Json {
        return Ok(());
    }
    for row in rows {
        if row.result != Verdict::Passed || row.detail.is_some() {
            writeln!(out, "{name}:{}: {}", row.line, row.sentence())?;
        }
    }
    if rows.iter().any(|row| row.disagreement.is_some()) {
        writeln!(out, "{}", "probes and explain disagree; this is a bug of vpclab, please report it:".red())?;
    }
    for row in rows {
        if let Some(disagreement) = &row.disagreement {
            writeln!(out, "{name}:{}: {disagreement}", row.line)?;
        }
    }
    Ok(writeln!(out, "{}", summary(rows))?)
}

/// No if an expectation failed; what could not be tried, and a disagreement, are worse than a yes.
pub(crate) fn answer(rows: &[Judged]) -> Answer {
    let any = |verdict| rows.iter().any(|row| row.result == verdict);
    if any(Verdict::Failed) {
        Answer::No
    } else if any(Verdict::Error) || rows.iter().any(|row| row.disagreement.is_some()) {
        Answer::Contradiction
    } else {
        Answer::Yes
    }
}

fn summary(rows: &[Judged]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.result == verdict).count();
    let (ok, failed, errors) = (count(Verdict::Passed), count(Verdict::Failed), count(Verdict::Error));
    format!("{ok} ok, {failed} failed, {errors} could not be tried")
}
