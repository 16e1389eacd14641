//! Waking a worker from another thread.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::eventfd::{EfdFlags, EventFd};

/// Ends a worker's [`wait`](super::Backend::wait) from any thread. Clones wake the same worker.
///
/// Calls between two waits count as one and cost one system call together. What a thread wrote before it woke the
/// worker is visible to the worker after the wait.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    event: EventFd,
    /// The event is raised and the worker has not seen it.
    raised: AtomicBool,
}

impl Waker {
    /// A waker for one worker, to be given to its backend.
    ///
    /// # Errors
    ///
    /// What the kernel answers, as when the process may open no more files.
    pub fn new() -> io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self(Arc::new(Shared { event, raised: AtomicBool::new(false) })))
    }

    /// Ends the current wait, or the next one.
    pub fn wake(&self) {
        if !self.0.raised.swap(true, Ordering::AcqRel) {
            // An eventfd refuses a write only when its counter is full, and then the worker is awake anyway.
            let _ = self.0.event.write(1);
        }
    }

    /// Takes note that the worker is awake.
    ///
    /// The event is emptied before the flag: a call of [`Self::wake`] in between leaves no event, but the swap
    /// below then reads what that call wrote, and the worker looks for work after this.
    pub(super) fn lower(&self) {
        // Empty already when two waits saw one event.
        let _ = self.0.event.read();
        self.0.raised.swap(false, Ordering::AcqRel);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}

impl AsRawFd for Waker {
    fn as_raw_fd(&self) -> RawFd {
        self.0.event.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_before_the_worker_looks_count_as_one() {
        let waker = Waker::new().expect("eventfd");
        let other = waker.clone();
        waker.wake();
        other.wake();
        assert_eq!(waker.0.event.read(), Ok(1));
        waker.lower();
        waker.wake();
        assert_eq!(waker.0.event.read(), Ok(1));
    }
}
