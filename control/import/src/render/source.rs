//! A text that knows where its lines start.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use model::spot::Spot;

/// A text with its name. Finding a place does not read the text before it, however large it is.
#[derive(Debug)]
pub(super) struct Source<'a> {
    name: &'a str,
    text: &'a str,
    /// Bytes before each line.
    starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { name, text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    pub(super) const fn name(&self) -> &str {
        self.name
    }

    /// A line without its break, counted from 0.
    pub(super) fn line(&self, number: usize) -> &str {
        self.lines(number, number).trim_end_matches(['\n', '\r'])
    }

    /// What stands at `spot`.
    pub(super) fn part(&self, spot: Spot) -> &str {
        self.text.get(spot.offset..spot.offset + spot.len).unwrap_or_default()
    }

    /// Whole lines, breaks included.
    fn lines(&self, first: usize, last: usize) -> &str {
        let end = self.starts.get(last + 1).copied().unwrap_or(self.text.len());
        self.starts.get(first).and_then(|start| self.text.get(*start..end)).unwrap_or_default()
    }

    fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }
}

impl SourceCode for Source<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let first = self.line_of(span.offset()).saturating_sub(before);
        let last = self.line_of(span.offset() + span.len()) + after;
        let start = self.starts.get(first).copied().unwrap_or_default();
        let inner_span = SourceSpan::from((span.offset() - start, span.len()));
        let inner = self.lines(first, last).read_span(&inner_span, before, after)?;
        let found = SourceSpan::from((inner.span().offset() + start, inner.span().len()));
        let (line, column) = (inner.line() + first, inner.column());
        let name = self.name.to_owned();
        Ok(Box::new(MietteSpanContents::new_named(
            name,
            inner.data(),
            found,
            line,
            column,
            inner.line_count(),
        )))
    }
}
