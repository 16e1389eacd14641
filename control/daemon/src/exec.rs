//! Programs inside an instance or a host of a running lab.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::process::Command;

use lab::plan::Namespace;
use lab::state::{self, State};
use lab::{Dirs, Plan};

/// Where an instance or a host lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the lab.
    pub lab: String,
    /// Name of the instance or host.
    pub instance: String,
    /// Its network namespace.
    pub namespace: String,
}

/// Why an instance or a host could not be entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// Several labs have it.
    #[error("several running labs have an instance or host {instance}: {}; say which lab", labs.join(", "))]
    Ambiguous {
        /// What was asked for.
        instance: String,
        /// Who has it.
        labs: Vec<String>,
    },
    /// The namespace, or what is known about the lab, cannot be used.
    #[error(transparent)]
    Lab(#[from] lab::Error),
    /// No command was given.
    #[error("no command to run in {instance}")]
    NoCommand {
        /// Name of the instance or host.
        instance: String,
    },
    /// No running lab has it.
    #[error("no running lab{} has an instance or host {instance}", lab.as_ref().map(|lab| format!(" called {lab}")).unwrap_or_default())]
    NoInstance {
        /// The lab that was asked for, if one was.
        lab: Option<String>,
        /// What was asked for.
        instance: String,
    },
}

/// Finds an instance or a host by name, id, `eni-` id or one of its addresses: in the lab of that name, or in all running labs.
///
/// Reads the stored plan, so it needs no answer from the daemon.
///
/// # Errors
///
/// [`ExecError::NoInstance`], [`ExecError::Ambiguous`], or [`ExecError::Lab`] when a plan cannot be read.
pub fn find(dirs: &Dirs, lab: Option<&str>, instance: &str) -> Result<Place, ExecError> {
    let labs = match lab {
        Some(lab) => vec![lab.to_owned()],
        None => state::labs(dirs)?,
    };
    let mut places = Vec::new();
    for lab in labs {
        if !matches!(state::state(dirs, &lab)?, State::Running { .. }) {
            continue;
        }
        let plan = state::stored_plan(dirs, &lab)?.unwrap_or_else(|| Plan::empty(&lab));
        places.extend(
            plan.namespaces.into_values().filter(|n| is_called(n, instance)).map(|n| (lab.clone(), n)),
        );
    }
    match places.as_slice() {
        [] => Err(ExecError::NoInstance { lab: lab.map(str::to_owned), instance: instance.to_owned() }),
        [(lab, found)] => {
            Ok(Place { lab: lab.clone(), instance: found.instance.clone(), namespace: found.name.clone() })
        }
        several => {
            let labs = several.iter().map(|(lab, _)| lab.clone()).collect();
            Err(ExecError::Ambiguous { instance: instance.to_owned(), labs })
        }
    }
}

/// A command that will run a program and its arguments inside an instance or a host, with the names of the lab in place. Directory,
/// environment and standard streams are the caller's.
///
/// # Errors
///
/// Those of [`find`], and [`ExecError::NoCommand`]. Whether the program exists shows when it is spawned.
pub fn command<S: AsRef<OsStr>>(
    dirs: &Dirs,
    lab: Option<&str>,
    instance: &str,
    argv: &[S],
) -> Result<Command, ExecError> {
    let place = find(dirs, lab, instance)?;
    let (program, arguments) =
        argv.split_first().ok_or_else(|| ExecError::NoCommand { instance: place.instance.clone() })?;
    Ok(lab::exec::command(&place.namespace, program, arguments)?)
}

fn is_called(namespace: &Namespace, what: &str) -> bool {
    let address: Option<IpAddr> = what.parse().ok();
    let by_device = namespace.devices.iter().any(|device| {
        device.interface == what || device.addresses.iter().any(|own| Some(own.addr()) == address)
    });
    namespace.instance == what || namespace.instance_id == what || by_device
}
