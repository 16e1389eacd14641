//! Start, publish, stop.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use ::io::poller::{BackendError, BackendKind};
use ::io::{BufferPool, Outbox, Queues, Tun, Waker};
use crossbeam::channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError, bounded};
use engine::{Config, Counters, DropRecord, Engine, FlowRecord, Leases, NatCounters};
use flowlog::FlowLogs;
use snapshot::{Attachment, InterfaceIx, Snapshot};

use crate::clock::Clock;
use crate::handoff::Rings;
use crate::publish::Published;
use crate::sink::{EventSink, Message, ROOM, Room, Writer};
use crate::spin::Spin;
use crate::worker::{Command, Worker};

/// Messages that wait for the flow-log writer.
const EVENT_QUEUE: usize = 4_096;

/// Commands that wait for one worker.
const COMMAND_QUEUE: usize = 256;

/// Free buffers that one worker keeps: a few batches of 64 KiB, 16 MiB in all.
const BUFFERS: usize = 256;

/// How long a worker may take to answer; one batch takes well under a millisecond.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the flow-log writer may take to write what is left at the end.
const LAST_RECORDS: Duration = Duration::from_secs(10);

/// What a data plane is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads, at least one. Fixed for the life of the runtime, since ownership depends on it.
    pub workers: u16,
    /// How workers reach devices.
    pub backend: BackendKind,
    /// Sessions that all workers together remember.
    pub sessions: usize,
    /// The run's hash seed.
    pub seed: u64,
    /// What relative flow-log destinations start from.
    pub directory: PathBuf,
}

impl Options {
    /// The queues that devices of this data plane are opened with: one for each worker, if its backend reads more than one.
    #[must_use]
    pub const fn queues(&self) -> Queues {
        match (self.workers, self.backend) {
            (0 | 1, _) | (_, BackendKind::Tokio) => Queues::One,
            (workers, BackendKind::Auto | BackendKind::Epoll | BackendKind::Uring) => {
                Queues::PerWorker { workers, seed: self.seed }
            }
        }
    }
}

/// Something that went wrong beside the packets.
#[derive(Debug)]
pub struct Trouble {
    /// The worker, or `usize::MAX` for the flow-log writer.
    pub worker: usize,
    /// The device's attachment token, when it is about one.
    pub token: Option<u32>,
    /// What the system said.
    pub error: io::Error,
}

/// Why the data plane could not start or answer.
#[derive(Debug)]
pub enum RuntimeError {
    /// The backend is not to be had here.
    Backend(BackendError),
    /// A thread could not be made.
    Start(io::Error),
    /// A worker did not answer within five seconds.
    Silent {
        /// Which.
        worker: usize,
    },
}

impl std::fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Backend(error) => error.fmt(f),
            Self::Start(error) => write!(f, "the data plane cannot start: {error}"),
            Self::Silent { worker } => write!(f, "worker {worker} does not answer"),
        }
    }
}

impl std::error::Error for RuntimeError {}

/// The flow-log writer as seen from outside.
#[derive(Debug)]
struct WriterThread {
    to: Sender<Message>,
    /// Closed when the thread ends, however it does.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

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
    /// Starts the workers; they forward nothing until devices are attached.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Backend`], [`RuntimeError::Start`], or [`RuntimeError::Silent`] for a worker that does not begin in time;
    /// every thread that was started is stopped.
    pub fn start(options: &Options, snapshot: Arc<Snapshot>) -> Result<Self, RuntimeError> {
        let clock = Clock::start();
        let workers = usize::from(options.workers.max(1));
        let backend = options.backend.resolve().map_err(RuntimeError::Backend)?;
        let wakers: Vec<Waker> =
            (0..workers).map(|_| Waker::new()).collect::<Result<_, _>>().map_err(RuntimeError::Start)?;
        let rings = Rings::new(wakers.clone());
        let published = Arc::new(Published::new(Arc::clone(&snapshot), workers));
        let (to_writer, from_workers) = bounded(EVENT_QUEUE);
        let (to_outside, trouble) = bounded(64);
        let room = Room::new(ROOM);
        let logs = logs(options, &snapshot, clock);
        let directory = options.directory.clone();
        let errors = to_outside.clone();
        let files = BTreeMap::new();
        let writer =
            Writer { from: from_workers, room: Arc::clone(&room), logs, clock, directory, errors, files };
        let writer = WriterThread::spawn(to_writer.clone(), || writer.run()).map_err(RuntimeError::Start)?;
        let mut runtime = Self {
            published,
            rings,
            leases: Leases::default(),
            commands: vec![],
            threads: vec![],
            writer: Some(writer),
            to_outside: to_outside.clone(),
            trouble,
            clock,
        };
        for (number, waker) in wakers.into_iter().enumerate() {
            let sink = EventSink::new(number, to_writer.clone(), Arc::clone(&room));
            runtime.spawn_worker(options, number, (backend, waker), sink, to_outside.clone())?;
        }
        Ok(runtime)
    }

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

    /// Closes a device: soon nothing reads from it or writes to it; after [`Self::settle`] no worker has it open.
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

