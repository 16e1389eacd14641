//! The proof that a lab was checked.

use crate::lab::Lab;

/// A lab that passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct Valid {
    lab: Lab,
}

impl Valid {
    pub(crate) const fn new(lab: Lab) -> Self {
        Self { lab }
    }

    /// The checked objects.
    #[must_use]
    pub const fn lab(&self) -> &Lab {
        &self.lab
    }
}
