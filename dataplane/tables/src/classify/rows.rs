//! Sets of rule positions that are quick to intersect and small when sparse.
//!
//! A row is a summary, one bit for each word of 64 positions that is not empty, followed by just those words.
//! Two rows meet only where their summaries do, so an intersection touches few words however many rules there
//! are (aggregated bit vectors: Baboescu and Varghese, "Scalable packet classification", 2001).

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// Names a row: where it begins in [`Rows::words`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowId(u32);

impl RowId {
    /// The name as a plain number, to be kept in a table of numbers.
    pub(super) fn to_number(self) -> u32 {
        self.0
    }

    /// The name that [`Self::to_number`] gave.
    pub(super) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// Rows over the same rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// How many words each summary has.
    summary: usize,
    words: Box<[u64]>,
}

impl Rows {
    /// The first position that is in `a`, in `b` and, by its word, in `mask`.
    #[inline]
    pub(super) fn first_common(&self, a: RowId, b: RowId, mask: impl Fn(usize) -> u64) -> Option<u32> {
        let (a, b) = (&self.words[a.0 as usize..], &self.words[b.0 as usize..]);
        let (mut at_a, mut at_b) = (self.summary, self.summary);
        for index in 0..self.summary {
            let (filled_a, filled_b) = (a[index], b[index]);
            let mut filled = filled_a & filled_b;
            while filled != 0 {
                let bit = filled.trailing_zeros();
                let word = index * 64 + bit as usize;
                let common = a[at_a + rank(filled_a, bit)] & b[at_b + rank(filled_b, bit)] & mask(word);
                if common != 0 {
                    return Some(word as u32 * 64 + common.trailing_zeros());
                }
                filled &= filled - 1;
            }
            // Up to 4096 rules have one word of summary; counting bits costs more than this branch.
            if index + 1 < self.summary {
                at_a += filled_a.count_ones() as usize;
                at_b += filled_b.count_ones() as usize;
            }
        }
        None
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

/// How many bits of `word` are set below `bit`.
#[inline]
fn rank(word: u64, bit: u32) -> usize {
    (word & ((1 << bit) - 1)).count_ones() as usize
}

/// Makes [`Rows`]; equal sets become one row.
pub(super) struct RowsBuilder {
    summary: usize,
    words: Vec<u64>,
    known: HashMap<Box<[u64]>, RowId, FixedState>,
}

impl RowsBuilder {
    /// No rows yet over `rules` rules.
    pub(super) fn new(rules: usize) -> Self {
        let summary = rules.div_ceil(64).div_ceil(64);
        Self { summary, words: Vec::new(), known: HashMap::default() }
    }

    /// The row of a set.
    pub(super) fn row(&mut self, set: &DenseSet) -> RowId {
        let mut row = vec![0_u64; self.summary];
        for (index, word) in set.words.iter().enumerate().filter(|(_, word)| **word != 0) {
            row[index / 64] |= 1 << (index % 64);
            row.push(*word);
        }
        if let Some(known) = self.known.get(&*row) {
            return *known;
        }
        let id = RowId(self.words.len() as u32);
        self.words.extend_from_slice(&row);
        self.known.insert(row.into(), id);
        id
    }

    /// The rows made.
    pub(super) fn finish(self) -> Rows {
        Rows { summary: self.summary, words: self.words.into() }
    }
}

/// A set of positions with a bit for each rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DenseSet {
    pub(super) words: Box<[u64]>,
}

impl DenseSet {
    /// The empty set over `rules` rules.
    pub(super) fn new(rules: usize) -> Self {
        Self { words: vec![0; rules.div_ceil(64)].into() }
    }

    /// Puts `position` in, which is below the number of rules.
    pub(super) fn insert(&mut self, position: u32) {
        self.words[position as usize / 64] |= 1 << (position % 64);
    }

    /// Takes `position` out, which is below the number of rules.
    pub(super) fn remove(&mut self, position: u32) {
        self.words[position as usize / 64] &= !(1 << (position % 64));
    }

    /// Puts in what is in `other`, a set over the same rules.
    pub(super) fn add(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, more)| *word |= more);
    }

    /// Whether `position` is in; positions past the number of rules are not.
    pub(super) fn contains(&self, position: u32) -> bool {
        self.word(position as usize / 64) >> (position % 64) & 1 == 1
    }

    /// The 64 positions from `64 * index` on.
    pub(super) fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }
}
