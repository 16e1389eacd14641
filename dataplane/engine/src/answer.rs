//! Packets that end under way, and the answers that say so: too long (MT-05), too old (AD-27), of no connection (NG-10).

use snapshot::{Attachment, InterfaceIx, Snapshot};
use wire::{Buffer, Parsed, compose};

use crate::decide::{Decision, Facts, Forwarder, Halt, Narrow, Verdict, decide_from_router};
use crate::frame::Packet;
use crate::key::Key;
use crate::{Direction, DropReason, Engine, Next, Time};

impl Engine {
    /// Drops a packet that ends under way and tells its sender; the records up to there stay ACCEPT (FL-46).
    #[cold]
    pub(crate) fn halt(
        &mut self,
        snapshot: &Snapshot,
        packet: &Packet<'_>,
        decision: &Decision,
        halt: Halt,
        now: Time,
    ) -> Next {
        let (from, parsed) = (packet.from, packet.parsed);
        self.taps.emit_one(decision, halt.taps(), parsed, now);
        let answer = match halt {
            Halt::TooLong(narrow) => too_big(snapshot, packet, &narrow),
            Halt::Expired(forwarder) => time_exceeded(packet, &forwarder),
        };
        if let Some(answer) = answer {
            self.answer(snapshot, from, parsed, answer, now);
        }
        let reason = match halt {
            Halt::TooLong(_) => DropReason::TooBig,
            Halt::Expired(_) => DropReason::TtlExceeded,
        };
        self.drop_frame(from, Some(parsed), reason, None, now)
    }

    /// Resets a TCP connection that a NAT gateway does not know, towards the inside only (NG-10).
    #[cold]
    pub(crate) fn reset(&mut self, snapshot: &Snapshot, packet: &Packet<'_>, now: Time) {
        if let Some(answer) = compose::reset(packet.parsed) {
            self.answer(snapshot, packet.from, packet.parsed, answer, now);
        }
    }

    /// Sends a packet of ours to whoever sent `parsed`, unless that one was told enough of late.
    fn answer(&mut self, snapshot: &Snapshot, from: Attachment, parsed: &Parsed, answer: Buffer, now: Time) {
        let to = addressee(snapshot, from, parsed);
        let Some((to, answered)) = to.zip(wire::parse(answer.bytes()).ok()) else { return };
        if !self.originator.take_budget(to, now) {
            return;
        }
        self.counters.originated += 1;
        match to.as_interface() {
            Some(ix) => self.answer_guest(snapshot, ix, answer, &answered, now),
            None => self.send(to, answer),
        }
    }

    /// Lets an answer of ours reach the guest as any packet from the router does.
    fn answer_guest(
        &mut self,
        snapshot: &Snapshot,
        to: InterfaceIx,
        answer: Buffer,
        parsed: &Parsed,
        now: Time,
    ) {
        let facts = Facts::of(Attachment::interface(to), parsed);
        let decision = decide_from_router(snapshot, to, &facts, &self.memory.at(snapshot, now));
        self.taps.emit_one(&decision, decision.taps.len(), parsed, now);
        match decision.verdict {
            Verdict::Deliver(to) => {
                self.show_gate(snapshot, &decision, to, parsed, now);
                self.send(to, answer);
            }
            Verdict::Drop { reason, .. } => {
                self.drop_frame(facts.from, Some(parsed), reason, Some(&decision), now);
            }
        }
    }

    /// Lets the group state at the guest take note of the answer: a reset closes the connection there too (SG-22).
    fn show_gate(
        &mut self,
        snapshot: &Snapshot,
        decision: &Decision,
        at: Attachment,
        parsed: &Parsed,
        now: Time,
    ) {
        let key = Key { at, tuple: Direction::Ingress.outward(parsed.tuple) };
        let (sessions, settings) = (&mut self.memory.sessions, snapshot.settings());
        let Some(slot) = sessions.find(&key) else { return };
        sessions.update(slot, now, |half| {
            half.see_at(decision.ingress, Direction::Ingress, parsed, settings, now);
        });
    }

    fn send(&mut self, to: Attachment, answer: Buffer) {
        self.counters.delivered += 1;
        self.originator.send(to, answer);
    }
}

/// Who is told: the owner of the packet's source, or the host on the internet that it came from.
fn addressee(snapshot: &Snapshot, from: Attachment, parsed: &Parsed) -> Option<Attachment> {
    let Some(sender) = from.as_interface() else {
        return snapshot.internet().host_for(parsed.tuple.src).map(Attachment::host);
    };
    let vpc = snapshot.vpc(snapshot.interface(sender)?.vpc)?;
    let owner = vpc.owner_of(parsed.tuple.src).unwrap_or(sender);
    // A NAT gateway, whose packets a middlebox passes on, listens to nobody.
    let listens = snapshot.interface(owner)?.nat_gateway.is_none();
    listens.then_some(Attachment::interface(owner))
}

fn too_big(snapshot: &Snapshot, packet: &Packet<'_>, narrow: &Narrow) -> Option<Buffer> {
    let Packet { from, buffer, parsed, .. } = packet;
    let router = match (from.as_interface(), narrow.router) {
        // Nothing private is known out there: what was addressed speaks for itself.
        (None, _) => parsed.tuple.dst,
        (Some(_), Some(router)) => router,
        (Some(sender), None) => {
            let subnet = snapshot.interface(sender)?.subnet;
            snapshot.subnet(subnet)?.router_for(parsed.tuple.src)?
        }
    };
    // What was too long is the first packet of a super-packet, not the whole.
    let first = wire::segment(buffer.bytes(), parsed, buffer.offload()).into_iter().next()?;
    compose::too_big(first.bytes(), &wire::parse(first.bytes()).ok()?, router, narrow.mtu)
}

fn time_exceeded(packet: &Packet<'_>, forwarder: &Forwarder) -> Option<Buffer> {
    let Packet { from, buffer, parsed, .. } = packet;
    let router = if from.as_interface().is_some() { forwarder.router } else { parsed.tuple.dst };
    let first = wire::segment(buffer.bytes(), parsed, buffer.offload()).into_iter().next()?;
    compose::time_exceeded(first.bytes(), &wire::parse(first.bytes()).ok()?, router)
}
