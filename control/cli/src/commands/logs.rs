//! `vpclab logs`: flow-log records, from the files that the lab writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::low::Logs;
use crate::error::{Answer, Error};
use crate::output::Out;
use crate::place;
use crate::running::{self, Running};
use crate::world::World;

/// How often files are looked at for new records.
const EVERY: Duration = Duration::from_millis(500);

/// Prints the records of all flow logs of a lab, file by file; with `-f` goes on with each new one.
///
/// # Errors
///
/// A lab that does not run, or a file that cannot be read. A file that is not there yet has no records.
pub(crate) fn run(args: &Logs, out: Out<'_>) -> Result<Answer, Error> {
    let mut running = Running::connect(args.lab.lab.as_deref())?;
    let flow_logs = running.status()?.flow_logs;
    let filter = match &args.interface {
        Some(name) => Some(interface(&mut running, name, &flow_logs)?),
        None => None,
    };
    let mut files: Vec<PathBuf> = flow_logs.into_values().map(PathBuf::from).collect();
    files.sort();
    files.dedup();
    let mut tails: Vec<Tail> = files.into_iter().map(Tail::new).collect();
    loop {
        for tail in &mut tails {
            tail.print(filter.as_deref(), out)?;
        }
        out.flush()?;
        if !args.follow {
            return Ok(Answer::Yes);
        }
        running::pause(EVERY);
    }
}

/// The `eni-` id that records must carry. Says which flow logs do not write it down.
fn interface(
    running: &mut Running,
    name: &str,
    flow_logs: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let world = World::of_running(running)?;
    let port = place::find_port(world.lab(), name)?;
    let logs = world.lab().vpcs.values().flat_map(|vpc| &vpc.flow_logs);
    for log in logs.filter(|log| !log.format.contains("${interface-id}")) {
        if let Some(file) = flow_logs.get(&log.id) {
            let why = "its format has no ${interface-id}";
            writeln!(anstream::stderr(), "vpclab: records in {file} cannot be told apart: {why}")?;
        }
    }
    Ok(port.interface.id.clone())
}

/// A file that grows.
struct Tail {
    path: PathBuf,
    /// Bytes read.
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Tail {
    const fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, rest: Vec::new() }
    }

    /// Prints the lines that are new, whole lines only.
    fn print(&mut self, filter: Option<&str>, out: Out<'_>) -> Result<(), Error> {
        let read = read_from(&self.path, &mut self.offset, &mut self.rest);
        read.map_err(|source| Error::File { path: self.path.clone(), source })?;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            if filter.is_none_or(|id| line.split_whitespace().any(|field| field == id)) {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}

/// Appends to `rest` what the file has past `offset`. A file that became shorter was replaced, and is read from its start.
fn read_from(path: &Path, offset: &mut u64, rest: &mut Vec<u8>) -> std::io::Result<()> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() < *offset {
        *offset = 0;
        rest.clear();
    }
    file.seek(SeekFrom::Start(*offset))?;
    *offset += file.read_to_end(rest)? as u64;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_prints_whole_lines_once_and_starts_over_when_the_file_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.log");
        let mut tail = Tail::new(path.clone());
        let mut seen = |text: &str| {
            std::fs::write(&path, text).expect("writable");
            let mut out = Vec::new();
            tail.print(Some("eni-1"), &mut out).expect("readable");
            String::from_utf8(out).expect("text")
        };
        assert_eq!(seen("2 eni-1 a\n2 eni-2 b\n2 eni-1 c"), "2 eni-1 a\n");
        assert_eq!(seen("2 eni-1 a\n2 eni-2 b\n2 eni-1 cd\n"), "2 eni-1 cd\n");
        assert_eq!(seen("3 eni-1 z\n"), "3 eni-1 z\n");
    }
}
