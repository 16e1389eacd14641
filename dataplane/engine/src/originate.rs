//! Packets that the engine makes itself: ICMP errors from the implicit router and from NAT gateways, and resets.

use std::collections::{BTreeMap, VecDeque};

use snapshot::Attachment;
use wire::Buffer;

use crate::{Time, limits};

/// Packets to send, and how many each receiver was sent of late.
#[derive(Debug)]
pub(crate) struct Originator {
    outbox: VecDeque<(Attachment, Buffer)>,
    /// Errors sent in the second of the first field.
    sent: BTreeMap<Attachment, (u64, u32)>,
    /// This worker's share of [`limits::ANSWERS_PER_SECOND`].
    budget: u32,
}

impl Originator {
    pub(crate) fn new(workers: u16) -> Self {
        let budget = (limits::ANSWERS_PER_SECOND / u32::from(workers)).max(1);
        Self { outbox: VecDeque::new(), sent: BTreeMap::new(), budget }
    }

    pub(crate) fn send(&mut self, to: Attachment, buffer: Buffer) {
        self.outbox.push_back((to, buffer));
    }

    pub(crate) fn poll(&mut self) -> Option<(Attachment, Buffer)> {
        self.outbox.pop_front()
    }

    /// Whether this one may be told once more in this second.
    pub(crate) fn take_budget(&mut self, to: Attachment, now: Time) -> bool {
        let (second, sent) = self.sent.entry(to).or_default();
        if *second != now.secs() {
            (*second, *sent) = (now.secs(), 0);
        }
        *sent += 1;
        *sent <= self.budget
    }
}
