//! A worker's surroundings of a backend, and tests that every backend passes.
#![allow(unused_macros, unused_imports, reason = "each test program uses a part of this")]

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use vpclab_io::poller::BackendKind;
use vpclab_io::{Backend, Buffer, BufferPool, Outbox, Tun, Waker};

use super::{Namespace, udp_payload};

/// Makes a test of each function for each backend; those behind the semicolon not for rings, which fetch every
/// packet ahead.
macro_rules! for_each_backend {
    ($($test:ident),+ $(,)? $(; $($unfetched:ident),+ $(,)?)?) => {
        mod epoll {
            $(#[test] fn $test() { super::$test(vpclab_io::BackendKind::Epoll); })+
            $($(#[test] fn $unfetched() { super::$unfetched(vpclab_io::BackendKind::Epoll); })+)?
        }
        mod tokio {
            $(#[test] fn $test() { super::$test(vpclab_io::BackendKind::Tokio); })+
            $($(#[test] fn $unfetched() { super::$unfetched(vpclab_io::BackendKind::Tokio); })+)?
        }
        mod uring {
            $(#[test] fn $test() { super::$test(vpclab_io::BackendKind::Uring); })+
        }
    };
}
pub(crate) use for_each_backend;

/// A worker with `devices` devices, `eth0` and so on, whose tokens are their numbers.
pub(crate) fn attached(kind: BackendKind, devices: u8) -> (Namespace, Worker) {
    let namespace = Namespace::new();
    let mut worker = Worker::new(kind);
    for net in 0..devices {
        let tun = namespace.device(&format!("eth{net}"), net, kind.opener());
        worker.backend.attach(u32::from(net), tun, 0).expect("attach");
    }
    (namespace, worker)
}

/// A backend and what a worker has around it.
pub(crate) struct Worker {
    pub(crate) backend: Box<dyn Backend>,
    outbox: Outbox,
    pub(crate) waker: Waker,
    pool: BufferPool,
}

impl Worker {
    pub(crate) fn new(kind: BackendKind) -> Self {
        let waker = Waker::new().expect("waker");
        let backend = kind.build(&waker).expect("backend");
        Self { backend, outbox: Outbox::default(), waker, pool: BufferPool::new(64) }
    }

    pub(crate) fn look(&mut self) {
        self.backend.wait(Some(Duration::ZERO)).expect("look");
    }

    pub(crate) fn read(&mut self, budget: usize) -> Vec<(u32, Buffer)> {
        let mut packets = Vec::new();
        let count = self.backend.read(budget, &mut self.pool, &mut packets).expect("read");
        assert_eq!(count, packets.len());
        packets
    }

    /// Writes one packet and sees that it was taken.
    pub(crate) fn write(&mut self, tun: &Arc<Tun>, packet: Buffer) {
        self.outbox.push(tun, 0, packet, &mut self.pool);
        self.outbox.flush(&mut self.pool);
        assert_eq!(self.outbox.take_failed(), []);
    }

    /// Waits for exactly `count` packets.
    pub(crate) fn packets(&mut self, count: usize) -> Vec<(u32, Buffer)> {
        let mut packets = Vec::new();
        for _ in 0..ROUNDS {
            packets.extend(self.read(count - packets.len()));
            if packets.len() == count {
                return packets;
            }
            self.backend.wait(Some(ROUND)).expect("wait");
        }
        panic!("{} of {count} packets came", packets.len());
    }

    /// Waits until a packet with this payload has come.
    pub(crate) fn packets_until(&mut self, payload: &[u8]) -> Vec<Buffer> {
        for _ in 0..ROUNDS {
            let packets = self.packets(1);
            if udp_payload(packets[0].1.bytes()) == payload {
                return packets.into_iter().map(|(_, packet)| packet).collect();
            }
        }
        panic!("{payload:?} has not come");
    }

    /// Waits until a device is lost.
    pub(crate) fn lost(&mut self) -> Vec<(u32, std::io::Error)> {
        for _ in 0..ROUNDS {
            self.backend.wait(Some(ROUND)).expect("wait");
            assert_eq!(self.read(64).len(), 0);
            let lost = self.backend.take_lost();
            if !lost.is_empty() {
                return lost;
            }
        }
        panic!("no device was lost");
    }
}

/// Runs `work` on a thread and fails when it does not come to an end: a lost wake-up would hang for ever.
pub(crate) fn ends_in_time(work: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::channel();
    let thread = thread::spawn(move || {
        work();
        done.send(()).expect("the test waits");
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(LIMIT) {
        panic!("still waiting after {LIMIT:?}");
    }
    thread.join().expect("the work succeeds");
}

/// The longest a test waits for anything: only a failing one waits this long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 30;
