//! What stands for a lab between the two devices: packets of one go into the other.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use wire::Buffer;

use crate::outbox::Outbox;
use crate::poller::{Backend, BackendKind, Waker};
use crate::pool::BufferPool;
use crate::tun::Tun;

/// What the relay saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Relayed {
    /// Packets read that stand for several on the wire.
    pub(super) super_packets: usize,
    /// Packets that a device did not take.
    pub(super) refused: usize,
}

/// Relays between the devices while `work` runs, and returns what both give.
///
/// # Errors
///
/// What the kernel answers to a new thread, to epoll, and to reading the devices.
pub(super) fn during<T>(
    devices: [&Arc<Tun>; 2],
    step: impl FnMut(Buffer) -> Option<Buffer> + Send,
    work: impl FnOnce() -> T,
) -> io::Result<(T, Relayed)> {
    let (waker, over) = (Waker::new()?, AtomicBool::new(false));
    thread::scope(|scope| {
        let relay = || Relay::new(devices, &waker, step)?.run(&over);
        let thread = thread::Builder::new().spawn_scoped(scope, relay)?;
        let end = End { over: &over, waker: &waker };
        let result = work();
        drop(end);
        let relayed = thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok((result, relayed))
    })
}

/// Ends the relay when dropped, so that nobody waits for it after a panic.
struct End<'a> {
    over: &'a AtomicBool,
    waker: &'a Waker,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.waker.wake();
    }
}

struct Relay<'a, S> {
    devices: [&'a Arc<Tun>; 2],
    step: S,
    backend: Box<dyn Backend>,
    outbox: Outbox,
    pool: BufferPool,
    batch: Vec<(u32, Buffer)>,
    relayed: Relayed,
}

impl<'a, S: FnMut(Buffer) -> Option<Buffer>> Relay<'a, S> {
    fn new(devices: [&'a Arc<Tun>; 2], waker: &Waker, step: S) -> io::Result<Self> {
        let mut backend = BackendKind::Epoll.build(waker).map_err(io::Error::other)?;
        for (token, device) in (0..).zip(devices) {
            backend.attach(token, Arc::clone(device), 0)?;
        }
        let (outbox, pool) = (Outbox::default(), BufferPool::new(BATCH));
        Ok(Self { devices, step, backend, outbox, pool, batch: Vec::new(), relayed: Relayed::default() })
    }

    fn run(mut self, over: &AtomicBool) -> io::Result<Relayed> {
        while !over.load(Ordering::Acquire) {
            self.backend.wait(None)?;
            self.backend.read(BATCH, &mut self.pool, &mut self.batch)?;
            self.pass_on();
            if let Some((_, error)) = self.backend.take_lost().pop() {
                return Err(error);
            }
        }
        Ok(self.relayed)
    }

    fn pass_on(&mut self) {
        for (from, packet) in self.batch.drain(..) {
            self.relayed.super_packets += usize::from(packet.offload().segments.is_some());
            if let Some(packet) = (self.step)(packet) {
                let to = self.devices[usize::from(from == 0)];
                self.outbox.push(to, from, packet, &mut self.pool);
            }
        }
        self.outbox.flush(&mut self.pool);
        self.relayed.refused += self.outbox.take_failed().len();
    }
}

/// Packets read before they are written.
const BATCH: usize = 64;
