//! The slow path: one packet through the whole policy, without the flow table, the clock or any pool.
//!
//! The order is that of rules E1..E7 and I1..I4: source check, reserved addresses, security group out, network ACL out, route,
//! network ACL in, destination check, security group in. `explain`, re-decision, the comparison with the oracle and fuzzing
//! call [`decide`] just as the engine does.

mod acl;
mod decision;
mod egress;
mod facts;
mod group;
mod here;
mod ingress;
mod internet;
mod nat;
mod nat64;
mod onward;
mod passage;
mod path;
mod peering;
mod reserved;
mod rewrite;

pub use decision::{Decision, Gate, Grant, Step, StepKind, Tap, Verdict};
pub(crate) use facts::LOWEST_PORT;
pub use facts::{Facts, Opening, Piece, Tracked, TrackedState};
pub use passage::{Passage, Stateful};
pub(crate) use path::Halt;
pub use path::{Forwarder, Narrow, Path};
pub use rewrite::Rewrite;

use decision::Refusal;
use group::Tracks;
use here::Here;
use snapshot::{
    Attachment, Generation, Interface, InterfaceIx, NameIx, Part, PeeringIx, Snapshot, Subnet, SubnetIx,
};

use crate::{Action, Direction, DropReason};

/// Decides what happens to a packet that enters at `facts.from`.
#[must_use]
pub fn decide(snapshot: &Snapshot, facts: &Facts, tracked: &dyn Tracked) -> Decision {
    let mut walk = Walk::new(snapshot, facts, tracked);
    let verdict = walk.run().unwrap_or_else(Verdict::from);
    walk.finish(verdict)
}

/// Decides whether a packet that the implicit router or a NAT gateway made reaches `to`: an ICMP error about a packet that
/// `to` had sent, or the reset of NG-10.
///
/// It crosses the ACL into the subnet and the security groups as an error about a flow does (MT-09).
#[must_use]
pub fn decide_from_router(
    snapshot: &Snapshot,
    to: InterfaceIx,
    facts: &Facts,
    tracked: &dyn Tracked,
) -> Decision {
    let mut walk = Walk::new(snapshot, facts, tracked);
    let entered = match walk.site(to) {
        Some(site) => walk.enter(&site, &Hop::outside(Tracks::ByRule)),
        None => refuse(DropReason::InterfaceGone, None),
    };
    let verdict = entered.unwrap_or_else(Verdict::from);
    walk.finish(verdict)
}

/// Gateways and connections that a packet may go through: a NAT gateway, an internet gateway and another one back in, with
/// room (RT-24).
const HOPS: u8 = 8;

/// What comes next.
enum Stage<'a> {
    End(Verdict),
    Internet,
    /// Into this interface, whosever it is.
    Interface(InterfaceIx, Hop<'a>),
}

/// Where a packet comes from at its next gate.
#[derive(Clone, Copy)]
struct Hop<'a> {
    /// The subnet that it left; none from the router and from the internet.
    from: Option<SubnetIx>,
    /// The sender, when it sent with one of its own addresses: whose groups the receiver may match (SG-08).
    sender: Option<&'a Interface>,
    /// Whether the next gate tracks its flow whatever the rules say.
    tracks: Tracks,
    /// The NAT gateway that sent it on.
    nat: Option<InterfaceIx>,
}

impl Hop<'_> {
    const fn outside(tracks: Tracks) -> Self {
        Self { from: None, sender: None, tracks, nat: None }
    }
}

/// An interface with its subnet.
#[derive(Clone, Copy)]
struct Site<'a> {
    ix: InterfaceIx,
    interface: &'a Interface,
    subnet: &'a Subnet,
}

/// Whether a packet crosses a subnet boundary (NA-01).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boundary {
    Crossed,
    Within,
}

/// Everything that accumulates while one packet walks through the policy.
struct Walk<'a> {
    snapshot: &'a Snapshot,
    facts: &'a Facts,
    tracked: &'a dyn Tracked,
    here: Here,
    hops: u8,
    egress: Option<Gate>,
    ingress: Option<Gate>,
    mtu: Option<u16>,
    path: Option<Box<Path>>,
    /// Whether the packet has become something else since the last tap.
    changed: bool,
    returns: Option<PeeringIx>,
    taps: Vec<Tap>,
    steps: Vec<Step>,
    parts: Vec<(Part, Generation)>,
}

impl<'a> Walk<'a> {
    fn new(snapshot: &'a Snapshot, facts: &'a Facts, tracked: &'a dyn Tracked) -> Self {
        Self {
            snapshot,
            facts,
            tracked,
            here: Here::of(facts),
            hops: 0,
            egress: None,
            ingress: None,
            mtu: None,
            path: None,
            changed: false,
            returns: None,
            taps: Vec::with_capacity(2),
            steps: Vec::with_capacity(6),
            parts: Vec::with_capacity(10),
        }
    }

    fn run(&mut self) -> Result<Verdict, Refusal> {
        let mut stage = match self.facts.from {
            Attachment::INTERNET => Stage::Internet,
            _ => self.leave()?,
        };
        loop {
            stage = match stage {
                Stage::End(verdict) => return Ok(verdict),
                Stage::Internet => self.internet()?,
                Stage::Interface(to, hop) => self.reach(to, hop)?,
            }
        }
    }

    fn finish(mut self, verdict: Verdict) -> Decision {
        let why = self.steps.iter().filter_map(|step| step.by).collect();
        Decision {
            verdict,
            egress: self.egress,
            ingress: self.ingress,
            mtu: self.mtu,
            path: self.take_path(),
            returns: self.returns,
            taps: self.taps,
            steps: self.steps,
            why,
            parts: self.parts,
        }
    }

    /// Notes that the decision depends on `part` as it is now.
    fn depend(&mut self, part: Part) {
        if self.parts.iter().all(|(known, _)| *known != part) {
            self.parts.push((part, self.snapshot.version(part)));
        }
    }

    fn note(&mut self, at: Option<InterfaceIx>, kind: StepKind, by: Option<NameIx>) {
        self.steps.push(Step { at, kind, by });
    }

    fn tap(
        &mut self,
        interface: InterfaceIx,
        direction: Direction,
        action: Action,
        traffic_path: Option<u8>,
    ) {
        let shows = self.rewrites();
        self.taps.push(Tap { interface, direction, action, traffic_path, shows });
    }

    const fn count_hop(&mut self) -> Result<(), Refusal> {
        self.hops += 1;
        if self.hops > HOPS { refuse(DropReason::RoutingLoop, None) } else { Ok(()) }
    }
}

const fn refuse<T>(reason: DropReason, gate: Option<(InterfaceIx, Direction)>) -> Result<T, Refusal> {
    Err(Refusal { reason, gate })
}
