//! The portable backend: readiness from a tokio reactor that lives on the worker's thread.
//!
//! One task for each device waits for it to become readable and puts it on the ready list. Packets are read by
//! [`Backend::read`] itself, straight into pooled buffers: a queue between the task and the worker would only hide
//! from the kernel's drop counter what the worker has not had time for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::runtime::{Builder, Runtime};
use ::tokio::sync::Notify;
use ::tokio::task::{JoinHandle, LocalSet, yield_now};
use ::tokio::time;
use wire::Buffer;

use super::ready::{Devices, ReadyList};
use super::{Backend, Waker};
use crate::pool::BufferPool;
use crate::sys;
use crate::tun::Tun;

pub(super) struct TokioBackend {
    tasks: LocalSet,
    news: Rc<News>,
    watched: Watched,
    // After everything that is registered with it, so that it is dropped last.
    reactor: Runtime,
}

impl TokioBackend {
    pub(super) fn new(waker: &Waker) -> io::Result<Self> {
        let reactor = Builder::new_current_thread().enable_io().enable_time().build()?;
        let tasks = LocalSet::new();
        let news = Rc::new(News::default());
        let raised = {
            let _entered = reactor.enter();
            sys::watch(waker.clone(), Interest::READABLE)?
        };
        tasks.spawn_local(watch_waker(raised, Rc::clone(&news)));
        Ok(Self { tasks, news, watched: Watched::default(), reactor })
    }
}

impl Backend for TokioBackend {
    fn attach(&mut self, token: u32, tun: Arc<Tun>, queue: u16) -> io::Result<()> {
        tun.queue_to_read(queue)?;
        if queue > 0 {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a tokio reactor watches queue 0 alone"));
        }
        if self.watched.devices.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let _entered = self.reactor.enter();
        let readiness = sys::watch(tun, readable())?;
        let source = Rc::new(Source { readiness, drained: Notify::new() });
        let watch = watch_device(token, Rc::clone(&source), Rc::clone(&self.news));
        let task = self.tasks.spawn_local(watch);
        self.watched.devices.insert(token, Device { source, task });
        Ok(())
    }

    fn detach(&mut self, token: u32) -> io::Result<()> {
        self.news.ready.borrow_mut().remove(token);
        drop(self.watched.devices.remove(&token).ok_or(io::ErrorKind::NotFound)?);
        // The ended task lets go of the device when it is next looked at: now, so that the device can close, or be
        // attached anew.
        self.tasks.block_on(&self.reactor, look_once());
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let limit = if self.news.ready.borrow().is_idle() { timeout } else { Some(Duration::ZERO) };
        let woken = self.news.woken.notified();
        self.tasks.block_on(&self.reactor, async {
            match limit {
                None => woken.await,
                Some(Duration::ZERO) => look_once().await,
                // Either way the wait is over.
                Some(limit) => drop(time::timeout(limit, woken).await),
            }
        });
        Ok(())
    }

    fn read(
        &mut self,
        budget: usize,
        pool: &mut BufferPool,
        out: &mut Vec<(u32, Buffer)>,
    ) -> io::Result<usize> {
        Ok(self.news.ready.borrow_mut().read(&mut self.watched, budget, pool, out))
    }

    fn take_lost(&mut self) -> Vec<(u32, io::Error)> {
        self.news.ready.borrow_mut().take_lost()
    }
}

/// What the tasks tell the worker.
#[derive(Default)]
struct News {
    ready: RefCell<ReadyList>,
    woken: Notify,
}

/// The attached devices.
#[derive(Default)]
struct Watched {
    devices: BTreeMap<u32, Device>,
}

struct Device {
    source: Rc<Source>,
    task: JoinHandle<()>,
}

/// A device as its task and the worker share it.
struct Source {
    readiness: AsyncFd<Arc<Tun>>,
    /// Told by the worker when the device has no packets left.
    drained: Notify,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Devices for Watched {
    fn read(&mut self, token: u32, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let Some(Device { source, .. }) = self.devices.get(&token) else { return Ok(None) };
        let outcome = source.readiness.get_ref().read(0, buffer);
        if let Ok(None) = outcome {
            source.drained.notify_one();
        }
        outcome
    }

    fn lose(&mut self, token: u32) {
        self.devices.remove(&token);
    }
}

async fn watch_waker(raised: AsyncFd<Waker>, news: Rc<News>) {
    // The reactor fails only when it is shut down, and this task ends with it.
    while let Ok(mut guard) = raised.readable().await {
        guard.get_inner().lower();
        guard.clear_ready();
        news.woken.notify_one();
    }
}

async fn watch_device(token: u32, source: Rc<Source>, news: Rc<News>) {
    while let Ok(mut guard) = source.readiness.ready(readable()).await {
        news.ready.borrow_mut().push(token);
        news.woken.notify_one();
        source.drained.notified().await;
        // Forgets only the event that began this turn: a packet that came after the last read has raised another.
        guard.clear_ready();
    }
}

/// Lets the reactor fetch events once and the tasks act on them: the first step back makes the runtime look at the
/// kernel before it comes here again, the second lets the woken tasks run.
async fn look_once() {
    yield_now().await;
    yield_now().await;
}

/// A removed device is reported as an error alone, so errors count as something to read.
const fn readable() -> Interest {
    Interest::READABLE.add(Interest::ERROR)
}
