//! The thread that writes flow-log files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use flowlog::FlowLogs;
use nix::fcntl::OFlag;

use crate::clock::Clock;
use crate::sink::{Batch, Message, Room};
use crate::trouble::{Part, Trouble};

/// The flow-log writer as seen from outside.
#[derive(Debug)]
pub(crate) struct WriterThread {
    pub(crate) to: Sender<Message>,
    /// Closed when the thread ends, however it does.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl WriterThread {
    pub(crate) fn spawn(to: Sender<Message>, run: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (ends, ended) = bounded(0);
        let thread = std::thread::Builder::new().name("flow-logs".to_owned());
        let thread = thread.spawn(move || {
            let _ends: Sender<()> = ends;
            run();
        })?;
        Ok(Self { to, ended, thread })
    }

    /// Lets the writer write what is left. One that is held up is left alone: nothing can end a thread from outside.
    pub(crate) fn end(self, patience: Duration) -> Result<(), &'static str> {
        self.to.send_timeout(Message::Stop, patience).ok();
        match self.ended.recv_timeout(patience) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                self.thread.join().map_err(|_| "the writer has died: records are missing")
            }
            Err(RecvTimeoutError::Timeout) => Err("the writer does not end: the last records are missing"),
        }
    }
}

/// What runs on it: windows, records, files.
pub(crate) struct Writer {
    pub(crate) from: Receiver<Message>,
    pub(crate) room: Arc<Room>,
    pub(crate) logs: FlowLogs,
    pub(crate) clock: Clock,
    /// What relative destinations start from.
    pub(crate) directory: PathBuf,
    pub(crate) errors: Sender<Trouble>,
    pub(crate) files: BTreeMap<PathBuf, BufWriter<File>>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            match self.from.recv_timeout(TICK) {
                Ok(Message::Events(batch)) => self.take(&batch),
                Ok(Message::Snapshot(snapshot)) => self.logs.handle_snapshot(&snapshot, self.clock.now()),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.write_lines();
        }
        self.logs.finish(self.clock.now());
        self.write_lines();
    }

    fn take(&mut self, batch: &Batch) {
        for event in &batch.events {
            self.logs.handle_event(batch.worker, event);
        }
        self.room.give(batch.events.len());
        if let Some(taken) = &batch.taken {
            // A worker that has waited too long does not hear it.
            taken.try_send(()).ok();
        }
    }

    fn write_lines(&mut self) {
        let mut wrote = BTreeSet::new();
        while let Some(line) = self.logs.poll_line() {
            let path = self.directory.join(&line.file);
            let written = self.write_line(&path, &line.text);
            self.check(&path, written);
            wrote.insert(path);
        }
        for path in wrote {
            let flushed = self.files.get_mut(&path).map_or(Ok(()), BufWriter::flush);
            self.check(&path, flushed);
        }
    }

    /// Tells the outside of a failure; the next line opens the file again.
    fn check(&mut self, path: &Path, done: io::Result<()>) {
        if let Err(error) = done {
            // What could not be written is lost: dropping the writer must not try, and fail, once more.
            self.files.remove(path).map(BufWriter::into_parts);
            let error = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            self.errors.try_send(Trouble { part: Part::FlowLogs, error }).ok();
        }
    }

    fn write_line(&mut self, path: &Path, text: &str) -> io::Result<()> {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), BufWriter::new(open(path)?));
        }
        match self.files.get_mut(path) {
            Some(file) => writeln!(file, "{text}"),
            None => Ok(()),
        }
    }
}

/// Opens a log for appending, made if it is not there.
///
/// # Errors
///
/// What the system says, and whatever is no regular file: a pipe without a reader would hold the writer up for ever.
fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    match std::fs::metadata(path) {
        Ok(metadata) => demand_file(&metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Somebody may put something else there between the two looks.
    let file =
        OpenOptions::new().create(true).append(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    demand_file(&file.metadata()?)?;
    Ok(file)
}

fn demand_file(metadata: &Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("not a regular file, to which alone flow logs are written")),
    }
}

/// How often the writer looks at windows when no event comes.
const TICK: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn a_writer_that_is_held_up_does_not_hold_up_the_end() {
        let (to, _from) = bounded(1);
        let (go, wait) = bounded::<()>(0);
        let writer = WriterThread::spawn(to, move || assert!(wait.recv().is_err(), "nothing is sent"))
            .expect("a thread");
        let end = writer.end(Duration::from_millis(1));
        assert_eq!(end, Err("the writer does not end: the last records are missing"));
        drop(go);
    }

    #[test]
    fn a_writer_that_ends_is_no_trouble() {
        let (to, from) = bounded(1);
        let run = move || assert!(matches!(from.recv(), Ok(Message::Stop)));
        let writer = WriterThread::spawn(to, run).expect("a thread");
        assert_eq!(writer.end(Duration::from_secs(10)), Ok(()));
    }

    #[test]
    fn only_regular_files_are_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
        for refused in [pipe.as_path(), Path::new("/dev/null"), folder.path()] {
            let error = open(refused).expect_err("no file");
            assert!(error.to_string().contains("not a regular file"), "{}: {error}", refused.display());
        }
        let file = folder.path().join("new/records.log");
        for _ in 0..2 {
            writeln!(open(&file).expect("made, then found"), "a").expect("written");
        }
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "a\na\n");
    }
}
