//! Readiness from epoll, edge-triggered: a device is reported once and stays on the list until it is drained. Devices that
//! are busy all the time are not reported at all: they have their turns anyway, and those that give more than the worker can take are
//! read in bursts.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollTimeout};
use wire::Buffer;

use super::ready::ReadyList;
use super::{Backend, Waker};
use crate::pool::BufferPool;
use crate::tun::Tun;

mod burst;
mod heat;
mod watched;

use watched::Watched;

pub(super) struct EpollBackend {
    waker: Waker,
    watched: Watched,
    ready: ReadyList,
    events: Vec<EpollEvent>,
    /// Looks that did without epoll since the last one that did not.
    skipped: u32,
    /// Packets that the last round has read.
    last_read: usize,
}

impl EpollBackend {
    pub(super) fn new(waker: &Waker) -> io::Result<Self> {
        let watched = Watched::new()?;
        watched.watch_other(waker, WAKER)?;
        Ok(Self {
            waker: waker.clone(),
            watched,
            ready: ReadyList::default(),
            events: vec![EpollEvent::empty(); EVENTS],
            skipped: 0,
            last_read: 0,
        })
    }

    fn handle_event(&mut self, data: u64) {
        let Ok(token) = u32::try_from(data) else { return self.waker.lower() };
        if self.watched.list(token) {
            self.ready.push(token);
        }
    }

    /// Decides whether a look may do with the hot devices. After a round with many packets the question costs little.
    const fn skip_epoll(&mut self, has_hot: bool) -> bool {
        let skips = has_hot && self.last_read < FEW && self.skipped < SKIPS;
        self.skipped = if skips { self.skipped + 1 } else { 0 };
        skips
    }

    fn ask_epoll(&mut self, timeout: EpollTimeout) -> io::Result<()> {
        let count = match self.watched.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(errno.into()),
        };
        for at in 0..count {
            self.handle_event(self.events[at].data());
        }
        Ok(())
    }
}

impl Backend for EpollBackend {
    fn attach(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()> {
        self.watched.add(token, tun, queue)
    }

    fn detach(&mut self, token: u32) -> io::Result<()> {
        self.ready.remove(token);
        self.watched.remove(token)
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) || !self.ready.is_idle() {
            return match self.skip_epoll(self.watched.has_hot()) {
                true => Ok(()),
                false => self.ask_epoll(EpollTimeout::ZERO),
            };
        }
        for (token, error) in self.watched.cool_all() {
            self.ready.lose(&mut self.watched, token, error);
        }
        self.ask_epoll(if self.ready.is_idle() { milliseconds(timeout) } else { EpollTimeout::ZERO })
    }

    fn read(
        &mut self,
        budget: usize,
        pool: &mut BufferPool,
        out: &mut Vec<(u32, Buffer)>,
    ) -> io::Result<usize> {
        // Who cannot read must not find a device on the list, or he would never sleep.
        if budget > 0
            && let Some(token) = self.watched.list_hot()
        {
            self.ready.push(token);
        }
        self.last_read = self.ready.read(&mut self.watched, budget, pool, out);
        Ok(self.last_read)
    }

    fn take_lost(&mut self) -> Vec<(u32, io::Error)> {
        self.ready.take_lost()
    }
}

/// Whole milliseconds, rounded up so that a deadline is never met early by a busy loop.
fn milliseconds(timeout: Option<Duration>) -> EpollTimeout {
    let Some(timeout) = timeout else { return EpollTimeout::NONE };
    EpollTimeout::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(EpollTimeout::MAX)
}

/// Event data of the waker; devices have their token, which is 32 bits.
const WAKER: u64 = u64::MAX;

/// Events fetched by one system call; what is beyond comes first the next time.
const EVENTS: usize = 256;

/// Looks in a row that may do without epoll: what is not hot waits for a few short rounds.
const SKIPS: u32 = 3;

/// A round with fewer packets is over so soon that asking epoll would be a good part of it.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::watched::tests::{add_hot, refuse};
    use super::*;

    #[test]
    fn a_device_that_cannot_be_watched_is_told_of_before_the_sleep() {
        let (answer, answers) = mpsc::channel();
        let waker = Waker::new().expect("eventfd");
        let mut backend = EpollBackend::new(&waker).expect("epoll");
        let worker = thread::spawn(move || {
            let tun = add_hot(&mut backend.watched, 3);
            refuse(&backend.watched, &tun);
            backend.wait(None).expect("wait");
            answer.send(backend.take_lost()).expect("the test waits");
        });
        let lost = answers.recv_timeout(Duration::from_secs(30));
        waker.wake();
        worker.join().expect("the worker ends");
        assert!(matches!(lost.expect("it does not sleep")[..], [(3, _)]));
    }

    #[test]
    fn a_timeout_is_rounded_up_to_milliseconds() {
        let of = |timeout| i32::from(milliseconds(timeout));
        assert_eq!(of(None), -1);
        assert_eq!(of(Some(Duration::ZERO)), 0);
        assert_eq!(of(Some(Duration::from_nanos(1))), 1);
        assert_eq!(of(Some(Duration::from_millis(250))), 250);
        assert_eq!(of(Some(Duration::MAX)), i32::MAX);
    }
}
