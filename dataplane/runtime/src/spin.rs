//! How long a worker that has nothing to do goes on looking before it sleeps.

use std::time::Duration;

use engine::Time;

/// Grows while work comes soon after the worker gave up looking, and falls back when it does not, as halt polling of the
/// kernel's KVM does (Documentation/virt/kvm/halt-polling.rst).
///
/// It ends for a while when somebody else wanted the processor: a program that waits for it is what the packets are for.
///
/// A worker does not yield between two looks: beside programs that wanted the processor, one that yielded in a loop was seen
/// not to answer for five seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spin {
    window: Duration,
    last_work: Time,
    /// No looking before.
    free_from: Time,
    /// When it was last told of `preemptions`.
    told: Time,
    preemptions: u64,
    /// Whether it looks at all.
    may: bool,
}

impl Spin {
    /// For one of so many workers: it keeps a processor busy only if the guests have another one.
    pub(crate) fn new(workers: usize, now: Time) -> Self {
        let may = std::thread::available_parallelism().is_ok_and(|all| workers < all.get());
        Self { window: LEAST, last_work: now, free_from: now, told: now, preemptions: 0, may }
    }

    /// There was work.
    pub(crate) fn worked(&mut self, now: Time) {
        if now >= self.last_work.after(MOST) {
            self.window = LEAST;
        } else if now >= self.last_work.after(self.window) {
            self.window = (2 * self.window).min(MOST);
        }
        self.last_work = now;
    }

    /// Whether to look again rather than sleep.
    pub(crate) fn goes_on(&self, now: Time) -> bool {
        self.may && now >= self.free_from && now < self.last_work.after(self.window)
    }

    /// Whether it wants to be told of preemptions: before a sleep, and once in a while when there is none.
    pub(crate) fn wants_to_know(&self, now: Time) -> bool {
        self.may && (!self.goes_on(now) || now >= self.told.after(PATIENCE))
    }

    /// The thread has had to leave its processor so often since it began.
    pub(crate) fn hear_of(&mut self, preemptions: u64, now: Time) {
        self.told = now;
        if preemptions != self.preemptions {
            self.preemptions = preemptions;
            self.free_from = now.after(PAUSE);
        }
    }
}

/// A reply that comes at once finds the worker awake.
const LEAST: Duration = Duration::from_micros(20);

/// Several times what it takes to wake a processor and a program on it, on a virtual machine.
const MOST: Duration = Duration::from_micros(160);

/// How long a worker may look and work by turns without asking who wants its processor.
const PATIENCE: Duration = Duration::from_millis(1);

/// A time slice or so: then it is tried again whether the processor is free.
const PAUSE: Duration = Duration::from_millis(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn after_gaps(gaps: &[u64]) -> (Spin, Time) {
        let mut now = Time::from_secs(1);
        let mut spin = Spin { may: true, ..Spin::new(1, now) };
        for gap in gaps {
            now = now.after(Duration::from_micros(*gap));
            spin.worked(now);
        }
        (spin, now)
    }

    /// The time after the last work until which it looks, in microseconds.
    fn window(gaps: &[u64]) -> u64 {
        let (spin, now) = after_gaps(gaps);
        (0..1_000).take_while(|us| spin.goes_on(now.after(Duration::from_micros(*us)))).count() as u64
    }

    #[test]
    fn it_doubles_while_work_comes_soon_after_it_gave_up() {
        assert_eq!(window(&[]), 20);
        assert_eq!(window(&[19]), 20, "found by looking");
        assert_eq!(window(&[25]), 40);
        assert_eq!(window(&[25, 45]), 80);
        assert_eq!(window(&[25, 45, 90, 159, 159]), 160, "and no further");
    }

    #[test]
    fn it_falls_back_when_work_comes_late() {
        assert_eq!(window(&[25, 45, 160]), 20);
    }

    #[test]
    fn it_does_without_for_a_while_after_the_processor_was_taken_away() {
        let (mut spin, now) = after_gaps(&[25]);
        assert!(spin.goes_on(now));
        spin.hear_of(1, now);
        assert!(!spin.goes_on(now));
        let later = now.after(PAUSE);
        spin.worked(later);
        spin.hear_of(1, later);
        assert!(spin.goes_on(later), "not again since");
    }

    #[test]
    fn a_worker_that_has_no_processor_to_spare_neither_looks_nor_asks() {
        let (mut spin, now) = after_gaps(&[25]);
        spin.may = false;
        assert!(!spin.goes_on(now) && !spin.wants_to_know(now));
    }

    #[test]
    fn it_asks_before_a_sleep_and_every_millisecond() {
        let (mut spin, now) = after_gaps(&[25]);
        spin.hear_of(0, now);
        assert!(!spin.wants_to_know(now));
        assert!(spin.wants_to_know(now.after(Duration::from_micros(40))), "it is about to sleep");
        let later = now.after(PATIENCE);
        spin.worked(later);
        assert!(spin.goes_on(later) && spin.wants_to_know(later));
    }
}
