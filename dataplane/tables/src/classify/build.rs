//! From a list of rules to the rows of a [`Classifier`].

use std::collections::{BTreeMap, BTreeSet};

use super::labels::Labels;
use super::rows::{DenseSet, RowId, RowsBuilder};
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
    let anyone = members(rules, |rule| is_anyone(&rule.peer));
    Classifier {
        protocols,
        other_protocols,
        anyone: rows.row(&anyone),
        prefixes: prefixes(rules, &mut rows),
        labels: labels(rules, &mut rows),
        rows: rows.finish(),
        len: rules.len(),
    }
}

/// The rows of all selectors for packets of one protocol, or of any that no rule names.
fn selectors<A: Bits>(rules: &[Rule<A>], proto: Option<u8>, rows: &mut RowsBuilder) -> Selectors {
    let mut active = DenseSet::new(rules.len());
    let mut ends = Vec::new();
    let mut classes = vec![rows.row(&active)];
    for edges in edges(rules, proto).chunk_by(|a, b| a.at == b.at) {
        for edge in edges {
            match edge.change {
                Change::Begins => active.insert(edge.position),
                Change::Ended => active.remove(edge.position),
            }
        }
        let row = rows.row(&active);
        match edges[0].at.checked_sub(1) {
            None => classes = vec![row],
            Some(end) if classes.last() != Some(&row) => {
                ends.push(end);
                classes.push(row);
            }
            Some(_) => {}
        }
    }
    Selectors { ends: Ranks::build(ends), rows: classes.into() }
}

/// A selector from which on a rule matches, or no longer does.
struct Edge {
    at: u32,
    position: u32,
    change: Change,
}

enum Change {
    Begins,
    Ended,
}

/// The edges of the rules that apply to a protocol, in ascending order.
fn edges<A: Bits>(rules: &[Rule<A>], proto: Option<u8>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (position, rule) in (0..).zip(rules) {
        let applies = rule.proto.is_none() || rule.proto == proto;
        if applies && !rule.selectors.is_empty() {
            let (first, last) = (u32::from(*rule.selectors.start()), u32::from(*rule.selectors.end()));
            edges.push(Edge { at: first, position, change: Change::Begins });
            edges.push(Edge { at: last + 1, position, change: Change::Ended });
        }
    }
    edges.sort_unstable_by_key(|edge| edge.at);
    edges
}

/// Every prefix that a rule names, with the row of all rules whose prefix contains it.
fn prefixes<A: Bits>(rules: &[Rule<A>], rows: &mut RowsBuilder) -> Lpm<A> {
    let mut named: BTreeMap<Prefix<A>, DenseSet> = BTreeMap::new();
    for (position, rule) in (0..).zip(rules) {
        if let Peer::Prefix(prefix) = rule.peer
            && !is_anyone(&rule.peer)
        {
            named.entry(prefix).or_insert_with(|| DenseSet::new(rules.len())).insert(position);
        }
    }
    // Prefixes come outermost first, so those that contain the current one form a stack.
    let mut around: Vec<(Prefix<A>, DenseSet)> = Vec::new();
    let mut entries = Vec::new();
    for (prefix, mut matching) in named {
        while around.pop_if(|(outer, _)| outer.last() < prefix.first()).is_some() {}
        if let Some((_, outer)) = around.last() {
            matching.add(outer);
        }
        entries.push((prefix, rows.row(&matching).to_number()));
        around.push((prefix, matching));
    }
    Lpm::build(&entries)
}

/// Every label that a rule names, with the row of the rules that name it.
fn labels<A: Bits>(rules: &[Rule<A>], rows: &mut RowsBuilder) -> Labels {
    let mut named: BTreeMap<u32, DenseSet> = BTreeMap::new();
    for (position, rule) in (0..).zip(rules) {
        if let Peer::Label(label) = rule.peer {
            named.entry(label).or_insert_with(|| DenseSet::new(rules.len())).insert(position);
        }
    }
    let rows: Vec<(u32, RowId)> = named.into_iter().map(|(label, set)| (label, rows.row(&set))).collect();
    Labels::build(&rows)
}

/// Whether the peer is anyone, also by the prefix of length 0. These rules are kept apart from the prefixes,
/// since they would be in the row of each.
fn is_anyone<A: Bits>(peer: &Peer<A>) -> bool {
    match peer {
        Peer::Any => true,
        Peer::Label(_) => false,
        Peer::Prefix(prefix) => prefix.len == 0,
    }
}

fn members<A: Bits>(rules: &[Rule<A>], chosen: impl Fn(&Rule<A>) -> bool) -> DenseSet {
    let mut set = DenseSet::new(rules.len());
    (0..).zip(rules).filter(|(_, rule)| chosen(rule)).for_each(|(position, _)| set.insert(position));
    set
}
