//! Events on their way from the workers to the flow-log files, which never slow a packet down (FL-07).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{Sender, bounded};
use engine::Event;
use snapshot::{InterfaceIx, Snapshot};

/// Events of all workers together that may be on their way, some 90 MB; more traffic than that becomes SKIPDATA.
pub(crate) const ROOM: usize = 1 << 20;

/// Events that a worker hands over at a time when it ends.
const SLICE: usize = 16_384;

/// How long a worker that ends waits for the writer to take one slice.
const PATIENCE: Duration = Duration::from_secs(5);

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

    pub(crate) fn give(&self, places: usize) {
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

#[cfg(test)]
mod tests;
