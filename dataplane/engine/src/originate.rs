//! Packets that the engine makes itself: ICMP errors from the implicit router.

use std::collections::{BTreeMap, VecDeque};

use snapshot::{Attachment, InterfaceIx, Snapshot};
use wire::{Buffer, Parsed};

use crate::{Time, limits};

/// Packets to send, and how many errors each interface was sent of late.
#[derive(Debug)]
pub(crate) struct Originator {
    outbox: VecDeque<(Attachment, Buffer)>,
    /// Errors sent in the second of the first field.
    sent: BTreeMap<InterfaceIx, (u64, u32)>,
    /// This worker's share of [`limits::ICMP_ERRORS_PER_SECOND`].
    budget: u32,
}

/// An error ready to be judged on its way in.
pub(crate) struct Composed {
    pub(crate) to: InterfaceIx,
    pub(crate) buffer: Buffer,
    pub(crate) parsed: Parsed,
}

impl Originator {
    pub(crate) fn new(workers: u16) -> Self {
        let budget = (limits::ICMP_ERRORS_PER_SECOND / u32::from(workers)).max(1);
        Self { outbox: VecDeque::new(), sent: BTreeMap::new(), budget }
    }

    /// Tells the sender of an oversize packet the MTU (MT-05), unless it was told enough of late.
    ///
    /// The error comes from the router of the subnet that the packet left and goes to whoever owns the packet's source.
    pub(crate) fn too_big(
        &mut self,
        snapshot: &Snapshot,
        from: InterfaceIx,
        packet: &Buffer,
        parsed: &Parsed,
        mtu: u16,
        now: Time,
    ) -> Option<Composed> {
        let sender = snapshot.interface(from)?;
        let router = snapshot.subnet(sender.subnet)?.router_for(parsed.tuple.src)?;
        let to = snapshot.vpc(sender.vpc)?.owner_of(parsed.tuple.src).unwrap_or(from);
        if !self.take_budget(to, now) {
            return None;
        }
        // What was too long is the first packet of a super-packet, not the whole.
        let first = wire::segment(packet.bytes(), parsed, packet.offload()).into_iter().next()?;
        let buffer = wire::compose::too_big(first.bytes(), &wire::parse(first.bytes()).ok()?, router, mtu)?;
        let parsed = wire::parse(buffer.bytes()).ok()?;
        Some(Composed { to, buffer, parsed })
    }

    pub(crate) fn send(&mut self, to: InterfaceIx, buffer: Buffer) {
        self.outbox.push_back((Attachment::interface(to), buffer));
    }

    pub(crate) fn poll(&mut self) -> Option<(Attachment, Buffer)> {
        self.outbox.pop_front()
    }

    fn take_budget(&mut self, to: InterfaceIx, now: Time) -> bool {
        let (second, sent) = self.sent.entry(to).or_default();
        if *second != now.secs() {
            (*second, *sent) = (now.secs(), 0);
        }
        *sent += 1;
        *sent <= self.budget
    }
}