    /// Where all packets ended, summed over the workers.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn counters(&self) -> Result<Counters, RuntimeError> {
        let mut sum = Counters::default();
        for counters in self.ask_all(|engine| engine.counters().clone())? {
            sum.add(&counters);
        }
        Ok(sum)
    }

    /// What each worker has counted at NAT gateways, each under the interface of the gateway.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn nat_gateways(&self) -> Result<Vec<(InterfaceIx, NatCounters)>, RuntimeError> {
        Ok(self.ask_all(|engine| engine.nat_gateways().collect::<Vec<_>>())?.concat())
    }

    /// The latest dropped packets, oldest first.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn drops(&self) -> Result<Vec<DropRecord>, RuntimeError> {
        let mut drops: Vec<_> = self.ask_all(|engine| engine.drops().cloned().collect::<Vec<_>>())?.concat();
        drops.sort_by_key(|drop| drop.at);
        Ok(drops)
    }

    /// Live halves, at most `limit` per worker, ordered by attachment and tuple.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Silent`].
    pub fn flows(&self, limit: usize) -> Result<Vec<FlowRecord>, RuntimeError> {
        let mut flows = self.ask_all(move |engine| engine.flows(limit))?.concat();
        flows.sort_by_key(|flow| (flow.from, flow.tuple));
        Ok(flows)
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
        self.note(Trouble { worker: usize::MAX, token: None, error });
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
            self.note(Trouble { worker, token: Some(token), error });
        }
    }

    fn ask_all<T: Send + 'static>(
        &self,
        question: impl Fn(&Engine) -> T + Clone + Send + 'static,
    ) -> Result<Vec<T>, RuntimeError> {
        self.hear_all(|reply| {
            let question = question.clone();
            Command::Ask(Box::new(move |engine| drop(reply.send(question(engine)))))
        })
    }

    /// Gives every worker a command that makes it reply, and waits for all replies.
    fn hear_all<T>(&self, command: impl Fn(mpsc::Sender<T>) -> Command) -> Result<Vec<T>, RuntimeError> {
        let mut answers = Vec::with_capacity(self.commands.len());
        for worker in 0..self.commands.len() {
            let (reply, answer) = mpsc::channel();
            self.tell(worker, command(reply));
            answers.push(answer);
        }
        answers
            .into_iter()
            .enumerate()
            .map(|(worker, answer)| answer.recv_timeout(ANSWER).map_err(|_| RuntimeError::Silent { worker }))
            .collect()
    }

    fn spawn_worker(
        &mut self,
        options: &Options,
        number: usize,
        (kind, waker): (BackendKind, Waker),
        sink: EventSink,
        errors: Sender<Trouble>,
    ) -> Result<(), RuntimeError> {
        let (to_worker, commands) = bounded(COMMAND_QUEUE);
        let (published, rings, clock) = (Arc::clone(&self.published), Arc::clone(&self.rings), self.clock);
        let leases = self.leases.clone();
        let workers = options.workers.max(1);
        let config = Config {
            worker: u16::try_from(number).unwrap_or(u16::MAX),
            workers,
            seed: options.seed,
            sessions: options.sessions.div_ceil(usize::from(workers)),
            tap_interval: published.current().settings().tap_interval,
            start: clock.now(),
        };
        let (started, starting) = mpsc::channel();
        let thread = std::thread::Builder::new().name(format!("worker-{number}"));
        let thread = thread.spawn(move || {
            let backend = match kind.build(&waker) {
                Ok(backend) => backend,
                Err(error) => return drop(started.send(Err(error))),
            };
            started.send(Ok(())).ok();
            let view = published.view(number);
            let engine = Engine::new(&config).sharing(leases);
            let pool = BufferPool::new(BUFFERS);
            let workers = usize::from(workers);
            Worker {
                number,
                workers,
                spin: Spin::new(workers, clock.now()),
                is_deaf: false,
                engine,
                backend,
                outbox: Outbox::through(config.worker),
                clock,
                commands,
                settling: Vec::new(),
                rings,
                view,
                sink,
                pool,
                errors,
            }
            .run();
        });
        self.threads.push(thread.map_err(RuntimeError::Start)?);
        self.commands.push(to_worker);
        let silent = RuntimeError::Silent { worker: number };
        starting.recv_timeout(ANSWER).map_err(|_| silent)?.map_err(RuntimeError::Backend)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.wind_down();
    }
}

impl WriterThread {
    fn spawn(to: Sender<Message>, run: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (ends, ended) = bounded(0);
        let thread = std::thread::Builder::new().name("flow-logs".to_owned());
        let thread = thread.spawn(move || {
            let _ends: Sender<()> = ends;
            run();
        })?;
        Ok(Self { to, ended, thread })
    }

    /// Lets the writer write what is left. One that is held up is left alone: nothing can end a thread from outside.
    fn end(self, patience: Duration) -> Result<(), &'static str> {
        self.to.send_timeout(Message::Stop, patience).ok();
        match self.ended.recv_timeout(patience) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                self.thread.join().map_err(|_| "the writer has died: records are missing")
            }
            Err(RecvTimeoutError::Timeout) => Err("the writer does not end: the last records are missing"),
        }
    }
}

fn logs(options: &Options, snapshot: &Snapshot, clock: Clock) -> FlowLogs {
    let mut logs = FlowLogs::new(usize::from(options.workers.max(1)), clock.now());
    logs.handle_snapshot(snapshot, clock.now());
    logs
}

#[cfg(test)]
mod tests {
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
}
