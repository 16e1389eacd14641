//! Programs with deadlines.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::agent::Agent;
use crate::clock::{Deadline, pause};
use crate::error::Error;
use crate::placement;

/// How long anything may take that normally takes a fraction of a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A program that runs; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Program {
    what: String,
    child: Child,
    lines: Receiver<String>,
    complaints: Receiver<String>,
}

impl Program {
    /// Starts it. Its standard input stays open as long as this value lives.
    pub(crate) fn start(command: Command) -> Result<Self, Error> {
        Self::start_on(None, command)
    }

    /// As [`Self::start`], on a processor that it stays on, if one is named.
    pub(crate) fn start_on(processor: Option<usize>, mut command: Command) -> Result<Self, Error> {
        let what = described(&command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = placement::on(processor, || command.spawn())?;
        let mut child = child.map_err(Error::machine(format!("run {what}")))?;
        let lines = follow(child.stdout.take());
        let complaints = follow(child.stderr.take());
        Ok(Self { what, child, lines, complaints })
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) fn run(command: Command) -> Result<String, Error> {
        Self::start(command)?.finish(PATIENCE)
    }

    /// As [`Self::run`], with text on its standard input.
    pub(crate) fn run_with(command: Command, input: &str) -> Result<String, Error> {
        let mut program = Self::start(command)?;
        if let Some(mut stdin) = program.child.stdin.take() {
            // A program that ends early says why itself.
            let _ = stdin.write_all(input.as_bytes());
        }
        program.finish(PATIENCE)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has printed a line with `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<(), Error> {
        let deadline = Deadline::after(PATIENCE);
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) if line.contains(text) => return Ok(()),
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.failed("ended early")),
                Err(RecvTimeoutError::Timeout) => return Err(self.failed(&format!("never said {text:?}"))),
            }
        }
    }

    /// Waits for its end and returns what it printed since.
    pub(crate) fn finish(mut self, within: Duration) -> Result<String, Error> {
        let deadline = Deadline::after(within);
        let mut output = String::new();
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => output.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err(self.failed(&format!("not done in {within:?}"))),
            }
        }
        loop {
            match self.child.try_wait().map_err(Error::machine(format!("wait for {}", self.what)))? {
                Some(status) if status.success() => return Ok(output),
                Some(status) => return Err(self.failed(&format!("{status}; {}", output.trim()))),
                None if deadline.passed() => return Err(self.failed("prints no more but lives")),
                None => pause(Duration::from_millis(1)),
            }
        }
    }

    fn failed(&mut self, how: &str) -> Error {
        let _ = self.child.kill();
        let mut said = how.to_owned();
        // Its standard error ends with it, unless a child of its own holds it open.
        while let Ok(line) = self.complaints.recv_timeout(Duration::from_millis(200)) {
            said.push_str("; ");
            said.push_str(line.trim());
        }
        Error::Program { what: self.what.clone(), said }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command with arguments, for those without options of their own.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// A command inside a namespace.
pub(crate) fn inside(
    namespace: &str,
    program: impl AsRef<OsStr>,
    arguments: &[&str],
) -> Result<Command, Error> {
    let mut command = io::netns::netns_command(namespace, program)
        .map_err(Error::machine(format!("enter namespace {namespace}")))?;
    command.args(arguments);
    Ok(command)
}

/// An agent, which is part of `program`, inside a namespace.
pub(crate) fn agent(namespace: &str, program: &Path, agent: &Agent) -> Result<Command, Error> {
    inside(namespace, program, &["bench-agent", &agent.to_json()])
}

fn described(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn follow(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (tell, lines) = channel();
    if let Some(stream) = stream {
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut bytes = Vec::new();
            while stream.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let line = String::from_utf8_lossy(&std::mem::take(&mut bytes)).into_owned();
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_quoted() {
        let failed = Program::run(command("sh", &["-c", "echo half; echo why >&2; exit 3"]));
        let said = failed.expect_err("it fails").to_string();
        assert!(said.contains("sh -c") && said.contains("status: 3") && said.contains("why"), "{said}");
    }

    #[test]
    fn a_program_that_does_not_end_is_given_up() {
        let sleeper = Program::start(command("sleep", &["60"])).expect("it starts");
        let said = sleeper.finish(Duration::from_millis(50)).expect_err("it sleeps").to_string();
        assert!(said.contains("not done in 50ms"), "{said}");
    }

    #[test]
    fn a_line_can_be_waited_for_and_the_rest_be_read() {
        let mut program = Program::start(command("sh", &["-c", "echo ready; cat"])).expect("it starts");
        program.wait_for("ready").expect("it says so");
        drop(program.child.stdin.take());
        assert_eq!(program.finish(PATIENCE).expect("it ends"), "");
        assert_eq!(Program::run_with(command("cat", &[]), "text\n").expect("it ends"), "text\n");
    }
}
