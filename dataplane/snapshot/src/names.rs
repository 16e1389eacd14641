//! Index to AWS id and lab name, read only when printing.

use std::sync::Arc;

use crate::NameIx;
use crate::hash::HashMap;

/// What a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Network ACL.
    Acl,
    /// Network ACL entry, `ACL-ID/ingress/NUMBER`.
    AclEntry,
    /// Egress-only internet gateway.
    EgressOnlyInternetGateway,
    /// Security group.
    Group,
    /// Security-group rule.
    GroupRule,
    /// Host on the internet.
    Host,
    /// Network interface.
    Interface,
    /// Internet gateway.
    InternetGateway,
    /// NAT gateway.
    NatGateway,
    /// Peering connection.
    Peering,
    /// Route, `RTB-ID/DESTINATION`.
    Route,
    /// Route table.
    RouteTable,
    /// Subnet.
    Subnet,
    /// VPC.
    Vpc,
}

/// One named thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub kind: Kind,
    /// AWS id.
    pub id: Arc<str>,
    /// Name in the lab file, where it has one; else the id.
    pub label: Arc<str>,
    /// The group of a rule, the ACL of an entry, the table of a route.
    pub owner: Option<NameIx>,
}

/// All names that this run has seen. A name keeps its index for as long as the process lives, so a session can remember
/// the rule that allowed it after the rule is gone.
///
/// The names are kept in layers that snapshots share: a build that meets new names puts them into a layer of its own
/// instead of copying those that were there.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By ascending index; but for the newest, each is at least twice as long as the next, so there are few.
    layers: Vec<Arc<Layer>>,
}

impl Names {
    /// The name at `ix`.
    ///
    /// # Panics
    ///
    /// Never for an index from this registry or an earlier one of the same run.
    #[must_use]
    pub fn get(&self, ix: NameIx) -> &Name {
        let layer = &self.layers[self.layer_of(ix)];
        &layer.names[ix.at() - layer.first]
    }

    /// The index of an AWS id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<NameIx> {
        self.layers.iter().find_map(|layer| layer.by_id.get(id).copied())
    }

    /// The index of `id`, registering it the first time; the label follows the latest snapshot. What earlier snapshots
    /// share with `shared` stays as it is.
    pub(crate) fn intern(
        shared: &mut Arc<Self>,
        kind: Kind,
        id: &str,
        label: &str,
        owner: Option<NameIx>,
    ) -> NameIx {
        match shared.find(id) {
            Some(ix) if *shared.get(ix).label == *label => ix,
            Some(ix) => {
                Arc::make_mut(shared).relabel(ix, label);
                ix
            }
            None => {
                let id: Arc<str> = id.into();
                let label = if *id == *label { Arc::clone(&id) } else { label.into() };
                Arc::make_mut(shared).push(Name { kind, id, label, owner })
            }
        }
    }

    fn relabel(&mut self, ix: NameIx, label: &str) {
        let at = self.layer_of(ix);
        let layer = Arc::make_mut(&mut self.layers[at]);
        layer.names[ix.at() - layer.first].label = label.into();
    }

    fn push(&mut self, name: Name) -> NameIx {
        if let Some(top) = self.layers.last_mut().and_then(Arc::get_mut) {
            return top.push(name);
        }
        self.merge_short_layers();
        let mut top = Layer { first: self.layers.last().map_or(0, |layer| layer.end()), ..Layer::default() };
        let ix = top.push(name);
        self.layers.push(Arc::new(top));
        ix
    }

    /// Restores the order of sizes from the top; over a run each name is copied a logarithmic number of times.
    fn merge_short_layers(&mut self) {
        while let [.., below, top] = &self.layers[..]
            && below.names.len() < 2 * top.names.len()
        {
            let mut merged = Layer::clone(below);
            merged.names.extend(top.names.iter().cloned());
            merged.by_id.extend(top.by_id.iter().map(|(id, ix)| (Arc::clone(id), *ix)));
            self.layers.truncate(self.layers.len() - 2);
            self.layers.push(Arc::new(merged));
        }
    }

    /// The position of the layer that holds `ix`.
    fn layer_of(&self, ix: NameIx) -> usize {
        self.layers.partition_point(|layer| layer.end() <= ix.at())
    }
}

/// A run of names.
#[derive(Clone, Debug, Default)]
struct Layer {
    /// Index of the first one.
    first: usize,
    names: Vec<Name>,
    by_id: HashMap<Arc<str>, NameIx>,
}

impl Layer {
    fn end(&self) -> usize {
        self.first + self.names.len()
    }

    fn push(&mut self, name: Name) -> NameIx {
        let ix = NameIx(u32::try_from(self.end()).expect("fewer than 2^32 names in one run"));
        self.by_id.insert(Arc::clone(&name.id), ix);
        self.names.push(name);
        ix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intern(names: &mut Arc<Names>, id: &str, label: &str) -> NameIx {
        Names::intern(names, Kind::GroupRule, id, label, None)
    }

    #[test]
    fn names_of_a_thousand_builds_keep_their_indices_in_a_few_layers() {
        let mut names = Arc::default();
        let mut published = Vec::new();
        for build in 0..1_000 {
            for n in 0..=build % 3 {
                intern(&mut names, &format!("sgr-{build}-{n}"), "label");
            }
            published.push(Arc::clone(&names));
        }
        assert!(names.layers.len() <= 12, "{} layers", names.layers.len());
        let (first, last) = (&published[1], &published[999]);
        let ix = first.find("sgr-1-1").expect("a name of the second build");
        assert_eq!(last.find("sgr-1-1"), Some(ix));
        assert_eq!(first.find("sgr-999-0"), None);
        for ix in (0..1_999).map(NameIx) {
            assert_eq!(last.find(&last.get(ix).id), Some(ix));
        }
    }

    #[test]
    fn a_new_label_leaves_published_names_alone() {
        let mut names = Arc::default();
        let ix = intern(&mut names, "sg-1", "app.web");
        intern(&mut names, "sg-2", "app.db");
        let published = Arc::clone(&names);
        assert_eq!(intern(&mut names, "sg-1", "app.front"), ix);
        assert_eq!((&*published.get(ix).label, &*names.get(ix).label), ("app.web", "app.front"));
        assert_eq!(&*names.get(NameIx(1)).label, "app.db");
    }

    #[test]
    fn what_is_known_is_not_copied() {
        let mut names = Arc::default();
        intern(&mut names, "sg-1", "app.web");
        let published = Arc::clone(&names);
        intern(&mut names, "sg-1", "app.web");
        assert!(Arc::ptr_eq(&published, &names));
        intern(&mut names, "sg-2", "app.db");
        assert!(Arc::ptr_eq(&published.layers[0], &names.layers[0]));
    }
}
