//! The proof that a lab was checked.

use std::sync::Arc;

use crate::lab::Lab;

/// A lab that passed every check. Clones share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Valid {
    lab: Arc<Lab>,
}

impl Valid {
    pub(crate) fn new(lab: Lab) -> Self {
        Self { lab: Arc::new(lab) }
    }

    /// The checked objects.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The checked objects, for whoever keeps them.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Lab> {
        &self.lab
    }
}
