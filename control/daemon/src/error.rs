//! Why a lab could not be started, changed or ended.

use std::io;
use std::path::PathBuf;

use runtime::{BackendError, RuntimeError};

/// One failure, worded for the operator. That of the kernel's side may have several lines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The backend is not to be had here.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The checked lab cannot be compiled: a bug of ours.
    #[error("{0}; the lab passed its check, so this is a bug: please report it with the lab file")]
    Compile(#[from] compile::BuildError),
    /// Namespaces, devices or programs.
    #[error(transparent)]
    Lab(#[from] lab::Errors),
    /// The start failed, and so did its undoing; the next `down` or `up` of the lab removes the rest.
    #[error("{error}\n{undoing}")]
    NotUndone {
        /// Why the start failed.
        error: Box<Self>,
        /// What could not be removed.
        undoing: lab::Errors,
    },
    /// The data plane.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Signals cannot be watched.
    #[error("cannot watch signals: {0}")]
    Signals(#[source] io::Error),
    /// The socket for requests cannot be made.
    #[error("cannot listen on {}: {source}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Each interface and each host takes an open file.
    #[error(
        "the lab has {interfaces} interfaces, those of hosts included, and this process may open files for {limit}; raise the \
         hard limit of open files (`ulimit -Hn`, or LimitNOFILE of the service)"
    )]
    TooManyInterfaces {
        /// How many the lab has.
        interfaces: usize,
        /// How many fit.
        limit: u64,
    },
    /// Something beside the packets went wrong while the lab ended, such as that its last flow-log records could not be written.
    #[error("{0}")]
    Trouble(String),
}
