//! Every figure as soon as it is taken, so that a run that was ended goes on where it was.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
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
struct Settings {
    version: String,
    seconds: u32,
    placement: Option<Placement>,
    processors: usize,
    workers: Option<u16>,
    io: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    sample: Sample,
}

impl Journal {
    /// Reads what the plan's file holds, if it names one, and adds to it from now on.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or was written with other settings. A last line that was cut is taken again.
    pub(crate) fn open(plan: &Plan) -> Result<Self, Error> {
        let Some(path) = &plan.journal else { return Ok(Self::default()) };
        let settings = Settings::of(plan);
        let text = if path.exists() { read(path)? } else { String::new() };
        let samples = match text.split_once('\n') {
            Some((first, rest)) => {
                settings.check(path, first)?;
                rest.lines().filter_map(parsed).collect()
            }
            None => BTreeMap::new(),
        };
        // Written anew, without a line that was cut.
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map_err(Error::machine(format!("write {}", path.display())))?;
        append(&mut file, &settings)?;
        for (key, sample) in &samples {
            append(&mut file, &Line { key: key.clone(), sample: sample.clone() })?;
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
            seconds: plan.seconds,
            placement: plan.placement,
            processors: placement::usable_count(),
            workers: plan.workers,
            io: plan.io.clone(),
        }
    }

    fn check(&self, path: &Path, found: &str) -> Result<(), Error> {
        let same = serde_json::from_str::<Self>(found).is_ok_and(|found| found == *self);
        let wanted = || serde_json::to_string(self).unwrap_or_default();
        let path = || path.display().to_string();
        if same {
            Ok(())
        } else {
            Err(Error::Journal { path: path(), found: found.to_owned(), wanted: wanted() })
        }
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::machine(format!("read {}", path.display())))
}

fn parsed(line: &str) -> Option<(String, Sample)> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some((line.key, line.sample))
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
