//! Start, publish, stop.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ::io::Tun;
use crossbeam::channel::{Receiver, SendTimeoutError, Sender, TrySendError};
use engine::Leases;
use snapshot::{Attachment, Snapshot};

use crate::clock::Clock;
use crate::handoff::Rings;
use crate::publish::Published;
use crate::sink::Message;
use crate::trouble::{Part, RuntimeError, Trouble};
use crate::worker::Command;
use crate::writer::WriterThread;

mod answers;
mod start;

/// A running data plane: worker threads, their rings, the flow-log writer.
///
/// - mutators: [`Self::announce`], [`Self::attach`], [`Self::detach`], [`Self::publish`], [`Self::settle`]
/// - getters: [`Self::counters`], [`Self::drops`], [`Self::flows`], [`Self::poll_trouble`], [`Self::dead_worker`]
/// - end: [`Self::stop`]
#[derive(Debug)]
pub struct Runtime {
    published: Arc<Published>,
    rings: Arc<Rings>,
    commands: Vec<Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
    writer: Option<WriterThread>,
    to_outside: Sender<Trouble>,
    trouble: Receiver<Trouble>,
    clock: Clock,
    /// The ports of NAT gateways that all workers have in use.
    leases: Leases,
}

impl Runtime {
    /// Lets every worker write to the devices of interfaces and hosts that are about to be published, so that the first
    /// packet to them finds them. Nothing is read until [`Self::attach`].
    pub fn announce(&self, devices: impl IntoIterator<Item = (Attachment, Arc<Tun>)>) {
        let devices = devices.into_iter().map(|(at, tun)| (at, Some(tun)));
        self.published.set_devices(&devices.collect::<Vec<_>>());
    }

    /// Lets every worker read its own queue of a device, or the home worker of the interface or host its only one; and lets every
    /// worker write to it. A device has one queue or as many as there are workers.
    ///
    /// What a host sends enters as [`Attachment::INTERNET`]. The internet as one has no device.
    pub fn attach(&self, at: Attachment, tun: Arc<Tun>) {
        debug_assert_ne!(at, Attachment::INTERNET, "hosts have devices, and the internet as one has none");
        if !self.published.has_device(at, &tun) {
            self.announce([(at, Arc::clone(&tun))]);
        }
        for (worker, queue) in self.readers(at, &tun) {
            self.tell(worker, Command::Attach(at.token(), Arc::clone(&tun), queue));
        }
    }

    /// Closes a device: soon nothing reads from it or writes to it; after [`Self::settle`] no worker has it open. What a worker has
    /// fetched of it and not judged is lost.
    pub fn detach(&self, at: Attachment) {
        self.published.set_devices(&[(at, None)]);
        // Whoever does not read it has nothing to do.
        for worker in 0..self.commands.len() {
            self.tell(worker, Command::Detach(at.token()));
        }
    }

    /// Publishes a snapshot and waits until every worker judges by it.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`] when a worker does not take it in time; the snapshot stays published.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> Result<(), RuntimeError> {
        let generation = snapshot.generation();
        if let Some(writer) = &self.writer
            && writer.to.send_timeout(Message::Snapshot(Arc::clone(&snapshot)), ANSWER).is_err()
        {
            self.complain(
                "the writer is behind: flow logs stay as they were before this change; apply it again",
            );
        }
        self.published.store(snapshot);
        self.settle()?;
        debug_assert!(
            self.published.is_seen_by_all(generation),
            "a worker answers after it has loaded what is published"
        );
        Ok(())
    }

    /// Waits until every worker has done what it was told before and uses what is published now.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`] when a worker does not answer in time.
    pub fn settle(&self) -> Result<(), RuntimeError> {
        self.hear_all(Command::Settle).map(drop)
    }

    /// The first worker whose thread has ended, which only a panic does before [`Self::stop`].
    #[must_use]
    pub fn dead_worker(&self) -> Option<usize> {
        self.threads.iter().position(JoinHandle::is_finished)
    }

    /// The snapshot in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.current()
    }

    /// The clock of the data plane.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The next thing that went wrong, if any did.
    #[must_use]
    pub fn poll_trouble(&self) -> Option<Trouble> {
        self.trouble.try_recv().ok()
    }

    /// Stops all threads, having written all flow-log records. Returns what [`Self::poll_trouble`] had not told yet.
    pub fn stop(mut self) -> Vec<Trouble> {
        self.wind_down();
        self.trouble.try_iter().collect()
    }

    fn wind_down(&mut self) {
        for worker in 0..self.commands.len() {
            self.tell(worker, Command::Stop);
        }
        // A worker that could not be told finds that nobody is left to tell it anything.
        self.commands.clear();
        (0..self.threads.len()).for_each(|worker| self.rings.wake(worker));
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
        if let Some(Err(why)) = self.writer.take().map(|writer| writer.end(LAST_RECORDS)) {
            self.complain(why);
        }
    }

    /// Puts what happened to the flow logs among the troubles.
    fn complain(&self, why: &str) {
        let error = io::Error::new(io::ErrorKind::TimedOut, why);
        self.note(Trouble { part: Part::FlowLogs, error });
    }

    /// With too many troubles, the oldest makes room.
    fn note(&self, mut trouble: Trouble) {
        while let Err(TrySendError::Full(again)) = self.to_outside.try_send(trouble) {
            self.trouble.try_recv().ok();
            trouble = again;
        }
    }

    /// The workers that read a device, each with its queue.
    fn readers(&self, at: Attachment, tun: &Tun) -> Vec<(usize, u16)> {
        let workers = self.commands.len();
        match tun.queues() {
            1 => vec![(at.token() as usize % workers, 0)],
            queues => {
                debug_assert_eq!(usize::from(queues), workers, "steered by the number of workers");
                (0..workers).zip(0..queues).collect()
            }
        }
    }

    fn tell(&self, worker: usize, command: Command) {
        let sent = self.commands[worker].send_timeout(command, ANSWER);
        self.rings.wake(worker);
        if let Err(SendTimeoutError::Timeout(Command::Attach(token, ..) | Command::Detach(token))) = sent {
            let what = "a worker does not answer and was not told whether to read the device";
            let error = io::Error::new(io::ErrorKind::TimedOut, what);
            self.note(Trouble { part: Part::device(token), error });
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.wind_down();
    }
}

/// How long a worker may take to answer; one batch takes well under a millisecond.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the flow-log writer may take to write what is left at the end.
const LAST_RECORDS: Duration = Duration::from_secs(10);
