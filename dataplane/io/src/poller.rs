//! The seam between a worker and the kernel: what wakes it, and what gives it packets.
//!
//! A worker builds its backend on its own thread ([`BackendKind::build`]) and is the only one to use it; others
//! reach it through its [`Waker`]. The loop is: [`Backend::wait`], then [`Backend::read`] until a batch is full or
//! nothing comes, and work. What leaves goes through a [`crate::Outbox`].

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use wire::Buffer;

use crate::pool::BufferPool;
use crate::tun::{Opener, Tun};

mod epoll;
mod ready;
#[cfg(feature = "tokio")]
mod tokio;
mod uring;
mod waker;

pub use waker::Waker;

/// What wakes a worker and gives it packets: one for each worker, built and used on the worker's thread.
///
/// - input: [`Self::attach`], [`Self::detach`]
/// - the loop: [`Self::wait`], [`Self::read`], [`Self::take_lost`]
///
/// Writing needs no backend: see [`crate::Outbox`].
pub trait Backend {
    /// From now on this worker reads a queue of `tun`, whose packets carry `token`: the attachment's index.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the token is in use; `InvalidInput` when the device has no such queue; `Unsupported` when the
    /// backend cannot read it; else what the kernel answers.
    fn attach(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()>;

    /// Reads the queue no more; packets that wait in it stay there, those that the backend has fetched already are gone.
    ///
    /// # Errors
    ///
    /// `NotFound` when the token is not attached, as after [`Self::take_lost`] named it.
    fn detach(&mut self, token: u32) -> io::Result<()>;

    /// Waits until a device has packets, the waker was used, or the time is over. May return early, and returns at once
    /// while [`Self::read`] has left packets behind or [`Self::take_lost`] has something to tell. `None` waits without limit; zero
    /// only looks. Parts of a millisecond may count as a whole one.
    ///
    /// Any other time is for a worker that goes to sleep: a backend may prepare for that at some cost, and forget which devices were
    /// busy.
    ///
    /// # Errors
    ///
    /// What the kernel answers: the backend can no longer be used.
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Reads at most `budget` packets into buffers of `pool`, appends them to `out` with their device's token, and
    /// returns how many; fewer when they are long. Devices with packets take turns, so that none starves; one device's packets keep their
    /// order. What [`Self::wait`] has seen is read, and more where a backend knows that there may be more.
    ///
    /// A device that is gone is detached and named by [`Self::take_lost`]; the rest go on. A read that fails otherwise costs
    /// the packet it was to fetch, and no round lasts longer for it; nobody is told, and the device is read on.
    ///
    /// # Errors
    ///
    /// What the kernel answers: the backend can no longer be used.
    fn read(
        &mut self,
        budget: usize,
        pool: &mut BufferPool,
        out: &mut Vec<(u32, Buffer)>,
    ) -> io::Result<usize>;

    /// The devices that were lost since the last call, in the order they were. They are detached already.
    /// [`crate::tun::trouble`] explains the error.
    fn take_lost(&mut self) -> Vec<(u32, io::Error)>;
}

/// The backends to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackendKind {
    /// The best one that works here.
    #[default]
    Auto,
    /// Readiness from epoll; one system call for each packet, or for 16 of a device that gives more than its worker can take where the
    /// kernel can do that (Linux 6.4, with `io_uring` allowed).
    Epoll,
    /// Devices made by tokio-tun, readiness from a tokio reactor: the portable one.
    Tokio,
    /// Reads through `io_uring`; writes like the others.
    Uring,
}

impl BackendKind {
    /// The kinds that name a backend, best first. Rings save system calls where packets come one by one, but super-packets
    /// go faster through buffers that the worker has just used (docs/performance.md has the comparison).
    pub const CONCRETE: [Self; 3] = [Self::Epoll, Self::Uring, Self::Tokio];

    /// Builds the backend. To be called on the thread that will use it.
    ///
    /// # Errors
    ///
    /// [`BackendError`].
    pub fn build(self, waker: &Waker) -> Result<Box<dyn Backend>, BackendError> {
        match self {
            Self::Auto => self.resolve()?.build(waker),
            Self::Epoll => Ok(Box::new(epoll::EpollBackend::new(waker)?)),
            #[cfg(feature = "tokio")]
            Self::Tokio => Ok(Box::new(tokio::TokioBackend::new(waker)?)),
            #[cfg(not(feature = "tokio"))]
            Self::Tokio => Err(BackendError::NotBuilt(self)),
            Self::Uring => Ok(Box::new(uring::UringBackend::new(waker)?)),
        }
    }

    /// The backend this kind stands for on this machine: itself, or for [`Self::Auto`] the best one that works.
    ///
    /// # Errors
    ///
    /// Why the kind does not work here; for [`Self::Auto`], why the last one does not.
    pub fn resolve(self) -> Result<Self, BackendError> {
        if self != Self::Auto {
            return self.probe().map(|()| self);
        }
        let mut last = Err(BackendError::NotBuilt(self));
        for kind in Self::CONCRETE {
            match kind.probe() {
                Ok(()) => return Ok(kind),
                Err(error) => last = Err(error),
            }
        }
        last
    }

    /// How devices for this backend are opened.
    #[must_use]
    pub const fn opener(self) -> Opener {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => Opener::TokioTun,
            #[cfg(not(feature = "tokio"))]
            Self::Tokio => Opener::Direct,
            Self::Auto | Self::Epoll | Self::Uring => Opener::Direct,
        }
    }

    /// Builds the backend and throws it away.
    fn probe(self) -> Result<(), BackendError> {
        self.build(&Waker::new()?).map(drop)
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Epoll => "epoll",
            Self::Tokio => "tokio",
            Self::Uring => "uring",
        })
    }
}

impl FromStr for BackendKind {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        let known = [Self::Auto].into_iter().chain(Self::CONCRETE);
        let found = known.into_iter().find(|kind| kind.to_string() == name);
        found.ok_or_else(|| BackendError::Unknown(name.to_owned()))
    }
}

/// Why there is no such backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The program was compiled without it.
    #[error("the {0} backend is not in this build (cargo feature `tokio`)")]
    NotBuilt(BackendKind),
    /// The kernel refuses what it needs.
    #[error("the kernel refuses what the backend needs: {0}")]
    Refused(#[from] io::Error),
    /// No backend has that name.
    #[error("no backend is called {0:?}; there are auto, epoll, uring and tokio")]
    Unknown(String),
}

/// Tries every backend: which work here, and why the others do not. Best first.
#[must_use]
pub fn probe() -> Vec<(BackendKind, Result<(), BackendError>)> {
    BackendKind::CONCRETE.into_iter().map(|kind| (kind, kind.probe())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_the_name_it_prints() {
        for kind in [BackendKind::Auto, BackendKind::Epoll, BackendKind::Tokio, BackendKind::Uring] {
            assert_eq!(kind.to_string().parse::<BackendKind>().expect("known"), kind);
        }
        let unknown = "kqueue".parse::<BackendKind>().expect_err("unknown");
        assert!(unknown.to_string().contains("auto, epoll, uring and tokio"), "{unknown}");
    }

    #[test]
    fn auto_takes_the_best_backend_that_works() {
        let works: Vec<_> = probe().into_iter().filter(|(_, result)| result.is_ok()).collect();
        let best = BackendKind::Auto.resolve().expect("epoll always works");
        assert_eq!(works.first().map(|(kind, _)| *kind), Some(best));
    }
}
