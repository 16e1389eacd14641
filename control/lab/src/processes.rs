//! Ending the processes that live in a network namespace.

use std::fs;
use std::thread;
use std::time::Duration;

use ::io::Netns;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Collector, Error, Errors, NamespaceAction};

/// Time to end in peace, long enough for a database to close its files.
const GRACE: Duration = Duration::from_secs(2);

/// Time that the kernel gets to end a killed process.
const AFTERLIFE: Duration = Duration::from_secs(2);

/// Time between two looks at whether processes are gone.
const LOOK: Duration = Duration::from_millis(20);

/// A namespace in which processes may live.
#[derive(Debug)]
pub(crate) struct Inhabited<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) netns: Netns,
}

struct Inhabitant<'a> {
    namespace: &'a str,
    pid: Pid,
}

/// Asks every process to end, then makes it.
///
/// # Errors
///
/// [`Error::Survivor`] for a process that is there even then, and every other failure.
pub(crate) fn end(namespaces: &[Inhabited<'_>]) -> Result<(), Errors> {
    let mut failures = Collector::default();
    let mut left = inhabitants(namespaces, &mut failures);
    for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, AFTERLIFE)] {
        for inhabitant in &left {
            failures.take(send(signal, inhabitant));
        }
        wait_until(patience, || {
            left = inhabitants(namespaces, &mut Collector::default());
            left.is_empty()
        });
    }
    for Inhabitant { namespace, pid } in left {
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
        failures.push(Error::Survivor { namespace: namespace.to_owned(), pid: pid.as_raw(), program });
    }
    failures.finish(())
}

/// Calls `done` until it says so or `patience` is over, and returns what it said last.
///
/// There is nothing to wait for: only a parent is told when a process ends.
pub(crate) fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let mut waited = Duration::ZERO;
    while !done() {
        if waited >= patience {
            return false;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "processes of others give no event that could be awaited"
        )]
        thread::sleep(LOOK);
        waited += LOOK;
    }
    true
}

/// Everyone but the caller: `vpclab down` may itself have been called from inside a namespace of the lab.
fn inhabitants<'a>(namespaces: &[Inhabited<'a>], failures: &mut Collector) -> Vec<Inhabitant<'a>> {
    let mut all = Vec::new();
    for Inhabited { namespace, netns } in namespaces {
        let pids = netns.processes().map_err(|source| Error::Namespace {
            action: NamespaceAction::Enter,
            namespace: (*namespace).to_owned(),
            source,
        });
        let pids =
            failures.take(pids).unwrap_or_default().into_iter().filter(|pid| *pid != std::process::id());
        let pids = pids.filter_map(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        all.extend(pids.map(|pid| Inhabitant { namespace, pid }));
    }
    all
}

fn send(signal: Signal, to: &Inhabitant<'_>) -> Result<(), Error> {
    match kill(to.pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::Kill {
            namespace: to.namespace.to_owned(),
            pid: to.pid.as_raw(),
            source: errno.into(),
        }),
    }
}
