//! TCP connections, opened at one end and accepted at the other: connect, one byte, close.
//!
//! The end that accepts closes first and keeps the closed state, so that no port of the other end is held up.

mod blocking;
mod events;

use std::io::{self, Write};
use std::net::SocketAddrV4;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Deadline, now};

/// How a program has several connections at a time. Both ends of a load have the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Each in a thread of its own, which waits in every call.
    Blocking {
        /// How many.
        threads: usize,
    },
    /// In a thread for each processor that the program may use, which waits for events of all that it has.
    Events {
        /// How many each thread has at a time.
        at_a_time: usize,
    },
}

/// Accepts connections, reads one byte of each and closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Where it listens, on all addresses.
    pub port: u16,
    /// How.
    pub way: Way,
}

/// Opens connections, each of which takes the place of one that has been closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// Who accepts.
    pub to: SocketAddrV4,
    /// How.
    pub way: Way,
    /// How long new ones are begun.
    pub milliseconds: u64,
}

/// What became of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    /// Opened, used and closed in that time.
    pub connections: u64,
    /// Refused, reset or not done within `PATIENCE`.
    pub failed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What one thread has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    good: u64,
    failed: u64,
}

/// Longer than the first retransmission of a SYN, which is one second.
const PATIENCE: Duration = Duration::from_millis(2500);

impl Accept {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<()> {
        // The threads that accept end with the process.
        match self.way {
            Way::Blocking { threads } => blocking::accept(self.port, threads)?,
            Way::Events { .. } => events::accept(self.port, processors())?,
        }
        super::ready(out)?;
        super::wait_for_end_of_input();
        Ok(())
    }
}

impl Connect {
    pub(super) fn run(&self) -> io::Result<Connected> {
        let began = now();
        let count = self.connect(Deadline::after(Duration::from_millis(self.milliseconds)))?;
        let seconds = (now() - began).as_secs_f64();
        Ok(Connected { connections: count.good, failed: count.failed, seconds })
    }

    fn connect(&self, until: Deadline) -> io::Result<Count> {
        let to = self.to;
        match self.way {
            Way::Blocking { threads } => counted(threads, move || Ok(blocking::connect(to, until))),
            Way::Events { at_a_time } => counted(processors(), move || events::connect(to, at_a_time, until)),
        }
    }
}

/// What threads have counted that do the same.
fn counted(threads: usize, run: impl Fn() -> io::Result<Count> + Copy + Send + 'static) -> io::Result<Count> {
    let threads: Vec<_> = (0..threads).map(|_| thread::spawn(run)).collect();
    let mut sum = Count::default();
    for thread in threads {
        let count = thread.join().map_err(|_| io::Error::other("a connecting thread panicked"))??;
        sum.good += count.good;
        sum.failed += count.failed;
    }
    Ok(sum)
}

/// Those that this program may use.
fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
