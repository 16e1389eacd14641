//! Command line in two steps: [`low`] is what was typed and does no work, [`high`] is what is wanted.

pub(crate) mod high;
pub(crate) mod low;
