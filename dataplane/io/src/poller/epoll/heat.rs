//! How busy a device is, and with it how it is best read.

/// What a device has given lately.
///
/// A device that gives [`HOT_AFTER`] packets without letting its worker sleep is worth reading without being asked to. One that
/// gave a single packet before it fell silent will do so again: an answer, a request, a step of a handshake. That packet
/// need not wait for a read that finds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heat {
    /// The worker's sleeps when `packets` was zero.
    sleeps: u64,
    packets: u32,
    /// Packets since the device was silent.
    burst: u32,
    /// Packets between the two silences before.
    last_burst: u32,
    /// Short packets since the device was silent or gave a long one.
    short: u32,
    /// Reads in a row that found nothing.
    silences: u32,
    holds_back: bool,
}

impl Heat {
    /// A packet of so many bytes was read, by a worker that has slept so often.
    pub(super) const fn gave(&mut self, sleeps: u64, bytes: usize) {
        if self.sleeps != sleeps {
            (self.sleeps, self.packets) = (sleeps, 0);
        }
        self.packets = self.packets.saturating_add(1);
        self.burst = self.burst.saturating_add(1);
        self.short = if bytes <= SHORT { self.short.saturating_add(1) } else { 0 };
        self.silences = 0;
        self.holds_back = self.burst == 1 && self.last_burst <= 1;
    }

    /// Nothing was there.
    pub(super) const fn was_silent(&mut self) {
        if self.silences == 0 {
            (self.last_burst, self.burst) = (self.burst, 0);
        }
        self.short = 0;
        self.silences = self.silences.saturating_add(1);
    }

    /// Whether to leave the device for this round, since it has probably given all it had. Asked again, it says no.
    pub(super) const fn take_a_break(&mut self) -> bool {
        std::mem::replace(&mut self.holds_back, false)
    }

    /// Whether a burst of short packets will probably be there.
    pub(super) const fn floods(&self) -> bool {
        self.short >= FLOOD
    }

    /// Whether the device is worth reading without being asked to.
    pub(super) const fn is_hot(&self) -> bool {
        self.packets >= HOT_AFTER
    }

    /// Whether it no longer is.
    pub(super) const fn is_cold(&self) -> bool {
        self.silences >= COLD_AFTER
    }

    /// Counts towards [`Self::is_hot`] from zero again.
    pub(super) const fn reset(&mut self) {
        (self.packets, self.silences, self.holds_back) = (0, 0, false);
    }
}

/// Of a device that has given two bursts, another one will be there. Of 16 reads that find 4 packets, nothing is gained.
const FLOOD: u32 = 32;

/// In bytes; a copy of a longer packet out of a burst costs more than a call of its own.
const SHORT: usize = 2048;

/// As many as a batch has.
const HOT_AFTER: u32 = 64;

/// Some tens of microseconds where nothing else is to be read.
const COLD_AFTER: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_hot_after_a_batch_and_cold_after_as_many_silences() {
        let mut heat = Heat::default();
        (1..HOT_AFTER).for_each(|_| heat.gave(7, 64));
        assert!(!heat.is_hot());
        heat.gave(7, 64);
        assert!(heat.is_hot() && !heat.is_cold());
        (0..COLD_AFTER).for_each(|_| heat.was_silent());
        assert!(heat.is_cold());
        heat.gave(7, 64);
        assert!(!heat.is_cold(), "a packet ends the silence");
    }

    #[test]
    fn a_flood_is_broken_by_silence_and_by_a_long_packet() {
        let given = |lengths: &[usize]| {
            let mut heat = Heat::default();
            lengths.iter().for_each(|length| heat.gave(0, *length));
            heat
        };
        assert!(given(&[64; 32]).floods() && given(&[2_048; 1_000]).floods());
        assert!(!given(&[64; 31]).floods());
        assert!(!given(&[vec![64; 31], vec![2_049], vec![64; 31]].concat()).floods());
        let mut silent = given(&[64; 100]);
        silent.was_silent();
        assert!(!silent.floods());
    }

    #[test]
    fn packets_before_a_sleep_do_not_count() {
        let mut heat = Heat::default();
        (0..HOT_AFTER).for_each(|sleep| heat.gave(sleep.into(), 64));
        assert!(!heat.is_hot());
    }

    #[test]
    fn a_break_is_taken_after_a_lone_packet_that_followed_a_lone_packet() {
        let mut heat = Heat::default();
        for _ in 0..2 {
            heat.gave(0, 64);
            assert!(heat.take_a_break());
            assert!(!heat.take_a_break(), "once");
            heat.was_silent();
        }
        heat.gave(0, 64);
        assert!(heat.take_a_break());
        heat.gave(0, 64);
        assert!(!heat.take_a_break(), "it had more");
        heat.was_silent();
        heat.was_silent();
        heat.gave(0, 64);
        assert!(!heat.take_a_break(), "as it had the last time");
        heat.was_silent();
        heat.gave(0, 64);
        assert!(heat.take_a_break());
    }
}
