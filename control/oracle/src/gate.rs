//! The security-group gate of one interface in one direction: state first, then rules.

use model::lab::RelatedIcmp;
use wire::{FiveTuple, Parsed};

use crate::flow::{Flow, is_syn};
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
    if let Some(quoted) = parsed.about() {
        return related_error(flows, side, parsed, quoted);
    }
    let known = find(flows, side, as_sent(side.direction, parsed.tuple));
    match known.map(|place| (place, flows[place].is_closed())) {
        None => new_packet(flows, side, parsed, now_ns),
        Some((_, true)) if is_syn(parsed.transport) => new_packet(flows, side, parsed, now_ns),
        Some((_, true)) => refuse(side, Reason::ConnectionClosed, TRACKED),
        Some((place, false)) => {
            flows[place].observe(side.direction, parsed.transport, now_ns);
            pass(side, vec![TRACKED.to_owned()])
        }
    }
}

/// A packet without state: the rules decide, and whether they make a tracked flow of it (SG-14, SG-15, SG-24).
fn new_packet(flows: &mut Vec<Flow>, side: &Side<'_>, parsed: &Parsed, now_ns: u64) -> Answer {
    let allowing = side.allowing(parsed);
    if allowing.is_empty() {
        return refuse(side, Reason::SecurityGroup, NO_RULE);
    }
    let sent = as_sent(side.direction, parsed.tuple);
    flows.retain(|old| !(old.interface == side.interface.id && old.sent == sent));
    // A SYN says that it begins the flow; of any other packet only the rules can tell.
    let untracked = match is_syn(parsed.transport) {
        true => side.is_untracked(side.direction, parsed.tuple),
        false => belongs_to_untracked(side, side.direction, parsed.tuple),
    };
    if !untracked {
        let mut flow = Flow::new(&side.interface.id, sent, side.direction);
        flow.observe(side.direction, parsed.transport, now_ns);
        flows.push(flow);
    }
    pass(side, allowing)
}

/// Nothing is remembered of an untracked flow (SG-14), not even who began it: a packet is one of its first direction or one
/// of its replies, and either makes it untracked.
fn belongs_to_untracked(side: &Side<'_>, direction: Direction, tuple: FiveTuple) -> bool {
    side.is_untracked(direction, tuple) || side.is_untracked(direction.opposite(), tuple.reversed())
}

/// An ICMP error travels against the packet it quotes, back to its sender. It passes with that packet's flow (MT-09), else as the ICMP
/// message that it is, and is never tracked itself.
fn related_error(flows: &[Flow], side: &Side<'_>, parsed: &Parsed, quoted: FiveTuple) -> Answer {
    let quoted_went = side.direction.opposite();
    let returns = parsed.tuple.dst == quoted.src;
    if returns && find(flows, side, as_sent(quoted_went, quoted)).is_some() {
        if side.lab.settings.related_icmp == RelatedIcmp::Accept {
            return pass(side, vec![TRACKED.to_owned()]);
        }
    } else if returns && belongs_to_untracked(side, quoted_went, quoted) {
        return pass(side, vec![UNTRACKED.to_owned()]);
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
