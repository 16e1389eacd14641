//! How far a TCP connection has come, as one interface sees it.
//!
//! ```text
//! Opening ──(both sides sent)──> Established ──(both sent FIN)──> Closing ──(both FINs acknowledged)──> Closed
//!    └────────────────────────────────┴──────────(RST)──────────────┴───────────────────────────────────┘
//! ```
//!
//! No SYN is needed to begin: a connection found midway is taken as it comes (SG-24).

use wire::tcp_flag::{ACK, FIN, RST, SYN};

/// Where in its life a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    Closing,
    Established,
    Opening,
}

impl Phase {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Closing => "closing",
            Self::Established => "established",
            Self::Opening => "opening",
        }
    }
}

/// One connection, as a half keeps it. Side 0 is the originator of the flow, side 1 the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connection {
    /// Bits: see [`SEEN`] and those after it.
    pub(crate) progress: u8,
    /// The sequence number after each side's FIN, once that was sent.
    pub(crate) fin_ends: [u32; 2],
}

/// Side 0 was seen; side 1 is the next bit, as for all that follow.
const SEEN: u8 = 1;
const SENT_FIN: u8 = 1 << 2;
/// The other side has acknowledged this side's FIN.
const FIN_ACKED: u8 = 1 << 4;
const RESET: u8 = 1 << 6;
/// Both sides.
const BOTH: u8 = 0b11;

impl Connection {
    pub(crate) const fn phase(&self) -> Phase {
        if Self::is_closed(self.progress) {
            Phase::Closed
        } else if self.both(SENT_FIN) {
            Phase::Closing
        } else if self.both(SEEN) {
            Phase::Established
        } else {
            Phase::Opening
        }
    }

    /// Whether a connection that has come so far is closed.
    pub(crate) const fn is_closed(progress: u8) -> bool {
        progress & RESET != 0 || progress & (FIN_ACKED * BOTH) == FIN_ACKED * BOTH
    }

    /// Takes note of one segment. SYN and FIN take one sequence number each (RFC 9293 section 3.4).
    pub(crate) const fn see(&mut self, by_originator: bool, flags: u8, seq: u32, ack: u32, payload: u32) {
        if flags & (SYN | ACK) == SYN {
            // The ports are used again: what the connection before had closed says nothing of this one.
            *self = Self { progress: 0, fin_ends: [0; 2] };
        }
        let (mine, other) = if by_originator { (0, 1) } else { (1, 0) };
        self.progress |= SEEN << mine;
        if flags & RST != 0 {
            self.progress |= RESET;
        }
        if flags & FIN != 0 {
            let syn = (flags & SYN != 0) as u32;
            self.fin_ends[mine] = seq.wrapping_add(syn).wrapping_add(payload).wrapping_add(1);
            self.progress |= SENT_FIN << mine;
        }
        let fin_sent = self.progress & (SENT_FIN << other) != 0;
        if flags & ACK != 0 && fin_sent && at_or_after(ack, self.fin_ends[other]) {
            self.progress |= FIN_ACKED << other;
        }
    }

    const fn both(&self, mark: u8) -> bool {
        self.progress & (mark * BOTH) == mark * BOTH
    }
}

/// Serial-number comparison (RFC 1982) of sequence numbers.
const fn at_or_after(number: u32, mark: u32) -> bool {
    number.wrapping_sub(mark) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(segments: &[(bool, u8, u32, u32, u32)]) -> Phase {
        let mut connection = Connection::default();
        for &(by_originator, flags, seq, ack, payload) in segments {
            connection.see(by_originator, flags, seq, ack, payload);
        }
        connection.phase()
    }

    /// Rules: SG-22
    #[test]
    fn opens_with_one_side_and_is_established_with_both() {
        assert_eq!(after(&[(true, SYN, 10, 0, 0)]), Phase::Opening);
        assert_eq!(after(&[(true, SYN, 10, 0, 0), (false, SYN | ACK, 90, 11, 0)]), Phase::Established);
    }

    /// Rules: SG-24
    #[test]
    fn a_connection_found_midway_is_established_once_data_flows_both_ways() {
        assert_eq!(after(&[(true, ACK, 500, 900, 20), (false, ACK, 900, 520, 0)]), Phase::Established);
    }

    /// Rules: SG-22, SG-23
    #[test]
    fn closes_only_when_both_fins_are_acknowledged() {
        let mut segments =
            vec![(true, SYN, 9, 0, 0), (false, SYN | ACK, 89, 10, 0), (true, FIN | ACK, 10, 90, 5)];
        assert_eq!(after(&segments), Phase::Established);
        segments.push((false, FIN | ACK, 90, 16, 0));
        assert_eq!(after(&segments), Phase::Closing);
        segments.push((true, ACK, 16, 91, 0));
        assert_eq!(after(&segments), Phase::Closed);
    }

    /// Rules: SG-22
    #[test]
    fn a_simultaneous_close_waits_for_both_acknowledgements() {
        let segments = [
            (true, SYN, 9, 0, 0),
            (false, SYN | ACK, 89, 10, 0),
            (true, FIN | ACK, 10, 90, 0),
            (false, FIN | ACK, 90, 10, 0),
            (true, ACK, 11, 91, 0),
        ];
        assert_eq!(after(&segments), Phase::Closing);
        let mut all = segments.to_vec();
        all.push((false, ACK, 91, 11, 0));
        assert_eq!(after(&all), Phase::Closed);
    }

    /// Rules: SG-22, SG-24
    #[test]
    fn a_syn_on_the_same_ports_forgets_the_fins_of_the_connection_before() {
        let segments = [
            (true, SYN, 9, 0, 0),
            (false, SYN | ACK, 89, 10, 0),
            (true, FIN | ACK, 10, 90, 0),
            (false, FIN | ACK, 90, 11, 0),
            (true, SYN, 500, 0, 0),
            (false, SYN | ACK, 700, 501, 0),
            (true, ACK, 501, 701, 20),
        ];
        assert_eq!(after(&segments), Phase::Established);
    }

    /// Rules: SG-22
    #[test]
    fn a_reset_closes_at_once() {
        assert_eq!(after(&[(true, SYN, 9, 0, 0), (false, RST | ACK, 0, 10, 0)]), Phase::Closed);
    }

    #[test]
    fn an_old_acknowledgement_does_not_cover_a_fin_across_the_wrap() {
        let mut connection = Connection::default();
        connection.see(true, FIN | ACK, u32::MAX, 1, 0);
        connection.see(false, FIN | ACK, 1, u32::MAX, 0);
        assert_eq!(connection.phase(), Phase::Closing);
        connection.see(false, ACK, 2, 0, 0);
        connection.see(true, ACK, 0, 2, 0);
        assert_eq!(connection.phase(), Phase::Closed);
    }
}
