//! What goes wrong beside the packets, and what keeps the data plane from starting or answering.

use std::io;

use ::io::poller::BackendError;
use snapshot::Attachment;

/// Something that went wrong beside the packets.
#[derive(Debug)]
pub struct Trouble {
    /// Where.
    pub part: Part,
    /// What the system said.
    pub error: io::Error,
}

/// A part of the data plane that may fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The device of an interface or a host.
    Device(Attachment),
    /// The flow-log writer.
    FlowLogs,
    /// A worker, by its number.
    Worker(usize),
}

impl Part {
    /// The device whose attachment has this token.
    pub(crate) fn device(token: u32) -> Self {
        Self::Device(Attachment::from_token(token))
    }
}

/// Why the data plane could not start or answer.
#[derive(Debug)]
pub enum RuntimeError {
    /// The backend is not to be had here.
    Backend(BackendError),
    /// A thread could not be made.
    Start(io::Error),
    /// A worker did not answer within five seconds.
    Silent {
        /// Which.
        worker: usize,
    },
}

impl std::fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Backend(error) => error.fmt(f),
            Self::Start(error) => write!(f, "the data plane cannot start: {error}"),
            Self::Silent { worker } => write!(f, "worker {worker} does not answer"),
        }
    }
}

impl std::error::Error for RuntimeError {}
