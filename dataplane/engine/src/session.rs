//! What is remembered of a flow: one [`Half`] for each attachment and tuple.
//!
//! A session has two halves. Each is keyed by where its packets enter and their tuple there, holds the decision taken from its
//! own first packet, and the state that the security groups of that interface keep for the flow: packets of this half cross
//! that gate on their way out, packets of the other half on their way in.

use std::sync::Arc;
use std::time::Duration;

use snapshot::{Attachment, Generation, Settings};
use tables::Handle;
use wire::{FiveTuple, Parsed, Transport};

use crate::decide::{Decision, Opening, TrackedState};
use crate::tcp::{Connection, Phase};
use crate::{Direction, Time, limits};

/// Where packets enter and their tuple there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) at: Attachment,
    pub(crate) tuple: FiveTuple,
}

/// One direction of a flow.
#[derive(Debug)]
pub(crate) struct Half {
    /// None while only the other direction was seen.
    pub(crate) decision: Option<Arc<Decision>>,
    /// What of the packet that was decided the key does not say: whether it began a flow, and its ICMP type and code.
    pub(crate) decided_for: (Opening, u16),
    /// Whether the list of blocks to flush names this half.
    pub(crate) listed: bool,
    /// The snapshot in which the decision was last found to hold.
    pub(crate) checked: Generation,
    /// State of the security groups at [`Key::at`]; none for an untracked flow.
    pub(crate) group: Option<GroupState>,
    /// The half at the attachment where this half's packets leave, when its gate keeps state.
    pub(crate) peer: Option<Handle>,
    pub(crate) block: Block,
    /// Packets and bytes since the half was made, without those still in `block`.
    pub(crate) past: (u64, u64),
    /// Last packet of this half.
    pub(crate) last: Time,
    /// When the wheel looks at it next.
    pub(crate) armed: Time,
}

impl Half {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            decision: None,
            decided_for: (Opening::Fresh, 0),
            listed: false,
            checked: Generation(0),
            group: None,
            peer: None,
            block: Block::default(),
            past: (0, 0),
            last: now,
            armed: Time(u64::MAX),
        }
    }

    /// When it may be forgotten if nothing more comes.
    pub(crate) fn expires(&self, idle: Duration) -> Time {
        let cached = if self.decision.is_some() { self.last.after(idle) } else { Time(0) };
        match &self.group {
            // A tracked half is its group state; its cached decision has no life of its own.
            Some(group) => group.deadline,
            None => cached,
        }
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
    pub(crate) fn count(&mut self, parsed: &Parsed, now: Time) {
        if self.packets == 0 {
            self.first = now;
        }
        self.packets += 1;
        self.bytes += u64::from(parsed.length);
        self.last = now;
        self.tcp_flags |= log_flags(parsed);
    }
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

/// What the security groups of one interface remember of one flow.
#[derive(Clone, Debug)]
pub(crate) struct GroupState {
    /// Direction of the packet that the rules allowed.
    pub(crate) originator: Direction,
    /// The snapshot in which it began.
    pub(crate) began: Generation,
    pub(crate) deadline: Time,
    protocol: Protocol,
}

#[derive(Clone, Debug)]
enum Protocol {
    Icmp,
    Other,
    Tcp(Connection),
    Udp(Exchange),
}

/// How far a UDP flow has come (SG-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    /// The originator asked.
    Asked,
    /// The other side answered: one exchange.
    Answered,
    /// The originator sent again: a stream.
    Stream,
}

impl GroupState {
    /// State for a flow that a rule just allowed; [`Self::see`] is then called with the same packet.
    pub(crate) fn new(originator: Direction, tuple: &FiveTuple, began: Generation) -> Self {
        let protocol = match tuple.proto {
            wire::proto::TCP => Protocol::Tcp(Connection::default()),
            wire::proto::UDP => Protocol::Udp(Exchange::Asked),
            wire::proto::ICMP | wire::proto::ICMPV6 => Protocol::Icmp,
            _ => Protocol::Other,
        };
        Self { originator, began, deadline: Time(0), protocol }
    }

    /// What `decide` may know of it; none once it has expired.
    pub(crate) fn state(&self, now: Time) -> Option<TrackedState> {
        if now >= self.deadline {
            return None;
        }
        match &self.protocol {
            Protocol::Tcp(connection) if connection.phase() == Phase::Closed => Some(TrackedState::Closed),
            Protocol::Icmp | Protocol::Other | Protocol::Tcp(_) | Protocol::Udp(_) => {
                Some(TrackedState::Open)
            }
        }
    }

    /// Takes note of a packet that crossed the gate in `direction`.
    pub(crate) fn see(&mut self, direction: Direction, parsed: &Parsed, settings: &Settings, now: Time) {
        let by_originator = direction == self.originator;
        match &mut self.protocol {
            Protocol::Icmp | Protocol::Other => {}
            Protocol::Tcp(connection) => {
                if let Transport::Tcp { flags, seq, ack, payload } = parsed.transport {
                    connection.see(by_originator, flags, seq, ack, payload);
                }
            }
            Protocol::Udp(exchange) => *exchange = exchange.next(by_originator),
        }
        self.deadline = now.after(self.idle(settings));
    }

    fn idle(&self, settings: &Settings) -> Duration {
        let seconds = |s: u32| Duration::from_secs(u64::from(s));
        match &self.protocol {
            Protocol::Icmp => seconds(settings.icmp),
            Protocol::Other => limits::OTHER_PROTOCOL,
            Protocol::Tcp(connection) => match connection.phase() {
                Phase::Closed => limits::TCP_CLOSED,
                Phase::Closing => limits::TCP_CLOSING,
                Phase::Established => seconds(settings.tcp_established),
                Phase::Opening => limits::TCP_OPENING,
            },
            Protocol::Udp(Exchange::Asked | Exchange::Answered) => seconds(settings.udp_timeout),
            Protocol::Udp(Exchange::Stream) => seconds(settings.udp_stream),
        }
    }

    /// A word for `flows`.
    pub(crate) fn word(&self) -> &'static str {
        match &self.protocol {
            Protocol::Icmp | Protocol::Other => "tracked",
            Protocol::Tcp(connection) => connection.phase().word(),
            Protocol::Udp(Exchange::Asked) => "asked",
            Protocol::Udp(Exchange::Answered) => "answered",
            Protocol::Udp(Exchange::Stream) => "stream",
        }
    }
}

impl Exchange {
    const fn next(self, by_originator: bool) -> Self {
        match (self, by_originator) {
            (Self::Asked, false) => Self::Answered,
            (Self::Answered, true) => Self::Stream,
            (same, _) => same,
        }
    }
}
