//! What a decision may know about a packet and about the flows that went before it.

use std::net::Ipv4Addr;

use snapshot::{Attachment, InterfaceIx, PeeringIx, VpcIx};
use wire::{FiveTuple, Parsed, Transport, tcp_flag};

use super::Stateful;

/// One packet as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where it entered.
    pub from: Attachment,
    /// Its tuple.
    pub tuple: FiveTuple,
    /// What rules match ports on: the destination port, `type << 8 | code` for ICMP, else 0 (SG-04, NA-10).
    pub selector: u16,
    /// Whether it may begin a connection where a closed one is remembered.
    pub opening: Opening,
    /// The tuple of the packet that an ICMP error quotes, as its sender sent it.
    pub about: Option<FiveTuple>,
    /// Whether it is whole (NG-14).
    pub piece: Piece,
}

/// Which part of a datagram a packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Piece {
    /// All of it.
    #[default]
    Whole,
    /// The fragment with the transport header.
    First,
    /// A later fragment.
    Later,
}

/// See [`Facts::opening`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// A SYN without ACK, or any packet of a protocol without connections.
    #[default]
    Fresh,
    /// A TCP packet of a connection that should exist, or a later fragment, which begins nothing.
    Midway,
}

impl Facts {
    /// The facts of a packet that was read at `from`.
    #[must_use]
    pub fn of(from: Attachment, parsed: &Parsed) -> Self {
        let (opening, selector) = Self::beyond_tuple(parsed);
        let piece = match (parsed.fragment, parsed.transport) {
            (None, _) => Piece::Whole,
            (Some(_), Transport::Later) => Piece::Later,
            (Some(_), _) => Piece::First,
        };
        Self { from, tuple: parsed.tuple, selector, opening, about: parsed.about(), piece }
    }

    /// [`Self::opening`] and [`Self::selector`].
    #[inline]
    pub(crate) const fn beyond_tuple(parsed: &Parsed) -> (Opening, u16) {
        let port = parsed.tuple.dst_port;
        match parsed.transport {
            Transport::Icmp { icmp_type, code, .. } => {
                (Opening::Fresh, u16::from_be_bytes([icmp_type, code]))
            }
            Transport::Tcp { flags, .. } if flags & (tcp_flag::SYN | tcp_flag::ACK) != tcp_flag::SYN => {
                (Opening::Midway, port)
            }
            Transport::Later => (Opening::Midway, port),
            Transport::Tcp { .. } | Transport::Udp => (Opening::Fresh, port),
            Transport::Other => (Opening::Fresh, 0),
        }
    }
}

/// What stateful stages remember, read-only: is this tuple tracked at this interface or gateway? What it says by default is
/// that nothing was before.
pub trait Tracked {
    /// The state that the security groups of an interface keep for the flow whose packets leave that interface as `tuple`,
    /// whichever side began it.
    fn at(&self, interface: Attachment, tuple: &FiveTuple) -> Option<TrackedState>;

    /// What a stateful gateway makes of the packets that reach it from the inside as `inner`.
    fn outer_of(&self, gateway: Stateful, inner: &FiveTuple) -> Option<FiveTuple> {
        let _ = (gateway, inner);
        None
    }

    /// What the inside's packets were before they left a stateful gateway as `outer`.
    fn inner_of(&self, gateway: Stateful, outer: &FiveTuple) -> Option<FiveTuple> {
        let _ = (gateway, outer);
        None
    }

    /// The source that a NAT gateway would give a new connection whose packets are to leave it as `wanted`, one of its
    /// `addresses` and a port; none when all are in use (NG-05 to NG-08). Nothing is taken by asking.
    fn lease(&self, nat: InterfaceIx, addresses: &[Ipv4Addr], wanted: &FiveTuple) -> Option<(Ipv4Addr, u16)> {
        let _ = (nat, wanted);
        addresses.first().map(|address| (*address, LOWEST_PORT))
    }

    /// Whether [`Self::way_back`] may have an answer.
    fn has_ways_back(&self) -> bool {
        false
    }

    /// The peering connection by which packets reached this VPC from a NAT gateway on the other side as `outer` (NG-18).
    fn way_back(&self, vpc: VpcIx, outer: &FiveTuple) -> Option<PeeringIx> {
        let _ = (vpc, outer);
        None
    }
}

/// The lowest source port that a NAT gateway uses (NG-05).
pub(crate) const LOWEST_PORT: u16 = 1024;

/// State of a tracked flow at one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackedState {
    /// The TCP connection closed a short while ago (SG-23).
    Closed,
    /// Its packets pass in both directions (SG-13).
    Open,
}
