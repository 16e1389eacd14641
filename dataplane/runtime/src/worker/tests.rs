use crossbeam::channel::bounded;
use engine::{Config, DropReason};
use snapshot::{HostIx, InterfaceIx};

use super::*;
use crate::publish::Published;
use crate::sink::Room;

#[path = "../../tests/support/mod.rs"]
mod support;

#[test]
fn what_a_host_sends_enters_as_the_internet() {
    let interface = Attachment::interface(InterfaceIx(0));
    assert_eq!(entry(Attachment::host(HostIx(0))), Attachment::INTERNET);
    assert_eq!(entry(interface), interface);
}

#[test]
fn a_worker_whose_backend_has_failed_says_so_once_and_goes_on_for_the_others() {
    let rings = Rings::new((0..2).map(|_| ::io::Waker::new().expect("eventfd")).collect());
    let published = Published::new(Arc::new(support::empty_lab()), 2);
    let (errors, troubles) = bounded(8);
    let (to_worker, commands) = bounded(8);
    std::thread::scope(|scope| {
        // With it goes the worker, also when the test fails.
        let to_worker = to_worker;
        scope.spawn(|| worker(&rings, &published, commands, errors).run());
        for _ in 0..3 {
            rings.push(1, 0, Stage::Owner, Frame::new(Attachment::INTERNET, Buffer::copy_of(b"no packet")));
            rings.wake_if_asleep(0);
            settle(&to_worker);
        }
        let (answer, dropped) = mpsc::channel();
        let question = move |engine: &Engine| {
            let dropped = engine.drops().map(|drop| drop.reason).collect::<Vec<_>>();
            answer.send(dropped).expect("the test waits");
        };
        to_worker.send(Command::Ask(Box::new(question))).expect("it listens");
        let dropped = dropped.recv_timeout(PATIENCE).expect("it answers");
        assert_eq!(dropped, [DropReason::Malformed; 3]);
        to_worker.send(Command::Stop).expect("it listens");
    });
    let told: Vec<_> = troubles.try_iter().map(|trouble| (trouble.part, trouble.error.kind())).collect();
    assert_eq!(told, [(Part::Worker(0), io::ErrorKind::PermissionDenied)]);
}

/// A backend that the kernel has taken away.
struct Failed;

impl Backend for Failed {
    fn attach(&mut self, _: u32, _: Arc<Tun>, _: u16) -> io::Result<()> {
        Ok(())
    }

    fn detach(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn wait(&mut self, _: Option<Duration>) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn read(&mut self, _: usize, _: &mut BufferPool, _: &mut Vec<(u32, Buffer)>) -> io::Result<usize> {
        panic!("a backend that has failed is not used again");
    }

    fn take_lost(&mut self) -> Vec<(u32, io::Error)> {
        Vec::new()
    }
}

/// The first of two workers.
fn worker<'a>(
    rings: &Arc<Rings>,
    published: &'a Published,
    commands: Receiver<Command>,
    errors: Sender<Trouble>,
) -> Worker<'a> {
    let clock = Clock::start();
    let start = clock.now();
    let config = Config { worker: 0, workers: 2, seed: 0, sessions: 8, tap_interval: 60, start };
    // Nobody takes the events: the lab has no flow logs.
    let (to_writer, _) = bounded(8);
    Worker {
        number: 0,
        workers: 2,
        spin: Spin::new(2, start),
        is_deaf: false,
        engine: Engine::new(&config),
        backend: Box::new(Failed),
        outbox: Outbox::through(0),
        clock,
        commands,
        settling: Vec::new(),
        rings: Arc::clone(rings),
        view: published.view(0),
        sink: EventSink::new(0, to_writer, Room::new(8)),
        pool: BufferPool::new(8),
        errors,
    }
}

/// Returns when the worker has gone a whole round.
fn settle(worker: &Sender<Command>) {
    for _ in 0..2 {
        let (answer, settled) = mpsc::channel();
        worker.send(Command::Settle(answer)).expect("it listens");
        settled.recv_timeout(PATIENCE).expect("it answers");
    }
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
