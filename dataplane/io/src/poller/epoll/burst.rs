//! Packets of a device that has more than its worker can take, read many with one system call.

use std::os::fd::AsFd;

use wire::Buffer;

use crate::poller::ready;
use crate::sys_uring_burst::{BURST, BurstRing};
use crate::tun::Tun;

/// Packets of one device that are read and not taken yet.
///
/// They are copied out one by one: a copy of a short packet costs less than the call that it would need otherwise, and the memory
/// that the kernel knows stays in its place.
#[derive(Default)]
pub(super) struct Burst {
    ring: Ring,
    /// Whose packets they are; nobody's when all are taken and nothing is known of the device.
    of: Option<u32>,
    /// The slot to take next.
    next: usize,
}

#[derive(Default)]
enum Ring {
    /// Nobody has needed it.
    #[default]
    Unmade,
    Ready(Box<BurstRing>),
    /// The kernel cannot, or this program may not: every packet has a call of its own.
    Refused,
}

/// What a burst has for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A packet with so many bytes.
    Packet(usize),
    /// The device had no more when it was read.
    Dry,
    /// Nothing is known: ask the device.
    Unknown,
}

impl Burst {
    /// Copies the device's next packet into the buffer, which is emptied first.
    pub(super) fn next(&mut self, token: u32, tun: &Tun, buffer: &mut Buffer) -> Next {
        let (Ring::Ready(ring), true) = (&self.ring, self.of == Some(token)) else { return Next::Unknown };
        // A read that failed has left no packet; what came behind it counts.
        while self.next < BURST {
            self.next += 1;
            if let Some(packet) = ring.packet(self.next - 1) {
                tun.take_copy(packet, buffer);
                return Next::Packet(buffer.len());
            }
        }
        self.of = None;
        if ring.packet(BURST - 1).is_some() { Next::Unknown } else { Next::Dry }
    }

    /// Reads packets of a device, unless some of another one are left.
    pub(super) fn fetch(&mut self, token: u32, file: &impl AsFd) {
        if self.of.is_some() {
            return;
        }
        if let Ring::Unmade = self.ring {
            self.ring = BurstRing::new().map_or(Ring::Refused, |ring| Ring::Ready(Box::new(ring)));
        }
        let Ring::Ready(ring) = &mut self.ring else { return };
        match ring.read(file) {
            Ok(()) => (self.of, self.next) = (Some(token), 0),
            // It is of no use any more.
            Err(_) => self.ring = Ring::Refused,
        }
    }

    /// Forgets the packets of a device that is read no more.
    pub(super) fn forget(&mut self, token: u32) {
        if self.of == Some(token) {
            self.of = None;
        }
    }
}

/// A burst that a device's turn began, the same turn uses up, so that the next device can have one; unless the round ends first.
const _: () = assert!(BURST == ready::TURN);

#[cfg(test)]
mod tests;
