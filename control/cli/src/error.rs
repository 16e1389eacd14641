//! Why a command could not answer.

use std::io;
use std::path::PathBuf;

/// Exit status 2, unless it is [a reader that went away](Error::is_broken_pipe).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The program and its parts do not fit together: a bug of ours.
    #[error("{0}\nThis is a bug of vpclab; please report it with the lab file.")]
    Bug(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    /// A file has findings, rendered already.
    #[error("{0}")]
    Findings(String),
    /// The output could not be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    /// The daemon or the system refused.
    #[error("{0}")]
    Refused(String),
    /// The command line asks for what makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Whether whoever read our output has gone, as `head` does: that is no failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The end of a command that could answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Status 0.
    Yes,
    /// Status 1.
    No,
    /// Status 2: two parts of the program contradict each other.
    Contradiction,
    /// Status 2: what was measured allows no answer.
    Inconclusive,
}

impl Answer {
    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Contradiction | Self::Inconclusive => 2,
        }
    }
}
