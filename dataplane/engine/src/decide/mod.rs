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
mod ingress;
mod reserved;

pub use decision::{Decision, Gate, Grant, Step, StepKind, Tap, Verdict};
pub use facts::{Facts, Opening, Tracked, TrackedState};

use decision::Refusal;
use egress::{Boundary, Hop};
use snapshot::{Generation, InterfaceIx, NameIx, Part, Snapshot};

use crate::{Action, Direction, DropReason};

/// Decides what happens to a packet that enters at `facts.from`.
#[must_use]
pub fn decide(snapshot: &Snapshot, facts: &Facts, tracked: &dyn Tracked) -> Decision {
    let mut walk = Walk::new(snapshot, facts, tracked);
    let verdict = walk.run().unwrap_or_else(Verdict::from);
    walk.finish(verdict)
}

/// Decides whether a packet that the implicit router made reaches `to`: an ICMP error about a packet that `to` had sent.
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
    let hop = Hop { to, sender: None, boundary: Boundary::Crossed };
    let verdict = walk.enter(&hop).unwrap_or_else(Verdict::from);
    walk.finish(verdict)
}

/// Everything that accumulates while one packet walks through the policy.
struct Walk<'a> {
    snapshot: &'a Snapshot,
    facts: &'a Facts,
    tracked: &'a dyn Tracked,
    egress: Option<Gate>,
    ingress: Option<Gate>,
    mtu: Option<u16>,
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
            egress: None,
            ingress: None,
            mtu: None,
            taps: Vec::with_capacity(2),
            steps: Vec::with_capacity(6),
            parts: Vec::with_capacity(8),
        }
    }

    fn run(&mut self) -> Result<Verdict, Refusal> {
        let hop = self.leave()?;
        self.enter(&hop)
    }

    fn finish(self, verdict: Verdict) -> Decision {
        let why = self.steps.iter().filter_map(|step| step.by).collect();
        Decision {
            verdict,
            egress: self.egress,
            ingress: self.ingress,
            mtu: self.mtu,
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

    fn note(&mut self, at: InterfaceIx, kind: StepKind, by: Option<NameIx>) {
        self.steps.push(Step { at, kind, by });
    }

    fn tap(
        &mut self,
        interface: InterfaceIx,
        direction: Direction,
        action: Action,
        traffic_path: Option<u8>,
    ) {
        self.taps.push(Tap { interface, direction, action, traffic_path });
    }
}

const fn refuse<T>(reason: DropReason, gate: Option<(InterfaceIx, Direction)>) -> Result<T, Refusal> {
    Err(Refusal { reason, gate })
}
