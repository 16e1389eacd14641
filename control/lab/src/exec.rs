//! Programs inside an instance.

use std::ffi::OsStr;
use std::process::Command;

use crate::error::{Error, NamespaceAction};

/// A command that will run `program` with `arguments` in a namespace of a running lab, with the lab's `hosts` and
/// `resolv.conf` in place, as `ip netns exec` would.
///
/// Everything else (directory, environment, standard streams) is the caller's.
///
/// # Errors
///
/// [`Error::Namespace`] if there is no such namespace. Whether the program exists shows when it is spawned.
pub fn command(
    namespace: &str,
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<Command, Error> {
    let mut command = ::io::netns::netns_command(namespace, program).map_err(|source| Error::Namespace {
        action: NamespaceAction::Enter,
        namespace: namespace.to_owned(),
        source,
    })?;
    command.args(arguments);
    Ok(command)
}
