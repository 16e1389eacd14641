//! What all workers share and none of them changes: the current snapshot and the table of devices.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use crossbeam::utils::CachePadded;
use io::Tun;
use snapshot::{Attachment, Generation, Snapshot};

use crate::devices::Devices;

/// The publishing side.
#[derive(Debug)]
pub(crate) struct Published {
    snapshot: ArcSwap<Snapshot>,
    devices: ArcSwap<Devices<Tun>>,
    /// The generation that each worker uses.
    seen: Vec<CachePadded<AtomicU64>>,
}

/// One worker's view; loaded once per batch.
pub(crate) struct View<'a> {
    published: &'a Published,
    worker: usize,
    snapshot: Cache<&'a ArcSwap<Snapshot>, Arc<Snapshot>>,
    devices: Cache<&'a ArcSwap<Devices<Tun>>, Arc<Devices<Tun>>>,
}

impl Published {
    pub(crate) fn new(snapshot: Arc<Snapshot>, workers: usize) -> Self {
        Self {
            snapshot: ArcSwap::new(snapshot),
            devices: ArcSwap::default(),
            seen: (0..workers).map(|_| CachePadded::new(AtomicU64::new(0))).collect(),
        }
    }

    pub(crate) fn store(&self, snapshot: Arc<Snapshot>) {
        self.snapshot.store(snapshot);
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Whether every worker has taken `generation` or a later one.
    pub(crate) fn is_seen_by_all(&self, generation: Generation) -> bool {
        self.seen.iter().all(|seen| seen.load(Ordering::Acquire) >= generation.0)
    }

    /// Puts each device in its slot, or empties the slot.
    pub(crate) fn set_devices(&self, changes: &[(Attachment, Option<Arc<Tun>>)]) {
        self.devices.rcu(|before| {
            let mut devices = Devices::clone(before);
            changes.iter().for_each(|(at, tun)| devices.set(*at, tun.as_ref()));
            devices
        });
    }

    /// Whether this very device is in the slot.
    pub(crate) fn has_device(&self, at: Attachment, tun: &Arc<Tun>) -> bool {
        self.devices.load().get(at).is_some_and(|there| Arc::ptr_eq(there, tun))
    }

    pub(crate) fn view(&self, worker: usize) -> View<'_> {
        View {
            published: self,
            worker,
            snapshot: Cache::new(&self.snapshot),
            devices: Cache::new(&self.devices),
        }
    }
}

impl View<'_> {
    /// The snapshot of this batch. Lets go of devices that are no longer published, also when nothing is written any more.
    pub(crate) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.devices.load();
        let snapshot = Arc::clone(self.snapshot.load());
        self.published.seen[self.worker].store(snapshot.generation().0, Ordering::Release);
        snapshot
    }

    /// The device of an interface or a host, if it is there.
    pub(crate) fn device(&mut self, at: Attachment) -> Option<&Arc<Tun>> {
        self.devices.load().get(at)
    }
}
