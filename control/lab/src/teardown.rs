//! Taking namespaces away: processes, names and files.
//!
//! Goes on past what is already gone and returns every failure, so that it may be repeated until nothing is left.

use std::io::ErrorKind;

use ::io::Netns;

use crate::dirs::Dirs;
use crate::error::{Collector, Error, Errors, NamespaceAction, Owner};
use crate::etc;
use crate::made;
use crate::plan::Plan;
use crate::processes::{self, Inhabited};

/// Takes away every namespace of the plan with its processes and its files under `/etc/netns`.
///
/// A namespace ends when its last device is closed: drop what [`crate::apply::add`] returned before, or the devices
/// live on without a name until then.
///
/// # Errors
///
/// Every failure, among them [`Error::NamespaceClash`] for a namespace that the lab has not made; what could be taken away is gone nevertheless. What was gone before is no failure.
pub fn teardown(plan: &Plan, dirs: &Dirs) -> Result<(), Errors> {
    let names: Vec<&str> = plan.namespaces.keys().map(String::as_str).collect();
    take_down(&plan.lab, &names, dirs)
}

pub(crate) fn take_down(lab: &str, namespaces: &[&str], dirs: &Dirs) -> Result<(), Errors> {
    let mut failures = Collector::default();
    let (mut inhabited, mut ours) = (Vec::new(), Vec::new());
    for &namespace in namespaces {
        let opened = failures.take(open(namespace)).flatten();
        if opened.as_ref().is_none_or(|there| made::is_ours(dirs, lab, namespace, &there.netns)) {
            inhabited.extend(opened);
            ours.push(namespace);
        } else {
            let (lab, namespace) = (lab.to_owned(), namespace.to_owned());
            failures.push(Error::NamespaceClash { lab, owner: Owner::Nobody(namespace.clone()), namespace });
        }
    }
    failures.take_all(processes::end(&inhabited));
    drop(inhabited);
    for namespace in ours {
        if failures.take(delete(namespace)).is_some() {
            made::forget(dirs, lab, namespace);
        }
        failures.take_all(etc::remove(dirs, lab, namespace));
    }
    failures.finish(())
}

/// The namespace, unless it is gone or only its name is left.
fn open(namespace: &str) -> Result<Option<Inhabited<'_>>, Error> {
    match Netns::open(namespace) {
        Ok(netns) => Ok(Some(Inhabited { namespace, netns })),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(source) => {
            Err(Error::Namespace { action: NamespaceAction::Enter, namespace: namespace.to_owned(), source })
        }
    }
}

fn delete(namespace: &str) -> Result<(), Error> {
    match Netns::delete(namespace) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(Error::Namespace { action: NamespaceAction::Delete, namespace: namespace.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
