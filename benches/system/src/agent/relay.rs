//! Copies packets between two TUN devices and looks at none of them: what this kernel's TUN can carry at all.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ::io::{Backend, BackendKind, Buffer, BufferPool, Netns, Offload, Outbox, Tun, TunOptions, Waker};
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::policy::MTU;
use crate::system::Relay;

/// See the module. The devices are called `DEVICE`, are down and have no address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Namespace of one device.
    pub left: String,
    /// Namespace of the other one.
    pub right: String,
    /// How it is done.
    pub variant: Relay,
}

/// Name of the relay's device in each namespace.
pub(crate) const DEVICE: &str = "eth0";

impl Copy {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut pair = Pair::open(self)?;
        let ended = Arc::new(AtomicBool::new(false));
        let (waker, flag) = (pair.waker.clone(), Arc::clone(&ended));
        thread::spawn(move || {
            super::wait_for_end_of_input();
            flag.store(true, Ordering::Release);
            waker.wake();
        });
        super::ready(out)?;
        while !ended.load(Ordering::Acquire) {
            pair.round(self.variant)?;
        }
        Ok(())
    }
}

struct Pair {
    devices: [Arc<Tun>; 2],
    backend: Box<dyn Backend>,
    outbox: Outbox,
    waker: Waker,
    pool: BufferPool,
    packets: Vec<(u32, Buffer)>,
    last_packet: Instant,
}

impl Pair {
    fn open(copy: &Copy) -> io::Result<Self> {
        let options = TunOptions { mtu: MTU, offload: Offload::TcpUdp, ..TunOptions::default() };
        let open = |namespace: &str| Tun::open(&Netns::open(namespace)?, DEVICE, options).map(Arc::new);
        let devices = [open(&copy.left)?, open(&copy.right)?];
        let waker = Waker::new()?;
        let kind = match copy.variant {
            Relay::Joined | Relay::Single | Relay::Spin => BackendKind::Epoll,
            Relay::Uring => BackendKind::Uring,
        };
        let mut backend = kind.build(&waker).map_err(io::Error::other)?;
        for (token, device) in (0..).zip(&devices) {
            backend.attach(token, Arc::clone(device), 0)?;
        }
        let (outbox, pool) = (Outbox::default(), BufferPool::new(BATCH));
        Ok(Self { devices, backend, outbox, waker, pool, packets: Vec::new(), last_packet: now() })
    }

    /// Waits and copies what is there.
    fn round(&mut self, variant: Relay) -> io::Result<()> {
        let timeout = match variant {
            Relay::Spin if now() - self.last_packet < SPIN => Some(Duration::ZERO),
            Relay::Joined | Relay::Single | Relay::Spin | Relay::Uring => None,
        };
        self.backend.wait(timeout)?;
        while self.backend.read(BATCH, &mut self.pool, &mut self.packets)? > 0 {
            for (from, packet) in self.packets.drain(..) {
                let to = &self.devices[usize::from(from == 0)];
                self.outbox.push(to, from, packet, &mut self.pool);
                if variant == Relay::Single {
                    self.outbox.flush(&mut self.pool);
                }
            }
            self.outbox.flush(&mut self.pool);
            // A device that is down loses packets, as a cable does.
            drop(self.outbox.take_failed());
            if variant == Relay::Spin {
                self.last_packet = now();
            }
        }
        match self.backend.take_lost().pop() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// Packets read before they are written.
const BATCH: usize = 64;

/// How long the spinning variant looks for more.
const SPIN: Duration = Duration::from_millis(2);
