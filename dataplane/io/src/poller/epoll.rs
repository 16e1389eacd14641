//! Readiness from epoll, edge-triggered: a device is reported once and stays on the list until it is drained.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use wire::Buffer;

use super::ready::{Devices, ReadyList};
use super::{Backend, Waker};
use crate::pool::BufferPool;
use crate::tun::Tun;

pub(super) struct EpollBackend {
    waker: Waker,
    watched: Watched,
    ready: ReadyList,
    events: Vec<EpollEvent>,
}

impl EpollBackend {
    pub(super) fn new(waker: &Waker) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(waker, EpollEvent::new(EpollFlags::EPOLLIN, WAKER))?;
        Ok(Self {
            waker: waker.clone(),
            watched: Watched { epoll, devices: BTreeMap::new() },
            ready: ReadyList::default(),
            events: vec![EpollEvent::empty(); EVENTS],
        })
    }

    fn handle_event(&mut self, data: u64) {
        // An event that was under way when its device was detached finds no device.
        let Ok(token) = u32::try_from(data) else { return self.waker.lower() };
        let Some(device) = self.watched.devices.get_mut(&token) else { return };
        if device.state == State::Drained {
            device.state = State::Ready;
            self.ready.push(token);
        }
    }
}

impl Backend for EpollBackend {
    fn attach(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()> {
        if self.watched.devices.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        self.watched.epoll.add(tun.queue(queue), EpollEvent::new(interest, u64::from(token)))?;
        self.watched.devices.insert(token, Device { tun, queue, state: State::Drained });
        Ok(())
    }

    fn detach(&mut self, token: u32) -> io::Result<()> {
        self.ready.remove(token);
        self.watched.remove(token)
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = if self.ready.is_empty() { milliseconds(timeout) } else { EpollTimeout::ZERO };
        let count = match self.watched.epoll.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(errno.into()),
        };
        for at in 0..count {
            self.handle_event(self.events[at].data());
        }
        Ok(())
    }

    fn read(
        &mut self,
        budget: usize,
        pool: &mut BufferPool,
        out: &mut Vec<(u32, Buffer)>,
    ) -> io::Result<usize> {
        Ok(self.ready.read(&mut self.watched, budget, pool, out))
    }

    fn take_lost(&mut self) -> Vec<(u32, io::Error)> {
        self.ready.take_lost()
    }
}

/// The attached devices and the epoll instance that watches them.
struct Watched {
    epoll: Epoll,
    devices: BTreeMap<u32, Device>,
}

struct Device {
    tun: Arc<Tun>,
    queue: u16,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next packet raises an event.
    Drained,
    /// On the ready list.
    Ready,
}

impl Watched {
    fn remove(&mut self, token: u32) -> io::Result<()> {
        let device = self.devices.remove(&token).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.epoll.delete(device.tun.queue(device.queue))?)
    }
}

impl Devices for Watched {
    fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let device = self.devices.get_mut(&token).ok_or(io::ErrorKind::NotFound)?;
        let outcome = device.tun.read(device.queue, buffer);
        if let Ok(None) = outcome {
            device.state = State::Drained;
        }
        outcome
    }

    fn lose(&mut self, token: u32) {
        // The descriptor closes with the device's last owner and leaves epoll then at the latest.
        let _ = self.remove(token);
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

#[cfg(test)]
mod tests {
    use super::*;

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
