//! Ordered rules over protocol, selector and peer; the first that matches answers.
//!
//! Each of the two questions, "which rules match this protocol and selector" and "which rules match this
//! peer", has few different answers. Each answer is computed beforehand as a row of bits, one per rule, and
//! found by one lookup; the first bit that both rows have in common is the first rule that matches.

mod build;
mod labels;
mod rows;

use std::ops::RangeInclusive;

use self::labels::Labels;
use self::rows::{DenseSet, RowId, Rows};
use crate::lpm::Lpm;
use crate::prefix::{Bits, Prefix};
use crate::ranks::Ranks;

/// One rule: a query must match all three fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule<A> {
    /// The protocol number, or `None` for all of them.
    pub proto: Option<u8>,
    /// The selectors it matches: ports, or ICMP `type << 8 | code`. An empty range matches nothing.
    pub selectors: RangeInclusive<u16>,
    /// Who the other side is.
    pub peer: Peer<A>,
}

/// What a rule says about the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer<A> {
    /// Anyone.
    Any,
    /// Whoever carries this label (a group membership, for example).
    Label(u32),
    /// Whoever has an address in this prefix.
    Prefix(Prefix<A>),
}

/// What is asked of a [`Classifier`].
#[derive(Clone, Copy, Debug)]
pub struct Query<'a, A> {
    /// Protocol number.
    pub proto: u8,
    /// Port, or ICMP `type << 8 | code`.
    pub selector: u16,
    /// Address of the other side.
    pub addr: A,
    /// Labels of the other side, in any order.
    pub labels: &'a [u32],
}

/// A set of rule positions of one [`Classifier`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(DenseSet);

impl RuleSet {
    /// The set of `positions` among `n_rules` rules; positions past the end are left out.
    pub fn from_positions(n_rules: usize, positions: impl IntoIterator<Item = u32>) -> Self {
        let mut set = DenseSet::new(n_rules);
        positions
            .into_iter()
            .filter(|position| (*position as usize) < n_rules)
            .for_each(|position| set.insert(position));
        Self(set)
    }

    /// Whether the rule at `position` is in the set.
    pub fn contains(&self, position: u32) -> bool {
        self.0.contains(position)
    }

    /// Whether no rule is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.words.iter().all(|word| *word == 0)
    }
}

/// A frozen list of rules that answers with the position of the first match.
///
/// The default classifier has no rules and matches nothing.
#[derive(Clone, Debug, Default)]
pub struct Classifier<A> {
    /// Protocols that rules name, in ascending order.
    protocols: Box<[(u8, Selectors)]>,
    /// All other protocols: only rules for all of them match.
    other_protocols: Selectors,
    /// The rules for anyone.
    anyone: RowId,
    /// The longest prefix that a rule names, to the number of the row of all rules whose prefix contains it.
    prefixes: Lpm<A>,
    /// Labels that rules name, with the rules that name them.
    labels: Labels,
    rows: Rows,
    len: usize,
}

impl<A: Bits> Classifier<A> {
    /// Builds the classifier; a rule's position in `rules` is its rank.
    pub fn build(rules: &[Rule<A>]) -> Self {
        build::classifier(rules)
    }

    /// The position of the first rule that matches.
    pub fn first(&self, query: &Query<'_, A>) -> Option<u32> {
        self.first_masked(query, |_| u64::MAX)
    }

    /// The position of the first rule in `only` that matches.
    pub fn first_in(&self, query: &Query<'_, A>, only: &RuleSet) -> Option<u32> {
        self.first_masked(query, |word| only.0.word(word))
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes the classifier takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let protocols = self.protocols.iter().map(|(_, selectors)| selectors.heap_bytes()).sum::<usize>();
        size_of_val(&*self.protocols)
            + protocols
            + self.other_protocols.heap_bytes()
            + self.prefixes.heap_bytes()
            + self.labels.heap_bytes()
            + self.rows.heap_bytes()
    }

    /// The first position that matches and whose bit is set in `mask` of its word.
    #[inline]
    fn first_masked(&self, query: &Query<'_, A>, mask: impl Fn(usize) -> u64) -> Option<u32> {
        let selected = self.selectors(query.proto).row(query.selector);
        let by_prefix = self.prefixes.lookup(query.addr).map(RowId::from_number);
        let by_label = query.labels.iter().filter_map(|label| self.labels.row(*label));
        std::iter::once(self.anyone)
            .chain(by_prefix)
            .chain(by_label)
            .filter_map(|peers| self.rows.first_common(selected, peers, &mask))
            .min()
    }

    fn selectors(&self, proto: u8) -> &Selectors {
        match self.protocols.binary_search_by_key(&proto, |(named, _)| *named) {
            Ok(at) => &self.protocols[at].1,
            Err(_) => &self.other_protocols,
        }
    }
}

/// The rules that match each selector, for one protocol.
#[derive(Clone, Debug)]
struct Selectors {
    /// The last selector of each class but the last class.
    ends: Ranks<u32>,
    /// The row of each class.
    rows: Box<[RowId]>,
}

impl Selectors {
    #[inline]
    fn row(&self, selector: u16) -> RowId {
        self.rows[self.ends.rank(selector.into())]
    }

    fn heap_bytes(&self) -> usize {
        self.ends.heap_bytes() + size_of_val(&*self.rows)
    }
}

impl Default for Selectors {
    /// One class, which nothing matches.
    fn default() -> Self {
        Self { ends: Ranks::default(), rows: Box::new([RowId::default()]) }
    }
}
