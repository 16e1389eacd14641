//! A timer wheel that is a sorted list.

use crate::flows::Handle;
use crate::wheel::{SLOTS, TICK_NS};

/// The plain twin of [`Wheel`](crate::Wheel): the same promises kept by a list sorted by tick.
#[derive(Clone, Debug)]
pub struct SortedWheel {
    armed: Vec<(u64, Handle)>,
    cursor: u64,
}

impl SortedWheel {
    /// An empty list whose first tick is the one that follows `start_ns`.
    pub fn new(start_ns: u64) -> Self {
        Self { armed: Vec::new(), cursor: start_ns / TICK_NS + 1 }
    }

    /// Inserts `item` behind everything of the same tick, and returns the tick.
    pub fn arm(&mut self, item: Handle, deadline_ns: u64) -> u64 {
        let farthest = self.cursor + (SLOTS as u64 - 1);
        let tick = deadline_ns.div_ceil(TICK_NS).max(self.cursor).min(farthest);
        let behind = self.armed.iter().take_while(|(other, _)| *other <= tick).count();
        self.armed.insert(behind, (tick, item));
        tick
    }

    /// Appends to `due` the first `limit` items whose tick has come by `now_ns`.
    pub fn poll(&mut self, now_ns: u64, limit: usize, due: &mut Vec<Handle>) {
        let now = now_ns / TICK_NS;
        let ripe = self.armed.iter().take_while(|(tick, _)| *tick <= now).count();
        due.extend(self.armed.drain(..ripe.min(limit)).map(|(_, item)| item));
        let next = self.armed.first().map_or(u64::MAX, |(tick, _)| *tick);
        self.cursor = self.cursor.max(next.min(now + 1));
    }

    /// When [`Self::poll`] next has something to hand out.
    pub fn next_deadline(&self) -> Option<u64> {
        self.armed.first().map(|(tick, _)| tick * TICK_NS)
    }

    /// Number of items armed.
    pub fn len(&self) -> usize {
        self.armed.len()
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }
}
