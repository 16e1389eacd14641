//! Making the kernel look like a plan.
//!
//! A change to a running lab has three steps, so that no packet finds a device without rules or rules without a device:
//! [`add`] makes what is new, the caller publishes the rules for it, [`remove`] deletes what is no longer wanted.

mod configure;

use std::sync::Arc;

use ::io::{Netns, Offload, Opener, Queues, Tun, TunOptions};

use self::configure::{Inside, delete_devices};
use crate::dirs::Dirs;
use crate::error::{Collector, Error, Errors, NamespaceAction, Owner};
use crate::plan::{Changes, Device, Namespace, NamespaceChange};
use crate::{etc, made, parallel, state, sysctl, teardown};

/// How devices are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many packets the kernel keeps in each queue for a reader that is late.
    pub tx_queue_length: u32,
    /// Work left to whoever reads the packet.
    pub offload: Offload,
    /// Which code talks to `/dev/net/tun`.
    pub opener: Opener,
    /// How many readers a device has, at most.
    pub queues: Queues,
}

/// A device that is ready: up, with its addresses and routes.
///
/// It exists as long as `tun` does.
#[derive(Clone, Debug)]
pub struct OpenedDevice {
    /// `eni-` id of the interface, or the `host-` id of a host on the internet.
    pub interface: String,
    /// Name of the namespace.
    pub namespace: String,
    /// Name of the device in the namespace.
    pub device: String,
    /// The host's end.
    pub tun: Arc<Tun>,
}

impl Default for Options {
    fn default() -> Self {
        let TunOptions { txqueuelen, offload, opener, queues, .. } = TunOptions::default();
        Self { tx_queue_length: txqueuelen, offload, opener, queues }
    }
}

/// Finds what is in the way of the changes, without touching anything.
///
/// # Errors
///
/// One error per namespace, device or file that the changes would make and that somebody else has made already.
pub fn check(changes: &Changes, dirs: &Dirs) -> Result<(), Errors> {
    let mut failures = Collector::default();
    let etc = |namespace: &str| etc::check(dirs, &changes.lab, namespace, &changes.etc.new);
    for Namespace { name, .. } in &changes.added {
        let free =
            is_removed(changes, name) || failures.take(check_namespace(&changes.lab, name, dirs)).is_some();
        // The files of a namespace that clashes are as foreign as it is.
        if free {
            failures.take_all(etc(name));
        }
    }
    for namespace in &changes.etc_stale {
        failures.take_all(etc(namespace));
    }
    for change in changes.changed.iter().filter(|change| !change.devices_added.is_empty()) {
        failures.take_all(configure::check_devices(&changes.lab, change));
    }
    failures.finish(())
}

/// Makes the namespaces and devices that the changes add, and adapts those that stay, without deleting any device.
///
/// Only an instance or interface that takes over the name of another one makes the old one go now.
///
/// # Errors
///
/// Those of [`check`], in which case nothing was touched; else every failure, in which case what this call had made is gone
/// again and what it had adapted is as before, apart from what was taken over.
pub fn add(changes: &Changes, dirs: &Dirs, options: Options) -> Result<Vec<OpenedDevice>, Errors> {
    check(changes, dirs)?;
    let taken_over: Vec<&str> =
        changes.removed.iter().map(|n| n.name.as_str()).filter(|name| is_added(changes, name)).collect();
    teardown::take_down(&changes.lab, &taken_over, dirs)?;

    let context = Context { changes, dirs, options };
    let work = context.work();
    let results = parallel::each(&work, |part| context.perform(part));
    let mut failures = Collector::default();
    let mut performed = Vec::new();
    let mut devices = Vec::new();
    for (part, result) in work.iter().zip(results) {
        if let Some(opened) = failures.take_all(result) {
            performed.push(part);
            devices.extend(opened);
        }
    }
    if !failures.is_empty() {
        drop(devices);
        performed.into_iter().for_each(|part| {
            failures.take_all(context.undo(part));
        });
        return failures.finish(Vec::new());
    }
    Ok(devices)
}

/// Takes back what [`add`] did for the same changes, apart from what was taken over. Drop the devices that it returned before.
///
/// # Errors
///
/// Every failure.
pub fn undo(changes: &Changes, dirs: &Dirs) -> Result<(), Errors> {
    let context = Context { changes, dirs, options: Options::default() };
    let mut failures = Collector::default();
    for part in context.work() {
        failures.take_all(context.undo(&part));
    }
    failures.finish(())
}

/// Deletes the devices and namespaces that the changes remove. What is gone already is no failure.
///
/// # Errors
///
/// Every failure; what could be deleted is gone nevertheless.
pub fn remove(changes: &Changes, dirs: &Dirs) -> Result<(), Errors> {
    let mut failures = Collector::default();
    for change in &changes.changed {
        let taken_over = |d: &&Device| change.devices_added.iter().any(|added| added.name == d.name);
        let devices: Vec<&Device> = change.devices_removed.iter().filter(|d| !taken_over(d)).collect();
        failures.take_all(delete_devices(&change.name, &devices));
    }
    let gone: Vec<&str> =
        changes.removed.iter().map(|n| n.name.as_str()).filter(|name| !is_added(changes, name)).collect();
    failures.take_all(teardown::take_down(&changes.lab, &gone, dirs));
    failures.finish(())
}

