//! Where a value stands in the text that it was read from.

/// A stretch of the source text on one line.
///
/// Ordered by position. The default, line 0, stands for "nowhere": a value that no text holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Bytes from the start of the text.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
}

impl Spot {
    /// Whether it names a place in the text at all.
    #[must_use]
    pub const fn is_somewhere(&self) -> bool {
        self.line > 0
    }

    /// The part of this stretch that starts `start` bytes into it and is `len` bytes long. Both must fall on ASCII text.
    #[must_use]
    pub const fn part(&self, start: usize, len: usize) -> Self {
        Self { line: self.line, column: self.column + start, offset: self.offset + start, len }
    }
}

/// A value with its place in the source text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub spot: Spot,
}

impl<T> At<T> {
    /// Puts `value` at `spot`.
    pub const fn new(value: T, spot: Spot) -> Self {
        Self { value, spot }
    }
}
