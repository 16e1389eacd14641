//! Programs inside a namespace, with the view of the system that `ip netns exec` gives them.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::Netns;
use crate::sys;

/// A command that will run `program` inside the namespace called `name`, where every file of `/etc/netns/NAME`
/// lies over the file of the same name in `/etc`, and `/sys` shows the namespace's devices: what `ip netns exec`
/// does. The parent process stays where it is.
///
/// The files are looked up now; what appears in `/etc/netns/NAME` later is not seen by the program.
///
/// # Errors
///
/// Those of [`Netns::open`] and of reading `/etc/netns/NAME`. Spawning the command fails with what the kernel
/// answers to the mounts (`PermissionDenied` without `CAP_SYS_ADMIN`).
pub fn netns_command(name: &str, program: impl AsRef<OsStr>) -> io::Result<Command> {
    let entry = Entry::prepare(name)?;
    let mut command = Command::new(program);
    sys::before_exec(&mut command, move || entry.enter());
    Ok(command)
}

/// Moves the calling thread into the namespace called `name` for good, with the view of the system described at
/// [`netns_command`]: for a process about to replace itself by another program.
///
/// # Errors
///
/// As [`netns_command`] and spawning. After an error the thread may be half moved: end it.
pub fn enter_for_exec(name: &str) -> io::Result<()> {
    Entry::prepare(name)?.enter()
}

/// All that entering needs, gathered beforehand: [`Self::enter`] runs between fork and exec and may not allocate.
struct Entry {
    netns: Netns,
    /// Shown as the source of `/sys` in `/proc/mounts`.
    name: CString,
    sysfs: MsFlags,
    /// Files and what they lie over.
    overlays: Vec<(CString, CString)>,
}

impl Entry {
    fn prepare(name: &str) -> io::Result<Self> {
        let netns = Netns::open(name)?;
        let read_only = statvfs("/sys").is_ok_and(|sys| sys.flags().contains(FsFlags::ST_RDONLY));
        let sysfs = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
        let overlays = overlays(&Path::new("/etc/netns").join(name))?;
        Ok(Self { netns, name: CString::new(name)?, sysfs, overlays })
    }

    fn enter(&self) -> io::Result<()> {
        setns(&self.netns, CloneFlags::CLONE_NEWNET)?;
        unshare(CloneFlags::CLONE_NEWNS)?;
        // Mounts made here stay here, while the host's (new namespaces, for one) still arrive.
        mount(NONE, c"/", NONE, MsFlags::MS_SLAVE | MsFlags::MS_REC, NONE)?;
        // Where /sys is no mount of its own there is nothing to take away.
        let _ = umount2(c"/sys", MntFlags::MNT_DETACH);
        mount(Some(self.name.as_c_str()), c"/sys", Some(c"sysfs"), self.sysfs, NONE)?;
        for (file, over) in &self.overlays {
            mount(Some(file.as_c_str()), over.as_c_str(), NONE, MsFlags::MS_BIND, NONE)?;
        }
        Ok(())
    }
}

/// The entries of `directory` that have a counterpart in `/etc`, with it; a directory that is not there has none.
/// An entry without counterpart cannot be shown, as `/etc` itself is the host's.
fn overlays(directory: &Path) -> io::Result<Vec<(CString, CString)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut overlays = Vec::new();
    for entry in entries {
        let entry = entry?;
        let over = Path::new("/etc").join(entry.file_name());
        if over.exists() {
            overlays.push((c_path(&entry.path())?, c_path(&over)?));
        }
    }
    Ok(overlays)
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

const NONE: Option<&std::ffi::CStr> = None;
