//! The only way to make a snapshot.

use crate::Snapshot;
use crate::spec::LabSpec;

/// A specification that refers to something it does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// Who refers.
    pub from: String,
    /// The id that does not exist.
    pub missing: String,
}

/// Builds snapshots one after the other, keeping indices and unchanged parts.
#[derive(Debug, Default)]
pub struct Builder {
    _previous: Option<Snapshot>,
}

impl Builder {
    /// Compiles `spec` on top of what was built before.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for the first dangling reference; the builder is as before.
    pub fn build(&mut self, _spec: LabSpec) -> Result<Snapshot, BuildError> {
        Err(BuildError { from: String::new(), missing: String::new() })
    }
}
