//! Security groups: one gate at one interface (SG-01, SG-13..18, SG-26).

use snapshot::{Attachment, Flow, GroupMatch, Interface, InterfaceIx, LabelIx, Part, RelatedIcmp, Width};
use wire::FiveTuple;

use super::decision::Refusal;
use super::{Gate, Grant, StepKind, TrackedState, Walk, facts::Opening, refuse};
use crate::{Direction, DropReason};

/// Whether a gateway on the way makes flows tracked (SG-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tracks {
    /// Flows through it are tracked.
    Always,
    /// The rules decide.
    ByRule,
}

impl Walk<'_> {
    /// Passes the security groups of `ix`, by state or by rule.
    pub(super) fn group_gate(
        &mut self,
        ix: InterfaceIx,
        interface: &Interface,
        direction: Direction,
        labels: &[LabelIx],
        tracks: Tracks,
    ) -> Result<Gate, Refusal> {
        self.depend(Part::Program(interface.program));
        self.depend(Part::Settings);
        if let Some(grant) = self.granted_by_state(ix, interface, direction, tracks)? {
            self.note(Some(ix), group_step(direction, Some(grant)), None);
            return Ok(Gate { interface: ix, grant });
        }
        let Some(matched) = self.matching_rule(
            interface,
            direction,
            &flow(self.here.tuple, self.here.selector, direction, labels),
        ) else {
            self.note(Some(ix), group_step(direction, None), None);
            return refuse(DropReason::SecurityGroupDenied, Some((ix, direction)));
        };
        let grant = self.grant_by_rule(interface, direction, matched, tracks);
        self.note(Some(ix), group_step(direction, Some(grant)), Some(matched.rule));
        Ok(Gate { interface: ix, grant })
    }

    fn granted_by_state(
        &mut self,
        ix: InterfaceIx,
        interface: &Interface,
        direction: Direction,
        tracks: Tracks,
    ) -> Result<Option<Grant>, Refusal> {
        if let Some(about) = self.here.about {
            return Ok(self.related(ix, interface, direction, about, tracks));
        }
        match self.tracked.at(Attachment::interface(ix), &direction.outward(self.here.tuple)) {
            Some(TrackedState::Open) => Ok(Some(Grant::Inherited)),
            Some(TrackedState::Closed) if self.facts.opening == Opening::Midway => {
                self.note(Some(ix), group_step(direction, None), None);
                refuse(DropReason::ConnectionClosed, Some((ix, direction)))
            }
            Some(TrackedState::Closed) | None => Ok(None),
        }
    }

    /// Whether an ICMP error passes because of the flow that it is about (MT-09).
    fn related(
        &self,
        ix: InterfaceIx,
        interface: &Interface,
        direction: Direction,
        about: FiveTuple,
        tracks: Tracks,
    ) -> Option<Grant> {
        // An error is about a flow only if it goes back to where the quoted packet came from.
        if self.here.tuple.dst != about.src {
            return None;
        }
        // The error runs against the quoted packet: where the error leaves, the quoted packet arrived.
        let quoted = direction.opposite();
        if self.tracked.at(Attachment::interface(ix), &quoted.outward(about)).is_some() {
            return (self.snapshot.settings().related_icmp == RelatedIcmp::Accept)
                .then_some(Grant::Inherited);
        }
        let selector = if about.has_ports() { about.dst_port } else { 0 };
        let matched = self.matching_rule(interface, quoted, &flow(about, selector, quoted, &[]))?;
        let said = Said { matched, opening: Opening::Midway, tracks };
        (self.grant_of_flow(interface, quoted, about, said) == Grant::Untracked).then_some(Grant::Inherited)
    }

    fn matching_rule(
        &self,
        interface: &Interface,
        direction: Direction,
        flow: &Flow<'_>,
    ) -> Option<GroupMatch> {
        let program = self.snapshot.program(interface.program)?;
        match direction {
            Direction::Egress => program.egress(flow),
            Direction::Ingress => program.ingress(flow),
        }
    }

    fn grant_by_rule(
        &self,
        interface: &Interface,
        direction: Direction,
        matched: GroupMatch,
        tracks: Tracks,
    ) -> Grant {
        if self.here.about.is_some() {
            return Grant::Stateless;
        }
        let said = Said { matched, opening: self.facts.opening, tracks };
        self.grant_of_flow(interface, direction, self.here.tuple, said)
    }

    fn grant_of_flow(
        &self,
        interface: &Interface,
        direction: Direction,
        tuple: FiveTuple,
        said: Said,
    ) -> Grant {
        let Said { matched, opening, tracks } = said;
        // A SYN says that it begins the flow; of any other packet only the rules can tell.
        let begins = tuple.proto == wire::proto::TCP && opening == Opening::Fresh;
        let untracked =
            matched.width == Width::Wide || (!begins && self.answers_untracked(interface, direction, tuple));
        let by_rule = tracks == Tracks::ByRule && !self.snapshot.settings().track_all;
        if untracked && by_rule { Grant::Untracked } else { Grant::Tracked }
    }

    /// Whether this is the reply of a flow that went untracked in the other direction: SG-14 leaves it to the rules too.
    fn answers_untracked(&self, interface: &Interface, direction: Direction, tuple: FiveTuple) -> bool {
        let asked = tuple.reversed();
        let other = direction.opposite();
        tuple.has_ports()
            && self
                .matching_rule(interface, other, &flow(asked, asked.dst_port, other, &[]))
                .is_some_and(|matched| matched.width == Width::Wide)
    }
}

/// What a rule and the way of the packet say of a flow.
#[derive(Clone, Copy)]
struct Said {
    matched: GroupMatch,
    opening: Opening,
    tracks: Tracks,
}

const fn flow(tuple: FiveTuple, selector: u16, direction: Direction, labels: &[LabelIx]) -> Flow<'_> {
    let peer = match direction {
        Direction::Egress => tuple.dst,
        Direction::Ingress => tuple.src,
    };
    Flow { protocol: tuple.proto, selector, peer, labels }
}

const fn group_step(direction: Direction, grant: Option<Grant>) -> StepKind {
    match direction {
        Direction::Egress => StepKind::GroupEgress(grant),
        Direction::Ingress => StepKind::GroupIngress(grant),
    }
}
