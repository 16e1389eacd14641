//! Which fragments know their ports, by the plainest account (MT-11).

use engine::{DropReason, Time};
use snapshot::Attachment;
use std::time::Duration;
use wire::{FiveTuple, Fragment, Parsed, Transport};

/// A first fragment lends its ports for this long.
const MEMORY: Duration = Duration::from_secs(30);

/// A later fragment waits this long.
const WAIT: Duration = Duration::from_secs(1);

/// This many fragments wait in one keeper. Only trials whose waiting fragments all have one keeper may reach it.
const WAITING: usize = 64;

/// All datagrams under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Fragments {
    first: Vec<(Datagram, Parsed, Time)>,
    waiting: Vec<(Datagram, Vec<u8>, Parsed, Time)>,
}

/// What must become of a fragment.
pub(super) enum Piece {
    Dropped(DropReason),
    /// It is judged with these ports, and those that had waited for it after it.
    Goes(Parsed, Vec<(Vec<u8>, Parsed)>),
    Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Datagram {
    from: Attachment,
    /// Addresses and protocol; IPv6 identifies datagrams without the latter (RFC 8200 section 4.5).
    hosts: FiveTuple,
    id: u32,
}

impl Fragments {
    pub(super) fn handle(
        &mut self,
        from: Attachment,
        packet: &[u8],
        parsed: Parsed,
        fragment: Fragment,
        now: Time,
    ) -> Piece {
        let datagram = Datagram { from, hosts: hosts(&parsed), id: fragment.id };
        if fragment.offset == 0 {
            return Piece::Goes(parsed, self.learn(datagram, &parsed, now));
        }
        let first = self.first.iter().find(|(known, _, until)| *known == datagram && *until > now);
        match first {
            Some((_, first, _)) if fragment.offset < header(first) => {
                Piece::Dropped(DropReason::FragmentOverlap)
            }
            Some((_, first, _)) => Piece::Goes(lend(parsed, first), Vec::new()),
            None if self.waiting.len() == WAITING => Piece::Dropped(DropReason::FragmentQueueFull),
            None => {
                self.waiting.push((datagram, packet.to_vec(), parsed, now.after(WAIT)));
                Piece::Waits
            }
        }
    }

    /// How many waited too long.
    pub(super) fn expire(&mut self, now: Time) -> u64 {
        let before = self.waiting.len();
        self.waiting.retain(|(.., until)| *until > now);
        self.first.retain(|(.., until)| *until > now);
        (before - self.waiting.len()) as u64
    }

    pub(super) const fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn learn(&mut self, datagram: Datagram, first: &Parsed, now: Time) -> Vec<(Vec<u8>, Parsed)> {
        self.first.retain(|(known, ..)| *known != datagram);
        self.first.push((datagram, *first, now.after(MEMORY)));
        let (mine, others) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(of, ..)| *of == datagram);
        self.waiting = others;
        let mine: Vec<(Datagram, Vec<u8>, Parsed, Time)> = mine;
        mine.into_iter().map(|(_, packet, parsed, _)| (packet, lend(parsed, first))).collect()
    }
}

fn hosts(parsed: &Parsed) -> FiveTuple {
    let proto = if parsed.tuple.src.is_ipv4() { parsed.tuple.proto } else { 0 };
    FiveTuple { src_port: 0, dst_port: 0, proto, ..parsed.tuple }
}

/// A later fragment belongs to its first one's flow; what it carries of an ICMP message is of the first one's type.
fn lend(mut later: Parsed, first: &Parsed) -> Parsed {
    later.tuple = first.tuple;
    if matches!(first.transport, Transport::Icmp { .. }) {
        later.transport = first.transport;
    }
    later
}

/// Length of the first fragment's transport header (RFC 1858 section 3).
fn header(first: &Parsed) -> u32 {
    match first.transport {
        Transport::Tcp { payload, .. } => first.length - u32::from(first.transport_offset) - payload,
        Transport::Icmp { .. } | Transport::Udp => 8,
        Transport::Later | Transport::Other => 0,
    }
}
