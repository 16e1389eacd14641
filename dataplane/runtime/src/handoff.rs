//! Rings that carry strays to the worker that owns them.
//!
//! Each pair of workers has one FIFO per [`Stage`], so packets of one flow that entered at one device stay in order. Frames
//! for keepers may cause frames for owners, never the other way round; and nobody takes in a frame that he might be unable to
//! pass on. So no frame is ever lost here and no two workers can wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use crossbeam::queue::ArrayQueue;
use crossbeam::utils::CachePadded;
use engine::Frame;
use io::Waker;

/// Frames that one ring holds: some 16 batches, enough to let the owner sleep through a time slice of the reader.
const RING: usize = 1024;

/// What the receiving worker is asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To match up fragments.
    Keeper,
    /// To forward.
    Owner,
}

/// All rings of a lab.
#[derive(Debug)]
pub(crate) struct Rings {
    workers: usize,
    keeper: Vec<ArrayQueue<Frame>>,
    owner: Vec<ArrayQueue<Frame>>,
    beds: Vec<CachePadded<Bed>>,
}

/// How to wake one worker.
#[derive(Debug)]
struct Bed {
    asleep: AtomicBool,
    waker: Waker,
}

impl Rings {
    pub(crate) fn new(wakers: Vec<Waker>) -> Arc<Self> {
        let workers = wakers.len();
        let rings = || (0..workers * workers).map(|_| ArrayQueue::new(RING)).collect();
        let beds = wakers
            .into_iter()
            .map(|waker| CachePadded::new(Bed { asleep: AtomicBool::new(false), waker }))
            .collect();
        Arc::new(Self { workers, keeper: rings(), owner: rings(), beds })
    }

    /// Frames that `from` can certainly pass on in this stage, whoever they are for.
    pub(crate) fn room(&self, from: usize, stage: Stage) -> usize {
        let others = (0..self.workers).filter(|to| *to != from);
        others.map(|to| RING - self.ring(from, to, stage).len()).min().unwrap_or(usize::MAX)
    }

    /// Passes a frame on. The sender has made sure of [`Self::room`].
    pub(crate) fn push(&self, from: usize, to: usize, stage: Stage, frame: Frame) {
        let pushed = self.ring(from, to, stage).push(frame);
        debug_assert!(pushed.is_ok(), "room was made sure of before the frame was taken in");
    }

    /// Takes at most `limit` frames for `to` out of one sender's ring.
    pub(crate) fn pop(&self, from: usize, to: usize, stage: Stage, limit: usize, frames: &mut Vec<Frame>) {
        let ring = self.ring(from, to, stage);
        frames.extend(std::iter::from_fn(|| ring.pop()).take(limit));
    }

    /// Whether something waits for `to`.
    pub(crate) fn is_waiting(&self, to: usize) -> bool {
        (0..self.workers).any(|from| {
            !self.ring(from, to, Stage::Keeper).is_empty() || !self.ring(from, to, Stage::Owner).is_empty()
        })
    }

    /// Announces that `worker` is about to sleep; it must look at its rings once more before it does.
    pub(crate) fn lie_down(&self, worker: usize) {
        self.beds[worker].asleep.store(true, Ordering::Relaxed);
        // Pairs with the fence in `wake_if_asleep`: either the sleeper sees the frame, or the sender sees the sleeper.
        fence(Ordering::SeqCst);
    }

    pub(crate) fn get_up(&self, worker: usize) {
        self.beds[worker].asleep.store(false, Ordering::Relaxed);
    }

    /// Wakes `worker` if it sleeps; to be called after pushing to it.
    pub(crate) fn wake_if_asleep(&self, worker: usize) {
        fence(Ordering::SeqCst);
        let bed = &self.beds[worker];
        if bed.asleep.swap(false, Ordering::Relaxed) {
            bed.waker.wake();
        }
    }

    /// Wakes `worker` whatever it does: a command waits for it.
    pub(crate) fn wake(&self, worker: usize) {
        self.beds[worker].waker.wake();
    }

    fn ring(&self, from: usize, to: usize, stage: Stage) -> &ArrayQueue<Frame> {
        let rings = match stage {
            Stage::Keeper => &self.keeper,
            Stage::Owner => &self.owner,
        };
        &rings[from * self.workers + to]
    }
}
