//! What is remembered of a flow: one [`Half`] for each attachment and tuple.
//!
//! A session has two halves. Each is keyed by where its packets enter and their tuple there ([`crate::key::Key`]), names the
//! decision taken from its own first packet, and holds the state that the security groups of that interface keep for the
//! flow: packets of this half cross that gate on their way out, packets of the other half on their way in.
//!
//! There are millions of halves, so they are small: what all flows between two interfaces share is in
//! [`crate::decisions`], and what the protocols count shares its room. `group.rs` has the group state.

use std::time::Duration;

use snapshot::Generation;
use tables::Handle;
use wire::{FiveTuple, Parsed, Transport};

use crate::decide::Opening;
use crate::decisions::DecisionIx;
use crate::{Direction, Time};

/// One direction of a flow, in 76 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Half {
    /// None while only the other direction was seen.
    pub(crate) decision: Option<DecisionIx>,
    /// The half at the attachment where this half's packets leave, when its gate keeps state: of the same family, or of the
    /// other behind NAT64.
    pub(crate) peer: Option<Handle>,
    /// Group state: when it ends.
    pub(crate) deadline: Stamp,
    /// Group state: the snapshot in which it began.
    pub(crate) began: u32,
    /// Group state of TCP: the sequence numbers after both FINs. ICMP, with or without group state: type and code of the
    /// packet that was decided.
    pub(crate) words: [u32; 2],
    /// Group state of TCP and UDP: how far the connection or exchange has come.
    pub(crate) progress: u8,
    /// Group state: direction of the packet that the rules allowed. None when the interface keeps no state for the flow.
    pub(crate) originator: Option<Direction>,
    /// Whether the packet that was decided began a flow.
    pub(crate) opened: Opening,
    /// FL-40, of the packets in the block.
    tcp_flags: u8,
    /// When the wheel looks at it next, in ticks.
    armed: u32,
    block_packets: u32,
    block_bytes: u32,
    first: Stamp,
    last: Stamp,
    /// Since the half was made, without what is still in the block.
    past_packets: u32,
    past_bytes: Stamp,
}

const _: () = assert!(
    size_of::<Half>() == 76,
    "a session of IPv4 has two halves and 256 bytes, index and timers included"
);

/// 64 bits at any multiple of four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp([u32; 2]);

impl Stamp {
    pub(crate) const fn new(value: u64) -> Self {
        Self([(value >> 32) as u32, value as u32])
    }

    pub(crate) const fn get(self) -> u64 {
        (self.0[0] as u64) << 32 | self.0[1] as u64
    }

    pub(crate) const fn time(self) -> Time {
        Time(self.get())
    }
}

/// Counters since the last tap event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) first: Time,
    pub(crate) last: Time,
    pub(crate) tcp_flags: u8,
}

impl Block {
    /// One packet that no half counts.
    pub(crate) fn of(parsed: &Parsed, now: Time) -> Self {
        Self {
            packets: parsed.packets.into(),
            bytes: parsed.wire_bytes.into(),
            first: now,
            last: now,
            tcp_flags: log_flags(parsed),
        }
    }
}

impl Half {
    pub(crate) fn new(now: Time) -> Self {
        Self { last: Stamp::new(now.0), armed: NEVER, ..Self::default() }
    }

    /// Counts one packet, which the block must be able to take: see [`Self::takes`].
    #[inline]
    pub(crate) fn count(&mut self, parsed: &Parsed, now: Time) {
        if self.block_packets == 0 {
            self.first = Stamp::new(now.0);
        }
        self.block_packets += parsed.packets;
        self.block_bytes += parsed.wire_bytes;
        self.tcp_flags |= log_flags(parsed);
        self.last = Stamp::new(now.0);
    }

    /// Whether the block can count this packet: it holds nothing from before `begins`, and has room.
    #[inline]
    pub(crate) fn takes(&self, parsed: &Parsed, begins: Time) -> bool {
        self.block_packets == 0
            || (self.first.time() >= begins && self.block_bytes.checked_add(parsed.wire_bytes).is_some())
    }

    /// Whether the block holds something from before `begins`.
    pub(crate) fn is_overdue(&self, begins: Time) -> bool {
        self.block_packets > 0 && self.first.time() < begins
    }

    /// Empties the block; none if it is empty.
    pub(crate) fn take_block(&mut self) -> Option<Block> {
        let (packets, bytes) = (self.block_packets, self.block_bytes);
        if packets == 0 {
            return None;
        }
        let (first, last, tcp_flags) = (self.first.time(), self.last.time(), self.tcp_flags);
        (self.block_packets, self.block_bytes, self.tcp_flags) = (0, 0, 0);
        self.past_packets = self.past_packets.saturating_add(packets);
        self.past_bytes = Stamp::new(self.past_bytes.get() + u64::from(bytes));
        Some(Block { packets: packets.into(), bytes: bytes.into(), first, last, tcp_flags })
    }

    /// Packets and bytes since the half was made.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let packets = u64::from(self.past_packets) + u64::from(self.block_packets);
        (packets, self.past_bytes.get() + u64::from(self.block_bytes))
    }

    /// Last packet of this half.
    pub(crate) fn last(&self) -> Time {
        self.last.time()
    }

    /// Takes note of a packet that is decided but not counted: what the block counts keeps its times.
    pub(crate) fn touch(&mut self, now: Time) {
        if self.block_packets == 0 {
            self.last = Stamp::new(now.0);
        }
    }

    /// When it may be forgotten if nothing more comes.
    #[inline]
    pub(crate) fn expires(&self, idle: Duration) -> Time {
        match (self.originator, self.decision) {
            // A tracked half is its group state; its cached decision has no life of its own.
            (Some(_), _) => self.deadline.time(),
            (None, Some(_)) => self.last().after(idle),
            (None, None) => Time(0),
        }
    }

    /// Whether the wheel looks at it by the tick of `ends`.
    #[inline]
    pub(crate) const fn is_armed_by(&self, ends: Time) -> bool {
        // Without a division: the tick before is over when it ends.
        (self.armed as u64).saturating_sub(1) * tables::wheel::TICK_NS <= ends.0
    }

    /// Notes that the wheel looks at it in this tick.
    pub(crate) const fn arm(&mut self, tick: u64) {
        self.armed = if tick < NEVER as u64 { tick as u32 } else { NEVER - 1 };
    }

    pub(crate) const fn disarm(&mut self) {
        self.armed = NEVER;
    }

    /// Whether the wheel's visit at `now` is the one it was last armed for.
    pub(crate) const fn is_due(&self, now: Time) -> bool {
        self.armed as u64 <= now.0 / tables::wheel::TICK_NS
    }
}

/// Says that the wheel knows nothing of a half.
const NEVER: u32 = u32::MAX;

/// A generation in the 32 bits that a half has for it: four billion changes of a lab.
pub(crate) const fn short(generation: Generation) -> u32 {
    generation.0 as u32
}

/// Type and code of an ICMP packet, which its key does not say in full; else nothing that the key does not say.
pub(crate) fn icmp_word(tuple: &FiveTuple, selector: u16) -> Option<u32> {
    tuple.is_icmp().then_some(selector.into())
}

/// FL-40: FIN 1, SYN 2, RST 4 and 16 only with SYN.
pub(crate) const fn log_flags(parsed: &Parsed) -> u8 {
    match parsed.transport {
        Transport::Tcp { flags, .. } => {
            let acked_syn = if flags & 0x12 == 0x12 { 0x10 } else { 0 };
            flags & 0b111 | acked_syn
        }
        Transport::Icmp { .. } | Transport::Later | Transport::Other | Transport::Udp => 0,
    }
}
