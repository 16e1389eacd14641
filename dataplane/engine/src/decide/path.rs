//! What a path asks of packets beside the policy: how long they may be, and how far they may still go.

use std::net::{IpAddr, Ipv4Addr};

use snapshot::InterfaceIx;
use wire::{Parsed, Translation};

use super::nat64::embed;
use super::{Decision, StepKind, Verdict, Walk};

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
pub(crate) enum Halt<'a> {
    /// Its time to live runs out.
    Expired(&'a Forwarder),
    /// It is too long.
    TooLong(&'a Narrow),
}

impl Halt<'_> {
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

impl Walk<'_> {
    /// What follows takes packets up to `mtu` bytes.
    pub(super) fn narrow(&mut self, mtu: u16) {
        let mtu = match (self.facts.tuple.src.is_ipv4(), self.here.tuple.src.is_ipv4()) {
            (true, false) => i32::from(mtu) - HEADER_GROWTH,
            (false, true) => i32::from(mtu) + HEADER_GROWTH,
            (true, true) | (false, false) => i32::from(mtu),
        };
        let router = self.forwarders.last().map(|forwarder| forwarder.router);
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let (taps, passages) = self.met();
        self.narrows.push(Narrow { mtu, taps, passages, router });
    }

    /// Taps and passages so far: a few for each of at most eight hops.
    const fn met(&self) -> (u8, u8) {
        (self.taps.len() as u8, self.passages.len() as u8)
    }

    /// A NAT gateway with this address, seen from where the packet came from.
    pub(super) fn count_forwarder(&mut self, address: Ipv4Addr) {
        let router = if self.facts.tuple.src.is_ipv4() { address.into() } else { embed(address).into() };
        let (taps, passages) = self.met();
        self.forwarders.push(Forwarder { router, taps, passages });
    }
}

impl Decision {
    /// Largest IP packet in bytes that the whole path takes, once a way was found.
    #[must_use]
    pub fn mtu(&self) -> Option<u16> {
        self.narrows.iter().map(|narrow| narrow.mtu).min()
    }

    /// Where this packet ends under way, whatever the policy says.
    pub(crate) fn halt_of(&self, parsed: &Parsed) -> Option<Halt<'_>> {
        // As IPv6, nobody may split it under way.
        let whole = parsed.dont_fragment || self.crosses_families;
        let narrow = self.narrows.iter().find(|narrow| whole && parsed.longest > u32::from(narrow.mtu));
        let forwarder = match parsed.ttl {
            0 => self.forwarders.first(),
            ttl => self.forwarders.get(usize::from(ttl - 1)),
        };
        match (narrow, forwarder) {
            (Some(narrow), Some(forwarder)) if forwarder.taps < narrow.taps => Some(Halt::Expired(forwarder)),
            (Some(narrow), _) => Some(Halt::TooLong(narrow)),
            (None, forwarder) => forwarder.map(Halt::Expired),
        }
    }

    /// What becomes of this packet.
    pub(crate) fn translation(&self, parsed: &Parsed) -> Translation {
        Translation {
            tuple: self.rewrite.apply(parsed.tuple),
            about: self.quotes,
            hops: self.forwarders.len() as u8, // one a hop at most
            mss: self.mss(parsed.tuple.src),
        }
    }

    /// Largest MSS that a SYN through a NAT gateway may announce (MT-08).
    fn mss(&self, like: IpAddr) -> Option<u16> {
        let headers = if like.is_ipv4() { 40 } else { 60 };
        self.forwarders.first()?;
        Some(self.mtu()?.saturating_sub(headers))
    }

    /// The NAT gateway that refused the packet, if one did.
    pub(crate) fn dropped_by_nat(&self) -> Option<InterfaceIx> {
        let last = self.steps.last().filter(|step| step.kind == StepKind::NatGateway)?;
        matches!(self.verdict, Verdict::Drop { .. }).then_some(last.at?)
    }

    /// How many taps a packet passes that is let go just before its receiver's gate.
    pub(crate) fn taps_on_the_way(&self) -> usize {
        self.narrows.last().map_or(self.taps.len(), |last| usize::from(last.taps))
    }
}
