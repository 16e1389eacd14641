//! The only place in the data plane that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::Time;

/// Unix time that never goes back: the wall clock of the start plus what the monotonic clock has measured since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    unix: Duration,
}

impl Clock {
    /// A clock that agrees with the wall clock now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), unix }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        let since = self.unix + self.started.elapsed();
        Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// How long it is until `deadline`; zero when it has passed.
    #[must_use]
    pub fn until(&self, deadline: Time) -> Duration {
        Duration::from_nanos(deadline.0.saturating_sub(self.now().0))
    }
}
