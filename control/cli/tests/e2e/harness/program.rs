//! Programs with a deadline. None outlives its handle.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::deadline::Deadline;

/// A running program and whatever it has started.
#[derive(Debug)]
pub(crate) struct Program {
    what: String,
    /// Its process group while something of it may live.
    group: Option<Pid>,
    lines: Receiver<Line>,
    ended: Receiver<ExitStatus>,
    stdout: String,
    stderr: String,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    what: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Debug)]
enum Line {
    Error(String),
    Output(String),
}

impl Program {
    /// Starts it in a process group of its own, with nothing to read.
    pub(crate) fn start(mut command: Command) -> Self {
        let what = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        let group = Some(Pid::from_raw(i32::try_from(child.id()).expect("a process id is positive")));
        let (tell, lines) = channel();
        follow(child.stdout.take().expect("it is piped"), Line::Output, tell.clone());
        follow(child.stderr.take().expect("it is piped"), Line::Error, tell);
        let (tell, ended) = channel();
        thread::spawn(move || {
            if let Ok(status) = child.wait() {
                // Nobody waits for a program that was given up.
                tell.send(status).ok();
            }
        });
        Self { what, group, lines, ended, stdout: String::new(), stderr: String::new() }
    }

    /// Runs it to its end.
    pub(crate) fn run(command: Command, within: Duration) -> Done {
        Self::start(command).finish(within)
    }

    /// Waits until it has printed `text`.
    pub(crate) fn wait_for(&mut self, text: &str, within: Duration) {
        let deadline = Deadline::after(within);
        while !self.stdout.contains(text) {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => self.take(line),
                Err(why) => panic!("`{text}` never came ({why}) from {}", self.so_far()),
            }
        }
    }

    /// Waits for its end and for that of everything that can still print.
    pub(crate) fn finish(mut self, within: Duration) -> Done {
        let deadline = Deadline::after(within);
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => self.take(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("not done within {within:?}: {}", self.so_far()),
            }
        }
        let status = self.ended.recv_timeout(deadline.left());
        let status =
            status.unwrap_or_else(|_| panic!("prints no more but lives after {within:?}: {}", self.so_far()));
        self.group = None;
        let (what, stdout, stderr) = (self.what.clone(), self.stdout.clone(), self.stderr.clone());
        Done { what, status, stdout, stderr }
    }

    /// Ends it as Ctrl-C would, and waits.
    pub(crate) fn interrupt(self, within: Duration) -> Done {
        self.signal(Signal::SIGINT);
        self.finish(within)
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Error(line) => self.stderr.push_str(&line),
            Line::Output(line) => self.stdout.push_str(&line),
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // A group whose last process has just ended is what is wanted.
            killpg(group, signal).ok();
        }
    }

    fn so_far(&self) -> String {
        format!("{}\n--- stdout\n{}--- stderr\n{}", self.what, self.stdout, self.stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

impl Done {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// It must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit code of {self}");
        self
    }

    /// It must have printed this, on either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not in {self}");
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, status, stdout, stderr } = self;
        write!(f, "{what} ({status})\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

fn follow(stream: impl Read + Send + 'static, wrap: fn(String) -> Line, tell: Sender<Line>) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&std::mem::take(&mut bytes)).into_owned();
            if tell.send(wrap(line)).is_err() {
                break;
            }
        }
    });
}
