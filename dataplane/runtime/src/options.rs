//! What a data plane is started with.

use std::path::PathBuf;

use io::{BackendKind, Queues};

/// What a data plane is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads, at least one. Fixed for the life of the runtime, since ownership depends on it.
    pub workers: u16,
    /// How workers reach devices.
    pub backend: BackendKind,
    /// Sessions that all workers together remember.
    pub sessions: usize,
    /// The run's hash seed.
    pub seed: u64,
    /// What relative flow-log destinations start from.
    pub directory: PathBuf,
}

impl Options {
    /// The queues that devices of this data plane are opened with: one for each worker, if its backend reads more than one.
    #[must_use]
    pub const fn queues(&self) -> Queues {
        match (self.workers, self.backend) {
            (0 | 1, _) | (_, BackendKind::Tokio) => Queues::One,
            (workers, BackendKind::Auto | BackendKind::Epoll | BackendKind::Uring) => {
                Queues::PerWorker { workers, seed: self.seed }
            }
        }
    }
}
