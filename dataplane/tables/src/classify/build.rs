//! From a list of rules to the rows of a [`Classifier`].

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{DenseSet, RowsBuilder};
use super::{Classifier, Peer, Rule, Selectors};
use crate::lpm::Lpm;
use crate::prefix::{Bits, Prefix};
use crate::ranks::Ranks;

pub(super) fn classifier<A: Bits>(rules: &[Rule<A>]) -> Classifier<A> {
    let mut rows = RowsBuilder::new(rules.len());
    let named: BTreeSet<u8> = rules.iter().filter_map(|rule| rule.proto).collect();
    let protocols =
        named.into_iter().map(|proto| (proto, selectors(rules, Some(proto), &mut rows))).collect();
    let other_protocols = selectors(rules, None, &mut rows);
    let anyone = positions(rules, |rule| rule.peer == Peer::Any);
    Classifier {
        protocols,
        other_protocols,
        peers: peers(rules, &anyone, &mut rows),
        anyone: rows.row(&anyone),
        labels: labels(rules)
            .into_iter()
            .map(|(label, members)| (label, rows.row(&set(rules.len(), &members))))
            .collect(),
        rows: rows.finish(),
        len: rules.len(),
    }
}

/// The rows of all selectors for packets of one protocol, or of any that no rule names.
fn selectors<A: Bits>(rules: &[Rule<A>], proto: Option<u8>, rows: &mut RowsBuilder) -> Selectors {
    // Where ranges begin and where they have ended; past 65535 nothing is asked.
    let mut edges: BTreeMap<u32, Vec<(u32, Edge)>> = BTreeMap::new();
    for (position, rule) in (0..).zip(rules) {
        let applies = rule.proto.is_none() || rule.proto == proto;
        if applies && !rule.selectors.is_empty() {
            let (start, end) = (u32::from(*rule.selectors.start()), u32::from(*rule.selectors.end()));
            edges.entry(start).or_default().push((position, Edge::Begins));
            edges.entry(end + 1).or_default().push((position, Edge::Ended));
        }
    }
    let mut active = DenseSet::new(rules.len());
    let mut classes = vec![(0, rows.row(&active))];
    for (at, changes) in edges.range(..=u32::from(u16::MAX)) {
        for (position, edge) in changes {
            match edge {
                Edge::Begins => active.insert(*position),
                Edge::Ended => active.remove(*position),
            }
        }
        classes.push((*at, rows.row(&active)));
    }
    // A range that begins at 0 replaces the class that was there before any.
    classes.dedup_by(|later, earlier| {
        later.0 == earlier.0 && {
            earlier.1 = later.1;
            true
        }
    });
    classes.dedup_by(|later, earlier| later.1 == earlier.1);
    Selectors {
        ends: Ranks::build(classes[1..].iter().map(|(start, _)| start - 1).collect()),
        rows: classes.iter().map(|(_, row)| *row).collect(),
    }
}

enum Edge {
    Begins,
    Ended,
}

/// Every prefix that a rule names, with the row of all rules whose prefix contains it or who mean anyone.
fn peers<A: Bits>(rules: &[Rule<A>], anyone: &DenseSet, rows: &mut RowsBuilder) -> Lpm<A> {
    let mut named: BTreeMap<Prefix<A>, Vec<u32>> = BTreeMap::new();
    for (position, rule) in (0..).zip(rules) {
        if let Peer::Prefix(prefix) = rule.peer {
            named.entry(prefix).or_default().push(position);
        }
    }
    // Prefixes come outermost first, so those that contain the current one form a stack.
    let mut around: Vec<(Prefix<A>, DenseSet)> = Vec::new();
    let mut entries = Vec::new();
    for (prefix, positions) in named {
        while around.pop_if(|(outer, _)| outer.last() < prefix.first()).is_some() {}
        let mut matching = around.last().map_or(anyone, |(_, outer)| outer).clone();
        positions.into_iter().for_each(|position| matching.insert(position));
        entries.push((prefix, rows.row(&matching).to_number()));
        around.push((prefix, matching));
    }
    Lpm::build(&entries)
}

/// The positions of the rules that name each label.
fn labels<A: Bits>(rules: &[Rule<A>]) -> BTreeMap<u32, Vec<u32>> {
    let mut named: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (position, rule) in (0..).zip(rules) {
        if let Peer::Label(label) = rule.peer {
            named.entry(label).or_default().push(position);
        }
    }
    named
}

fn positions<A: Bits>(rules: &[Rule<A>], chosen: impl Fn(&Rule<A>) -> bool) -> DenseSet {
    let members: Vec<u32> =
        (0..).zip(rules).filter(|(_, rule)| chosen(rule)).map(|(position, _)| position).collect();
    set(rules.len(), &members)
}

fn set(rules: usize, members: &[u32]) -> DenseSet {
    let mut set = DenseSet::new(rules);
    members.iter().for_each(|position| set.insert(*position));
    set
}
