//! Peering connections that are requested and answered while the lab runs.
//!
//! What was asked since the lab file was put in force is kept, so that another version of the file can have it too: a
//! connection stays as it is unless the new file says something else about it than the old one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::Valid;
use model::lab::{Lab, Peering, PeeringState};
use model::live::{PeeringChange, PeeringRefusal};

use crate::apply::Refused;
use crate::protocol::{self, PeeringRow, Response};
use crate::running::{Running, now};

/// How long a request waits to be accepted (PC-03, PC-24): 168 hours.
const EXPIRY: Duration = Duration::from_secs(168 * 3600);

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct LivePeerings {
    /// Connections as the lab file in force has them.
    filed: BTreeMap<String, Peering>,
    /// What was asked since, in order.
    changes: Vec<PeeringChange>,
    /// When the requests that wait expire, by id.
    deadlines: BTreeMap<String, Instant>,
}

/// A lab file together with what it leaves as it is.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) valid: Valid,
    changes: Vec<PeeringChange>,
    filed: BTreeMap<String, Peering>,
    /// What differs from the file, one line for each connection.
    pub(crate) notes: Vec<String>,
}

impl LivePeerings {
    /// Those of a lab that was just started.
    pub(crate) fn of(valid: &Valid) -> Self {
        let mut peerings =
            Self { filed: valid.lab().peerings.clone(), changes: Vec::new(), deadlines: BTreeMap::new() };
        peerings.watch(valid.lab(), now());
        peerings
    }

    /// What makes the connections in force of those in the file.
    pub(crate) fn changes(&self) -> Vec<protocol::PeeringChange> {
        self.changes.iter().cloned().map(Into::into).collect()
    }

    /// Puts what stays onto a new version of the lab file; `running` is the lab in force.
    ///
    /// # Errors
    ///
    /// What stays contradicts the file.
    pub(crate) fn carry_over(&self, running: &Lab, file: &Valid) -> Result<Carried, Refused> {
        let stays = |change: &&PeeringChange| self.stays(running, file.lab(), change.name());
        let changes: Vec<PeeringChange> = self.changes.iter().filter(stays).cloned().collect();
        let mut valid = file.clone();
        for change in &changes {
            no_new_overlap(running, file.lab(), change.name())?;
            valid = valid.with_peering(change).map_err(|why| {
                Refused(format!(
                    "{why}\nThe connection was requested or answered with `vpclab peering`, and this file leaves it as it is."
                ))
            })?;
        }
        let notes = notes(file.lab(), valid.lab(), &changes);
        Ok(Carried { valid, changes, filed: file.lab().peerings.clone(), notes })
    }

    /// Takes note that a new version of the lab file is in force.
    pub(crate) fn carried(
        &mut self,
        changes: Vec<PeeringChange>,
        filed: BTreeMap<String, Peering>,
        lab: &Lab,
    ) {
        (self.changes, self.filed) = (changes, filed);
        self.watch(lab, now());
    }

    /// Whether a connection stays as it is: the new file says about it what the old one said. One that no file ever had goes
    /// with either of its VPCs.
    fn stays(&self, running: &Lab, file: &Lab, name: &str) -> bool {
        match (self.filed.get(name), file.peerings.get(name)) {
            (None, None) => running.peerings.get(name).is_some_and(|live| {
                [&live.requester, &live.accepter].into_iter().all(|vpc| file.vpcs.contains_key(vpc))
            }),
            (before, now) => before == now,
        }
    }

    fn watch(&mut self, lab: &Lab, now: Instant) {
        let waits = |p: &&Peering| p.state == PeeringState::PendingAcceptance;
        let deadline = |p: &Peering| {
            let known = self.deadlines.get(&p.id).copied();
            (p.id.clone(), known.unwrap_or_else(|| now + EXPIRY))
        };
        self.deadlines = lab.peerings.values().filter(waits).map(deadline).collect();
    }

    /// Name of a connection that has waited too long.
    fn due(&self, lab: &Lab, now: Instant) -> Option<String> {
        let (id, _) = self.deadlines.iter().find(|(_, deadline)| **deadline <= now)?;
        lab.peering_by_id(id).map(|peering| peering.name.clone())
    }
}

