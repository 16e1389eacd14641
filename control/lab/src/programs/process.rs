//! One run of a supervised program: a shell and whatever it starts, in a process group of their own.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::Key;
use crate::error::{Error, FileAction, ProgramAction};
use crate::exec;
use crate::processes::wait_until;

/// Time to end in peace.
const GRACE: Duration = Duration::from_secs(2);

/// Time that the kernel gets to end a killed process.
const AFTERLIFE: Duration = Duration::from_secs(2);

/// A running shell. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ending {
    Exited(ExitStatus),
    /// The process cannot be watched, which never happens to one's own child.
    Lost(io::Error),
}

impl Process {
    pub(super) fn start(key: &Key, namespace: &str, log: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Program {
            action: ProgramAction::Start,
            instance: key.instance.clone(),
            number: key.number,
            source,
        };
        let (out, err) = open_log(log)?;
        let mut command = exec::command(namespace, "/bin/sh", ["-c", &key.command])?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        command.spawn().map(|child| Self { child }).map_err(failed)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ending(&mut self) -> Option<Ending> {
        match self.child.try_wait() {
            Ok(status) => status.map(Ending::Exited),
            Err(error) => Some(Ending::Lost(error)),
        }
    }

    /// Signals the whole group; that nobody is left in it is no failure.
    fn signal(&self, signal: Signal) -> io::Result<()> {
        let group = i32::try_from(self.child.id()).map_err(io::Error::other)?;
        match killpg(Pid::from_raw(group), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether the shell and everything that it started are gone.
    ///
    /// A dead orphan that the host's first process does not reap counts as there, so ask only while waiting in peace.
    fn is_gone(&mut self) -> bool {
        let shell_ended = self.ending().is_some();
        let group = i32::try_from(self.child.id()).map(Pid::from_raw);
        shell_ended && group.is_ok_and(|group| killpg(group, None) == Err(Errno::ESRCH))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once the shell is reaped and its group empty, the number may be another's.
        if !self.is_gone() {
            let _ = self.signal(Signal::SIGKILL);
            wait_until(AFTERLIFE, || self.ending().is_some());
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => status.fmt(f),
            Self::Lost(error) => write!(f, "cannot be watched: {error}"),
        }
    }
}

/// Ends the processes together, so that the patience counts once.
pub(super) fn stop(mut list: Vec<(Key, Process)>) -> Vec<Error> {
    let mut failures = Vec::new();
    signal_all(&list, Signal::SIGTERM, &mut failures);
    wait_until(GRACE, || {
        list.retain_mut(|(_, process)| !process.is_gone());
        list.is_empty()
    });
    signal_all(&list, Signal::SIGKILL, &mut failures);
    wait_until(AFTERLIFE, || list.iter_mut().all(|(_, process)| process.ending().is_some()));
    list.retain_mut(|(_, process)| process.ending().is_none());
    failures.extend(list.iter().map(|(key, _)| not_stopped(key, io::ErrorKind::TimedOut.into())));
    failures
}

fn signal_all(list: &[(Key, Process)], signal: Signal, failures: &mut Vec<Error>) {
    let refused = list.iter().filter_map(|(key, process)| Some((key, process.signal(signal).err()?)));
    failures.extend(refused.map(|(key, source)| not_stopped(key, source)));
}

fn not_stopped(key: &Key, source: io::Error) -> Error {
    let (instance, number) = (key.instance.clone(), key.number);
    Error::Program { action: ProgramAction::Stop, instance, number, source }
}

/// The log twice: standard output and standard error append to the same file.
fn open_log(path: &Path) -> Result<(File, File), Error> {
    let opened = fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| File::options().create(true).append(true).open(path))
        .and_then(|file| Ok((file.try_clone()?, file)));
    opened.map_err(|source| Error::File { action: FileAction::Write, path: path.to_owned(), source })
}
