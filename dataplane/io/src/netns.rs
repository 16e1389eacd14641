//! Named network namespaces, kept where iproute2 keeps them, so that `ip netns` sees ours and we see theirs.
//!
//! Source of the conventions: ip-netns(8).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

mod exec;

pub use exec::{enter_for_exec, netns_command};

/// Where the names live.
pub const NETNS_DIRECTORY: &str = "/run/netns";

/// A handle to a network namespace, which lives at least as long as the handle.
#[derive(Debug)]
pub struct Netns {
    file: File,
}

impl Netns {
    /// Makes a new namespace called `name`, as `ip netns add` does. Its loopback device is down.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a name that is no file name; `AlreadyExists` when the name is taken; else what the
    /// kernel answers (`PermissionDenied` without `CAP_SYS_ADMIN`). Nothing is left behind on failure.
    pub fn create(name: &str) -> io::Result<Self> {
        let path = path_of(name)?;
        share_directory()?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&path)
            .map_err(|error| about(&error, "create network namespace", name))?;
        if let Err(error) = on_a_thread_of_its_own(|| bind_a_new_namespace(&path)) {
            fs::remove_file(&path)?;
            return Err(about(&error, "create network namespace", name));
        }
        Self::open(name)
    }

    /// Opens the namespace called `name`.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none; `InvalidData` when the name is only a file, left by a namespace that is gone.
    pub fn open(name: &str) -> io::Result<Self> {
        let file =
            File::open(path_of(name)?).map_err(|error| about(&error, "open network namespace", name))?;
        let kind = nix::sys::statfs::fstatfs(&file)?.filesystem_type();
        if kind != NAMESPACE_FILES {
            let stale = format!("{NETNS_DIRECTORY}/{name} is a file, not a network namespace");
            return Err(io::Error::new(io::ErrorKind::InvalidData, stale));
        }
        Ok(Self { file })
    }

    /// The namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// What the kernel answers; only a missing `/proc` is known to fail.
    pub fn current() -> io::Result<Self> {
        Ok(Self { file: File::open(OWN_NAMESPACE)? })
    }

    /// Takes the name away, as `ip netns delete` does. The namespace itself ends when no process, descriptor or
    /// open device holds it any more.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such name; else what the kernel answers.
    pub fn delete(name: &str) -> io::Result<()> {
        let path = path_of(name)?;
        match umount2(&path, MntFlags::MNT_DETACH) {
            // EINVAL: the file is no mount, left behind by a namespace that is gone.
            Ok(()) | Err(Errno::EINVAL) => {}
            Err(errno) => return Err(about(&errno.into(), "delete network namespace", name)),
        }
        fs::remove_file(&path)
    }

    /// Whether the name is taken, be it by a namespace or by what is left of one.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a name that is no file name; else what the kernel answers.
    pub fn exists(name: &str) -> io::Result<bool> {
        path_of(name)?.try_exists()
    }

    /// All names that are taken, sorted.
    ///
    /// # Errors
    ///
    /// What reading [`NETNS_DIRECTORY`] answers; a directory that is not there has no names.
    pub fn names() -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(NETNS_DIRECTORY) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Runs `work` inside the namespace, on a thread that is made for it and ends with it; the caller waits.
    ///
    /// What `work` opens stays in the namespace: sockets, devices, netlink connections.
    ///
    /// # Errors
    ///
    /// What entering the namespace answers (`PermissionDenied` without `CAP_SYS_ADMIN`), or the error of `work`.
    ///
    /// # Panics
    ///
    /// When `work` does.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_a_thread_of_its_own(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// The processes whose main thread is in the namespace, by process id, in ascending order.
    ///
    /// # Errors
    ///
    /// What reading `/proc` answers; a process that ends meanwhile is left out.
    pub fn processes(&self) -> io::Result<Vec<u32>> {
        let own = self.file.metadata()?;
        let mut inside = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(its) = fs::metadata(entry.path().join("ns/net")) else { continue };
            if (its.dev(), its.ino()) == (own.dev(), own.ino()) {
                inside.push(id);
            }
        }
        inside.sort_unstable();
        Ok(inside)
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl PartialEq for Netns {
    /// Two handles are equal when they are handles of one namespace.
    fn eq(&self, other: &Self) -> bool {
        match (self.file.metadata(), other.file.metadata()) {
            (Ok(one), Ok(two)) => (one.dev(), one.ino()) == (two.dev(), two.ino()),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }
}

/// The file of a named namespace.
fn path_of(name: &str) -> io::Result<PathBuf> {
    // NAME_MAX of every file system that /run is likely to be on.
    let is_a_file_name =
        !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\0']) && !matches!(name, "." | "..");
    if !is_a_file_name {
        let refused = format!("network namespace name {name:?} is no file name");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, refused));
    }
    Ok(Path::new(NETNS_DIRECTORY).join(name))
}

/// Makes [`NETNS_DIRECTORY`] a mount that passes new mounts on to other mount namespaces, as `ip netns add` does:
/// otherwise a shell that lives in another one could not see namespaces made here, nor let go of deleted ones.
fn share_directory() -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(NETNS_DIRECTORY)?;
    // iproute2 takes the same lock, so that two makers do not mount the directory over itself twice.
    let directory = File::open(NETNS_DIRECTORY)?;
    directory.lock()?;
    match make_shared() {
        Ok(()) => Ok(()),
        // Not a mount yet.
        Err(Errno::EINVAL) => {
            let binding = MsFlags::MS_BIND | MsFlags::MS_REC;
            mount(Some(NETNS_DIRECTORY), NETNS_DIRECTORY, NONE, binding, NONE)?;
            Ok(make_shared()?)
        }
        Err(errno) => Err(errno.into()),
    }
}

fn make_shared() -> nix::Result<()> {
    mount(NONE, NETNS_DIRECTORY, NONE, MsFlags::MS_SHARED | MsFlags::MS_REC, NONE)
}

/// Gives the calling thread a new network namespace and pins it to `path`.
fn bind_a_new_namespace(path: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    Ok(mount(Some(OWN_NAMESPACE), path, NONE, MsFlags::MS_BIND, NONE)?)
}

/// Does `work` in a namespace without a name, on a thread that ends with it. The namespace lives as long as what `work` keeps of it.
pub(crate) fn in_a_new_namespace<T: Send>(work: impl FnOnce(Netns) -> io::Result<T> + Send) -> io::Result<T> {
    on_a_thread_of_its_own(|| {
        unshare(CloneFlags::CLONE_NEWNET)?;
        work(Netns::current()?)
    })
}

/// Runs `work` on a thread that may change namespace, because nothing else ever runs on it.
fn on_a_thread_of_its_own<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("netns".to_owned()).spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The same error with what was tried in its text.
fn about(error: &io::Error, tried: &str, name: &str) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {tried} {name:?}: {error}"))
}

/// The network namespace of the thread that opens it.
const OWN_NAMESPACE: &str = "/proc/thread-self/ns/net";

const NONE: Option<&str> = None;

/// What `statfs` calls the file system that namespaces are files of.
const NAMESPACE_FILES: nix::sys::statfs::FsType = nix::sys::statfs::FsType(libc::NSFS_MAGIC as _);
