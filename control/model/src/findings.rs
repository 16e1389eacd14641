//! What is wrong with a lab, and what to do about it.

mod code;

use crate::spot::Spot;

pub use code::Code;

/// Whether a lab with this finding may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The lab is refused.
    Error,
    /// The lab runs, but probably not as meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing to tell the writer of a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding; its text is stable.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// What to do about it, possibly over several lines.
    pub help: Option<String>,
    /// Places in the text. The first is the finding's own place.
    pub labels: Vec<Label>,
}

/// A place that a finding points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub spot: Spot,
    /// What stands there; may be empty.
    pub text: String,
}

impl Finding {
    /// A finding at `spot`.
    pub fn new(code: Code, spot: Spot, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, labels: vec![Label { spot, text: String::new() }] }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what stands at the finding's own place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(own) = self.labels.first_mut() {
            own.text = text.into();
        }
        self
    }

    /// Points at a further place, such as the first of two that clash.
    #[must_use]
    pub fn also(mut self, spot: Spot, text: impl Into<String>) -> Self {
        self.labels.push(Label { spot, text: text.into() });
        self
    }

    /// The finding's own place.
    #[must_use]
    pub fn spot(&self) -> Spot {
        self.labels.first().map_or_else(Spot::default, |l| l.spot)
    }

    /// Its severity, which its code alone decides.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Findings in order of their place in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds one, unless the very same is there: a value behind several aliases is wrong once.
    pub fn push(&mut self, finding: Finding) {
        let spot = finding.spot();
        let (from, to) =
            (self.list.partition_point(|f| f.spot() < spot), self.list.partition_point(|f| f.spot() <= spot));
        if !self.list[from..to].contains(&finding) {
            self.list.insert(to, finding);
        }
    }

    /// Adds all of `others`.
    pub fn append(&mut self, others: Self) {
        for finding in others.list {
            self.push(finding);
        }
    }

    /// All of them by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the lab must be refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many there are of one severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|f| f.severity() == severity).count()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_out_in_order_of_place() {
        let at = |line| Spot { line, column: 1, offset: 0, len: 1 };
        let mut findings = Findings::default();
        for line in [3, 1, 2] {
            findings.push(Finding::new(Code::CidrHostBits, at(line), "x"));
        }
        let mut more = Findings::default();
        more.push(Finding::new(Code::WrongType, at(0), "y"));
        findings.append(more);
        let lines: Vec<usize> = findings.iter().map(|f| f.spot().line).collect();
        assert_eq!(lines, [0, 1, 2, 3]);
        assert_eq!((findings.count(Severity::Error), findings.count(Severity::Warning)), (1, 3));
    }
}
