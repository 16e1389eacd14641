//! Finding the halves of a whole batch at once.
//!
//! In a large table each half is several cache misses away: the index, the half, the half at the receiver. Looked up
//! together, the misses of one packet do not wait for the work on another.

use tables::Handle;

use crate::key::{Key, Key4, Key6, Packed};
use crate::pool::{Pool, Slot};

/// The lookups of one batch; its memory is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    v4: Wanted<Key4>,
    v6: Wanted<Key6>,
    found: Vec<Option<Slot>>,
}

/// The keys of one family, and which packet of the batch each belongs to.
#[derive(Debug)]
struct Wanted<K> {
    keys: Vec<K>,
    of: Vec<usize>,
    handles: Vec<Option<Handle>>,
}

impl Lookup {
    /// Begins a batch of `packets`.
    pub(crate) fn begin(&mut self, packets: usize) {
        self.v4.clear();
        self.v6.clear();
        self.found.clear();
        self.found.resize(packets, None);
    }

    /// Asks for the half of packet number `of`.
    #[inline]
    pub(crate) fn want(&mut self, of: usize, key: &Key) {
        match key.packed() {
            Packed::V4(key) => self.v4.push(of, key),
            Packed::V6(key) => self.v6.push(of, key),
        }
    }

    /// Finds everything that was asked for.
    pub(crate) fn run(&mut self, sessions: &Pool) {
        sessions.find_many_v4(&self.v4.keys, &mut self.v4.handles);
        sessions.find_many_v6(&self.v6.keys, &mut self.v6.handles);
        self.v4.deal(Slot::V4, &mut self.found);
        self.v6.deal(Slot::V6, &mut self.found);
        let peers = self.found.iter().flatten().filter_map(|slot| {
            let peer = sessions.get(*slot)?.peer?;
            // Behind NAT64 it is of the other family, and is read when its turn comes.
            sessions.get(slot.beside(peer, false))
        });
        // Nobody needs the sum; this keeps the reads, which bring the halves into the cache.
        std::hint::black_box(peers.fold(0, |sum, half| sum ^ half.progress));
    }

    /// The half of packet number `of`. It stands until halves expire, which no packet causes; none means only that it was not
    /// there when the batch began.
    pub(crate) fn found(&self, of: usize) -> Option<Slot> {
        self.found.get(of).copied().flatten()
    }
}

impl<K> Wanted<K> {
    fn clear(&mut self) {
        self.keys.clear();
        self.of.clear();
        self.handles.clear();
    }

    #[inline]
    fn push(&mut self, of: usize, key: K) {
        self.keys.push(key);
        self.of.push(of);
    }

    fn deal(&self, slot: impl Fn(Handle) -> Slot, found: &mut [Option<Slot>]) {
        for (of, handle) in self.of.iter().zip(&self.handles) {
            found[*of] = handle.map(&slot);
        }
    }
}

impl<K> Default for Wanted<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), of: Vec::new(), handles: Vec::new() }
    }
}
