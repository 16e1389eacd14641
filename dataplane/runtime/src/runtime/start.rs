//! Starting the threads.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};

use ::io::{BackendKind, BufferPool, Outbox, Waker};
use crossbeam::channel::{Sender, bounded};
use engine::{Config, Engine, Leases};
use flowlog::FlowLogs;
use snapshot::Snapshot;

use super::{ANSWER, Runtime};
use crate::clock::Clock;
use crate::handoff::Rings;
use crate::options::Options;
use crate::publish::Published;
use crate::sink::{EventSink, ROOM, Room};
use crate::spin::Spin;
use crate::trouble::{RuntimeError, Trouble};
use crate::worker::Worker;
use crate::writer::{Writer, WriterThread};

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

fn logs(options: &Options, snapshot: &Snapshot, clock: Clock) -> FlowLogs {
    let mut logs = FlowLogs::new(usize::from(options.workers.max(1)), clock.now());
    logs.handle_snapshot(snapshot, clock.now());
    logs
}

/// Messages that wait for the flow-log writer.
const EVENT_QUEUE: usize = 4_096;

/// Commands that wait for one worker.
const COMMAND_QUEUE: usize = 256;

/// Free buffers that one worker keeps: a few batches of 64 KiB, 16 MiB in all.
const BUFFERS: usize = 256;
