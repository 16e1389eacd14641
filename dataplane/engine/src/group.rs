//! What the security groups of one interface remember of one flow: a part of its [`Half`] there.

use snapshot::{Generation, Settings};
use wire::{Parsed, Transport, proto};

use crate::decide::{Gate, TrackedState};
use crate::memory::keeps_state;
use crate::session::{Half, Stamp, short};
use crate::tcp::{Connection, Phase};
use crate::{Direction, Time, limits};

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

impl Half {
    /// Begins group state for a flow that a rule just allowed; [`Self::see_at`] is then called with the same packet.
    pub(crate) fn begin_group(&mut self, originator: Direction, began: Generation, protocol: u8) {
        self.originator = Some(originator);
        self.began = short(began);
        self.deadline = Stamp::default();
        self.progress = 0;
        if protocol == proto::TCP {
            self.words = [0; 2];
        }
    }

    /// Forgets the group state.
    pub(crate) const fn end_group(&mut self) {
        self.originator = None;
        self.progress = 0;
    }

    /// Whether the group state, if there is any, is from before `appeared`.
    pub(crate) const fn began_before(&self, appeared: Generation) -> bool {
        self.began < short(appeared)
    }

    /// What `decide` may know of the group state; none without any, and once it has expired.
    #[inline]
    pub(crate) fn state(&self, now: Time) -> Option<TrackedState> {
        self.originator?;
        if now >= self.deadline.time() {
            return None;
        }
        // What UDP keeps there never looks like a closed connection.
        let closed = Connection::is_closed(self.progress);
        Some(if closed { TrackedState::Closed } else { TrackedState::Open })
    }

    /// Takes note of a packet that crossed `gate` in `direction`, if state is kept there.
    #[inline]
    pub(crate) fn see_at(
        &mut self,
        gate: Option<Gate>,
        direction: Direction,
        parsed: &Parsed,
        settings: &Settings,
        now: Time,
    ) {
        if self.originator.is_some() && gate.is_some_and(keeps_state) {
            self.see(direction, parsed, settings, now);
        }
    }

    /// Takes note of a packet of this flow.
    #[inline]
    pub(crate) fn see(&mut self, direction: Direction, parsed: &Parsed, settings: &Settings, now: Time) {
        let by_originator = self.originator == Some(direction);
        let idle = match parsed.tuple.proto {
            proto::TCP => self.see_segment(by_originator, parsed, settings),
            proto::UDP => self.see_datagram(by_originator, settings),
            proto::ICMP | proto::ICMPV6 => seconds(settings.icmp),
            _ => limits::OTHER_PROTOCOL.as_nanos() as u64,
        };
        self.deadline = Stamp::new(now.0.saturating_add(idle));
    }

    fn see_segment(&mut self, by_originator: bool, parsed: &Parsed, settings: &Settings) -> u64 {
        let mut connection = Connection { progress: self.progress, fin_ends: self.words };
        if let Transport::Tcp { flags, seq, ack, payload } = parsed.transport {
            connection.see(by_originator, flags, seq, ack, payload);
            (self.progress, self.words) = (connection.progress, connection.fin_ends);
        }
        match connection.phase() {
            Phase::Closed => limits::TCP_CLOSED.as_nanos() as u64,
            Phase::Closing => limits::TCP_CLOSING.as_nanos() as u64,
            Phase::Established => seconds(settings.tcp_established),
            Phase::Opening => limits::TCP_OPENING.as_nanos() as u64,
        }
    }

    fn see_datagram(&mut self, by_originator: bool, settings: &Settings) -> u64 {
        let exchange = Exchange::of(self.progress).next(by_originator);
        self.progress = exchange as u8;
        match exchange {
            Exchange::Asked | Exchange::Answered => seconds(settings.udp_timeout),
            Exchange::Stream => seconds(settings.udp_stream),
        }
    }

    /// As [`Self::see`], of TCP; says whether the connection is established with it.
    pub(crate) fn see_opening(
        &mut self,
        direction: Direction,
        parsed: &Parsed,
        settings: &Settings,
        now: Time,
    ) -> bool {
        let phase = |half: &Self| Connection { progress: half.progress, fin_ends: half.words }.phase();
        let before = phase(self);
        self.see(direction, parsed, settings, now);
        before == Phase::Opening && phase(self) == Phase::Established
    }

    /// A word for `flows`; none without group state.
    pub(crate) fn group_word(&self, protocol: u8) -> Option<&'static str> {
        self.originator?;
        Some(match protocol {
            proto::TCP => Connection { progress: self.progress, fin_ends: self.words }.phase().word(),
            proto::UDP => Exchange::of(self.progress).word(),
            _ => "tracked",
        })
    }
}

impl Exchange {
    const fn of(progress: u8) -> Self {
        match progress {
            0 => Self::Asked,
            1 => Self::Answered,
            _ => Self::Stream,
        }
    }

    const fn next(self, by_originator: bool) -> Self {
        match (self, by_originator) {
            (Self::Asked, false) => Self::Answered,
            (Self::Answered, true) => Self::Stream,
            (same, _) => same,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Stream => "stream",
        }
    }
}

fn seconds(count: u32) -> u64 {
    u64::from(count) * 1_000_000_000
}
