//! Changing the lab while packets flow.

use std::collections::BTreeSet;
use std::sync::Arc;

use import::Look;
use lab::live::Begun;
use lab::{OpenedDevice, Plan};
use model::Valid;
use runtime::{Attachment, Snapshot};

use crate::changes::changes;
use crate::protocol::{Applied, Response};
use crate::running::{Running, now, number, numbered};

/// Why a change was refused, ready to be printed.
pub(crate) struct Refused(pub(crate) String);

impl Running {
    /// Puts another version of the lab file in force, or leaves everything as it is.
    pub(crate) fn apply(&mut self, name: &str, text: &str) -> Response {
        match self.try_apply(name, text) {
            Ok(applied) => Response::Applied(applied),
            Err(Refused(message)) => Response::Failed { message },
        }
    }

    fn try_apply(&mut self, name: &str, text: &str) -> Result<Applied, Refused> {
        let (file, findings) = import::load(name, text)
            .map_err(|findings| Refused(import::render(&findings, name, text, Look::Plain)))?;
        self.refuse_what_cannot_change(&file)?;
        let carried = self.peerings.carry_over(self.valid.lab(), &file)?;
        let notes = carried.notes.clone();
        let (valid, peerings, filed) = carried.into_parts();
        let mut warnings = import::render(&findings, name, text, Look::Plain);
        if valid.lab().settings.sessions != self.valid.lab().settings.sessions {
            warnings.push_str(
                "settings.limits.sessions: the flow table keeps its size until the lab is started again\n",
            );
        }
        let changes = changes(self.valid.lab(), valid.lab());
        if valid != self.valid {
            warnings.push_str(&self.change_to(&valid)?);
        }
        (self.name, self.text, self.valid) = (name.to_owned(), text.to_owned(), valid);
        self.peerings.carried(peerings, filed, self.valid.lab());
        Ok(Applied { generation: self.runtime.snapshot().generation().0, changes, notes, warnings })
    }

    fn refuse_what_cannot_change(&self, valid: &Valid) -> Result<(), Refused> {
        let (ours, theirs) = (&self.valid.lab().name, &valid.lab().name);
        if ours == theirs {
            return Ok(());
        }
        Err(Refused(format!(
            "this is lab {ours} and the file describes lab {theirs}: a lab keeps its name, from which those of its namespaces are \
             made; start the other lab with `vpclab up`, or take this one down before"
        )))
    }

    /// Makes what is new, publishes, removes what is gone. Returns failures to remove, one a line.
    pub(crate) fn change_to(&mut self, valid: &Valid) -> Result<String, Refused> {
        let snapshot = self.compiler.snapshot(valid).map_err(|error| Refused(error.to_string()))?;
        let plan = Plan::of(valid);
        let (begun, devices) = self.lab.begin(&plan).map_err(|errors| Refused(errors.to_string()))?;
        self.publish(Arc::new(snapshot), &begun, devices);
        let mut failures = Vec::new();
        failures.extend(self.programs.set(&plan, now()).err().into_iter().flatten());
        failures.extend(self.lab.finish(begun).err().into_iter().flatten());
        self.troubles.note_all(&failures);
        Ok(failures.iter().map(|failure| format!("{failure}\n")).collect())
    }

    /// One atomic store for the rules; devices are there before the first packet to them and go after the last one.
    fn publish(&mut self, snapshot: Arc<Snapshot>, begun: &Begun, devices: Vec<OpenedDevice>) {
        let old = self.runtime.snapshot();
        let added = numbered(&snapshot, devices, &mut self.troubles);
        let removed: BTreeSet<Attachment> =
            begun.changes().removed_interfaces().filter_map(|id| number(&old, id)).collect();
        self.labels.learn(&snapshot);

        self.runtime.announce(added.iter().cloned());
        let published = self.runtime.publish(snapshot);
        removed.iter().for_each(|at| self.runtime.detach(*at));
        for (at, tun) in added {
            self.runtime.attach(at, tun);
        }
        // A worker that is late has the change as soon as it goes on.
        self.troubles.note_all(published.and_then(|()| self.runtime.settle()).err());
        self.note_troubles_but_of(&removed);
    }
}
