//! Which namespaces a lab has made: device and inode of each, in `RUN/LAB/made/NAMESPACE`.
//!
//! A stored plan names what a lab is about to make, so a name in it may be somebody else's who came first. Only a namespace
//! that is noted here is taken down. One that was made just before its maker was killed is not noted: it counts as foreign.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use ::io::Netns;

use crate::dirs::Dirs;
use crate::error::{Error, FileAction};

/// Notes that the lab has made this namespace.
pub(crate) fn note(dirs: &Dirs, lab: &str, namespace: &str, netns: &Netns) -> Result<(), Error> {
    let path = dirs.made_of(lab).join(namespace);
    let noted = fs::create_dir_all(dirs.made_of(lab)).and_then(|()| fs::write(&path, identity(netns)?));
    noted.map_err(|source| Error::File { action: FileAction::Write, path, source })
}

/// Whether this very namespace was noted.
pub(crate) fn is_ours(dirs: &Dirs, lab: &str, namespace: &str, netns: &Netns) -> bool {
    let noted = fs::read_to_string(dirs.made_of(lab).join(namespace));
    matches!((noted, identity(netns)), (Ok(noted), Ok(own)) if noted == own)
}

/// Whether the name is taken, and not by a namespace of somebody else.
pub(crate) fn is_left(dirs: &Dirs, lab: &str, namespace: &str) -> bool {
    Netns::exists(namespace).unwrap_or(true)
        && Netns::open(namespace).map_or(true, |netns| is_ours(dirs, lab, namespace, &netns))
}

/// Forgets a namespace that is gone. What remains of a note fits no later namespace.
pub(crate) fn forget(dirs: &Dirs, lab: &str, namespace: &str) {
    fs::remove_file(dirs.made_of(lab).join(namespace)).ok();
    // Stays as long as there are notes.
    fs::remove_dir(dirs.made_of(lab)).ok();
}

fn identity(netns: &Netns) -> io::Result<String> {
    let metadata = File::from(netns.as_fd().try_clone_to_owned()?).metadata()?;
    Ok(format!("{} {}", metadata.dev(), metadata.ino()))
}
