//! Why a benchmark could not be run.

use std::io;

/// Nothing can be said about speed then; what was set up is taken down again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal to go on from was written by a run with other settings.
    #[error("{path} was written by a run with other settings ({found}); this one has {wanted}")]
    Journal {
        /// The file.
        path: String,
        /// Its settings.
        found: String,
        /// What this run is asked for.
        wanted: String,
    },
    /// What was to be gone on from is something else.
    #[error("{path} is no journal of a benchmark")]
    NoJournal {
        /// The file.
        path: String,
    },
    /// A line of the journal is none of a run.
    #[error("{path}: line {line} is no figure of a benchmark")]
    NoFigure {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// The machine refused.
    #[error("cannot {what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// The refusal.
        source: io::Error,
    },
    /// A program failed, or did not end in time.
    #[error("{what}: {said}")]
    Program {
        /// Its command line.
        what: String,
        /// How it ended and what it said.
        said: String,
    },
}

impl Error {
    /// What was tried, to be completed with the refusal.
    pub(crate) fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Machine { what, source }
    }
}
