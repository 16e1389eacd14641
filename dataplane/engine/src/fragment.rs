//! Ports of later fragments: they are in the first one (MT-11).
//!
//! All fragments of one pair of hosts pass one keeper, which lends them the first fragment's ports and passes them on to the
//! owner of the flow, in the order they came. A fragment that comes before its first one waits.

use std::collections::{BTreeMap, VecDeque};

use snapshot::Attachment;
use wire::{Fragment, Parsed, Transport};

use crate::{DropReason, Frame, Time, limits};

/// One datagram on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Datagram {
    from: Attachment,
    src: std::net::IpAddr,
    dst: std::net::IpAddr,
    /// IPv4 identifies datagrams per protocol (RFC 791), IPv6 does not (RFC 8200 section 4.5).
    proto: u8,
    id: u32,
}

/// What the first fragment said.
#[derive(Clone, Copy, Debug)]
struct First {
    parsed: Parsed,
    /// Bytes of its transport header: no other fragment may start inside them.
    header: u32,
    until: Time,
}

/// The fragments that one worker keeps.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    first: BTreeMap<Datagram, First>,
    /// Oldest first, for eviction; may name datagrams that are already gone.
    ages: VecDeque<(Time, Datagram)>,
    waiting: VecDeque<(Time, Datagram, Frame)>,
    released: VecDeque<Frame>,
}

/// What became of a fragment.
pub(crate) enum Kept {
    Drop(DropReason),
    /// Its first fragment is known; `Frame::parsed` now has the ports.
    Known,
    Waits,
}

impl Keeper {
    /// Takes a fragment; `frame` is emptied if it waits.
    pub(crate) fn handle(
        &mut self,
        frame: &mut Frame,
        parsed: Parsed,
        fragment: Fragment,
        now: Time,
    ) -> Kept {
        let datagram = datagram(frame.from, &parsed, fragment);
        if fragment.offset == 0 {
            self.learn(datagram, parsed, now);
            return Kept::Known;
        }
        match self.first.get(&datagram).filter(|first| first.until > now) {
            Some(first) if fragment.offset < first.header => Kept::Drop(DropReason::FragmentOverlap),
            Some(first) => {
                frame.parsed = Some(lend(parsed, &first.parsed));
                Kept::Known
            }
            None if self.waiting.len() >= limits::FRAGMENTS_WAITING => {
                Kept::Drop(DropReason::FragmentQueueFull)
            }
            None => {
                self.waiting.push_back((now.after(limits::FRAGMENT_WAIT), datagram, take(frame)));
                Kept::Waits
            }
        }
    }

    /// A fragment whose first one has come meanwhile, to be looked at as if it came now.
    pub(crate) fn poll(&mut self) -> Option<Frame> {
        self.released.pop_front()
    }

    /// Fragments that waited too long.
    pub(crate) fn expire(&mut self, now: Time) -> Vec<Frame> {
        let late = self.waiting.iter().take_while(|(until, ..)| *until <= now).count();
        while let Some((_, datagram)) = self.ages.front().filter(|(until, _)| *until <= now) {
            let datagram = *datagram;
            self.ages.pop_front();
            match self.first.get(&datagram).map(|first| first.until) {
                // Its identifier was used again meanwhile.
                Some(until) if until > now => self.ages.push_back((until, datagram)),
                Some(_) | None => drop(self.first.remove(&datagram)),
            }
        }
        self.waiting.drain(..late).map(|(_, _, frame)| frame).collect()
    }

    pub(crate) fn held(&self) -> usize {
        self.waiting.len() + self.released.len()
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let waiting = self.waiting.front().map(|(until, ..)| *until);
        waiting.into_iter().chain(self.ages.front().map(|(until, _)| *until)).min()
    }

    fn learn(&mut self, datagram: Datagram, parsed: Parsed, now: Time) {
        let until = now.after(limits::FRAGMENT_MEMORY);
        let first = First { parsed, header: header_bytes(&parsed), until };
        if self.first.insert(datagram, first).is_none() {
            self.ages.push_back((until, datagram));
        }
        while self.first.len() > limits::FRAGMENT_DATAGRAMS {
            let Some((_, oldest)) = self.ages.pop_front() else { break };
            self.first.remove(&oldest);
        }
        let (mine, others) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(_, of, _)| *of == datagram);
        self.waiting = others;
        let mine: VecDeque<_> = mine;
        self.released.extend(mine.into_iter().map(|(_, _, frame)| frame));
    }
}

fn datagram(from: Attachment, parsed: &Parsed, fragment: Fragment) -> Datagram {
    let proto = if parsed.tuple.src.is_ipv4() { parsed.tuple.proto } else { 0 };
    Datagram { from, src: parsed.tuple.src, dst: parsed.tuple.dst, proto, id: fragment.id }
}

/// The later fragment as if it had the first one's ports. TCP flags stay with the first: they count once.
fn lend(mut later: Parsed, first: &Parsed) -> Parsed {
    later.tuple = first.tuple;
    if let Transport::Icmp { .. } = first.transport {
        later.transport = first.transport;
    }
    later
}

const fn header_bytes(first: &Parsed) -> u32 {
    let payload = first.length - first.transport_offset as u32;
    match first.transport {
        Transport::Tcp { payload: data, .. } => payload - data,
        Transport::Icmp { .. } | Transport::Udp => 8,
        Transport::Later | Transport::Other => 0,
    }
}

fn take(frame: &mut Frame) -> Frame {
    let buffer = std::mem::take(&mut frame.buffer);
    Frame { from: frame.from, buffer, parsed: frame.parsed, next: frame.next, pieces: Vec::new() }
}
