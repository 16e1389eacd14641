//! One build, from a specification and the snapshot before it to the next snapshot.

use std::sync::Arc;

use super::earlier::{Compared, Comparison, Identified, is_same};
use super::references::Known;
use super::{BuildError, Indices};
use crate::snapshot::Slot;
use crate::spec::LabSpec;
use crate::{Generation, Kind, NameIx, Names, Settings, Snapshot};

/// What a build has at hand. Names and indices are those of the previous snapshot until something new appears.
pub(super) struct Pass<'a> {
    pub(super) spec: &'a Arc<LabSpec>,
    pub(super) before: Option<&'a Snapshot>,
    pub(super) generation: Generation,
    pub(super) names: Arc<Names>,
    pub(super) indices: Arc<Indices>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(before: Option<&'a Snapshot>, spec: &'a Arc<LabSpec>) -> Self {
        Self {
            spec,
            before,
            generation: Generation(before.map_or(0, |snapshot| snapshot.generation.0) + 1),
            names: before.map(|snapshot| Arc::clone(&snapshot.names)).unwrap_or_default(),
            indices: before.map(|snapshot| Arc::clone(&snapshot.indices)).unwrap_or_default(),
        }
    }

    /// Builds every part.
    pub(super) fn run(mut self) -> Result<Snapshot, BuildError> {
        let compared = Comparison::new(self.before.map(|before| &*before.spec), self.spec);
        let known = Known::check(self.spec, &compared)?;
        let acls = self.acls(&compared.acls);
        let (interfaces, carriers) = self.interfaces(&compared, &known)?;
        let programs = self.programs(&compared.groups, &known, &carriers)?;
        let route_tables = self.route_tables(&compared.route_tables);
        let subnets = self.subnets(&compared.subnets);
        let vpcs = self.vpcs(&compared.vpcs, &interfaces, &subnets);
        let nat_gateways = self.nat_gateways(&compared.nat_gateways);
        let peerings = self.peerings(&compared.peerings);
        let internet = self.internet(&vpcs);
        let settings = self.settings();
        Ok(Snapshot {
            generation: self.generation,
            acls,
            interfaces,
            has_public_addresses: !internet.1.publics.is_empty(),
            internet,
            nat_gateways,
            peerings,
            programs,
            route_tables,
            subnets,
            vpcs,
            settings,
            names: self.names,
            indices: self.indices,
            spec: Arc::clone(self.spec),
        })
    }

    fn settings(&self) -> (Generation, Arc<Settings>) {
        let before = self.before.map(|snapshot| &snapshot.settings);
        self.settle(before, self.spec.settings.clone())
    }

    /// The index of a name; it belongs to `owner`, or to nobody.
    pub(super) fn name(&mut self, kind: Kind, id: &str, label: &str, owner: Option<NameIx>) -> NameIx {
        Names::intern(&mut self.names, kind, id, label, owner)
    }

    /// The part of the previous snapshot if it has the same content, else `now` as a part that changed.
    pub(super) fn settle<T: PartialEq>(
        &self,
        before: Option<&(Generation, Arc<T>)>,
        now: T,
    ) -> (Generation, Arc<T>) {
        match before {
            Some((generation, part)) if **part == now => (*generation, Arc::clone(part)),
            Some(_) | None => (self.generation, Arc::new(now)),
        }
    }

    /// The parts of objects that depend on nothing but their specification: as before where that is the same, or says the same.
    pub(super) fn keep_equal<S: Identified, T: PartialEq + 'a>(
        &mut self,
        compared: &Compared<'a, S>,
        before: impl Fn(&'a Snapshot) -> &'a Vec<Slot<T>>,
        index: impl Fn(&mut Self, &S) -> usize,
        make: impl Fn(&mut Self, &S) -> T,
    ) -> Vec<Slot<T>> {
        let mut slots = Vec::new();
        for (spec, earlier) in compared.pairs() {
            let at = index(self, spec);
            let part = match self.part_before(&before, at) {
                Some(before) if is_same(spec, earlier) => before.clone(),
                before => {
                    let now = make(self, spec);
                    self.settle(before, now)
                }
            };
            put(&mut slots, at, part);
        }
        slots
    }

    /// The part of the previous snapshot at `at`.
    pub(super) fn part_before<T>(
        &self,
        slots: impl FnOnce(&'a Snapshot) -> &'a Vec<Slot<T>>,
        at: usize,
    ) -> Option<&'a (Generation, Arc<T>)> {
        slots(self.before?).get(at)?.as_ref()
    }
}

/// Puts a part at its index; the slots between are of objects that are gone.
pub(super) fn put<T>(slots: &mut Vec<Option<T>>, at: usize, part: T) {
    if slots.len() <= at {
        slots.resize_with(at + 1, || None);
    }
    slots[at] = Some(part);
}
