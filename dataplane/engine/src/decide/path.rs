//! What gateways do with packets, and what a path asks of them beside the policy: how long they may be, how far they may go.

use std::net::{IpAddr, Ipv4Addr};

use snapshot::{Attachment, InterfaceIx};
use wire::{FiveTuple, Parsed, Patch, Translation};

use super::here::Here;
use super::nat64::embed;
use super::{Decision, Passage, Rewrite, StepKind, Tap, Verdict, Walk};
use crate::Direction;

/// A place that packets longer than its MTU do not pass (MT-02, MT-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Narrow {
    /// Largest IP packet in bytes as it was when it entered: NAT64 makes the same packet longer or shorter.
    pub mtu: u16,
    /// How many taps come before.
    pub taps: u8,
    /// How many passages come before.
    pub passages: u8,
    /// Who says so: a NAT gateway's private address beyond it, else none, the router of the sender's subnet (MT-07).
    pub router: Option<IpAddr>,
}

/// A place that takes one off TTL and hop limit: a NAT gateway and nothing else (AD-26, AD-27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Forwarder {
    /// Its address in the family of the packet as it entered.
    pub router: IpAddr,
    /// How many taps come before.
    pub taps: u8,
    /// How many passages come before.
    pub passages: u8,
}

/// Where and why a packet ends under way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Halt {
    /// Its time to live runs out.
    Expired(Forwarder),
    /// It is too long.
    TooLong(Narrow),
}

impl Halt {
    pub(crate) fn taps(self) -> usize {
        match self {
            Self::Expired(at) => at.taps.into(),
            Self::TooLong(at) => at.taps.into(),
        }
    }

    pub(crate) fn passages(self) -> usize {
        match self {
            Self::Expired(at) => at.passages.into(),
            Self::TooLong(at) => at.passages.into(),
        }
    }
}

/// Bytes that an IPv6 header has more than an IPv4 header without options.
const HEADER_GROWTH: i32 = 20;

/// What gateways do with the packets of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    /// What the packets become, as it changes: [`Tap::shows`] counts these, the last one is how they leave.
    pub rewrites: Vec<Rewrite>,
    /// What an ICMP error quotes when it leaves; none for all else.
    pub quotes: Option<FiveTuple>,
    /// Whether NAT64 makes packets of the other family of them (NG-20).
    pub crosses_families: bool,
    /// The stateful gateways that they go through, in order, also of what is refused later.
    pub passages: Vec<Passage>,
    /// How long they may be, place by place.
    pub narrows: Vec<Narrow>,
    /// Who takes one off their TTL, in order.
    pub forwarders: Vec<Forwarder>,
    /// Largest MSS that a SYN may announce, at NAT gateways only (MT-08).
    pub mss: Option<u16>,
}

impl Walk<'_> {
    /// The path, begun at the first gateway: places before it that are narrow for packets are in it then.
    pub(super) fn begin_path(&mut self) -> &mut Path {
        let before = self.taps.iter().take_while(|tap| tap.direction == Direction::Egress).count();
        let narrow = self.mtu.map(|mtu| Narrow { mtu, taps: before as u8, passages: 0, router: None });
        let begin = || Box::new(Path { narrows: narrow.into_iter().collect(), ..Path::default() });
        self.path.get_or_insert_with(begin)
    }

    /// What follows takes packets up to `mtu` bytes.
    pub(super) fn narrow(&mut self, mtu: u16) {
        let mtu = match (self.facts.tuple.src.is_ipv4(), self.here.tuple.src.is_ipv4()) {
            (true, false) => i32::from(mtu) - HEADER_GROWTH,
            (false, true) => i32::from(mtu) + HEADER_GROWTH,
            (true, true) | (false, false) => i32::from(mtu),
        };
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        self.mtu = Some(self.mtu.map_or(mtu, |before| before.min(mtu)));
        let taps = self.taps.len() as u8;
        if let Some(path) = &mut self.path {
            let (passages, router) =
                (path.passages.len() as u8, path.forwarders.last().map(|last| last.router));
            path.narrows.push(Narrow { mtu, taps, passages, router });
        }
    }

    /// A NAT gateway with this address, seen from where the packet came from.
    pub(super) fn count_forwarder(&mut self, address: Ipv4Addr) {
        let router = if self.facts.tuple.src.is_ipv4() { address.into() } else { embed(address).into() };
        let taps = self.taps.len() as u8;
        let path = self.begin_path();
        let passages = path.passages.len() as u8;
        path.forwarders.push(Forwarder { router, taps, passages });
    }

    /// The packet has become something else.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Here)) {
        change(&mut self.here);
        self.begin_path();
        self.changed = true;
    }

    /// How many rewrites make the packet what it is now.
    pub(super) fn rewrites(&mut self) -> u8 {
        let Some(path) = &mut self.path else { return 0 };
        if std::mem::take(&mut self.changed) {
            path.rewrites.push(Rewrite::between(&self.facts.tuple, &self.here.tuple));
        }
        path.rewrites.len() as u8 // one for each tap at most
    }

    /// The path of the finished walk.
    pub(super) fn take_path(&mut self) -> Option<Box<Path>> {
        self.rewrites();
        let mut path = self.path.take()?;
        path.quotes = self.here.about;
        path.crosses_families = self.facts.tuple.src.is_ipv4() != self.here.tuple.src.is_ipv4();
        path.mss = self.mss().filter(|_| !path.forwarders.is_empty());
        Some(path)
    }

    /// What fits into the path after an IP and a TCP header; what comes from the internet has crossed that too.
    fn mss(&self) -> Option<u16> {
        let headers = if self.facts.tuple.src.is_ipv4() { 40 } else { 60 };
        let outside = (self.facts.from == Attachment::INTERNET).then(|| self.snapshot.internet().mtu);
        let mtu = self.mtu.into_iter().chain(outside).min()?;
        Some(mtu.saturating_sub(headers))
    }
}

