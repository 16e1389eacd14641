//! Network namespaces of a run, which go when the run does, and those that a killed run has left.

use std::fs;
use std::path::Path;

use io::Netns;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::Error;
use crate::program::{Program, command};
use crate::system::System;

/// A namespace of our own; dropping it takes its name away, and with its last process and device it ends.
#[derive(Debug)]
pub(crate) struct Namespace(String);

impl Namespace {
    /// Makes it, with its loopback device up and without IPv6, whose own traffic would disturb.
    pub(crate) fn create(name: String) -> Result<Self, Error> {
        let netns = Netns::create(&name).map_err(Error::machine(format!("make namespace {name}")))?;
        let namespace = Self(name);
        netns
            .run(|| match fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1") {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            })
            .map_err(Error::machine(format!("switch IPv6 off in {}", namespace.0)))?;
        namespace.configure("link set lo up\n")?;
        Ok(namespace)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Runs lines of `ip` inside it.
    pub(crate) fn configure(&self, lines: &str) -> Result<(), Error> {
        let ip = command("ip", &["-n", &self.0, "-batch", "-"]);
        Program::run_with(ip, lines).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The next run looks for what is left.
        let _ = Netns::delete(&self.0);
    }
}

/// Sets parameters below `/proc/sys/net` inside a namespace.
pub(crate) fn set_parameters(namespace: &str, parameters: &[(&str, &str)]) -> Result<(), Error> {
    let set = || {
        for (name, value) in parameters {
            fs::write(Path::new("/proc/sys/net").join(name), value)?;
        }
        Ok(())
    };
    let netns = Netns::open(namespace).map_err(Error::machine(format!("open namespace {namespace}")))?;
    netns.run(set).map_err(Error::machine(format!("set {parameters:?} in {namespace}")))
}

/// What everything of one system in this run is called.
pub(crate) fn name_of(system: System) -> String {
    own_name(system.name())
}

/// What something of this run is called: `bench-PROCESS-WORD`.
pub(crate) fn own_name(word: &str) -> String {
    format!("{PREFIX}{}-{word}", std::process::id())
}

/// Takes away what runs have left whose process is gone.
///
/// # Errors
///
/// When it cannot be taken away.
pub(crate) fn remove_stale(program: &Path) -> Result<(), Error> {
    for lab in stale_among(entries(Path::new(RUNNING_LABS))) {
        let mut down = std::process::Command::new(program);
        down.args(["down", &lab]);
        Program::run(down)?;
        forget_lab(&lab);
    }
    let names = Netns::names().map_err(Error::machine("list namespaces"))?;
    for name in stale_among(names) {
        end_processes(&name)?;
        Netns::delete(&name).map_err(Error::machine(format!("delete namespace {name}")))?;
    }
    Ok(())
}

/// Ends what a killed run has started in a namespace: programs that do not end with their standard input.
fn end_processes(namespace: &str) -> Result<(), Error> {
    // What is only a name holds no process.
    let Ok(netns) = Netns::open(namespace) else { return Ok(()) };
    let inside = netns.processes().map_err(Error::machine(format!("list processes in {namespace}")))?;
    for process in inside.into_iter().filter_map(|process| i32::try_from(process).ok()) {
        // One that has ended meanwhile is what is wanted.
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
    Ok(())
}

/// Removes what a lab keeps when it is down.
pub(crate) fn forget_lab(lab: &str) {
    // There is none if the lab never came up.
    let _ = fs::remove_dir_all(Path::new("/var/lib/vpclab").join(lab));
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn stale_among(names: Vec<String>) -> Vec<String> {
    let lives = |process: u32| Path::new("/proc").join(process.to_string()).exists();
    names.into_iter().filter(|name| owner(name).is_some_and(|process| !lives(process))).collect()
}

/// The process of the run that something belongs to, by its name.
fn owner(name: &str) -> Option<u32> {
    let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    process.parse().ok()
}

const PREFIX: &str = "bench-";

/// Where a running lab has a directory.
const RUNNING_LABS: &str = "/run/vpclab";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_runs_belong_to_a_process() {
        assert_eq!(owner("bench-4711-kernel-left"), Some(4711));
        assert_eq!(owner(&name_of(System::Kernel)), Some(std::process::id()));
        for foreign in ["bench-kernel-left", "bench-", "bench-17", "mybench-17-kernel", "shop-web"] {
            assert_eq!(owner(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_a_living_run_has_made_is_not_stale() {
        let (alive, gone) = (name_of(System::Kernel), format!("{PREFIX}{}-kernel", u32::MAX));
        assert_eq!(stale_among(vec![alive, gone.clone(), "shop-web".to_owned()]), [gone]);
    }
}
