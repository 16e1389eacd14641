//! Worlds with other numbers of workers do the same, leased ports aside.

use std::collections::BTreeMap;
use std::fmt::Debug;

use flowlog::{Field, Format, Line};
use model::lab::Lab;
use oracle::Outcome;

use super::watched::Watched;
use super::{Complaint, Heard};
use crate::{Delivery, Sent};

/// Compares what became of a packet in the first world and in another one. What an oracle says about another leased address is no
/// difference, but from then on the two worlds are two.
pub(super) fn compare(first: &Heard, one: &mut Watched, other: &Heard) -> Result<(), Complaint> {
    one.diverged |= one.aliases.moved() && ends(first) != ends(other);
    if one.diverged {
        return Ok(());
    }
    let same = match one.aliases.differ() {
        true => outline(first) == outline(other),
        false => first.sent == other.sent && outline(first) == outline(other),
    };
    if same { Ok(()) } else { Err(divided("fate of a packet", one, &first.sent, &other.sent)) }
}

pub(super) fn divided(what: &'static str, world: &Watched, one: &impl Debug, many: &impl Debug) -> Complaint {
    let (one, many) = (format!("{one:#?}"), format!("{many:#?}"));
    Complaint::Divided { what, workers: world.world.engines().len(), one, many }
}

/// What oracles say of a packet and of those that it released.
fn ends(heard: &Heard) -> Vec<Option<&Outcome>> {
    let own = heard.verdict.as_ref().map(|verdict| &verdict.outcome);
    std::iter::once(own).chain(heard.released.iter().flat_map(ends)).collect()
}

/// What does not depend on leased ports.
#[derive(PartialEq)]
struct Outline {
    sent: Vec<(Sent, Vec<usize>)>,
    told: Option<Option<oracle::Reason>>,
    released: Vec<Self>,
}

fn outline(heard: &Heard) -> Outline {
    let lengths = |all: &[Delivery]| all.iter().map(|one| one.packet.len()).collect::<Vec<_>>();
    let sent = &heard.sent;
    let nameless = |all: &[Delivery]| {
        all.iter().map(|one| Delivery { to: one.to, packet: Vec::new() }).collect::<Vec<_>>()
    };
    let bare = Sent {
        fate: sent.fate.clone(),
        deliveries: nameless(&sent.deliveries),
        errors: nameless(&sent.errors),
        released: Vec::new(),
    };
    let lengths = [lengths(&sent.deliveries), lengths(&sent.errors)].concat();
    Outline {
        sent: vec![(bare, lengths)],
        told: heard.told.as_ref().map(oracle::Verdict::reason),
        released: heard.released.iter().map(outline).collect(),
    }
}

/// Compares flow-log lines. Where leased ports differ, only what all lines of a kind sum, without the addresses and ports of NAT
/// gateways: several connections are one to flow logs, or not, by what they leased.
pub(super) fn compare_lines(first: &[Line], other: &Watched, lines: &[Line]) -> Result<(), Complaint> {
    if other.diverged {
        return Ok(());
    }
    let same = match other.aliases.differ() {
        true => sums(other, first) == sums(other, lines),
        false => first == lines,
    };
    if same { Ok(()) } else { Err(divided("flow-log lines", other, &first, &lines)) }
}

/// What lines of one kind may differ in. A middlebox's record may show nothing else of a NAT gateway than its port.
const SUMMED: [Field; 7] =
    [Field::Bytes, Field::DstPort, Field::End, Field::Packets, Field::SrcPort, Field::Start, Field::TcpFlags];

/// Packets and bytes of all lines that are alike but for [`SUMMED`].
fn sums(world: &Watched, lines: &[Line]) -> BTreeMap<String, (u64, u64)> {
    let lab = world.world.valid().lab();
    let mut sums = BTreeMap::new();
    for line in lines {
        let format = format_of(lab, line);
        let words: Vec<_> = format.fields().iter().zip(line.text.split(' ')).collect();
        let kind = words.iter().filter(|(field, _)| !SUMMED.contains(field)).map(|(_, word)| match *word {
            word if world.nat_addresses.contains(word) => "NAT",
            word => word,
        });
        let kind = format!("{} {}", line.flow_log, kind.collect::<Vec<_>>().join(" "));
        let number = |wanted| {
            let word = words.iter().find(|(field, _)| **field == wanted).map(|(_, word)| *word);
            word.and_then(|word| word.parse::<u64>().ok()).unwrap_or_default()
        };
        let sum: &mut (u64, u64) = sums.entry(kind).or_default();
        *sum = (sum.0 + number(Field::Packets), sum.1 + number(Field::Bytes));
    }
    sums
}

fn format_of(lab: &Lab, line: &Line) -> Format {
    let mut logs = lab.vpcs.values().flat_map(|vpc| &vpc.flow_logs);
    let log = logs.find(|log| log.id == *line.flow_log);
    log.and_then(|log| Format::parse(&log.format).ok()).unwrap_or(Format::DEFAULT)
}
