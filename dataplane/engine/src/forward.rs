//! What the owner does with a packet: replay what is cached, else decide and commit.

use std::sync::Arc;

use snapshot::{Attachment, Snapshot};
use wire::{Buffer, Parsed};

use crate::commit::{Asked, Uncached};
use crate::decide::{Decision, Facts, Tap, Verdict, decide};
use crate::decisions::Replay;
use crate::frame::Packet;
use crate::key::Key;
use crate::memory::{Place, Ready};
use crate::pool::Slot;
use crate::{Action, Direction, DropReason, Engine, Next, Time};

impl Engine {
    /// Forwards a packet that this worker owns. `found` is its session half, if one was found.
    #[inline]
    pub(crate) fn forward(
        &mut self,
        snapshot: &Snapshot,
        packet: &mut Packet<'_>,
        found: Option<Slot>,
        now: Time,
    ) -> Next {
        if let Some(place) = found.map(Place::Session)
            && let Some(ready) = self.memory.ready(place, packet.parsed, snapshot, now)
        {
            return self.replay(snapshot, packet, &ready, now);
        }
        self.forward_anew(snapshot, packet, now)
    }

    /// Forwards a packet whose flow is refused, or not known, or known by a decision that may no longer hold.
    #[cold]
    fn forward_anew(&mut self, snapshot: &Snapshot, packet: &mut Packet<'_>, now: Time) -> Next {
        let parsed = packet.parsed;
        if parsed.is_about_another() {
            return self.forward_error(snapshot, packet, now);
        }
        let key = Key { at: packet.from, tuple: parsed.tuple };
        let known = self.memory.find(&key);
        if let Some(place) = known
            && let Some(ready) = self.memory.ready(place, parsed, snapshot, now)
        {
            return self.replay(snapshot, packet, &ready, now);
        }
        let facts = Facts::of(packet.from, parsed);
        let decision = decide(snapshot, &facts, &self.memory.at(snapshot, now));
        let oversize = Replay::of(&decision).is_too_narrow_for(parsed);
        let asked = Asked { key, known, facts, packets: parsed.packets, oversize };
        match self.commit(snapshot, &asked, decision, now) {
            Ok(ready) => self.replay(snapshot, packet, &ready, now),
            Err(uncached) => self.apply_once(snapshot, packet, &uncached, now),
        }
    }

    /// An ICMP error about a flow: judged anew each time, remembered nowhere; only the group gates inherit (MT-09).
    fn forward_error(&mut self, snapshot: &Snapshot, packet: &mut Packet<'_>, now: Time) -> Next {
        let facts = Facts::of(packet.from, packet.parsed);
        let decision = decide(snapshot, &facts, &self.memory.at(snapshot, now));
        self.apply_once(snapshot, packet, &Uncached { decision, instead: None }, now)
    }

    /// Applies a cached decision to one packet.
    #[inline]
    fn replay(&mut self, snapshot: &Snapshot, packet: &mut Packet<'_>, ready: &Ready, now: Time) -> Next {
        let replay = &ready.replay;
        if replay.is_too_narrow_for(packet.parsed) {
            return self.replay_oversize(snapshot, packet, ready, now);
        }
        if !self.memory.takes(ready.place, packet.parsed, self.taps.begins()) {
            self.taps.flush(&mut self.memory, ready.place);
        }
        let (parsed, settings) = (packet.parsed, snapshot.settings());
        let (pool, slot) = self.memory.pool(ready.place);
        pool.update(slot, now, |half| {
            half.count(parsed, now);
            half.see_at(replay.egress, Direction::Egress, parsed, settings, now);
        });
        if let Some(peer) = ready.peer {
            let sessions = &mut self.memory.sessions;
            let ingress = Direction::Ingress;
            sessions.update(peer, now, |half| half.see_at(replay.ingress, ingress, parsed, settings, now));
        }
        match replay.verdict {
            Verdict::Deliver(to) => self.deliver(packet, replay.mtu, to, now),
            Verdict::Drop { reason, .. } => {
                let decision = Arc::clone(self.memory.decisions.get(ready.decision));
                self.drop_frame(packet.from, Some(parsed), reason, Some(&decision), now)
            }
        }
    }

