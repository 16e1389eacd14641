//! From labels to rows, in one or two memory accesses however many labels there are.

use super::rows::RowId;

/// A frozen hash table with linear probing that is at most half full.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    /// A power of two, or none at all if there is no label.
    cells: Box<[Option<(u32, RowId)>]>,
}

impl Labels {
    /// Takes each label once.
    pub(super) fn build(labels: &[(u32, RowId)]) -> Self {
        if labels.is_empty() {
            return Self::default();
        }
        let mut built = Self { cells: vec![None; (labels.len() * 2).next_power_of_two()].into() };
        for (label, row) in labels {
            let mut at = built.home(*label);
            while built.cells[at].is_some() {
                at = built.after(at);
            }
            built.cells[at] = Some((*label, *row));
        }
        built
    }

    /// The row of a label, if it has one.
    #[inline]
    pub(super) fn row(&self, label: u32) -> Option<RowId> {
        if self.cells.is_empty() {
            return None;
        }
        let mut at = self.home(label);
        loop {
            let (known, row) = self.cells[at]?;
            if known == label {
                return Some(row);
            }
            at = self.after(at);
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.cells)
    }

    /// Where to look first: the upper bits of a product with 2^32 divided by the golden ratio, which spreads
    /// numbers in sequence (Knuth, "The Art of Computer Programming", volume 3, section 6.4).
    #[inline]
    fn home(&self, label: u32) -> usize {
        let spread = u64::from(label.wrapping_mul(0x9e37_79b9));
        ((spread * self.cells.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }
}
