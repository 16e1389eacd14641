//! Packets that the engine makes itself: ICMP errors from the implicit router.

use std::collections::{BTreeMap, VecDeque};

use snapshot::{AclAction, Attachment, Flow, InterfaceIx, Snapshot};
use wire::{Buffer, Parsed};

use crate::decide::Tap;
use crate::{Action, Direction, DropReason, Time, limits};

/// Packets to send, and how many errors each interface was sent of late.
#[derive(Debug)]
pub(crate) struct Originator {
    outbox: VecDeque<(Attachment, Buffer)>,
    /// Errors sent in the second of the first field.
    sent: BTreeMap<InterfaceIx, (u64, u32)>,
    /// This worker's share of [`limits::ICMP_ERRORS_PER_SECOND`].
    budget: u32,
}

/// An error ready to go, or refused by the network ACL on its way in.
pub(crate) struct Composed {
    pub(crate) to: InterfaceIx,
    pub(crate) buffer: Buffer,
    pub(crate) parsed: Parsed,
    pub(crate) tap: Tap,
}

impl Composed {
    pub(crate) const fn refusal(&self) -> Option<DropReason> {
        match self.tap.action {
            Action::Accept => None,
            Action::Reject => Some(DropReason::NetworkAclDenied),
        }
    }
}

impl Originator {
    pub(crate) fn new(workers: u16) -> Self {
        let budget = (limits::ICMP_ERRORS_PER_SECOND / u32::from(workers)).max(1);
        Self { outbox: VecDeque::new(), sent: BTreeMap::new(), budget }
    }

    /// Tells the sender of an oversize packet the MTU (MT-05), unless it was told enough of late.
    ///
    /// The error comes from the router of the subnet that the packet left, crosses the ACL into the subnet of whoever owns the
    /// packet's source, and no security group: it belongs to a flow that its sender began.
    pub(crate) fn too_big(
        &mut self,
        snapshot: &Snapshot,
        from: InterfaceIx,
        packet: &[u8],
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
        let buffer = wire::compose::too_big(packet, parsed, router, mtu)?;
        let parsed = wire::parse(buffer.bytes()).ok()?;
        let action = entry_action(snapshot, to, &parsed)?;
        Some(Composed {
            to,
            buffer,
            parsed,
            tap: Tap { interface: to, direction: Direction::Ingress, action, traffic_path: None },
        })
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

/// The verdict of the ACL into the receiver's subnet.
fn entry_action(snapshot: &Snapshot, to: InterfaceIx, parsed: &Parsed) -> Option<Action> {
    let subnet = snapshot.subnet(snapshot.interface(to)?.subnet)?;
    let selector = parsed.tuple.dst_port;
    let flow = Flow { protocol: parsed.tuple.proto, selector, peer: parsed.tuple.src, labels: &[] };
    Some(match snapshot.acl(subnet.acl)?.ingress(&flow).action {
        AclAction::Allow => Action::Accept,
        AclAction::Deny => Action::Reject,
    })
}
