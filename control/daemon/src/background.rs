//! A daemon that its starter waits for.
//!
//! The program starts itself again with other arguments. The child calls [`enter`] first of all; its standard output is a pipe
//! to the parent, on which [`Starter::ready`] says that all is well, or [`Starter::failed`] why not. If it says neither before
//! the pipe closes, it has crashed. Its standard error is a log file from the start, so that nothing gets lost later.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, dup2_stdout, setsid};

/// The last line of a child that is up; everything else that it prints is the reason why it is not.
const READY: &str = "ready";

/// Bytes of a reason: all findings of a very broken lab.
const REASON: u64 = 1 << 20;

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// It ended without a word.
    #[error("the daemon ended while it started ({status}); see {}", log.display())]
    Crashed {
        /// How it ended.
        status: ExitStatus,
        /// Its standard error.
        log: PathBuf,
    },
    /// It said why.
    #[error("{message}")]
    Failed {
        /// What it said.
        message: String,
    },
    /// It could not be started or watched.
    #[error("cannot start the daemon: {0}")]
    Start(#[from] io::Error),
    /// It is not ready in time, and was told to end.
    #[error("the daemon was not ready within {} seconds and is ending; see {}", patience.as_secs(), log.display())]
    Timeout {
        /// How long it had.
        patience: Duration,
        /// Its standard error.
        log: PathBuf,
    },
}

/// Starts `command` as a daemon with standard error appended to `log`, and waits until it is ready. Returns its process id.
///
/// # Errors
///
/// [`LaunchError`].
pub fn launch(command: &mut Command, log: &Path, patience: Duration) -> Result<u32, LaunchError> {
    fs::create_dir_all(log.parent().unwrap_or(log))?;
    let errors = File::options().create(true).append(true).open(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn()?;
    match listen(&mut child, patience)? {
        Some(Word::Ready) => Ok(child.id()),
        Some(Word::Other(message)) => {
            let status = child.wait()?;
            match message.trim() {
                "" => Err(LaunchError::Crashed { status, log: log.to_owned() }),
                message => Err(LaunchError::Failed { message: message.to_owned() }),
            }
        }
        None => {
            let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
            // It takes down what it has made so far; nobody waits for that.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            Err(LaunchError::Timeout { patience, log: log.to_owned() })
        }
    }
}

/// What the child said.
enum Word {
    /// Everything that it printed before it closed its end.
    Other(String),
    Ready,
}

/// Listens until the child is ready or closes its end; none if that takes too long.
fn listen(child: &mut Child, patience: Duration) -> io::Result<Option<Word>> {
    let Some(output) = child.stdout.take() else { return Ok(Some(Word::Other(String::new()))) };
    let (tell, told) = mpsc::channel();
    thread::Builder::new().name("launch".to_owned()).spawn(move || {
        // The receiver is gone when the patience is over.
        tell.send(hear(output)).ok();
    })?;
    told.recv_timeout(patience).ok().transpose()
}

fn hear(output: impl Read) -> io::Result<Word> {
    let mut words = String::new();
    for line in BufReader::new(output.take(REASON)).lines() {
        let line = line?;
        if line == READY {
            return Ok(Word::Ready);
        }
        words.push_str(&line);
        words.push('\n');
    }
    Ok(Word::Other(words))
}

/// The child's word to its starter.
#[derive(Debug)]
#[must_use = "the starter waits"]
pub struct Starter(());

/// Leaves the terminal's session. To be called before threads are started and before anything is printed; until the result
/// is used, nothing else may print to standard output.
///
/// # Errors
///
/// What the kernel answers: the process is not a child that was just started.
pub fn enter() -> io::Result<Starter> {
    setsid()?;
    Ok(Starter(()))
}

impl Starter {
    /// Says that all is well. Afterwards standard output goes nowhere.
    ///
    /// # Errors
    ///
    /// When there is nobody to tell any more, which a daemon may well ignore.
    pub fn ready(self) -> io::Result<()> {
        self.last_word(&format!("{READY}\n"))
    }

    /// Says why there will be no daemon; the process should end soon.
    ///
    /// # Errors
    ///
    /// When there is nobody to tell any more.
    pub fn failed(self, why: impl Display) -> io::Result<()> {
        self.last_word(&format!("{why}\n"))
    }

    fn last_word(self, word: &str) -> io::Result<()> {
        let mut output = io::stdout().lock();
        let said = output.write_all(word.as_bytes()).and_then(|()| output.flush());
        // Closes the pipe, which tells the starter that there is no more.
        dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        said
    }
}
