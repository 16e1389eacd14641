//! What is known about a lab outside of its daemon: `RUN/LAB/` with its lock, its plan and its socket.
//!
//! A lab runs as long as somebody holds its lock, which ends with the holder, however that ends. A plan without a held lock is
//! what a daemon left behind that was killed.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dirs::Dirs;
use crate::error::{Collector, Error, Errors, FileAction};
use crate::plan::Plan;
use crate::processes::wait_until;

/// How long to try for a lock: [`state`] of somebody else may hold it for the moment of its look.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// Whoever can open the lock can take it; that is the owner's alone.
const LOCK_MODE: u32 = 0o600;

/// What a lab is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing of it is there.
    Absent,
    /// Its daemon is gone without having taken it down.
    Dead,
    /// Its daemon runs.
    Running {
        /// Process id of the daemon, if it has said so yet.
        pid: Option<u32>,
    },
}

/// The right to change a lab; ends when dropped, and with the process.
#[derive(Debug)]
pub struct Lock {
    lab: String,
    dirs: Dirs,
    /// Closed on exec, so that no program that the lab starts inherits the lock.
    file: File,
}

/// What the lab is doing.
///
/// # Errors
///
/// [`Error::File`] if its directory cannot be read.
pub fn state(dirs: &Dirs, lab: &str) -> Result<State, Error> {
    if !is_name(lab) {
        return Ok(State::Absent);
    }
    let path = dirs.lock_of(lab);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(without_lock(dirs, lab)),
        Err(source) => return Err(Error::File { action: FileAction::Read, path, source }),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(without_lock(dirs, lab)),
        Err(TryLockError::WouldBlock) => Ok(State::Running { pid: pid_in(&mut file) }),
        Err(TryLockError::Error(source)) => Err(Error::File { action: FileAction::Lock, path, source }),
    }
}

/// Names of the labs of which something is there, in order.
///
/// # Errors
///
/// [`Error::File`] if the directory of labs cannot be read; that it is not there is no error.
pub fn labs(dirs: &Dirs) -> Result<Vec<String>, Error> {
    let failed = |source| Error::File { action: FileAction::List, path: dirs.run.clone(), source };
    let entries = match fs::read_dir(&dirs.run) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.retain(|lab| state(dirs, lab).is_ok_and(|state| state != State::Absent));
    names.sort();
    Ok(names)
}

/// The plan that is stored for a lab.
///
/// # Errors
///
/// [`Error::File`] if it cannot be read, [`Error::PlanUnreadable`] if it cannot be understood.
pub fn stored_plan(dirs: &Dirs, lab: &str) -> Result<Option<Plan>, Error> {
    let path = dirs.plan_of(lab);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { action: FileAction::Read, path, source }),
    };
    let plan = serde_json::from_slice(&text);
    plan.map(Some).map_err(|source| Error::PlanUnreadable { path, source })
}

/// The lab whose stored plan has a namespace of this name.
pub(crate) fn lab_with(dirs: &Dirs, namespace: &str) -> Option<String> {
    let labs = labs(dirs).unwrap_or_default();
    let has = |lab: &String| {
        stored_plan(dirs, lab).ok().flatten().is_some_and(|plan| plan.namespaces.contains_key(namespace))
    };
    labs.into_iter().find(has)
}

impl Lock {
    /// Takes the lab for this process and leaves the process id for others to read.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] if somebody has it; [`Error::LabName`] for what cannot be one; [`Error::File`] if the directory
    /// of the lab cannot be made.
    pub fn acquire(dirs: &Dirs, lab: &str) -> Result<Self, Error> {
        if !is_name(lab) {
            return Err(Error::LabName { lab: lab.to_owned() });
        }
        let mut taken = Err(Error::Running { lab: lab.to_owned(), pid: None });
        wait_until(LOCK_PATIENCE, || {
            taken = Self::try_acquire(dirs, lab);
            !matches!(taken, Err(Error::Running { .. }))
        });
        taken
    }

    fn try_acquire(dirs: &Dirs, lab: &str) -> Result<Self, Error> {
        let (directory, path) = (dirs.run_of(lab), dirs.lock_of(lab));
        fs::create_dir_all(&directory).map_err(|source| Error::File {
            action: FileAction::Create,
            path: directory,
            source,
        })?;
        let opened = File::options().read(true).write(true).create(true).mode(LOCK_MODE).open(&path);
        let failed = |source| Error::File { action: FileAction::Lock, path: path.clone(), source };
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Running { lab: lab.to_owned(), pid: pid_in(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Its last holder may have deleted the file after we opened it; then somebody else can lock a new one.
        if !is_still_at(&file, &path) {
            return Err(Error::Running { lab: lab.to_owned(), pid: None });
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(Self { lab: lab.to_owned(), dirs: dirs.clone(), file })
    }

    /// Name of the lab.
    #[must_use]
    pub fn lab(&self) -> &str {
        &self.lab
    }

    /// Where the lab's things are kept.
    #[must_use]
    pub const fn dirs(&self) -> &Dirs {
        &self.dirs
    }

    /// Stores the plan for whoever has to clean up after this process. A reader finds the old one or the new one.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be written.
    pub fn store_plan(&self, plan: &Plan) -> Result<(), Error> {
        let path = self.dirs.plan_of(&self.lab);
        let next = path.with_extension("json.next");
        let text = serde_json::to_vec_pretty(plan).map_err(io::Error::from);
        let stored = text.and_then(|text| fs::write(&next, text)).and_then(|()| fs::rename(&next, &path));
        stored.map_err(|source| Error::File { action: FileAction::Write, path, source })
    }

    /// The stored plan, left by this process or by one before it.
    ///
    /// # Errors
    ///
    /// As [`stored_plan`].
    pub fn stored_plan(&self) -> Result<Option<Plan>, Error> {
        stored_plan(&self.dirs, &self.lab)
    }

    /// Ends the lab: deletes its directory under `run` and lets go of it.
    ///
    /// # Errors
    ///
    /// Every file that cannot be deleted.
    pub fn release(self) -> Result<(), Errors> {
        let mut failures = Collector::default();
        let (dirs, lab) = (&self.dirs, &self.lab);
        // The lock goes last: until then nobody can begin anew with what is still there.
        for path in [dirs.socket_of(lab), dirs.plan_of(lab), dirs.lock_of(lab)] {
            failures.take(gone(fs::remove_file(&path), path));
        }
        let directory = dirs.run_of(lab);
        failures.take(gone(fs::remove_dir(&directory), directory));
        failures.finish(())
    }
}

impl Drop for Lock {
    /// Closing would not do: a program that is just being started shares the open file until it has replaced its image.
    fn drop(&mut self) {
        // Letting go of a held lock does not fail, and closing follows anyway.
        let _ = self.file.unlock();
    }
}

/// Whether the name stays inside the directory of labs, wherever it comes from.
fn is_name(lab: &str) -> bool {
    !lab.is_empty() && !lab.contains(['/', '\0']) && lab != "." && lab != ".."
}

fn without_lock(dirs: &Dirs, lab: &str) -> State {
    if dirs.plan_of(lab).exists() { State::Dead } else { State::Absent }
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

fn is_still_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().ok().map(identity) == fs::metadata(path).ok().map(identity)
}

fn gone(deleted: io::Result<()>, path: PathBuf) -> Result<(), Error> {
    match deleted {
        // A directory that somebody keeps something in stays.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => Ok(()),
        other => other.map_err(|source| Error::File { action: FileAction::Delete, path, source }),
    }
}
