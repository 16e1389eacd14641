//! The counts that the last accepted change had.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::callgrind::Counts;

/// How much more than its baseline a stage may take, in percent.
const TOLERANCE: f64 = 5.0;

/// Why the file does not help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: no line of it can be `{line}`", path.display())]
    Line { path: PathBuf, line: String },
    #[error(
        "the counts are those of Rust {counted}, this is {used}: count again with --write, in a commit of its own"
    )]
    Toolchain { counted: String, used: String },
}

/// What each stage took, with the toolchain that built it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Baselines {
    toolchain: String,
    stages: Counts,
}

impl Baselines {
    pub(crate) fn of(counts: &Counts, toolchain_file: &Path) -> Result<Self, Error> {
        Ok(Self { toolchain: toolchain(toolchain_file)?, stages: counts.clone() })
    }

    /// The committed ones; refused if another toolchain built what they were counted of.
    pub(crate) fn read(path: &Path, toolchain_file: &Path) -> Result<Self, Error> {
        let mut baselines = Self { toolchain: String::new(), stages: Counts::new() };
        for line in lines(path)?.iter().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])) {
            let wrong = || Error::Line { path: path.to_owned(), line: line.clone() };
            let (key, value) = line.split_once(" = ").ok_or_else(wrong)?;
            let key = key.trim_matches('"');
            if key == "toolchain" {
                value.trim_matches('"').clone_into(&mut baselines.toolchain);
            } else {
                baselines.stages.insert(key.to_owned(), value.parse().map_err(|_| wrong())?);
            }
        }
        let used = toolchain(toolchain_file)?;
        if baselines.toolchain == used {
            Ok(baselines)
        } else {
            Err(Error::Toolchain { counted: baselines.toolchain, used })
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = format!(
            "# Instructions for one operation of each stage, written by `scripts/gates --write`. See docs/gates.md.\n\
             toolchain = \"{}\"\n\n[stages]\n",
            self.toolchain
        );
        text.extend(self.stages.iter().map(|(stage, count)| format!("\"{stage}\" = {count:.1}\n")));
        fs::write(path, text).map_err(|source| Error::Io { path: path.to_owned(), source })
    }

    pub(crate) fn compare(&self, counts: &Counts) -> Comparison {
        let mut rows: Vec<Row> = counts
            .iter()
            .map(|(stage, now)| Row {
                stage: stage.clone(),
                before: self.stages.get(stage).copied(),
                now: Some(*now),
            })
            .collect();
        let lost = self.stages.iter().filter(|(stage, _)| !counts.contains_key(*stage));
        rows.extend(lost.map(|(stage, before)| Row {
            stage: stage.clone(),
            before: Some(*before),
            now: None,
        }));
        Comparison { rows }
    }
}

/// All stages, now and before.
#[derive(Debug)]
pub(crate) struct Comparison {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    stage: String,
    before: Option<f64>,
    now: Option<f64>,
}

impl Row {
    /// Percent more than before; none for a stage that only one of the two has.
    fn growth(&self) -> Option<f64> {
        let (before, now) = (self.before?, self.now?);
        Some((now / before - 1.0) * 100.0)
    }

    /// Whether nothing is wrong with the stage.
    fn holds(&self) -> bool {
        match (self.before, self.now) {
            (Some(before), Some(now)) => now * 100.0 <= before * (100.0 + TOLERANCE),
            (None, _) | (_, None) => false,
        }
    }
}

impl Comparison {
    /// Whether every stage has a baseline and keeps to it.
    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<32} {:>10} {:>10} {:>8}", "instructions per operation", "before", "now", "growth")?;
        let number = |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
        for row in &self.rows {
            let growth = row.growth().map_or_else(|| "-".to_owned(), |growth| format!("{growth:+.1} %"));
            let verdict = match (row.before, row.now) {
                (None, _) => "  FAILED: has no baseline",
                (_, None) => "  FAILED: is no longer measured",
                (Some(_), Some(_)) if row.holds() => "",
                (Some(_), Some(_)) => "  FAILED: more than 5 % above its baseline",
            };
            let (before, now) = (number(row.before), number(row.now));
            writeln!(f, "{:<32} {before:>10} {now:>10} {growth:>8}{verdict}", row.stage)?;
        }
        Ok(())
    }
}

/// The channel that the workspace is pinned to.
fn toolchain(path: &Path) -> Result<String, Error> {
    let lines = lines(path)?;
    let channel = lines.iter().find_map(|line| line.strip_prefix("channel = "));
    Ok(channel.unwrap_or_default().trim_matches('"').to_owned())
}

fn lines(path: &Path) -> Result<Vec<String>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(parse: f64, decide: f64) -> Counts {
        Counts::from([("parse/tcp-v4".to_owned(), parse), ("decide".to_owned(), decide)])
    }

    #[test]
    fn five_percent_more_holds_and_anything_above_fails() {
        let baselines = Baselines { toolchain: String::new(), stages: counts(100.0, 1_000.0) };
        assert!(baselines.compare(&counts(105.0, 900.0)).holds());
        let grown = baselines.compare(&counts(105.2, 900.0));
        assert!(!grown.holds());
        let text = grown.to_string();
        assert!(text.lines().any(|l| l.starts_with("parse/tcp-v4") && l.contains("FAILED")), "{text}");
        assert!(text.lines().any(|l| l.starts_with("decide") && !l.contains("FAILED")), "{text}");
    }

    #[test]
    fn a_stage_that_only_one_side_knows_fails() {
        let stages = counts(100.0, 1_000.0);
        let one = Counts::from([("decide".to_owned(), 1_000.0)]);
        assert!(!Baselines { toolchain: String::new(), stages: one.clone() }.compare(&stages).holds());
        assert!(!Baselines { toolchain: String::new(), stages }.compare(&one).holds());
    }

    #[test]
    fn a_written_file_reads_back_and_only_with_its_toolchain() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, pinned] = ["baselines.toml", "rust-toolchain.toml"].map(|name| folder.path().join(name));
        fs::write(&pinned, "[toolchain]\nchannel = \"1.95.0\"\n").expect("a file");
        let baselines = Baselines::of(&counts(17.5, 2_000.0), &pinned).expect("a toolchain");
        baselines.write(&file).expect("a file");
        assert_eq!(Baselines::read(&file, &pinned).expect("what was written"), baselines);
        fs::write(&pinned, "[toolchain]\nchannel = \"1.96.0\"\n").expect("a file");
        assert!(matches!(Baselines::read(&file, &pinned), Err(Error::Toolchain { .. })));
    }
}
