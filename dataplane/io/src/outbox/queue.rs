//! The chains of one batch, in the order they began.

use std::sync::Arc;

use wire::Buffer;

use super::chain::{Chain, Device, Relation};
use super::segment::Segment;
use crate::pool::BufferPool;

/// Packets on their way to devices.
#[derive(Debug)]
pub(super) struct Queue<D> {
    chains: Vec<Chain<D>>,
    /// Empty lists that had been part of a chain.
    lists: Vec<Vec<Buffer>>,
}

impl<D> Default for Queue<D> {
    fn default() -> Self {
        Self { chains: Vec::new(), lists: Vec::new() }
    }
}

impl<D: Device> Queue<D> {
    pub(super) fn push(&mut self, device: &Arc<D>, from: u32, packet: Buffer, pool: &mut BufferPool) {
        let segment = Segment::read(&packet);
        let joined = match &segment {
            Some(segment) => match self.youngest(device, &packet, segment) {
                Some(chain) => chain.join(from, packet, segment, pool),
                None => Err(packet),
            },
            None => Err(packet),
        };
        if let Err(packet) = joined {
            let list = self.lists.pop().unwrap_or_default();
            self.chains.push(Chain::new(Arc::clone(device), from, packet, segment, list));
        }
    }

    /// Empties the queue through `send`, and gives the buffers back to `pool`.
    pub(super) fn drain(&mut self, pool: &mut BufferPool, mut send: impl FnMut(&mut Chain<D>)) {
        for mut chain in self.chains.drain(..) {
            send(&mut chain);
            pool.give(chain.head);
            chain.rest.drain(..).for_each(|part| pool.give(part));
            self.lists.push(chain.rest);
        }
    }

    /// The last chain that a packet of this flow must not overtake.
    fn youngest(&mut self, device: &Arc<D>, packet: &Buffer, segment: &Segment) -> Option<&mut Chain<D>> {
        let mut recent = self.chains.iter_mut().rev().take(LOOK_BACK);
        recent.find(|chain| chain.relation(device, packet, segment) == Relation::Ordered)
    }
}

/// Chains looked through for a packet's flow; beyond, it begins a new one, which is always right. As many as a batch has
/// packets.
const LOOK_BACK: usize = 64;
