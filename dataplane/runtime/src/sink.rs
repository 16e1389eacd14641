//! Events on their way from the workers to the flow-log files, which never slow a packet down (FL-07).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};
use engine::Event;
use flowlog::FlowLogs;
use nix::fcntl::OFlag;
use snapshot::{InterfaceIx, Snapshot};

use crate::clock::Clock;

/// Events of all workers together that may be on their way, some 90 MB; more traffic than that becomes SKIPDATA.
pub(crate) const ROOM: usize = 1 << 20;

/// Events that a worker hands over at a time when it ends.
const SLICE: usize = 16_384;

/// How long a worker that ends waits for the writer to take one slice.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the writer looks at windows when no event comes.
const TICK: Duration = Duration::from_millis(200);

/// Events of one worker, in order.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) worker: usize,
    pub(crate) events: VecDeque<Event>,
    /// To be told once the writer has taken the events.
    pub(crate) taken: Option<Sender<()>>,
}

/// What the writer is told.
pub(crate) enum Message {
    Events(Batch),
    Snapshot(Arc<Snapshot>),
    Stop,
}

/// How many events are on their way from all workers to the writer, and how many may be.
#[derive(Debug)]
pub(crate) struct Room {
    limit: usize,
    used: AtomicUsize,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct EventSink {
    worker: usize,
    to: Sender<Message>,
    room: Arc<Room>,
    backlog: VecDeque<Event>,
    skipped: BTreeMap<InterfaceIx, (engine::Time, u64)>,
}

impl Room {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Takes a place if one is free.
    fn try_take(&self) -> bool {
        // Only a count, which orders nothing: workers that ask at once may pass the limit by one event each.
        let free = self.used.load(Ordering::Relaxed) < self.limit;
        if free {
            self.take();
        }
        free
    }

    /// Takes a place in any case.
    fn take(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
    }

    fn give(&self, places: usize) {
        self.used.fetch_sub(places, Ordering::Relaxed);
    }
}

impl EventSink {
    pub(crate) const fn new(worker: usize, to: Sender<Message>, room: Arc<Room>) -> Self {
        Self { worker, to, room, backlog: VecDeque::new(), skipped: BTreeMap::new() }
    }

    /// Sends the events if the writer keeps up, else keeps them back, else counts them as skipped.
    pub(crate) fn offer(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.hold(event);
        }
        if self.backlog.is_empty() {
            return;
        }
        let batch = Batch { worker: self.worker, events: std::mem::take(&mut self.backlog), taken: None };
        if let Err(refused) = self.to.try_send(Message::Events(batch)) {
            self.backlog = events_of(refused.into_inner());
        }
    }

    /// Hands the last events over in slices and waits for the writer to take each; what it does not take is skipped.
    pub(crate) fn finish(self, events: impl IntoIterator<Item = Event>) {
        self.finish_within(events, PATIENCE);
    }

    fn finish_within(mut self, events: impl IntoIterator<Item = Event>, patience: Duration) {
        let mut events = events.into_iter();
        let mut listens = self.hand_over(patience);
        while listens {
            for event in events.by_ref().take(SLICE) {
                self.keep(event);
            }
            if self.backlog.is_empty() {
                break;
            }
            listens = self.hand_over(patience);
        }
        for event in std::mem::take(&mut self.backlog).into_iter().chain(events) {
            self.skip(event);
        }
        self.tell_skipped();
        self.hand_over(if listens { patience } else { Duration::ZERO });
    }

    /// Whether the writer took what was held back. It keeps no place in the backlog unless it could not even be sent.
    fn hand_over(&mut self, patience: Duration) -> bool {
        if self.backlog.is_empty() {
            return true;
        }
        let (taken, wait) = bounded(1);
        let events = std::mem::take(&mut self.backlog);
        let batch = Batch { worker: self.worker, events, taken: Some(taken) };
        match self.to.send_timeout(Message::Events(batch), patience) {
            Ok(()) => wait.recv_timeout(patience).is_ok(),
            Err(refused) => {
                self.backlog = events_of(refused.into_inner());
                false
            }
        }
    }

    fn hold(&mut self, event: Event) {
        match event {
            Event::Tap(_) if self.room.try_take() => self.backlog.push_back(event),
            Event::Tap(_) => self.skip(event),
            Event::Flushed(_) | Event::Skipped { .. } => self.keep(event),
        }
    }

    /// Keeps an event, whatever room there is. What was skipped before the end of a window is told before that end.
    fn keep(&mut self, event: Event) {
        if matches!(event, Event::Flushed(_)) {
            self.tell_skipped();
        }
        self.room.take();
        self.backlog.push_back(event);
    }

    fn skip(&mut self, event: Event) {
        let (interface, at, packets) = match event {
            Event::Tap(tap) => (tap.interface, tap.first, tap.packets),
            Event::Skipped { interface, at, packets } => (interface, at, packets),
            Event::Flushed(_) => return,
        };
        self.skipped.entry(interface).or_insert((at, 0)).1 += packets;
    }

    fn tell_skipped(&mut self) {
        for (interface, (at, packets)) in std::mem::take(&mut self.skipped) {
            self.room.take();
            self.backlog.push_back(Event::Skipped { interface, at, packets });
        }
    }
}

fn events_of(message: Message) -> VecDeque<Event> {
    match message {
        Message::Events(batch) => batch.events,
        Message::Snapshot(_) | Message::Stop => VecDeque::new(),
    }
}

/// The writer's thread: windows, records, files.
pub(crate) struct Writer {
    pub(crate) from: Receiver<Message>,
    pub(crate) room: Arc<Room>,
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

/// Opens a log for appending, made if it is not there.
///
/// # Errors
///
/// What the system says, and whatever is no regular file: a pipe without a reader would hold the writer up for ever.
fn open(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    match std::fs::metadata(path) {
        Ok(metadata) => demand_file(&metadata)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Somebody may put something else there between the two looks.
    let file =
        OpenOptions::new().create(true).append(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    demand_file(&file.metadata()?)?;
    Ok(file)
}

fn demand_file(metadata: &Metadata) -> std::io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(std::io::Error::other("not a regular file, to which alone flow logs are written")),
    }
}

#[cfg(test)]
mod tests;
