//! The attached devices: most are watched by epoll, the hottest few are read without it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use wire::Buffer;

use super::burst::{Burst, Next};
use super::heat::Heat;
use crate::poller::ready::Devices;
use crate::tun::Tun;

/// All devices of one worker.
///
/// A hot device is not in the epoll instance, so its guests' packets raise no events that nobody needs: as a network
/// driver masks interrupts while it polls (NAPI).
pub(super) struct Watched {
    epoll: Epoll,
    devices: BTreeMap<u32, Device>,
    /// Tokens of the hot devices, the one whose turn is next in front.
    hot: VecDeque<u32>,
    /// How often the worker has gone to sleep.
    sleeps: u64,
    burst: Burst,
}

struct Device {
    tun: Arc<Tun>,
    queue: u16,
    heat: Heat,
    watch: Watch,
    /// Whether it is on the ready list.
    listed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// The next packet of a drained device raises an event.
    Epoll,
    /// Nobody tells of its packets.
    Hot,
}

impl Device {
    fn file(&self) -> io::Result<BorrowedFd<'_>> {
        self.tun.queue_to_read(self.queue)
    }

    /// Reads a packet, or takes one that was read with others.
    fn next(&self, token: u32, burst: &mut Burst, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let mut next = burst.next(token, &self.tun, buffer);
        if next == Next::Unknown && self.watch == Watch::Hot && self.heat.floods() {
            burst.fetch(token, &self.file()?);
            next = burst.next(token, &self.tun, buffer);
        }
        match next {
            Next::Packet(length) => Ok(Some(length)),
            Next::Dry => Ok(None),
            Next::Unknown => self.tun.read(self.queue, buffer),
        }
    }

    fn watch(&self, epoll: &Epoll, token: u32) -> io::Result<()> {
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        Ok(epoll.add(self.file()?, EpollEvent::new(interest, u64::from(token)))?)
    }

    fn unwatch(&self, epoll: &Epoll) -> io::Result<()> {
        Ok(epoll.delete(self.file()?)?)
    }

    /// Leaves epoll if it is busy enough. What epoll will not let go of, it goes on watching.
    fn becomes_hot(&mut self, epoll: &Epoll) -> bool {
        let leaves = self.watch == Watch::Epoll && self.heat.is_hot() && self.unwatch(epoll).is_ok();
        if leaves {
            self.watch = Watch::Hot;
        }
        leaves
    }

    /// Comes back to epoll, which tells at once of packets that have come before. If that fails, it is cold again only after
    /// as many silences.
    fn cool(&mut self, epoll: &Epoll, token: u32) -> io::Result<()> {
        self.heat.reset();
        self.watch(epoll, token)?;
        self.watch = Watch::Epoll;
        Ok(())
    }
}

impl Watched {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { epoll, devices: BTreeMap::new(), hot: VecDeque::new(), sleeps: 0, burst: Burst::default() })
    }

    /// Watches what is no device: it is told of as long as it is readable.
    pub(super) fn watch_other(&self, file: impl AsFd, data: u64) -> io::Result<()> {
        Ok(self.epoll.add(file, EpollEvent::new(EpollFlags::EPOLLIN, data))?)
    }

    pub(super) fn add(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()> {
        if self.devices.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let device = Device { tun, queue, heat: Heat::default(), watch: Watch::Epoll, listed: false };
        device.watch(&self.epoll, token)?;
        self.devices.insert(token, device);
        Ok(())
    }

    pub(super) fn remove(&mut self, token: u32) -> io::Result<()> {
        let device = self.devices.remove(&token).ok_or(io::ErrorKind::NotFound)?;
        self.burst.forget(token);
        match device.watch {
            Watch::Epoll => device.unwatch(&self.epoll),
            Watch::Hot => {
                self.hot.retain(|hot| *hot != token);
                Ok(())
            }
        }
    }

    pub(super) fn wait(&self, events: &mut [EpollEvent], timeout: EpollTimeout) -> nix::Result<usize> {
        self.epoll.wait(events, timeout)
    }

    pub(super) fn has_hot(&self) -> bool {
        !self.hot.is_empty()
    }

    /// Whether the device is to be put on the ready list now. An event that was under way when its device was detached
    /// finds none.
    pub(super) fn list(&mut self, token: u32) -> bool {
        let device = self.devices.get_mut(&token);
        device.is_some_and(|device| !std::mem::replace(&mut device.listed, true))
    }

    /// The hot device whose turn it is, if it is to be put on the ready list now.
    pub(super) fn list_hot(&mut self) -> Option<u32> {
        let token = *self.hot.front()?;
        self.hot.rotate_left(1);
        self.list(token).then_some(token)
    }

    /// Has epoll watch all devices again, before the worker sleeps. Returns those that it cannot watch.
    pub(super) fn cool_all(&mut self) -> Vec<(u32, io::Error)> {
        self.sleeps += 1;
        let hot = std::mem::take(&mut self.hot);
        hot.into_iter().filter_map(|token| Some((token, self.cool(token).err()?))).collect()
    }

    fn cool(&mut self, token: u32) -> io::Result<()> {
        self.devices.get_mut(&token).ok_or(io::ErrorKind::NotFound)?.cool(&self.epoll, token)
    }
}

impl Devices for Watched {
    fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let Some(device) = self.devices.get_mut(&token) else { return Ok(None) };
        if device.watch == Watch::Hot && device.heat.take_a_break() {
            device.listed = false;
            return Ok(None);
        }
        let outcome = device.next(token, &mut self.burst, buffer)?;
        if let Some(length) = outcome {
            device.heat.gave(self.sleeps, length);
            if self.hot.len() < HOTTEST && device.becomes_hot(&self.epoll) {
                self.hot.push_back(token);
            }
        } else {
            device.listed = false;
            device.heat.was_silent();
            // What epoll has no room for stays hot: as long as the worker does not sleep, nobody needs to tell it.
            if device.watch == Watch::Hot && device.heat.is_cold() && device.cool(&self.epoll, token).is_ok()
            {
                self.hot.retain(|hot| *hot != token);
            }
        }
        Ok(outcome)
    }

    fn lose(&mut self, token: u32) {
        // The descriptor closes with the device's last owner and leaves epoll then at the latest.
        let _ = self.remove(token);
    }
}

/// Devices that may be hot at a time: few enough that each has its turn again soon, within a microsecond or two where
/// all are silent.
const HOTTEST: usize = 4;

#[cfg(test)]
pub(super) mod tests;
