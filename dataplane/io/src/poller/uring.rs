//! Packets by `io_uring`: the kernel reads devices into the worker's buffers while the worker waits or looks, many packets
//! for each system call. Writes are plain ones.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use wire::Buffer;

use super::ready::{Devices, ReadyList};
use super::{Backend, Waker};
use crate::pool::BufferPool;
use crate::sys_uring::{Completion, Outcome, ReadRing, Request};
use crate::tun::{self, Tun};

pub(super) struct UringBackend {
    waker: Waker,
    /// Whether the ring watches the waker.
    waking: Request,
    watched: Watched,
    ready: ReadyList,
}

impl UringBackend {
    pub(super) fn new(waker: &Waker) -> io::Result<Self> {
        let mut ring = ReadRing::new()?;
        ring.watch(waker, WAKER)?;
        let watched =
            Watched { ring, devices: BTreeMap::new(), stalled: VecDeque::new(), turn: 0, attached: 0 };
        let waker = waker.clone();
        Ok(Self { waker, waking: Request::GoesOn, watched, ready: ReadyList::default() })
    }

    /// Begins what has ended or not begun yet. What cannot be begun now stays for the next time.
    fn resume(&mut self) -> io::Result<()> {
        if self.waking == Request::Ended {
            self.watched.ring.watch(&self.waker, WAKER)?;
            self.waking = Request::GoesOn;
        }
        self.watched.resume()
    }

    fn handle_completions(&mut self) {
        while let Some(completion) = self.watched.ring.complete() {
            self.handle(completion);
        }
    }

    fn handle(&mut self, completion: Completion) {
        if completion.key == WAKER {
            self.waker.lower();
            self.waking = completion.request;
            return;
        }
        let token = completion.key as u32; // the low half
        let attached = self.watched.devices.get_mut(&token);
        match (attached.filter(|device| device.key == completion.key), completion.outcome) {
            // A completion that was under way when its device was detached finds no device.
            (None, Outcome::Packet(buffer)) => self.watched.ring.lend(buffer),
            (None, Outcome::Event | Outcome::Failed(_)) => {}
            (Some(device), Outcome::Packet(mut packet)) => {
                device.tun.take_header(&mut packet);
                device.arrived.push_back(packet);
                if device.state == State::Drained {
                    device.state = State::Ready;
                    self.ready.push(token);
                }
                self.watched.note(token, completion.request);
            }
            (Some(_), Outcome::Failed(error)) if tun::is_gone(&error) => {
                self.ready.lose(&mut self.watched, token, error);
            }
            // A read that failed otherwise, as for want of a buffer, is begun again.
            (Some(_), Outcome::Event | Outcome::Failed(_)) => self.watched.note(token, completion.request),
        }
    }
}

impl Backend for UringBackend {
    fn attach(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()> {
        if self.watched.devices.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        tun.queue_to_read(queue)?;
        self.watched.attached = self.watched.attached.wrapping_add(1);
        let key = u64::from(self.watched.attached) << 32 | u64::from(token);
        let device = Device { tun, queue, key, arrived: VecDeque::new(), state: State::Drained };
        self.watched.devices.insert(token, device);
        self.watched.stalled.push_back(token);
        Ok(())
    }

    fn detach(&mut self, token: u32) -> io::Result<()> {
        self.ready.remove(token);
        self.watched.remove(token)
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = limit(self.resume(), self.ready.is_idle(), timeout)?;
        self.watched.ring.enter(timeout)?;
        self.handle_completions();
        // A read that has just begun fetches one packet, and the others only when the kernel is entered again.
        self.watched.ring.enter(Some(Duration::ZERO))?;
        self.handle_completions();
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

/// How long a wait may last: not at all while there is something to do, or when a request has to be tried again.
fn limit(resumed: io::Result<()>, idle: bool, timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    match resumed {
        Ok(()) if idle => Ok(timeout),
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        Ok(()) | Err(_) => Ok(Some(Duration::ZERO)),
    }
}

/// The attached devices and the ring that reads them.
struct Watched {
    ring: ReadRing,
    devices: BTreeMap<u32, Device>,
    /// Devices whose read has not begun, or has ended, as when no buffer was left.
    stalled: VecDeque<u32>,
    turn: usize,
    /// Counts attachments, so that a late completion is not taken for one of the token's next device.
    attached: u32,
}

struct Device {
    tun: Arc<Tun>,
    queue: u16,
    key: u64,
    /// Packets that the kernel has read and the worker has not taken.
    arrived: VecDeque<Buffer>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Off the ready list.
    Drained,
    /// On the ready list.
    Ready,
}

impl Watched {
    fn note(&mut self, token: u32, request: Request) {
        if request == Request::Ended {
            self.stalled.push_back(token);
        }
    }

    /// Begins the reads that wait for it, if there is a buffer to read into. One that fails is still there, as are those
    /// behind it.
    fn resume(&mut self) -> io::Result<()> {
        if !self.ring.has_lent() {
            return Ok(());
        }
        // The device whose read begins first may take all buffers: each has its turn at that.
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn % self.stalled.len().max(1);
        self.stalled.rotate_left(first);
        while let Some(token) = self.stalled.front() {
            if let Some(device) = self.devices.get(token) {
                self.ring.read(&device.tun.queue_to_read(device.queue)?, device.key)?;
            }
            self.stalled.pop_front();
        }
        Ok(())
    }

    fn remove(&mut self, token: u32) -> io::Result<()> {
        let device = self.devices.remove(&token).ok_or(io::ErrorKind::NotFound)?;
        self.stalled.retain(|stalled| *stalled != token);
        device.arrived.into_iter().for_each(|packet| self.ring.lend(packet));
        self.ring.cancel(device.key)
    }
}

impl Devices for Watched {
    /// Trades the empty buffer, which the kernel gets, for the next packet.
    fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let Some(device) = self.devices.get_mut(&token) else { return Ok(None) };
        let Some(packet) = device.arrived.pop_front() else {
            device.state = State::Drained;
            return Ok(None);
        };
        let length = packet.len();
        self.ring.lend(std::mem::replace(buffer, packet));
        Ok(Some(length))
    }

    fn lose(&mut self, token: u32) {
        // The read has ended; if it has not, it ends with the device.
        let _ = self.remove(token);
    }
}

/// Key of the waker's request. No device has it: its low half is no token, as an attachment's index is.
const WAKER: u64 = u64::MAX;

#[cfg(test)]
mod tests;
