//! Where every packet ended.

use crate::DropReason;

/// Packets on the wire since the engine started: a super-packet counts as its segments.
///
/// `received + originated + fragments == delivered + consumed + held + dropped` at any moment between two calls, summed over
/// all workers and with what is in hand-off rings counted as held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Read from devices.
    pub received: u64,
    /// Made here: ICMP errors.
    pub originated: u64,
    /// Added by fragmentation: pieces beyond the first, and segments beyond those that came where NAT64 makes shorter ones.
    pub fragments: u64,
    /// Sent out of an attachment.
    pub delivered: u64,
    /// Taken by services of this host.
    pub consumed: u64,
    /// Fragments that wait for their first one: a level, not a count.
    pub held: u64,
    /// Of those received, how many another worker had to be given; they end there.
    pub strays: u64,
    dropped: [u64; DropReason::COUNT],
}

impl Counters {
    /// Packets dropped for `reason`.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason.at()]
    }

    /// Packets dropped for any reason.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Packets that entered but have not ended yet; 0 when the accounting identity holds and nothing is in flight.
    #[must_use]
    pub fn in_flight(&self) -> i128 {
        let entered = i128::from(self.received) + i128::from(self.originated) + i128::from(self.fragments);
        let ended =
            u128::from(self.delivered) + u128::from(self.consumed) + u128::from(self.dropped_in_all());
        entered - i128::try_from(ended).unwrap_or(i128::MAX) - i128::from(self.held)
    }

    /// Adds another worker's counters.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.originated += other.originated;
        self.fragments += other.fragments;
        self.delivered += other.delivered;
        self.consumed += other.consumed;
        self.held += other.held;
        self.strays += other.strays;
        for (mine, theirs) in self.dropped.iter_mut().zip(other.dropped) {
            *mine += theirs;
        }
    }

    pub(crate) const fn drop(&mut self, reason: DropReason, packets: u32) {
        self.dropped[reason.at()] += packets as u64;
    }
}
