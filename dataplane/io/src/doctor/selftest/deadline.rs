//! An end to waiting, whatever packets do.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;

/// When an exchange gives up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn new() -> Self {
        Self(now() + LIMIT)
    }

    /// The time that is left.
    ///
    /// # Errors
    ///
    /// `TimedOut` when none is.
    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(now());
        if left < SHORTEST { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// Makes the next read from the socket, or the next connection it accepts (socket(7)), come in time or fail.
    ///
    /// # Errors
    ///
    /// `TimedOut` when no time is left.
    pub(super) fn limit(self, socket: &impl AsFd) -> io::Result<()> {
        let left = self.left()?;
        let seconds = left.as_secs().try_into().map_err(io::Error::other)?;
        Ok(setsockopt(socket, ReceiveTimeout, &TimeVal::new(seconds, left.subsec_micros().into()))?)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "sockets wait in real time, and no clock is handed to a check of the machine"
)]
fn now() -> Instant {
    Instant::now()
}

/// How long an exchange may take: a hundred times what it needs, because the machine may be busy.
const LIMIT: Duration = Duration::from_secs(3);

/// The unit in which sockets wait; zero would be for ever.
const SHORTEST: Duration = Duration::from_micros(1);
