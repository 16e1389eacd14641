//! Files that programs in a namespace see under `/etc`.
//!
//! The first line of each says which lab wrote it. Whatever lacks that line belongs to somebody else and is neither
//! overwritten nor deleted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::dirs::{Dirs, has_counterpart};
use crate::error::{Collector, Error, Errors, FileAction};

/// Files by name, with their content.
type Files = BTreeMap<String, String>;

/// Finds files of somebody else where the lab's have to be.
pub(crate) fn check(dirs: &Dirs, lab: &str, namespace: &str, files: &Files) -> Result<(), Errors> {
    let mut failures = Collector::default();
    for (path, _) in shown(dirs, namespace, files) {
        match is_ours(&path, lab) {
            Ok(true) => {}
            Ok(false) => failures.push(Error::FileClash { lab: lab.to_owned(), path }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => failures.push(Error::File { action: FileAction::Read, path, source }),
        }
    }
    failures.finish(())
}

/// Makes the files of a namespace be `files`.
///
/// Existing ones are written in place: a program that runs has them mounted over its own and would not see new ones.
pub(crate) fn write(dirs: &Dirs, lab: &str, namespace: &str, files: &Files) -> Result<(), Errors> {
    let directory = dirs.etc_of(namespace);
    let created = fs::create_dir_all(&directory);
    created.map_err(|source| Error::File { action: FileAction::Create, path: directory, source })?;
    let mut failures = Collector::default();
    for (path, content) in shown(dirs, namespace, files) {
        let written = fs::write(&path, format!("{}\n{content}", first_line(lab)));
        failures.take(written.map_err(|source| Error::File { action: FileAction::Write, path, source }));
    }
    failures.finish(())
}

/// Makes the files of a namespace be `new` where they are `old`.
pub(crate) fn replace(
    dirs: &Dirs,
    lab: &str,
    namespace: &str,
    old: &Files,
    new: &Files,
) -> Result<(), Errors> {
    let mut failures = Collector::default();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        failures.take(remove_if_ours(dirs.etc_of(namespace).join(name), lab));
    }
    failures.take_all(write(dirs, lab, namespace, new));
    failures.finish(())
}

/// Deletes every file that the lab wrote for the namespace, and the directory if nothing else is in it.
pub(crate) fn remove(dirs: &Dirs, lab: &str, namespace: &str) -> Result<(), Errors> {
    let directory = dirs.etc_of(namespace);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::File { action: FileAction::List, path: directory, source }.into()),
    };
    let mut failures = Collector::default();
    for entry in entries.flatten() {
        failures.take(remove_if_ours(entry.path(), lab));
    }
    match fs::remove_dir(&directory) {
        Err(source) if !matches!(source.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
            failures.push(Error::File { action: FileAction::Delete, path: directory, source });
        }
        Ok(()) | Err(_) => {}
    }
    failures.finish(())
}

fn remove_if_ours(path: PathBuf, lab: &str) -> Result<(), Error> {
    let removed = is_ours(&path, lab).and_then(|ours| if ours { fs::remove_file(&path) } else { Ok(()) });
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| Error::File { action: FileAction::Delete, path, source }),
    }
}

fn is_ours(path: &Path, lab: &str) -> io::Result<bool> {
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let content = fs::read(path)?;
    Ok(content.split(|byte| *byte == b'\n').next() == Some(first_line(lab).as_bytes()))
}

fn first_line(lab: &str) -> String {
    format!("# Lab {lab}: written by `vpclab up`, deleted by `vpclab down`.")
}

/// Files without a counterpart on the host are left out: `ip netns exec` would complain about each at every start.
fn shown<'a>(dirs: &Dirs, namespace: &str, files: &'a Files) -> impl Iterator<Item = (PathBuf, &'a str)> {
    let directory = dirs.etc_of(namespace);
    let shown = files.iter().filter(|(name, _)| has_counterpart(name));
    shown.map(move |(name, content)| (directory.join(name), content.as_str()))
}
