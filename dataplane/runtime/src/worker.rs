//! The loop of one worker thread.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ::io::{Backend, BufferPool, Outbox, Tun};
use crossbeam::channel::{Receiver, Sender, TryRecvError};
use engine::{BATCH, Engine, FRAGMENTS_WAITING, Frame, Next};
use snapshot::{Attachment, Snapshot};
use wire::Buffer;

use crate::clock::Clock;
use crate::handoff::{Rings, Stage};
use crate::publish::View;
use crate::sink::EventSink;
use crate::spin::Spin;
use crate::trouble::{Part, Trouble};

/// Longest sleep: bounds how late a worker notices what nobody woke it for.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How long a worker sleeps that nobody can wake.
const NAP: Duration = Duration::from_millis(1);

/// What the outside asks of a worker.
pub(crate) enum Command {
    /// To read a queue of a device.
    Attach(u32, Arc<Tun>, u16),
    Ask(Box<dyn FnOnce(&Engine) + Send>),
    Detach(u32),
    /// To be answered once the worker uses what was published before this was sent.
    Settle(mpsc::Sender<()>),
    Stop,
}

/// One worker with everything it owns.
pub(crate) struct Worker<'a> {
    pub(crate) number: usize,
    pub(crate) workers: usize,
    pub(crate) spin: Spin,
    /// Whether its backend has failed: nothing is read, and nobody can wake it.
    pub(crate) is_deaf: bool,
    pub(crate) engine: Engine,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) outbox: Outbox,
    pub(crate) clock: Clock,
    pub(crate) commands: Receiver<Command>,
    /// Who waits for the next snapshot to be loaded.
    pub(crate) settling: Vec<mpsc::Sender<()>>,
    pub(crate) rings: Arc<Rings>,
    pub(crate) view: View<'a>,
    pub(crate) sink: EventSink,
    pub(crate) pool: BufferPool,
    pub(crate) errors: Sender<Trouble>,
}

#[derive(PartialEq, Eq)]
enum Life {
    Goes,
    Stops,
}

