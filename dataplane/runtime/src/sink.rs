//! Events on their way from the workers to the flow-log files, which never slow a packet down (FL-07).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, TrySendError};
use engine::Event;
use flowlog::FlowLogs;
use snapshot::{InterfaceIx, Snapshot};

use crate::clock::Clock;

/// Events that a worker holds back when the writer is behind, before it gives records up for SKIPDATA.
const BACKLOG: usize = 65_536;

/// How often the writer looks at windows when no event comes.
const TICK: Duration = Duration::from_millis(200);

/// Events of one worker, in order.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) worker: usize,
    pub(crate) events: VecDeque<Event>,
}

/// What the writer is told.
pub(crate) enum Message {
    Events(Batch),
    Snapshot(Arc<Snapshot>),
    Stop,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct EventSink {
    worker: usize,
    to: Sender<Message>,
    backlog: VecDeque<Event>,
    skipped: BTreeMap<InterfaceIx, (engine::Time, u64)>,
}

impl EventSink {
    pub(crate) const fn new(worker: usize, to: Sender<Message>) -> Self {
        Self { worker, to, backlog: VecDeque::new(), skipped: BTreeMap::new() }
    }

    /// Sends the events if the writer keeps up, else keeps them back, else counts them as skipped.
    pub(crate) fn offer(&mut self, batch: Batch) {
        for event in batch.events {
            self.hold(event);
        }
        if self.backlog.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.backlog);
        match self.to.try_send(Message::Events(Batch { worker: self.worker, events })) {
            Ok(()) => {}
            Err(
                TrySendError::Full(Message::Events(batch))
                | TrySendError::Disconnected(Message::Events(batch)),
            ) => {
                self.backlog = batch.events;
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// Waits for the writer to take the rest.
    pub(crate) fn finish(self) {
        let events = self.backlog;
        self.to
            .send_timeout(Message::Events(Batch { worker: self.worker, events }), Duration::from_secs(2))
            .ok();
    }

    fn hold(&mut self, event: Event) {
        match event {
            Event::Tap(tap) if self.backlog.len() >= BACKLOG => {
                self.skipped.entry(tap.interface).or_insert((tap.first, 0)).1 += tap.packets;
            }
            Event::Flushed(_) => {
                let skipped = std::mem::take(&mut self.skipped).into_iter();
                self.backlog.extend(skipped.map(|(interface, (at, packets))| Event::Skipped {
                    interface,
                    at,
                    packets,
                }));
                self.backlog.push_back(event);
            }
            Event::Skipped { .. } | Event::Tap(_) => self.backlog.push_back(event),
        }
    }
}

/// The writer's thread: windows, records, files.
pub(crate) struct Writer {
    pub(crate) from: Receiver<Message>,
    pub(crate) logs: FlowLogs,
    pub(crate) clock: Clock,
    /// What relative destinations start from.
    pub(crate) directory: PathBuf,
    pub(crate) errors: Sender<crate::Trouble>,
    pub(crate) files: BTreeMap<PathBuf, BufWriter<File>>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            match self.from.recv_timeout(TICK) {
                Ok(Message::Events(batch)) => self.take(&batch),
                Ok(Message::Snapshot(snapshot)) => self.logs.handle_snapshot(&snapshot, self.clock.now()),
                Ok(Message::Stop) | Err(crossbeam::channel::RecvTimeoutError::Disconnected) => break,
                Err(crossbeam::channel::RecvTimeoutError::Timeout) => {}
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
    fn check(&mut self, path: &Path, done: std::io::Result<()>) {
        if let Err(error) = done {
            // What could not be written is lost: dropping the writer must not try, and fail, once more.
            self.files.remove(path).map(BufWriter::into_parts);
            let error = std::io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            self.errors.try_send(crate::Trouble { worker: usize::MAX, token: None, error }).ok();
        }
    }

    fn write_line(&mut self, path: &Path, text: &str) -> std::io::Result<()> {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), BufWriter::new(open(path)?));
        }
        match self.files.get_mut(path) {
            Some(file) => writeln!(file, "{text}"),
            None => Ok(()),
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}
