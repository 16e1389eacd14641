//! What the owner does with a packet: replay what is cached, else decide and commit.

use std::sync::Arc;

use snapshot::{Settings, Snapshot};
use wire::Parsed;

use crate::commit::{Asked, Uncached};
use crate::decide::{Facts, Halt, Verdict, decide};
use crate::decisions::Extra;
use crate::frame::Packet;
use crate::key::Key;
use crate::memory::{Memory, Place, Ready};
use crate::pool::Slot;
use crate::session::Half;
use crate::taps::has_plain_header;
use crate::{Direction, DropReason, Engine, Next, Time};

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
        let halted = decision.halt_of(parsed).map(Halt::passages);
        let asked = Asked { key, known, facts, packets: parsed.packets, halted };
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
    #[inline(always)]
    fn replay(&mut self, snapshot: &Snapshot, packet: &mut Packet<'_>, ready: &Ready, now: Time) -> Next {
        let replay = &ready.replay;
        if replay.extra.any() || replay.is_too_narrow_for(packet.parsed) {
            return self.replay_beyond(snapshot, packet, ready, now);
        }
        self.count(snapshot, packet.parsed, ready, now);
        match replay.verdict {
            Verdict::Deliver(to) => self.deliver(packet, replay.mtu(), to, now),
            Verdict::Drop { reason, .. } => self.drop_again(snapshot, packet, ready, reason, now),
        }
    }

    /// Applies a cached decision to a packet that goes through gateways, or is too long.
    #[inline(never)]
    fn replay_beyond(
        &mut self,
        snapshot: &Snapshot,
        packet: &mut Packet<'_>,
        ready: &Ready,
        now: Time,
    ) -> Next {
        let (replay, parsed) = (&ready.replay, packet.parsed);
        let longer = replay.is_exceeded_by(parsed);
        if longer && replay.keeps_whole(parsed) || replay.ends_life_of(parsed) {
            return self.replay_halted(snapshot, packet, ready, now);
        }
        if replay.extra.has(Extra::FAMILY) && !has_plain_header(parsed) {
            self.count_alone(snapshot, parsed, ready, now);
        } else {
            self.count(snapshot, parsed, ready, now);
        }
        self.pass_gateways(ready, usize::MAX, parsed, snapshot.settings(), now);
        match replay.verdict {
            Verdict::Deliver(to) if !longer && self.patch(packet, ready) => {
                self.counters.delivered += u64::from(parsed.packets);
                Next::Transmit(to)
            }
            Verdict::Deliver(to) => {
                let decision = Arc::clone(self.memory.decisions.get(ready.decision));
                self.deliver_by(packet, &decision, to, now)
            }
            Verdict::Drop { reason, .. } => self.drop_again(snapshot, packet, ready, reason, now),
        }
    }

    /// Makes an ordinary packet what gateways make of it; says whether it was one.
    #[inline]
    fn patch(&self, packet: &mut Packet<'_>, ready: &Ready) -> bool {
        let patch = self.memory.decisions.under(ready.decision).and_then(|under| under.patch.as_ref());
        patch.is_some_and(|patch| patch.apply(packet.buffer, packet.parsed))
    }

    /// Counts a packet, and lets the security groups at both ends take note of it.
    #[inline]
    fn count(&mut self, snapshot: &Snapshot, parsed: &Parsed, ready: &Ready, now: Time) {
        if !self.memory.takes(ready.place, parsed, self.taps.begins()) {
            self.taps.flush(&mut self.memory, ready.place);
        }
        self.see_gates(snapshot, parsed, ready, now, |half| half.count(parsed, now));
    }

    /// Counts a packet that NAT64 makes shorter or longer by another number of bytes than most: the block of its half has one
    /// growth for all.
    #[cold]
    fn count_alone(&mut self, snapshot: &Snapshot, parsed: &Parsed, ready: &Ready, now: Time) {
        let decision = Arc::clone(self.memory.decisions.get(ready.decision));
        self.taps.emit_one(&decision, decision.taps.len(), parsed, now);
        self.see_gates(snapshot, parsed, ready, now, |half| half.touch(now));
    }

    /// Lets the security groups at both ends take note of a packet, after `first` is done with its half.
    #[inline(always)]
    fn see_gates(
        &mut self,
        snapshot: &Snapshot,
        parsed: &Parsed,
        ready: &Ready,
        now: Time,
        first: impl FnOnce(&mut Half),
    ) {
        let (replay, settings) = (&ready.replay, snapshot.settings());
        let (pool, slot) = self.memory.pool(ready.place);
        pool.update(slot, now, |half| {
            first(half);
            half.see_at(replay.egress, Direction::Egress, parsed, settings, now);
        });
        if let Some(peer) = ready.peer {
            let (sessions, ingress) = (&mut self.memory.sessions, Direction::Ingress);
            sessions.update(peer, now, |half| half.see_at(replay.ingress, ingress, parsed, settings, now));
        }
    }

    #[cold]
    fn drop_again(
        &mut self,
        snapshot: &Snapshot,
        packet: &Packet<'_>,
        ready: &Ready,
        reason: DropReason,
        now: Time,
    ) -> Next {
        let decision = Arc::clone(self.memory.decisions.get(ready.decision));
        self.drop_decided(snapshot, packet, reason, &decision, now)
    }

    /// What is halted under way passes its sender's gate and no other.
    #[cold]
    fn replay_halted(&mut self, snapshot: &Snapshot, packet: &Packet<'_>, ready: &Ready, now: Time) -> Next {
        let (parsed, settings) = (packet.parsed, snapshot.settings());
        let (pool, slot) = self.memory.pool(ready.place);
        let gate = ready.replay.egress;
        pool.update(slot, now, |half| half.see_at(gate, Direction::Egress, parsed, settings, now));
        let decision = Arc::clone(self.memory.decisions.get(ready.decision));
        let Some(halt) = decision.halt_of(parsed) else {
            return self.drop_frame(packet.from, Some(parsed), DropReason::TooBig, None, now);
        };
        self.pass_gateways(ready, halt.passages(), parsed, settings, now);
        self.halt(snapshot, packet, &decision, halt, now)
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
            self.taps.emit_one(decision, decision.taps_on_the_way(), packet.parsed, now);
            return self.drop_frame(packet.from, Some(packet.parsed), reason, None, now);
        }
        if let Some(halt) = decision.halt_of(packet.parsed) {
            return self.halt(snapshot, packet, decision, halt, now);
        }
        self.taps.emit_one(decision, decision.taps.len(), packet.parsed, now);
        match decision.verdict {
            Verdict::Deliver(to) => self.deliver_by(packet, decision, to, now),
            Verdict::Drop { reason, .. } => self.drop_decided(snapshot, packet, reason, decision, now),
        }
    }

    /// Lets the gateways on the way take note of a packet that gets through the first `reached` of them.
    #[inline(always)]
    fn pass_gateways(
        &mut self,
        ready: &Ready,
        reached: usize,
        parsed: &Parsed,
        settings: &Settings,
        now: Time,
    ) {
        let Memory { decisions, gateways, .. } = &mut self.memory;
        let passages = decisions.under(ready.decision).map_or(&[][..], |under| &under.passages);
        for (handle, direction) in passages.iter().take(reached) {
            gateways.see(*handle, *direction, parsed, settings, now);
        }
    }
}
