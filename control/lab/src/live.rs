//! A lab from its first namespace to its last.

use crate::apply::{self, OpenedDevice, Options};
use crate::dirs::Dirs;
use crate::error::Errors;
use crate::made;
use crate::plan::{Changes, Plan};
use crate::state::Lock;
use crate::teardown::teardown;

/// The kernel's side of one running lab.
///
/// Keeps the stored plan ahead of the kernel: however this process ends, the plan names everything that is there.
///
/// - life: [`Self::up`], [`Self::down`]
/// - change: [`Self::begin`], then, after publishing the rules, [`Self::finish`] or [`Self::abandon`]
///
/// Dropping it leaves namespaces and stored plan in place, as if the process had been killed.
#[derive(Debug)]
pub struct LiveLab {
    lock: Lock,
    plan: Plan,
    options: Options,
}

/// A change that has been begun: what is new is there, what is old still is.
#[derive(Debug)]
#[must_use = "old devices and namespaces stay until the change is finished"]
pub struct Begun {
    changes: Changes,
    plan: Plan,
}

/// Whether there was something to clean up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// A dead daemon had left something; it is gone now.
    Cleaned,
    /// There was nothing.
    None,
}

/// Takes down a lab whose daemon is gone, by its stored plan.
///
/// # Errors
///
/// [`crate::Error::Running`] if its daemon lives; else every failure, in which case the plan stays for another try.
pub fn clean_up(dirs: &Dirs, lab: &str) -> Result<Leftovers, Errors> {
    let lock = Lock::acquire(dirs, lab)?;
    let leftovers = tear_down_stored(&lock)?;
    lock.release()?;
    Ok(leftovers)
}

impl LiveLab {
    /// Makes everything of the plan, after removing what a killed daemon of the same lab left behind.
    ///
    /// # Errors
    ///
    /// Every failure, among them [`crate::Error::Running`] and what [`apply::check`] finds; nothing of the plan is left then.
    pub fn up(dirs: &Dirs, plan: &Plan, options: Options) -> Result<(Self, Vec<OpenedDevice>), Errors> {
        let lock = Lock::acquire(dirs, &plan.lab)?;
        tear_down_stored(&lock)?;
        let mut lab = Self { lock, plan: Plan::empty(&plan.lab), options };
        match lab.begin(plan) {
            Ok((begun, devices)) => {
                lab.finish(begun)?;
                Ok((lab, devices))
            }
            // What could not be undone stays in the stored plan for `clean_up`.
            Err(errors) if lab.lock.stored_plan()?.is_some_and(|plan| !plan.namespaces.is_empty()) => {
                Err(errors)
            }
            Err(errors) => Err(errors.and(lab.lock.release())),
        }
    }

    /// What the kernel looks like now.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Makes what `plan` adds and adapts what stays, without deleting anything but what an instance or interface takes over.
    ///
    /// # Errors
    ///
    /// Every failure; the lab is as before then, apart from what was taken over.
    pub fn begin(&mut self, plan: &Plan) -> Result<(Begun, Vec<OpenedDevice>), Errors> {
        let (dirs, changes) = (self.lock.dirs(), Plan::diff(&self.plan, plan));
        apply::check(&changes, dirs)?;
        self.lock.store_plan(&self.plan.with_added(&changes, |_| true))?;
        match apply::add(&changes, dirs, self.options) {
            Ok(devices) => Ok((Begun { changes, plan: plan.clone() }, devices)),
            Err(errors) => Err(errors.and(self.store_what_is_left(&changes))),
        }
    }

    /// Deletes what the change removes. Detach the interfaces of [`Changes::removed_interfaces`] from the workers before.
    ///
    /// # Errors
    ///
    /// Every failure; the change holds nevertheless, and what could not be deleted stays in the stored plan.
    pub fn finish(&mut self, begun: Begun) -> Result<(), Errors> {
        let removed = apply::remove(&begun.changes, self.lock.dirs());
        self.plan = begun.plan;
        match removed {
            Ok(()) => Ok(self.lock.store_plan(&self.plan)?),
            Err(errors) => Err(errors),
        }
    }

    /// Takes a change back. Drop the devices that [`Self::begin`] returned before.
    ///
    /// # Errors
    ///
    /// Every failure.
    pub fn abandon(&mut self, begun: Begun) -> Result<(), Errors> {
        match apply::undo(&begun.changes, self.lock.dirs()) {
            Ok(()) => self.store_what_is_left(&begun.changes),
            Err(errors) => Err(errors.and(self.store_what_is_left(&begun.changes))),
        }
    }

    /// Takes everything down. Drop every device before, or its namespace lives on without a name.
    ///
    /// # Errors
    ///
    /// Every failure; then the plan stays for [`clean_up`].
    pub fn down(self) -> Result<(), Errors> {
        tear_down_stored(&self.lock)?;
        self.lock.release()
    }

    fn store_what_is_left(&self, changes: &Changes) -> Result<(), Errors> {
        let left =
            self.plan.with_added(changes, |name| made::is_left(self.lock.dirs(), &self.plan.lab, name));
        Ok(self.lock.store_plan(&left)?)
    }
}

impl Begun {
    /// What the change consists of.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }
}

fn tear_down_stored(lock: &Lock) -> Result<Leftovers, Errors> {
    match lock.stored_plan()? {
        Some(plan) => teardown(&plan, lock.dirs()).map(|()| Leftovers::Cleaned),
        None => Ok(Leftovers::None),
    }
}
