//! Security groups: one gate at one interface (SG-01, SG-13..18, SG-26).

use snapshot::{Attachment, Flow, GroupMatch, Interface, InterfaceIx, LabelIx, Part, RelatedIcmp, Width};
use wire::FiveTuple;

use super::decision::Refusal;
use super::{Gate, Grant, StepKind, TrackedState, Walk, facts::Opening, refuse};
use crate::{Direction, DropReason};

impl Walk<'_> {
    /// Passes the security groups of `ix`, by state or by rule.
    pub(super) fn group_gate(
        &mut self,
        ix: InterfaceIx,
        interface: &Interface,
        direction: Direction,
        labels: &[LabelIx],
    ) -> Result<Gate, Refusal> {
        self.depend(Part::Program(interface.program));
        self.depend(Part::Settings);
        if let Some(grant) = self.granted_by_state(ix, interface, direction)? {
            self.note(ix, group_step(direction, Some(grant)), None);
            return Ok(Gate { interface: ix, grant });
        }
        let Some(matched) = self.matching_rule(
            interface,
            direction,
            &flow(self.facts.tuple, self.facts.selector, direction, labels),
        ) else {
            self.note(ix, group_step(direction, None), None);
            return refuse(DropReason::SecurityGroupDenied, Some((ix, direction)));
        };
        let grant = self.grant_by_rule(interface, direction, matched);
        self.note(ix, group_step(direction, Some(grant)), Some(matched.rule));
        Ok(Gate { interface: ix, grant })
    }

    fn granted_by_state(
        &mut self,
        ix: InterfaceIx,
        interface: &Interface,
        direction: Direction,
    ) -> Result<Option<Grant>, Refusal> {
        if let Some(about) = self.facts.about {
            return Ok(self.related(ix, interface, direction, about));
        }
        match self.tracked.at(Attachment::interface(ix), &direction.outward(self.facts.tuple)) {
            Some(TrackedState::Open) => Ok(Some(Grant::Inherited)),
            Some(TrackedState::Closed) if self.facts.opening == Opening::Midway => {
                self.note(ix, group_step(direction, None), None);
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
    ) -> Option<Grant> {
        // An error is about a flow only if it goes back to where the quoted packet came from.
        if self.facts.tuple.dst != about.src {
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
        (self.grant_of_flow(interface, quoted, about, matched, Opening::Midway) == Grant::Untracked)
            .then_some(Grant::Inherited)
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

    fn grant_by_rule(&self, interface: &Interface, direction: Direction, matched: GroupMatch) -> Grant {
        if self.facts.about.is_some() {
            return Grant::Stateless;
        }
        self.grant_of_flow(interface, direction, self.facts.tuple, matched, self.facts.opening)
    }

    fn grant_of_flow(
        &self,
        interface: &Interface,
        direction: Direction,
        tuple: FiveTuple,
        matched: GroupMatch,
        opening: Opening,
    ) -> Grant {
        // A SYN says that it begins the flow; of any other packet only the rules can tell.
        let begins = tuple.proto == wire::proto::TCP && opening == Opening::Fresh;
        let untracked =
            matched.width == Width::Wide || (!begins && self.answers_untracked(interface, direction, tuple));
        if untracked && !self.snapshot.settings().track_all { Grant::Untracked } else { Grant::Tracked }
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
