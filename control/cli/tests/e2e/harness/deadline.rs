//! The only place that reads a clock or waits without an event.

use std::time::{Duration, Instant};

/// When patience ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(patience: Duration) -> Self {
        Self(now() + patience)
    }

    /// What is left; zero afterwards.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    /// Waits for it.
    pub(crate) fn pass(self) {
        pause(self.left());
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

/// Waits until `condition` holds, or panics after `patience`.
pub(crate) fn eventually(what: &str, patience: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Deadline::after(patience);
    while !condition() {
        assert!(!deadline.is_over(), "did not happen within {patience:?}: {what}");
        pause(Duration::from_millis(20));
    }
}

#[expect(clippy::disallowed_methods, reason = "other processes give no event that could be awaited")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[expect(clippy::disallowed_methods, reason = "deadlines of other processes are real time")]
fn now() -> Instant {
    Instant::now()
}
