//! The end of a packet that was decided: out as gateways make it, in one piece or in fragments, or dropped.

use snapshot::{Attachment, Snapshot};
use wire::{Buffer, Parsed, Translation, Transport};

use crate::decide::Decision;
use crate::frame::Packet;
use crate::{DropReason, Engine, Next, Time};

impl Engine {
    /// Delivers a packet as the gateways on its way have left it.
    #[inline(never)]
    pub(crate) fn deliver_by(
        &mut self,
        packet: &mut Packet<'_>,
        decision: &Decision,
        to: Attachment,
        now: Time,
    ) -> Next {
        match decision.translation(&packet.parsed.tuple) {
            Some(change) => self.deliver_as(packet, &change, decision.mtu, to, now),
            None => self.deliver(packet, decision.mtu, to, now),
        }
    }

    fn deliver_as(
        &mut self,
        packet: &mut Packet<'_>,
        change: &Translation,
        mtu: Option<u16>,
        to: Attachment,
        now: Time,
    ) -> Next {
        let Packet { from, buffer, parsed, pieces } = packet;
        let own = without_lent(parsed);
        let change = Translation { about: change.about.filter(|_| own.is_about_another()), ..*change };
        let Ok(parsed) = wire::translate(buffer, &own, &change) else {
            return self.drop_frame(*from, Some(parsed), DropReason::NatProtocol, None, now);
        };
        // Segments of TCP stay as long when their headers grow, so that there may be more of them.
        self.counters.fragments += u64::from(parsed.packets.saturating_sub(own.packets));
        // The MTU is that of packets as they entered; of another family they were judged before.
        let mtu = mtu.filter(|_| parsed.tuple.src.is_ipv4() == own.tuple.src.is_ipv4());
        self.deliver(&mut Packet { from: *from, buffer, parsed: &parsed, pieces }, mtu, to, now)
    }

    /// Delivers a packet as it is; one that is longer than `mtu` in fragments.
    #[inline]
    pub(crate) fn deliver(
        &mut self,
        packet: &mut Packet<'_>,
        mtu: Option<u16>,
        to: Attachment,
        now: Time,
    ) -> Next {
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

    /// Drops what was decided to be dropped.
    #[cold]
    pub(crate) fn drop_decided(
        &mut self,
        snapshot: &Snapshot,
        packet: &Packet<'_>,
        reason: DropReason,
        decision: &Decision,
        now: Time,
    ) -> Next {
        if let Some(nat) = decision.dropped_by_nat() {
            let for_want_of_port = reason == DropReason::NatPortsExhausted;
            self.memory.gateways.metrics_mut().drop(nat, packet.parsed.packets, for_want_of_port);
        }
        if reason == DropReason::NatWithoutTranslation {
            self.reset(snapshot, packet, now);
        }
        self.drop_frame(packet.from, Some(packet.parsed), reason, Some(decision), now)
    }
}

/// A fragment without what it was lent of its first one, whose transport header it does not have.
fn without_lent(parsed: &Parsed) -> Parsed {
    match parsed.fragment {
        Some(fragment) if fragment.offset > 0 => Parsed { transport: Transport::Later, ..*parsed },
        Some(_) | None => *parsed,
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