impl Worker<'_> {
    /// Runs until it is told to stop. Then all that it has taken in has had its verdict, but for fragments whose first one has
    /// not come; what its backend has fetched ahead is lost, and what others have passed on to it meanwhile.
    pub(crate) fn run(mut self) {
        self.rounds();
        self.engine.handle_stop(self.clock.now());
        self.sink.finish(std::iter::from_fn(|| self.engine.poll_event()));
    }

    fn rounds(&mut self) {
        let mut frames = Vec::with_capacity(2 * BATCH);
        let mut packets = Vec::with_capacity(BATCH);
        while self.obey() == Life::Goes {
            let snapshot = self.view.snapshot();
            for waiting in self.settling.drain(..) {
                waiting.send(()).ok();
            }
            let worked = self.work(&snapshot, &mut frames, &mut packets);
            let more = self.keep_time(&snapshot);
            self.flush();
            self.sink.offer(std::iter::from_fn(|| self.engine.poll_event()));
            if worked {
                self.spin.worked(self.clock.now());
            } else if !more {
                self.rest();
            }
        }
    }

    fn obey(&mut self) -> Life {
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) => return Life::Goes,
                Err(TryRecvError::Disconnected) => return Life::Stops,
            };
            match command {
                Command::Attach(token, tun, queue) => {
                    let attached = self.backend.attach(token, tun, queue);
                    self.complain(Part::device(token), attached);
                }
                Command::Ask(question) => question(&self.engine),
                Command::Detach(token) => match self.backend.detach(token) {
                    // Another worker reads it, or it failed before and was complained of then.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    detached => self.complain(Part::device(token), detached),
                },
                Command::Settle(waiting) => self.settling.push(waiting),
                Command::Stop => return Life::Stops,
            }
        }
    }

    /// One round over everything that may hold frames for this worker. Says whether there was anything.
    fn work(
        &mut self,
        snapshot: &Snapshot,
        frames: &mut Vec<Frame>,
        packets: &mut Vec<(u32, Buffer)>,
    ) -> bool {
        let mut busy = false;
        for stage in [Stage::Owner, Stage::Keeper] {
            let number = self.number;
            for from in (0..self.workers).filter(|from| *from != number) {
                self.rings.pop(from, number, stage, self.limit(stage), frames);
                busy |= self.process(snapshot, frames);
            }
        }
        let room = self.rings.room(self.number, Stage::Keeper).min(self.limit(Stage::Keeper));
        self.read(room, packets);
        frames.extend(
            packets.drain(..).map(|(token, buffer)| Frame::new(entry(Attachment::from_token(token)), buffer)),
        );
        busy | self.process(snapshot, frames)
    }

    fn read(&mut self, budget: usize, packets: &mut Vec<(u32, Buffer)>) {
        if self.is_deaf {
            return;
        }
        // What a wait has seen is read; this one just looks.
        let looked = self.backend.wait(Some(Duration::ZERO));
        let read = looked.and_then(|()| self.backend.read(budget, &mut self.pool, packets));
        self.heed(read.map(drop));
        for (token, error) in self.backend.take_lost() {
            self.complain(Part::device(token), Err(error));
        }
    }

    /// A backend that fails can no longer be used. The worker goes on for those who pass frames on to it, and says so once.
    fn heed(&mut self, done: io::Result<()>) {
        if done.is_err() && !std::mem::replace(&mut self.is_deaf, true) {
            self.complain(Part::Worker(self.number), done);
        }
    }

    /// How many frames of a stage may be taken in, so that all they cause can be passed on.
    fn limit(&self, stage: Stage) -> usize {
        match stage {
            Stage::Owner => BATCH,
            // A first fragment that is kept here may release all that wait for it, for another owner.
            Stage::Keeper => {
                self.rings.room(self.number, Stage::Owner).saturating_sub(FRAGMENTS_WAITING).min(BATCH)
            }
        }
    }

    /// Lets the engine judge the frames and carries out what it says. Says whether there were any.
    fn process(&mut self, snapshot: &Snapshot, frames: &mut Vec<Frame>) -> bool {
        if frames.is_empty() {
            return false;
        }
        self.engine.handle_frames(snapshot, frames, self.clock.now());
        self.dispatch(frames);
        while let Some(released) = self.engine.poll_release() {
            frames.push(released);
            self.engine.handle_frames(snapshot, frames, self.clock.now());
            self.dispatch(frames);
        }
        self.transmit_originated();
        true
    }

    fn dispatch(&mut self, frames: &mut Vec<Frame>) {
        for mut frame in frames.drain(..) {
            match frame.next {
                Next::Transmit(to) if frame.pieces.is_empty() => {
                    self.write(to, frame.from, frame.buffer);
                    continue;
                }
                Next::Transmit(to) => {
                    frame.pieces.drain(..).for_each(|piece| self.write(to, frame.from, piece));
                }
                Next::Handoff(worker) => {
                    self.pass_on(worker, Stage::Owner, frame);
                    continue;
                }
                Next::Keeper(worker) => {
                    self.pass_on(worker, Stage::Keeper, frame);
                    continue;
                }
                Next::Consumed | Next::Drop(_) | Next::Held | Next::Pending => {}
            }
            self.pool.give(frame.buffer);
        }
    }

    fn pass_on(&mut self, worker: u16, stage: Stage, frame: Frame) {
        let to = usize::from(worker);
        self.rings.push(self.number, to, stage, frame);
        self.rings.wake_if_asleep(to);
    }

    fn transmit_originated(&mut self) {
        while let Some((to, packet)) = self.engine.poll_transmit() {
            self.write(to, to, packet);
        }
    }

    fn write(&mut self, to: Attachment, from: Attachment, packet: Buffer) {
        match self.view.device(to) {
            Some(device) => self.outbox.push(device, from.token(), packet, &mut self.pool),
            None => self.outbox.refuse(from.token(), &packet),
        }
    }

    /// Lets go of what was held back, and tells the engine what the kernel refused.
    fn flush(&mut self) {
        self.outbox.flush(&mut self.pool);
        for (from, packet) in self.outbox.take_failed() {
            let parsed = wire::read(&packet).ok();
            let from = Attachment::from_token(from);
            self.engine.handle_transmit_failure(from, parsed.as_ref(), self.clock.now());
        }
    }

    /// Says whether the engine has more to do right away.
    fn keep_time(&mut self, snapshot: &Snapshot) -> bool {
        let now = self.clock.now();
        if self.engine.poll_timeout() > now {
            return false;
        }
        self.engine.handle_timeout(snapshot, now);
        self.engine.poll_timeout() <= now
    }

    /// Looks again for a while after there was work, then sleeps.
    fn rest(&mut self) {
        let now = self.clock.now();
        if self.spin.wants_to_know(now) {
            self.spin.hear_of(::io::thread::preemptions().unwrap_or(0), now);
        }
        if self.spin.goes_on(now) {
            std::hint::spin_loop();
        } else {
            self.sleep();
        }
    }

    /// Sleeps until there is something to do, with the outbox flushed.
    ///
    /// Rings are looked at once more after the announcement, because nobody wakes a worker that is awake. Whoever sends a command
    /// wakes it whatever it does. It does not sleep while frames wait that it cannot take in, for want of room with their owners: it
    /// goes round until those have made room.
    fn sleep(&mut self) {
        if self.is_deaf {
            return std::thread::park_timeout(NAP);
        }
        self.rings.lie_down(self.number);
        if self.commands.is_empty() && !self.rings.is_waiting(self.number) {
            let timeout = self.clock.until(self.engine.poll_timeout()).min(LONGEST_SLEEP);
            let waited = self.backend.wait(Some(timeout));
            self.heed(waited);
        }
        self.rings.get_up(self.number);
    }

    /// Tells the outside of a failure; when nobody listens, packets matter more.
    fn complain(&self, part: Part, done: io::Result<()>) {
        if let Err(error) = done {
            self.errors.try_send(Trouble { part, error }).ok();
        }
    }
}

/// Where what is read from a device enters: for whoever looks from inside, the hosts are one internet.
fn entry(device: Attachment) -> Attachment {
    if device.as_host().is_some() { Attachment::INTERNET } else { device }
}

#[cfg(test)]
mod tests;
