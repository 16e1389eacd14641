//! Letting a flood of packets gather, so that more of them leave in one write.

use std::time::Duration;

use engine::Time;

/// Says when a worker is faster than a flood and had better wait for more of it, as a network card moderates its interrupts.
///
/// A worker that takes every packet of a flood as it comes writes them a few at a time, and wakes their receiver for every few. That
/// costs the processors more than the flood does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moderation {
    /// Packets of the running window.
    packets: usize,
    window_ends: Time,
    /// Whether the window before was one of a flood.
    is_flood: bool,
}

impl Moderation {
    pub(crate) const fn new(now: Time) -> Self {
        Self { packets: 0, window_ends: now, is_flood: false }
    }

    /// So many packets were read.
    pub(crate) fn count(&mut self, packets: usize, now: Time) {
        if now >= self.window_ends {
            let is_recent = now < self.window_ends.after(WINDOW);
            self.is_flood = is_recent && self.packets >= FLOOD;
            (self.packets, self.window_ends) = (0, now.after(WINDOW));
        }
        self.packets += packets;
    }

    /// The moment until which to wait for more than these packets, all that there were, if that is better.
    pub(crate) fn waits_until(&self, packets: usize, now: Time) -> Option<Time> {
        (self.is_flood && (1..=SMALL).contains(&packets)).then(|| now.after(GATHER))
    }
}

const WINDOW: Duration = Duration::from_micros(200);

/// Packets in a window: 200,000 a second. Streams of super-packets are far below.
const FLOOD: usize = 40;

/// A round with more packets is worth a write.
const SMALL: usize = 40;

/// What a packet of a flood may lose, and about as long as it takes a flood to fill a round.
const GATHER: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_secs(1);

    fn at(us: u64) -> Time {
        START.after(Duration::from_micros(us))
    }

    /// A round of `packets` every `gap` microseconds for a millisecond; the last answer.
    fn rounds(packets: usize, gap: u64) -> Option<Time> {
        let mut moderation = Moderation::new(START);
        (0..=1_000 / gap).map(|round| answer(&mut moderation, packets, round * gap)).last().flatten()
    }

    fn answer(moderation: &mut Moderation, packets: usize, us: u64) -> Option<Time> {
        moderation.count(packets, at(us));
        moderation.waits_until(packets, at(us))
    }

    #[test]
    fn a_flood_in_small_rounds_is_waited_for() {
        assert_eq!(rounds(2, 10), Some(at(1_050)));
        assert_eq!(rounds(40, 200), Some(at(1_050)));
    }

    #[test]
    fn nothing_waits_for_what_is_no_flood_or_comes_in_large_rounds() {
        assert_eq!(rounds(1, 10), None, "100,000 a second");
        assert_eq!(rounds(41, 50), None, "a round worth a write");
    }

    #[test]
    fn an_empty_round_goes_on_and_a_flood_that_is_over_is_forgotten() {
        let mut moderation = Moderation::new(START);
        for round in 0..100 {
            moderation.count(2, at(round * 10));
        }
        assert!(answer(&mut moderation, 1, 1_000).is_some());
        assert_eq!(answer(&mut moderation, 0, 1_001), None);
        assert_eq!(answer(&mut moderation, 1, 5_000), None);
    }

    /// 300,000 a second: what gathers meanwhile counts, so that the flood does not seem over.
    #[test]
    fn what_was_waited_for_keeps_the_worker_waiting() {
        let mut moderation = Moderation::new(START);
        (0..50).for_each(|round| moderation.count(3, at(round * 10)));
        for round in 0..50 {
            let now = 500 + round * 60;
            assert!(answer(&mut moderation, 3, now).is_some(), "after {now} us");
            moderation.count(15, at(now + 50));
        }
    }
}
