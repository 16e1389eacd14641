//! Real time: a benchmark is a program at the edge.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Unix time, as the kernel stamps packets with it.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Waits for something that gives no event, or keeps a pace.
#[expect(clippy::disallowed_methods, reason = "other processes give no event that could be awaited")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A point in time by which something has to have happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        Self(now() + time)
    }

    /// What is left; zero when it has passed.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    pub(crate) fn passed(self) -> bool {
        self.left().is_zero()
    }
}
