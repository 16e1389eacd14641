//! Every figure as soon as it is taken, so that a run that was ended goes on where it was.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::load;
use crate::placement::{self, Placement};
use crate::plan::{Cell, Plan};

/// One figure, in the unit of its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    /// What else the load says, by name.
    pub(crate) details: BTreeMap<String, f64>,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    samples: BTreeMap<String, Sample>,
    file: Option<File>,
}

/// The first line of the file: figures taken with other settings are not mixed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    version: String,
    meaning_of_loads: u32,
    seconds: u32,
    placement: Option<Placement>,
    processors: usize,
    workers: Option<u16>,
    io: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    sample: Sample,
}

impl Journal {
    /// Reads what the plan's file holds, if it names one, and adds to it from now on. A last line that was cut is taken again.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, was written with other settings, or holds anything else: it stays as it is.
    pub(crate) fn open(plan: &Plan) -> Result<Self, Error> {
        let Some(path) = &plan.journal else { return Ok(Self::default()) };
        let settings = Settings::of(plan);
        let text = if path.exists() { read(path)? } else { String::new() };
        let (whole, cut) = text.split_at(text.rfind('\n').map_or(0, |end| end + 1));
        let samples = match whole.split_once('\n') {
            Some((first, rest)) => {
                settings.check(path, first)?;
                check_cut(path, whole, cut)?;
                samples(path, rest)?
            }
            None => {
                settings.check_cut(path, cut)?;
                BTreeMap::new()
            }
        };
        let mut file = without_tail(path, whole.len())?;
        if whole.is_empty() {
            append(&mut file, &settings)?;
        }
        Ok(Self { samples, file: Some(file) })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Sample> {
        self.samples.get(key)
    }

    pub(crate) fn put(&mut self, key: String, sample: Sample) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            append(file, &Line { key: key.clone(), sample: sample.clone() })?;
        }
        self.samples.insert(key, sample);
        Ok(())
    }
}

impl Cell {
    /// Its name in a journal.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}/{}", self.load, self.system, self.round)
    }
}

impl Settings {
    fn of(plan: &Plan) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            meaning_of_loads: load::MEANING,
            seconds: plan.seconds,
            placement: plan.placement,
            processors: placement::usable_count(),
            workers: plan.workers,
            io: plan.io.clone(),
        }
    }

    fn check(&self, path: &Path, found: &str) -> Result<(), Error> {
        let same = serde_json::from_str::<Self>(found).is_ok_and(|found| found == *self);
        if same { Ok(()) } else { Err(self.refuse(path, found)) }
    }

    /// Checks a first line that has no end: only what was cut while it was written may be written anew.
    fn check_cut(&self, path: &Path, found: &str) -> Result<(), Error> {
        if self.line().starts_with(found) { Ok(()) } else { Err(self.refuse(path, found)) }
    }

    fn refuse(&self, path: &Path, found: &str) -> Error {
        let (path, found, wanted) = (path.display().to_string(), found.to_owned(), self.line());
        if found.starts_with(BEGINNING) {
            Error::Journal { path, found, wanted }
        } else {
            Error::NoJournal { path }
        }
    }

    fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::machine(format!("read {}", path.display())))
}

/// The figures of all lines but the first.
fn samples(path: &Path, lines: &str) -> Result<BTreeMap<String, Sample>, Error> {
    let parsed = lines.lines().zip(2..).map(|(line, number)| {
        let line: Line = serde_json::from_str(line).map_err(|_| no_figure(path, number))?;
        Ok((line.key, line.sample))
    });
    parsed.collect()
}

/// Checks what follows the last line that has an end: only a figure that was cut while it was written may be taken again.
fn check_cut(path: &Path, whole: &str, cut: &str) -> Result<(), Error> {
    match serde_json::from_str::<Line>(cut) {
        Ok(_) => Ok(()),
        Err(error) if error.is_eof() => Ok(()),
        Err(_) => Err(no_figure(path, whole.lines().count() + 1)),
    }
}

fn no_figure(path: &Path, line: usize) -> Error {
    Error::NoFigure { path: path.display().to_string(), line }
}

/// Opens a file for appending to its first bytes.
fn without_tail(path: &Path, length: usize) -> Result<File, Error> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let cut = opened.and_then(|file| file.set_len(length as u64).map(|()| file));
    cut.map_err(Error::machine(format!("write {}", path.display())))
}

fn append<T: Serialize>(file: &mut File, value: &T) -> Result<(), Error> {
    let mut line =
        serde_json::to_string(value).map_err(|error| Error::machine("write a figure")(error.into()))?;
    line.push('\n');
    file.write_all(line.as_bytes()).map_err(Error::machine("write the journal"))
}

/// Every journal's first characters.
const BEGINNING: &str = "{\"version\":";

#[cfg(test)]
mod tests;
