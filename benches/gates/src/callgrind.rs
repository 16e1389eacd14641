//! Running this very program under callgrind, and reading what it counted.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Instructions for one operation of each stage.
pub(crate) type Counts = BTreeMap<String, f64>;

/// Why nothing could be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The program is missing or its output cannot be read.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The program ended badly.
    #[error("valgrind failed, {status}:\n{stderr}")]
    Failed {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What it had to say.
        stderr: String,
    },
    /// The program printed something unexpected.
    #[error("valgrind wrote {what}, which is not what was expected")]
    Unexpected {
        /// What it wrote.
        what: String,
    },
}

/// Runs this program with `argument` and counts what happens inside [`crate::stages::measured`]; each call of it is a stage.
pub(crate) fn count(argument: &str) -> Result<Counts, Error> {
    let folder = std::env::temp_dir().join(format!("vpclab-gates-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|source| failed("cannot make a folder", &folder, source))?;
    let counted = run(argument, &folder).and_then(|stdout| counts(&stdout, &folder));
    fs::remove_dir_all(&folder).map_err(|source| failed("cannot remove a folder", &folder, source))?;
    counted
}

/// Leaves a file for each stage in `folder`, and returns what the stages printed.
fn run(argument: &str, folder: &Path) -> Result<String, Error> {
    let own = std::env::current_exe().map_err(|source| failed("cannot find this program", folder, source))?;
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .args(["--toggle-collect=*::stages::measured", "--dump-after=*::stages::measured"])
        .arg(own)
        .arg(argument)
        .output()
        .map_err(|source| {
            failed("cannot run valgrind (scripts/install-packages installs it)", folder, source)
        })?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Failed { status: output.status, stderr });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The stages in the order in which they ran, with the files that are numbered in the same order from 1.
fn counts(stdout: &str, folder: &Path) -> Result<Counts, Error> {
    let mut counts = Counts::new();
    for (line, number) in stdout.lines().zip(1_u32..) {
        let (stage, operations) = line.split_once(' ').ok_or_else(|| unexpected(line))?;
        let operations: f64 = operations.parse().map_err(|_| unexpected(line))?;
        let file = folder.join(format!("out.{number}"));
        let text = fs::read_to_string(&file).map_err(|source| failed("cannot read", &file, source))?;
        counts.insert(stage.to_owned(), tenths(instructions(&text)? as f64 / operations));
    }
    Ok(counts)
}

/// Rounded to what is printed and kept.
fn tenths(count: f64) -> f64 {
    (count * 10.0).round() / 10.0
}

/// The sum over a whole file of callgrind's format.
fn instructions(text: &str) -> Result<u64, Error> {
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|number| number.trim().parse().ok()).ok_or_else(|| unexpected("a file without totals"))
}

fn unexpected(what: &str) -> Error {
    Error::Unexpected { what: format!("`{what}`") }
}

fn failed(what: &str, path: &Path, source: io::Error) -> Error {
    Error::Io { what: format!("{what} ({})", PathBuf::from(path).display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_gets_the_file_with_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, total) in [(1, 600), (2, 9_000)] {
            let text = format!("version: 1\nevents: Ir\nfn=(1) main\n1 5\ntotals: {total}\n");
            fs::write(folder.path().join(format!("out.{number}")), text).expect("a file");
        }
        let counted = counts("parse 100\ndecide 3\n", folder.path()).expect("both files are there");
        assert_eq!(counted, Counts::from([("parse".into(), 6.0), ("decide".into(), 3_000.0)]));
        assert!(counts("parse 100\ndecide 3\nlost 1\n", folder.path()).is_err());
        assert!(counts("parse\n", folder.path()).is_err());
        assert!(instructions("version: 1\n").is_err());
    }
}