impl Carried {
    /// The lab, and what [`LivePeerings::carried`] takes once it is in force.
    pub(crate) fn into_parts(self) -> (Valid, Vec<PeeringChange>, BTreeMap<String, Peering>) {
        (self.valid, self.changes, self.filed)
    }
}

impl Running {
    /// Does what is asked of a peering connection, or leaves everything as it is.
    pub(crate) fn change_peering(&mut self, change: &protocol::PeeringChange) -> Response {
        let name = name_of(self.valid.lab(), &change.name).to_owned();
        let change = protocol::PeeringChange { name: name.clone(), step: change.step.clone() };
        match self.try_change_peering(change.into()) {
            Ok(()) => Response::Peering(self.peering_row(&name)),
            Err(Refused(message)) => Response::Failed { message },
        }
    }

    /// Ends the requests that nobody has accepted in time.
    pub(crate) fn expire_peerings(&mut self, now: Instant) {
        while let Some(name) = self.peerings.due(self.valid.lab(), now) {
            if let Err(Refused(message)) = self.try_change_peering(PeeringChange::Expire { name }) {
                self.troubles.note(message);
                return;
            }
        }
    }

    fn try_change_peering(&mut self, change: PeeringChange) -> Result<(), Refused> {
        let valid = self.valid.with_peering(&change).map_err(|why| Refused(words(&why)))?;
        self.change_to(&valid)?;
        self.valid = valid;
        self.peerings.changes.push(change);
        self.peerings.watch(self.valid.lab(), now());
        Ok(())
    }

    fn peering_row(&self, name: &str) -> PeeringRow {
        let lab = self.valid.lab();
        let peering = &lab.peerings[name];
        PeeringRow {
            name: peering.name.clone(),
            id: peering.id.clone(),
            requester: peering.requester.clone(),
            accepter: peering.accepter.clone(),
            status: peering.state.as_str().to_owned(),
            message: lab.peering_message(peering),
            generation: self.runtime.snapshot().generation().0,
        }
    }
}

/// The name of the connection that people call so: by its name, or by its id.
fn name_of<'a>(lab: &'a Lab, called: &'a str) -> &'a str {
    match lab.peerings.contains_key(called) {
        true => called,
        false => lab.peering_by_id(called).map_or(called, |peering| &peering.name),
    }
}

/// With what can be done about it.
fn words(why: &PeeringRefusal) -> String {
    if let PeeringRefusal::Transition { name, why: transition } = why
        && transition.state.is_over()
    {
        return format!("{why}\n`vpclab peering request {name}` asks for a new connection of that name");
    }
    why.to_string()
}

/// A VPC gets no block that overlaps one of an active peer (PC-06, ER-32).
fn no_new_overlap(running: &Lab, file: &Lab, name: &str) -> Result<(), Refused> {
    let Some(live) = running.peerings.get(name).filter(|live| live.state == PeeringState::Active) else {
        return Ok(());
    };
    let (Some(requester), Some(accepter)) = (file.vpcs.get(&live.requester), file.vpcs.get(&live.accepter))
    else {
        return Ok(());
    };
    requester.overlap(accepter).map_or(Ok(()), |(own, other)| {
        Err(Refused(format!(
            "{own} of VPC `{}` overlaps {other} of VPC `{}`, and the two are peered by the active connection `{name}` \
             (CidrConflict): delete the connection before, or take other blocks",
            live.requester, live.accepter
        )))
    })
}

/// What people who wrote the file would not expect.
fn notes(file: &Lab, valid: &Lab, changes: &[PeeringChange]) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = changes.iter().map(PeeringChange::name).collect();
    let note = |name: &str| {
        let live = valid.peerings.get(name)?;
        let state = live.state.as_str();
        match file.peerings.get(name) {
            Some(filed) if filed.state == live.state => None,
            Some(filed) => Some(format!(
                "peering connection {name} stays {state}, as `vpclab peering` left it: the file says {} now as before",
                filed.state.as_str()
            )),
            None => Some(format!(
                "peering connection {name} stays {state}: it was requested with `vpclab peering`, and no file has it"
            )),
        }
    };
    names.into_iter().filter_map(note).collect()
}

#[cfg(test)]
mod tests;