impl Path {
    /// Whether packets leave as they came.
    fn changes_nothing(&self) -> bool {
        self.rewrites.last().is_none_or(Rewrite::is_none) && self.forwarders.is_empty()
    }
}

impl Decision {
    /// What becomes of its packets.
    #[must_use]
    pub fn rewrite(&self) -> Rewrite {
        self.path.as_ref().and_then(|path| path.rewrites.last().copied()).unwrap_or_default()
    }

    /// The tuple that a packet leaves with.
    #[must_use]
    pub fn leaving(&self, entered: FiveTuple) -> FiveTuple {
        if self.path.is_none() { entered } else { self.rewrite().apply(entered) }
    }

    /// The stateful gateways that they go through.
    #[must_use]
    pub fn passages(&self) -> &[Passage] {
        self.path.as_ref().map_or(&[], |path| &path.passages)
    }

    /// The tuple that a packet has at one of the taps.
    #[must_use]
    pub fn tuple_at(&self, tap: &Tap, entered: FiveTuple) -> FiveTuple {
        let place = usize::from(tap.shows).checked_sub(1);
        let rewrite = place.zip(self.path.as_ref()).and_then(|(place, path)| path.rewrites.get(place));
        rewrite.map_or(entered, |rewrite| rewrite.apply(entered))
    }

    /// Whether its packets leave as they came.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.path.as_ref().is_none_or(|path| path.changes_nothing())
    }

    /// Whether NAT64 makes packets of the other family of them.
    pub(crate) fn crosses_families(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.crosses_families)
    }

    /// Where this packet ends under way, whatever the policy says.
    pub(crate) fn halt_of(&self, parsed: &Parsed) -> Option<Halt> {
        // As IPv6, nobody may split it under way.
        let whole = parsed.dont_fragment || self.crosses_families();
        let too_long = |mtu: u16| whole && parsed.longest > u32::from(mtu);
        let mtu = self.mtu.filter(|mtu| too_long(*mtu));
        let Some(path) = &self.path else {
            let mtu = mtu?;
            let taps = self.taps_on_the_way() as u8;
            return Some(Halt::TooLong(Narrow { mtu, taps, passages: 0, router: None }));
        };
        let narrow = path.narrows.iter().find(|narrow| too_long(narrow.mtu)).copied();
        let forwarder = path.forwarders.get(usize::from(parsed.ttl.saturating_sub(1))).copied();
        match (narrow, forwarder) {
            (Some(narrow), Some(forwarder)) if forwarder.taps < narrow.taps => Some(Halt::Expired(forwarder)),
            (Some(narrow), _) => Some(Halt::TooLong(narrow)),
            (None, forwarder) => forwarder.map(Halt::Expired),
        }
    }

    /// What becomes of ordinary packets with this tuple, worked out for all of them.
    pub(crate) fn patch(&self, tuple: &FiveTuple) -> Option<Patch> {
        Patch::of(tuple, &self.translation(tuple)?)
    }

    /// What becomes of a packet with this tuple; none when it leaves as it came.
    pub(crate) fn translation(&self, tuple: &FiveTuple) -> Option<Translation> {
        let path = self.path.as_ref().filter(|path| !path.changes_nothing())?;
        Some(Translation {
            tuple: self.rewrite().apply(*tuple),
            about: path.quotes,
            hops: path.forwarders.len() as u8, // one a hop at most
            mss: path.mss,
        })
    }

    /// The NAT gateway that refused the packet, if one did.
    pub(crate) fn dropped_by_nat(&self) -> Option<InterfaceIx> {
        let last = self.steps.last().filter(|step| step.kind == StepKind::NatGateway)?;
        matches!(self.verdict, Verdict::Drop { .. }).then_some(last.at?)
    }

    /// How many taps a packet passes that is let go just before its receiver's gate.
    pub(crate) fn taps_on_the_way(&self) -> usize {
        match &self.path {
            Some(path) => path.narrows.last().map_or(self.taps.len(), |last| usize::from(last.taps)),
            None => self.taps.iter().take_while(|tap| tap.direction == Direction::Egress).count(),
        }
    }
}
