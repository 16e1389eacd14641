//! First match by trying rule after rule.

use crate::classify::{Peer, Query, Rule, RuleSet};
use crate::prefix::Bits;

/// The linear twin of [`Classifier`](crate::Classifier).
#[derive(Clone, Debug, Default)]
pub struct LinearClassifier<A> {
    rules: Vec<Rule<A>>,
}

impl<A: Bits> LinearClassifier<A> {
    /// Keeps the list as it is.
    pub fn build(rules: &[Rule<A>]) -> Self {
        Self { rules: rules.to_vec() }
    }

    /// The position of the first rule that matches.
    pub fn first(&self, query: &Query<'_, A>) -> Option<u32> {
        (0..).zip(&self.rules).find(|(_, rule)| matches(rule, query)).map(|(position, _)| position)
    }

    /// The position of the first rule in `only` that matches.
    pub fn first_in(&self, query: &Query<'_, A>, only: &RuleSet) -> Option<u32> {
        (0..)
            .zip(&self.rules)
            .find(|(position, rule)| only.contains(*position) && matches(rule, query))
            .map(|(position, _)| position)
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn matches<A: Bits>(rule: &Rule<A>, query: &Query<'_, A>) -> bool {
    let peer = match rule.peer {
        Peer::Any => true,
        Peer::Label(label) => query.labels.contains(&label),
        Peer::Prefix(prefix) => prefix.contains(query.addr),
    };
    peer && rule.proto.is_none_or(|proto| proto == query.proto) && rule.selectors.contains(&query.selector)
}
