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
        Error::Journal { path: path.display().to_string(), found: found.to_owned(), wanted: self.line() }
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
        let path = || path.display().to_string();
        let line: Line =
            serde_json::from_str(line).map_err(|source| Error::Figure { path: path(), number, source })?;
        Ok((line.key, line.sample))
    });
    parsed.collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Form;

    fn plan(path: &Path, seconds: u32) -> Plan {
        Plan {
            form: Form::Quick,
            rounds: 1,
            seconds,
            loads: Vec::new(),
            others: Vec::new(),
            matrix: false,
            placement: None,
            workers: None,
            io: "auto".to_owned(),
            journal: Some(path.to_owned()),
        }
    }

    fn sample(value: f64) -> Sample {
        Sample { value, details: BTreeMap::from([("p99".to_owned(), 3.0)]) }
    }

    #[test]
    fn a_run_goes_on_after_a_cut_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&plan(&path, 1)).expect("a new file");
        journal.put("rtt/kernel/0".to_owned(), sample(8.0)).expect("written");
        let mut text = std::fs::read_to_string(&path).expect("it is there");
        text.push_str("{\"key\":\"rtt/ker");
        std::fs::write(&path, text).expect("written");
        let mut again = Journal::open(&plan(&path, 1)).expect("the same settings");
        assert_eq!(again.get("rtt/kernel/0"), Some(&sample(8.0)));
        again.put("rtt/kernel/1".to_owned(), sample(9.0)).expect("written");
        let third = Journal::open(&plan(&path, 1)).expect("the same settings");
        assert_eq!((third.samples.len(), third.get("rtt/kernel/1")), (2, Some(&sample(9.0))));
    }

    /// Refuses a file that holds `text`, says `why`, and leaves it alone.
    #[track_caller]
    fn refused(text: &str, why: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        std::fs::write(&path, text).expect("written");
        let said = Journal::open(&plan(&path, 1)).expect_err("refused").to_string();
        assert!(said.contains(why), "{said}");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
    }

    #[test]
    fn what_is_no_journal_of_this_run_stays_as_it_is() {
        let settings = Settings::of(&plan(Path::new(""), 1)).line();
        let now = format!("\"meaning_of_loads\":{},", load::MEANING);
        let earlier = settings.replace(&now, &format!("\"meaning_of_loads\":{},", load::MEANING - 1));
        refused(&format!("{earlier}\n"), &now);
        refused(&format!("{}\n", settings.replace(&now, "")), &now);
        refused(&format!("{}\n", settings.replace('}', ",\"nice\":3}")), "nice");
        refused("notes without an end", "notes");
        refused(&format!("{settings}\n{{\"key\":\"rtt/ker\n"), "line 2");
        refused(&format!("{settings}\nnotes\n{{}}\n"), "line 2");
    }

    #[test]
    fn a_run_that_was_ended_in_its_first_line_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        for text in ["", "{\"ver"] {
            std::fs::write(&path, text).expect("written");
            let journal = Journal::open(&plan(&path, 1)).expect("nothing is lost");
            assert_eq!(journal.samples.len(), 0);
            let settings = Settings::of(&plan(&path, 1)).line();
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), format!("{settings}\n"));
        }
    }

    #[test]
    fn figures_of_other_settings_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        drop(Journal::open(&plan(&path, 1)).expect("a new file"));
        let refused = |plan: &Plan| Journal::open(plan).expect_err("other settings").to_string();
        let said = refused(&plan(&path, 2));
        assert!(said.contains("\"seconds\":1") && said.contains("\"seconds\":2"), "{said}");
        let said = refused(&Plan { placement: Some(Placement::Apart), ..plan(&path, 1) });
        assert!(said.contains("\"placement\":null") && said.contains("\"placement\":\"apart\""), "{said}");
    }
}
