//! Index to AWS id and lab name, read only when printing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::NameIx;

/// What a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Network ACL.
    Acl,
    /// Network ACL entry, `ACL-ID/ingress/NUMBER`.
    AclEntry,
    /// Security group.
    Group,
    /// Security-group rule.
    GroupRule,
    /// Network interface.
    Interface,
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
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<Name>,
    by_id: HashMap<Arc<str>, NameIx>,
}

impl Names {
    /// The name at `ix`.
    ///
    /// # Panics
    ///
    /// Never for an index from this registry or an earlier one of the same run.
    #[must_use]
    pub fn get(&self, ix: NameIx) -> &Name {
        &self.names[ix.at()]
    }

    /// The index of an AWS id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<NameIx> {
        self.by_id.get(id).copied()
    }

    /// The index of `id`, registering it the first time; the label follows the latest snapshot. The registry is shared
    /// with earlier snapshots and copied only when something changes.
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
                Arc::make_mut(shared).names[ix.at()].label = label.into();
                ix
            }
            None => Arc::make_mut(shared).register(kind, id, label, owner),
        }
    }

    fn register(&mut self, kind: Kind, id: &str, label: &str, owner: Option<NameIx>) -> NameIx {
        let ix = NameIx(u32::try_from(self.names.len()).expect("fewer than 2^32 names in one run"));
        let id: Arc<str> = id.into();
        let label = if *id == *label { Arc::clone(&id) } else { label.into() };
        self.names.push(Name { kind, id: Arc::clone(&id), label, owner });
        self.by_id.insert(id, ix);
        ix
    }
}