    /// What is too long passes its sender's gate and nothing else.
    #[cold]
    fn replay_oversize(
        &mut self,
        snapshot: &Snapshot,
        packet: &Packet<'_>,
        ready: &Ready,
        now: Time,
    ) -> Next {
        let (parsed, settings) = (packet.parsed, snapshot.settings());
        let (pool, slot) = self.memory.pool(ready.place);
        let gate = ready.replay.egress;
        pool.update(slot, now, |half| half.see_at(gate, Direction::Egress, parsed, settings, now));
        let decision = Arc::clone(self.memory.decisions.get(ready.decision));
        self.refuse_size(snapshot, packet, &decision, now)
    }

    /// Applies a decision that nothing remembers.
    fn apply_once(
        &mut self,
        snapshot: &Snapshot,
        packet: &mut Packet<'_>,
        uncached: &Uncached,
        now: Time,
    ) -> Next {
        let Uncached { decision, instead } = uncached;
        if let Some(reason) = *instead {
            // A lack of room is no policy: what the sender's gates allowed stays ACCEPT (SG-25, FL-46).
            let sent = |tap: &Tap| tap.direction == Direction::Egress && tap.action == Action::Accept;
            self.taps.emit_one(decision, sent, packet.parsed, now);
            return self.drop_frame(packet.from, Some(packet.parsed), reason, None, now);
        }
        if Replay::of(decision).is_too_narrow_for(packet.parsed) {
            return self.refuse_size(snapshot, packet, decision, now);
        }
        self.taps.emit_one(decision, |_| true, packet.parsed, now);
        self.finish(packet, decision, now)
    }

    /// Delivers or drops; the flow logs already know.
    fn finish(&mut self, packet: &mut Packet<'_>, decision: &Decision, now: Time) -> Next {
        match decision.verdict {
            Verdict::Deliver(to) => self.deliver(packet, decision.mtu, to, now),
            Verdict::Drop { reason, .. } => {
                self.drop_frame(packet.from, Some(packet.parsed), reason, Some(decision), now)
            }
        }
    }

    #[inline]
    fn deliver(&mut self, packet: &mut Packet<'_>, mtu: Option<u16>, to: Attachment, now: Time) -> Next {
        let parsed = packet.parsed;
        let mut packets = u64::from(parsed.packets);
        if let Some(mtu) = mtu.filter(|mtu| parsed.longest > u32::from(*mtu)) {
            *packet.pieces = fragments(packet, mtu);
            let pieces = packet.pieces.len() as u64;
            if pieces == 0 {
                return self.drop_frame(packet.from, Some(parsed), DropReason::TooBig, None, now);
            }
            self.counters.fragments += pieces.saturating_sub(packets);
            packets = packets.max(pieces);
        }
        self.counters.delivered += packets;
        Next::Transmit(to)
    }
}

/// What leaves in place of a packet that is longer than the MTU and may be split.
#[cold]
fn fragments(packet: &Packet<'_>, mtu: u16) -> Vec<Buffer> {
    let split = |segment: Buffer| {
        let parsed = wire::parse(segment.bytes());
        parsed.map(|parsed| wire::fragment_ipv4(segment.bytes(), &parsed, mtu)).unwrap_or_default()
    };
    let Packet { buffer, parsed, .. } = packet;
    wire::segment(buffer.bytes(), parsed, buffer.offload()).into_iter().flat_map(split).collect()
}

impl Replay {
    /// Whether a packet ends before its receiver because of its size (MT-05).
    #[inline]
    pub(crate) fn is_too_narrow_for(&self, parsed: &Parsed) -> bool {
        parsed.dont_fragment && self.mtu.is_some_and(|mtu| parsed.longest > u32::from(mtu))
    }
}
