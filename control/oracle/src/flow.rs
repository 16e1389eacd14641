//! What connection tracking remembers about one flow at one interface.

use model::lab::Settings;
use wire::{FiveTuple, Transport, proto};

use crate::verdict::Direction;

const SECOND_NS: u64 = 1_000_000_000;

/// A TCP flow seen in one direction only (SG-22).
const TCP_OPENING_S: u32 = 60;

/// A TCP flow whose FINs are not both acknowledged yet (SG-22).
const TCP_CLOSING_S: u32 = 60;

/// A closed TCP flow (SG-22, SG-23).
pub(crate) const TCP_CLOSED_S: u32 = 10;

/// Protocols other than TCP, UDP and ICMP (SG-21).
const OTHER_S: u32 = 600;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// One flow at one interface.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// `eni-` id, or the id of a gateway that keeps state.
    pub(crate) interface: String,
    /// The tuple of the packets that leave there.
    pub(crate) sent: FiveTuple,
    /// Direction of the first packet.
    pub(crate) originator: Direction,
    egress: Seen,
    ingress: Seen,
    /// The originator sent again after it had been answered (SG-20).
    stream: bool,
    reset: bool,
    last_seen_ns: u64,
}

/// What one direction of a flow has shown.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    packets: bool,
    /// Sequence number after the FIN (RFC 9293 section 3.4).
    fin_end: Option<u32>,
    fin_acknowledged: bool,
}

impl Flow {
    pub(crate) fn new(interface: &str, sent: FiveTuple, originator: Direction) -> Self {
        let (egress, ingress) = (Seen::default(), Seen::default());
        let interface = interface.to_owned();
        Self { interface, sent, originator, egress, ingress, stream: false, reset: false, last_seen_ns: 0 }
    }

    /// Takes note of a packet that passed the interface's gate.
    pub(crate) fn observe(&mut self, direction: Direction, transport: Transport, now_ns: u64) {
        if is_syn(transport) {
            // The ports are used again.
            (self.egress, self.ingress, self.reset) = (Seen::default(), Seen::default(), false);
        }
        let answered = self.seen(self.originator.opposite()).packets;
        self.stream |= direction == self.originator && answered;
        self.seen_mut(direction).packets = true;
        self.last_seen_ns = now_ns;
        if let Transport::Tcp { flags, seq, ack, payload } = transport {
            self.observe_tcp(direction, flags, seq, ack, payload);
        }
    }

    /// Both sides sent FIN, whether acknowledged or not.
    const fn is_ending(&self) -> bool {
        self.egress.fin_end.is_some() && self.ingress.fin_end.is_some()
    }

    /// RST seen, or both FINs seen and acknowledged.
    pub(crate) const fn is_closed(&self) -> bool {
        self.reset || (self.egress.fin_acknowledged && self.ingress.fin_acknowledged)
    }

    /// Whether the flow's idle time has not yet run out.
    pub(crate) fn is_live(&self, settings: &Settings, now_ns: u64) -> bool {
        self.idle_less_than(self.lifetime_s(settings), now_ns)
    }

    /// Whether its last packet came less than `seconds` ago.
    pub(crate) fn idle_less_than(&self, seconds: u32, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_seen_ns) < u64::from(seconds) * SECOND_NS
    }

    fn observe_tcp(&mut self, direction: Direction, flags: u8, seq: u32, ack: u32, payload: u32) {
        self.reset |= flags & RST != 0;
        if flags & ACK != 0 {
            let other = self.seen_mut(direction.opposite());
            other.fin_acknowledged |= other.fin_end.is_some_and(|end| is_at_or_after(ack, end));
        }
        if flags & FIN != 0 {
            let syn = u32::from(flags & SYN != 0);
            let end = seq.wrapping_add(syn).wrapping_add(payload).wrapping_add(1);
            self.seen_mut(direction).fin_end = Some(end);
        }
    }

    fn lifetime_s(&self, settings: &Settings) -> u32 {
        let both_ways = self.egress.packets && self.ingress.packets;
        match self.sent.proto {
            proto::TCP if self.is_closed() => TCP_CLOSED_S,
            proto::TCP if self.is_ending() => TCP_CLOSING_S,
            proto::TCP if both_ways => settings.tcp_established,
            proto::TCP => TCP_OPENING_S,
            proto::UDP if self.stream => settings.udp_stream,
            proto::UDP => settings.udp_timeout,
            proto::ICMP | proto::ICMPV6 => settings.icmp,
            _ => OTHER_S,
        }
    }

    const fn seen(&self, direction: Direction) -> &Seen {
        match direction {
            Direction::Egress => &self.egress,
            Direction::Ingress => &self.ingress,
        }
    }

    const fn seen_mut(&mut self, direction: Direction) -> &mut Seen {
        match direction {
            Direction::Egress => &mut self.egress,
            Direction::Ingress => &mut self.ingress,
        }
    }
}

/// Whether a packet asks for a new TCP connection.
pub(crate) const fn is_syn(transport: Transport) -> bool {
    match transport {
        Transport::Tcp { flags, .. } => flags & (SYN | ACK) == SYN,
        Transport::Icmp { .. } | Transport::Later | Transport::Other | Transport::Udp => false,
    }
}

/// Sequence numbers compare modulo 2^32 (RFC 9293 section 3.4).
const fn is_at_or_after(ack: u32, end: u32) -> bool {
    ack.wrapping_sub(end) < 1 << 31
}