/// What the parts of one [`add`] share.
struct Context<'a> {
    changes: &'a Changes,
    dirs: &'a Dirs,
    options: Options,
}

/// What one thread does without regard to the others.
enum Part<'a> {
    Change(&'a NamespaceChange),
    Etc(&'a str),
    New(&'a Namespace),
}

impl<'a> Context<'a> {
    fn work(&self) -> Vec<Part<'a>> {
        let changes = self.changes;
        let new = changes.added.iter().map(Part::New);
        let changed = changes.changed.iter().map(Part::Change);
        new.chain(changed).chain(changes.etc_stale.iter().map(|name| Part::Etc(name))).collect()
    }

    /// Leaves nothing behind if it fails.
    fn perform(&self, part: &Part<'_>) -> Result<Vec<OpenedDevice>, Errors> {
        let done = match part {
            Part::New(namespace) => {
                // Whatever has this name from here on is ours; until then it is not ours to undo.
                let netns = create(&namespace.name)?;
                self.note(&namespace.name, &netns)?;
                self.furnish(namespace, &netns)
            }
            Part::Change(change) => self.change(change),
            Part::Etc(namespace) => self.show_files(namespace).map(|()| Vec::new()),
        };
        done.map_err(|errors| errors.and(self.undo(part)))
    }

    /// A namespace that cannot be noted could never be taken down, so it goes at once.
    fn note(&self, namespace: &str, netns: &Netns) -> Result<(), Errors> {
        made::note(self.dirs, &self.changes.lab, namespace, netns).map_err(|error| {
            let deleted = Netns::delete(namespace).map_err(|source| Error::Namespace {
                action: NamespaceAction::Delete,
                namespace: namespace.to_owned(),
                source,
            });
            Errors::from(error).and(deleted.map_err(Errors::from))
        })
    }

    fn undo(&self, part: &Part<'_>) -> Result<(), Errors> {
        let (lab, etc) = (&self.changes.lab, &self.changes.etc);
        match part {
            Part::New(namespace) => teardown::take_down(lab, &[&namespace.name], self.dirs),
            Part::Change(change) => configure::undo(change),
            Part::Etc(namespace) => etc::replace(self.dirs, lab, namespace, &etc.new, &etc.old),
        }
    }

    fn furnish(&self, namespace: &Namespace, netns: &Netns) -> Result<Vec<OpenedDevice>, Errors> {
        etc::write(self.dirs, &self.changes.lab, &namespace.name, &self.changes.etc.new)?;
        let inside = Inside { namespace: &namespace.name, netns };
        inside.run(|| {
            sysctl::set_up(&namespace.name)?;
            sysctl::set_forwarding(&namespace.name, namespace.forwarding)
        })?;
        let Some(change) = NamespaceChange::between(&namespace.bare(), namespace) else {
            return Ok(Vec::new());
        };
        inside.extend(&change, self.options)
    }

    fn change(&self, change: &NamespaceChange) -> Result<Vec<OpenedDevice>, Errors> {
        let netns = configure::open(&change.name)?;
        let inside = Inside { namespace: &change.name, netns: &netns };
        inside.extend(change, self.options)
    }

    fn show_files(&self, namespace: &str) -> Result<(), Errors> {
        let etc = &self.changes.etc;
        etc::replace(self.dirs, &self.changes.lab, namespace, &etc.old, &etc.new)
    }
}

fn create(namespace: &str) -> Result<Netns, Error> {
    Netns::create(namespace).map_err(|source| Error::Namespace {
        action: NamespaceAction::Create,
        namespace: namespace.to_owned(),
        source,
    })
}

fn check_namespace(lab: &str, namespace: &str, dirs: &Dirs) -> Result<(), Error> {
    let exists = Netns::exists(namespace).map_err(|source| Error::Namespace {
        action: NamespaceAction::Create,
        namespace: namespace.to_owned(),
        source,
    })?;
    if !exists {
        return Ok(());
    }
    let owner = match state::lab_with(dirs, namespace).filter(|owner| owner != lab) {
        Some(owner) => Owner::Lab(owner),
        None => Owner::Nobody(namespace.to_owned()),
    };
    Err(Error::NamespaceClash { lab: lab.to_owned(), namespace: namespace.to_owned(), owner })
}

fn is_removed(changes: &Changes, name: &str) -> bool {
    changes.removed.iter().any(|n| n.name == name)
}

fn is_added(changes: &Changes, name: &str) -> bool {
    changes.added.iter().any(|n| n.name == name)
}
