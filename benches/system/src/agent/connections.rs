//! TCP connections, opened at one end and accepted at the other: connect, one byte, close.
//!
//! The end that accepts closes first and keeps the closed state, so that no port of the other end is held up.

mod blocking;
mod events;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use crate::clock::Deadline;
use crate::placement;

/// How a program has several connections at a time. Both ends of a load have them in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// Each in a thread of its own, which waits in every call.
    Blocking {
        /// How many.
        threads: usize,
    },
    /// Divided among threads that wait for events of all they have: one for each processor that the program may use.
    Events {
        /// How many the end that connects has, rounded up to as many in each thread.
        at_a_time: usize,
    },
}

/// Accepts connections, reads one byte of each and closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Where it listens, on all addresses.
    pub port: u16,
    /// With which threads.
    pub concurrency: Concurrency,
}

/// Opens connections, each of which takes the place of one that has been closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// Who accepts.
    pub to: SocketAddrV4,
    /// How many, and with which threads.
    pub concurrency: Concurrency,
    /// How long new ones are begun.
    pub milliseconds: u64,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    /// Opened, used and closed by the other end.
    pub connections: u64,
    /// Refused, reset, or not closed by the other end when patience ended.
    pub failed: u64,
    /// How long connections were counted.
    pub seconds: f64,
    /// How many threads connected.
    pub threads: usize,
}

impl Concurrency {
    /// How many threads an end has that may use so many processors.
    fn threads(self, processors: usize) -> usize {
        match self {
            Self::Blocking { threads } => threads,
            Self::Events { at_a_time } => at_a_time.min(processors).max(1),
        }
    }
}

impl Accept {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<()> {
        let (listener, threads) = (listen(self.port)?, self.concurrency.threads(placement::usable_count()));
        // The threads that accept end with the process.
        match self.concurrency {
            Concurrency::Blocking { .. } => blocking::accept(&listener, threads)?,
            Concurrency::Events { .. } => events::accept(&listener, threads)?,
        }
        super::ready(out)?;
        super::wait_for_end_of_input();
        Ok(())
    }
}

impl Connect {
    pub(super) fn run(&self) -> io::Result<Connected> {
        let until = Deadline::after(Duration::from_millis(self.milliseconds));
        let (to, threads) = (self.to, self.concurrency.threads(placement::usable_count()));
        match self.concurrency {
            Concurrency::Blocking { .. } => sum(threads, move || Ok(blocking::connect(to, until))),
            Concurrency::Events { at_a_time } => {
                let each = at_a_time.div_ceil(threads);
                sum(threads, move || events::connect(to, each, until, PATIENCE))
            }
        }
    }
}

/// Listens on all addresses, with all the room that the host gives whoever connects while nobody accepts (`core/somaxconn`).
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
    socket.listen(i32::MAX)?;
    Ok(socket.into())
}

/// Does the same in several threads, and adds up what became of it.
fn sum(
    threads: usize,
    connect: impl Fn() -> io::Result<Connected> + Copy + Send + 'static,
) -> io::Result<Connected> {
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(connect)).collect();
    let mut all = Connected::default();
    for thread in running {
        let one = thread.join().map_err(|_| io::Error::other("a connecting thread panicked"))??;
        all.connections += one.connections;
        all.failed += one.failed;
        all.seconds = all.seconds.max(one.seconds);
        all.threads += one.threads;
    }
    Ok(all)
}

/// Longer than the first retransmission of a SYN, which is one second.
const PATIENCE: Duration = Duration::from_millis(2500);

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn address_of(listener: &TcpListener) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr().expect("it is bound").port())
    }

    #[test]
    fn events_have_a_thread_for_each_processor_and_a_connection_for_each_thread() {
        let events = |processors| Concurrency::Events { at_a_time: 64 }.threads(processors);
        assert_eq!([0, 1, 2, 64, 128].map(events), [1, 1, 2, 64, 64]);
        assert_eq!(Concurrency::Blocking { threads: 8 }.threads(2), 8);
    }

    #[test]
    fn what_threads_have_counted_is_added_up_and_the_longest_time_counts() {
        let one = Connected { connections: 3, failed: 1, seconds: 0.5, threads: 1 };
        let all = sum(4, move || Ok(one)).expect("no thread fails");
        assert_eq!(all, Connected { connections: 12, failed: 4, seconds: 0.5, threads: 4 });
        assert!(sum(1, || Err(io::ErrorKind::NotFound.into())).is_err());
    }
}
