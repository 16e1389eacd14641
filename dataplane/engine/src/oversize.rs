//! Packets that are longer than their path takes, and the ICMP errors that say so (MT-05).

use snapshot::{Attachment, Snapshot};

use crate::decide::{Decision, Facts, Verdict, decide_from_router};
use crate::frame::Packet;
use crate::originate::Composed;
use crate::{Direction, DropReason, Engine, Next, Time};

impl Engine {
    /// Drops a packet that is too long and tells its sender; the sender's record stays ACCEPT (FL-46).
    #[cold]
    pub(crate) fn refuse_size(
        &mut self,
        snapshot: &Snapshot,
        packet: &Packet<'_>,
        decision: &Decision,
        now: Time,
    ) -> Next {
        let (from, parsed) = (packet.from, packet.parsed);
        self.taps.emit_one(decision, |tap| tap.direction == Direction::Egress, parsed, now);
        if let (Some(sender), Some(mtu)) = (from.as_interface(), decision.mtu) {
            let composed = self.originator.too_big(snapshot, sender, packet.buffer, parsed, mtu, now);
            if let Some(error) = composed {
                self.send_error(snapshot, error, now);
            }
        }
        self.drop_frame(from, Some(parsed), DropReason::TooBig, None, now)
    }

    /// Lets an error of ours reach the guest as any packet from the router does.
    fn send_error(&mut self, snapshot: &Snapshot, error: Composed, now: Time) {
        self.counters.originated += 1;
        let facts = Facts::of(Attachment::interface(error.to), &error.parsed);
        let decision = decide_from_router(snapshot, error.to, &facts, &self.memory.at(snapshot, now));
        self.taps.emit_one(&decision, |_| true, &error.parsed, now);
        match decision.verdict {
            Verdict::Deliver(_) => {
                self.counters.delivered += 1;
                self.originator.send(error.to, error.buffer);
            }
            Verdict::Drop { reason, .. } => {
                self.drop_frame(facts.from, Some(&error.parsed), reason, Some(&decision), now);
            }
        }
    }
}
