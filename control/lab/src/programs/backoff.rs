//! How long to wait before starting a program again.

use std::time::Duration;

/// Wait after the first failure: a program that waits for its peer to come up is there soon.
const FIRST: Duration = Duration::from_millis(500);

/// Longest wait: a broken command costs two starts a minute.
const LONGEST: Duration = Duration::from_secs(30);

/// A program that ran this long was healthy; its next failure counts as the first.
const HEALTHY: Duration = Duration::from_secs(10);

/// Doubles the wait with each failure in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a run that lasted `ran`.
    pub(super) fn ended(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY {
            self.failures = 0;
        }
        let wait = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        wait.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_stay_there() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..40).map(|_| backoff.ended(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits[..8], [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert!(waits[8..].iter().all(|wait| *wait == 30000));
    }

    #[test]
    fn a_healthy_run_starts_the_count_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.ended(Duration::ZERO);
        }
        assert_eq!(backoff.ended(HEALTHY), FIRST);
        assert_eq!(backoff.ended(HEALTHY - Duration::from_millis(1)), FIRST * 2);
    }
}
