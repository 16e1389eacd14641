//! Findings as text.

mod source;

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use model::findings::{Finding, Findings, Label, Severity};

use source::Source;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Drawn, in colour.
    Colour,
    /// Drawn, without colour.
    Mono,
    /// One line `FILE:LINE:COLUMN: error[CODE]: MESSAGE` each, with the source line and a caret below; stable.
    Plain,
}

/// Columns of drawn findings.
const WIDTH: usize = 120;

/// All findings in order of their place. `name` is what the text is called.
#[must_use]
pub fn render(findings: &Findings, name: &str, text: &str, look: Look) -> String {
    let mut out = String::new();
    let source = Source::new(name, text);
    for finding in findings {
        let written = match look {
            Look::Colour => drawn(finding, &source, GraphicalTheme::unicode(), &mut out),
            Look::Mono => drawn(finding, &source, GraphicalTheme::unicode_nocolor(), &mut out),
            Look::Plain => plain(finding, &source, &mut out),
        };
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    out
}

fn plain(finding: &Finding, source: &Source<'_>, out: &mut String) -> fmt::Result {
    let (spot, severity, code) = (finding.spot(), finding.severity().as_str(), finding.code.as_str());
    let (Finding { message, help, labels, .. }, name) = (finding, source.name());
    if spot.is_somewhere() {
        writeln!(out, "{name}:{}:{}: {severity}[{code}]: {message}", spot.line, spot.column)?;
    } else {
        writeln!(out, "{name}: {severity}[{code}]: {message}")?;
    }
    for label in labels.iter().filter(|label| label.spot.is_somewhere()) {
        excerpt(label, source, out)?;
    }
    for line in help.iter().flat_map(|help| help.lines()) {
        writeln!(out, "  help: {line}")?;
    }
    Ok(())
}

/// The line of a label with carets below it.
fn excerpt(label: &Label, source: &Source<'_>, out: &mut String) -> fmt::Result {
    let spot = label.spot;
    let line = source.line(spot.line - 1);
    let blank: String = line.chars().take(spot.column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let carets = "^".repeat(source.part(spot).chars().count().max(1));
    writeln!(out, "{:>4} | {line}", spot.line)?;
    let caption = if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
    writeln!(out, "     | {blank}{carets}{caption}")
}

fn drawn(finding: &Finding, source: &Source<'_>, theme: GraphicalTheme, out: &mut String) -> fmt::Result {
    let report = Report { finding, source };
    GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false).render_report(out, &report)
}

/// A finding as miette wants it.
#[derive(Debug)]
struct Report<'a> {
    finding: &'a Finding,
    source: &'a Source<'a>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.finding.message)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code.as_str()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity() {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.finding.spot().is_somewhere().then_some(self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.finding.labels.iter().filter(|label| label.spot.is_somewhere());
        Some(Box::new(labels.enumerate().map(|(position, label)| {
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            let span = (label.spot.offset, label.spot.len);
            match position {
                0 => LabeledSpan::new_primary_with_span(text, span),
                _ => LabeledSpan::new_with_span(text, span),
            }
        })))
    }
}
