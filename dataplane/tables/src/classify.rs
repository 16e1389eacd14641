//! Ordered rules over protocol, selector and peer; the first that matches answers.

use std::ops::RangeInclusive;

use crate::prefix::{Bits, Prefix};
use crate::reference::LinearClassifier;

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
pub struct RuleSet {
    words: Box<[u64]>,
}

impl RuleSet {
    /// The set of `positions` among `n_rules` rules; positions past the end are left out.
    pub fn from_positions(n_rules: usize, positions: impl IntoIterator<Item = u32>) -> Self {
        let mut words = vec![0_u64; n_rules.div_ceil(64)].into_boxed_slice();
        for position in positions {
            if (position as usize) < n_rules {
                words[position as usize / 64] |= 1 << (position % 64);
            }
        }
        Self { words }
    }

    /// Whether the rule at `position` is in the set.
    pub fn contains(&self, position: u32) -> bool {
        self.words.get(position as usize / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }

    /// Whether no rule is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

/// A frozen list of rules that answers with the position of the first match.
///
/// The default classifier has no rules and matches nothing.
#[derive(Clone, Debug, Default)]
pub struct Classifier<A> {
    linear: LinearClassifier<A>,
}

impl<A: Bits> Classifier<A> {
    /// Builds the classifier; a rule's position in `rules` is its rank.
    pub fn build(rules: &[Rule<A>]) -> Self {
        Self { linear: LinearClassifier::build(rules) }
    }

    /// The position of the first rule that matches.
    pub fn first(&self, query: &Query<'_, A>) -> Option<u32> {
        self.linear.first(query)
    }

    /// The position of the first rule in `only` that matches.
    pub fn first_in(&self, query: &Query<'_, A>, only: &RuleSet) -> Option<u32> {
        self.linear.first_in(query, only)
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.linear.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.linear.is_empty()
    }
}
