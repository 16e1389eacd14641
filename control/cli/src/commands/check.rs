//! `vpclab check`: everything that is wrong with a lab file.

use std::io::IsTerminal as _;

use model::findings::{Finding, Findings, Severity};
use serde::Serialize;

use crate::args::low::{Check, Output};
use crate::error::{Answer, Error};
use crate::output::{self, Out};
use crate::world;

/// A finding for programs.
#[derive(Serialize)]
struct FindingRow<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    file: &'a str,
    /// Counted from 1; 0 for what no place in the file holds.
    line: usize,
    column: usize,
    labels: Vec<LabelRow<'a>>,
}

/// A place that a finding points at.
#[derive(Serialize)]
struct LabelRow<'a> {
    line: usize,
    column: usize,
    /// Bytes from the start of the file.
    offset: usize,
    /// Bytes.
    length: usize,
    text: &'a str,
}

/// Reads and checks, without needing any privilege.
///
/// # Errors
///
/// A file that cannot be read. What is wrong in it is the answer.
pub(crate) fn run(args: &Check, out: Out<'_>) -> Result<Answer, Error> {
    let name = args.file.display().to_string();
    let text = world::read(&args.file)?;
    let findings = match import::load(&name, &text) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    };
    match args.format.output {
        Output::Json => {
            let rows: Vec<FindingRow<'_>> = findings.iter().map(|finding| row(finding, &name)).collect();
            output::json(out, &rows)?;
        }
        Output::Table => {
            let look = world::look(std::io::stdout().is_terminal());
            write!(out, "{}", import::render(&findings, &name, &text, look))?;
            writeln!(out, "{name}: {}", summary(&findings))?;
        }
    }
    let refused = findings.has_errors() || (args.strict && !findings.is_empty());
    Ok(if refused { Answer::No } else { Answer::Yes })
}

/// `2 errors, 1 warning`.
fn summary(findings: &Findings) -> String {
    let count = |severity, word: &str| match findings.count(severity) {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    match findings.is_empty() {
        true => "no findings".to_owned(),
        false => format!("{}, {}", count(Severity::Error, "error"), count(Severity::Warning, "warning")),
    }
}

fn row<'a>(finding: &'a Finding, file: &'a str) -> FindingRow<'a> {
    let spot = finding.spot();
    let labels = finding.labels.iter().filter(|label| label.spot.is_somewhere());
    FindingRow {
        code: finding.code.as_str(),
        severity: finding.severity().as_str(),
        message: &finding.message,
        help: finding.help.as_deref(),
        file,
        line: spot.line,
        column: spot.column,
        labels: labels
            .map(|label| LabelRow {
                line: label.spot.line,
                column: label.spot.column,
                offset: label.spot.offset,
                length: label.spot.len,
                text: &label.text,
            })
            .collect(),
    }
}
