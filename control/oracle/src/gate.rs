//! The security-group gate of one interface in one direction: state first, then rules.

use model::lab::RelatedIcmp;
use wire::{FiveTuple, Parsed, Transport};

use crate::flow::{Flow, Grant, is_syn};
use crate::group::Side;
use crate::verdict::{Direction, NO_RULE, Reason, Step, StepKind, TRACKED, UNTRACKED};

/// What the gate does with a packet, and the step to write down.
pub(crate) struct Answer {
    pub(crate) step: Step,
    /// `None` lets the packet pass.
    pub(crate) refusal: Option<Reason>,
}

/// Passes or refuses a packet and remembers what it must; `flows` holds live flows only.
pub(crate) fn judge(flows: &mut Vec<Flow>, side: &Side<'_>, parsed: &Parsed, now_ns: u64) -> Answer {
    if let Transport::Icmp { about: Some(quoted), .. } = parsed.transport {
        return related_error(flows, side, parsed, quoted);
    }
    let known = find(flows, side, as_sent(side.direction, parsed.tuple));
    match known.map(|place| (place, flows[place].grant, flows[place].is_closed())) {
        None => new_flow(flows, side, parsed, now_ns),
        Some((_, _, true)) if is_syn(parsed.transport) => new_flow(flows, side, parsed, now_ns),
        Some((_, Grant::Tracked, true)) => refuse(side, Reason::ConnectionClosed, TRACKED),
        Some((place, Grant::Tracked, false)) => {
            flows[place].observe(side.direction, parsed.transport, now_ns);
            pass(side, vec![TRACKED.to_owned()])
        }
        Some((place, Grant::Untracked, _)) => untracked_flow(flows, place, side, parsed, now_ns),
    }
}

/// A packet without state: the rules decide, and whether the flow is tracked (SG-14, SG-15, SG-24).
fn new_flow(flows: &mut Vec<Flow>, side: &Side<'_>, parsed: &Parsed, now_ns: u64) -> Answer {
    let allowing = side.allowing(parsed);
    if allowing.is_empty() {
        return refuse(side, Reason::SecurityGroup, NO_RULE);
    }
    let untracked = side.is_untracked(side.direction, parsed.tuple);
    let grant = if untracked { Grant::Untracked } else { Grant::Tracked };
    let sent = as_sent(side.direction, parsed.tuple);
    let mut flow = Flow::new(&side.interface.id, sent, side.direction, grant);
    flow.observe(side.direction, parsed.transport, now_ns);
    flows.retain(|old| !(old.interface == flow.interface && old.sent == flow.sent));
    flows.push(flow);
    pass(side, allowing)
}

/// A packet of an untracked flow: rules decide about each one (SG-18). When a change of rules has made the flow one
/// that is tracked, this packet begins it, for nothing was remembered about it (SG-17, SG-24).
fn untracked_flow(
    flows: &mut Vec<Flow>,
    place: usize,
    side: &Side<'_>,
    parsed: &Parsed,
    now_ns: u64,
) -> Answer {
    let flow = &mut flows[place];
    if !side.is_untracked(flow.originator, travelling(flow.originator, flow.sent)) {
        return new_flow(flows, side, parsed, now_ns);
    }
    let allowing = side.allowing(parsed);
    if allowing.is_empty() {
        return refuse(side, Reason::SecurityGroup, NO_RULE);
    }
    flow.observe(side.direction, parsed.transport, now_ns);
    pass(side, allowing)
}

/// An ICMP error travels against the packet it quotes. It passes with that packet's flow (MT-09), else as the ICMP
/// message that it is, and is never tracked itself.
fn related_error(flows: &[Flow], side: &Side<'_>, parsed: &Parsed, quoted: FiveTuple) -> Answer {
    let quoted_went = side.direction.opposite();
    let flow = find(flows, side, as_sent(quoted_went, quoted)).map(|place| &flows[place]);
    if flow.is_some_and(|flow| flow.grant == Grant::Tracked) {
        if side.lab.settings.related_icmp == RelatedIcmp::Accept {
            return pass(side, vec![TRACKED.to_owned()]);
        }
    } else {
        let originator = flow.map_or(quoted_went, |flow| flow.originator);
        let first = travelling(originator, as_sent(quoted_went, quoted));
        if side.is_untracked(originator, first) {
            return pass(side, vec![UNTRACKED.to_owned()]);
        }
    }
    match side.allowing(parsed) {
        none if none.is_empty() => refuse(side, Reason::SecurityGroup, NO_RULE),
        allowing => pass(side, allowing),
    }
}

fn find(flows: &[Flow], side: &Side<'_>, sent: FiveTuple) -> Option<usize> {
    flows.iter().position(|flow| flow.interface == side.interface.id && flow.sent == sent)
}

/// The tuple that the flow of a packet has where the interface sends.
const fn as_sent(direction: Direction, tuple: FiveTuple) -> FiveTuple {
    match direction {
        Direction::Egress => tuple,
        Direction::Ingress => tuple.reversed(),
    }
}

/// The tuple that a flow's packets have in `direction`, the inverse of [`as_sent`].
const fn travelling(direction: Direction, sent: FiveTuple) -> FiveTuple {
    as_sent(direction, sent)
}

fn pass(side: &Side<'_>, any_of: Vec<String>) -> Answer {
    let decided_by = any_of.first().cloned().unwrap_or_default();
    Answer { step: Step { kind: kind(side.direction), decided_by, any_of }, refusal: None }
}

fn refuse(side: &Side<'_>, reason: Reason, decided_by: &str) -> Answer {
    Answer { step: Step::one(kind(side.direction), decided_by), refusal: Some(reason) }
}

const fn kind(direction: Direction) -> StepKind {
    match direction {
        Direction::Egress => StepKind::SgEgress,
        Direction::Ingress => StepKind::SgIngress,
    }
}
