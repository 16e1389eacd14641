//! The only way to make a snapshot.

mod acl;
mod earlier;
mod gateway;
mod group;
mod indices;
mod pass;
mod place;
mod references;
mod route;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::Snapshot;
use crate::spec::LabSpec;

pub(crate) use indices::Indices;
use pass::Pass;

/// A specification that refers to something it does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// Who refers.
    pub from: String,
    /// The id that does not exist.
    pub missing: String,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refers to {}, which does not exist", self.from, self.missing)
    }
}

impl std::error::Error for BuildError {}

/// Builds snapshots one after the other, keeping indices and unchanged parts.
///
/// An id keeps its index for as long as the builder lives, and no other id gets it, even after the object is gone.
/// A part is compiled again only when its content changed; otherwise the next snapshot shares it and its version stays.
#[derive(Debug, Default)]
pub struct Builder {
    previous: Option<Snapshot>,
}

impl Builder {
    /// Compiles `spec` on top of what was built before. Ids in `spec` are distinct and route prefixes of one table too;
    /// of two equal ones the later counts.
    ///
    /// The generation counts every call that succeeds, also when nothing changed.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for the first dangling reference; the builder is as before.
    pub fn build(&mut self, spec: LabSpec) -> Result<Snapshot, BuildError> {
        let next = Pass::new(self.previous.as_ref(), &Arc::new(spec)).run()?;
        self.previous = Some(next.clone());
        Ok(next)
    }
}
