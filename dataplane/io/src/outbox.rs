//! What leaves in one batch: neighbours of one flow are coalesced into super-packets, so that one write carries many.
//!
//! Order within a flow is kept by construction: chains are written in the order they began, and a packet joins only the
//! youngest chain that holds packets of its flow to its device. If it cannot join that one, it begins a younger one.
//! A packet that shows no flow (a fragment, IP options, another protocol) stands between everything before and
//! after it to the same device.
//!
//! What the receiver gets is, cut again, the very packets: headers must agree in every field that cutting copies, and
//! follow each other in every field that cutting counts up.

mod chain;
mod queue;
mod segment;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use wire::{Buffer, SegmentKind};

use crate::pool::BufferPool;
use crate::tun::{self, Tun};
use chain::{Chain, Device};
use queue::Queue;

/// Packets on their way to devices, held back until [`Self::flush`].
#[derive(Debug, Default)]
pub struct Outbox {
    queue: Queue<Tun>,
    failed: Vec<(u32, Buffer)>,
    /// Through which queue of each device.
    through: u16,
}

impl Outbox {
    /// An outbox that writes through this queue of every device; [`Self::default`] through queue 0.
    #[must_use]
    pub fn through(queue: u16) -> Self {
        Self { through: queue, ..Self::default() }
    }

    /// Takes a packet that came from the attachment `from` and leaves through `tun`.
    pub fn push(&mut self, tun: &Arc<Tun>, from: u32, packet: Buffer, pool: &mut BufferPool) {
        self.queue.push(tun, from, packet, pool);
    }

    /// Counts a packet among the failed ones untried, as when its device is gone.
    pub fn refuse(&mut self, from: u32, packet: &Buffer) {
        self.failed.extend(tun::singles(packet, &[]).into_iter().map(|single| (from, single)));
    }

    /// Writes everything, and gives the buffers back to `pool`.
    pub fn flush(&mut self, pool: &mut BufferPool) {
        let (failed, through) = (&mut self.failed, self.through);
        self.queue.drain(pool, |Chain { device, from, head, rest, .. }| {
            device.send(through, head, rest, |packet, _| failed.push((*from, packet)));
        });
    }

    /// The packets that the kernel refused since the last call, each with the attachment it came from. Packets that
    /// were to leave in one write are here one by one, as they would have been on the wire.
    pub fn take_failed(&mut self) -> Vec<(u32, Buffer)> {
        std::mem::take(&mut self.failed)
    }
}

impl Device for Tun {
    fn segments(&self, kind: SegmentKind) -> u16 {
        self.segments(kind)
    }
}
