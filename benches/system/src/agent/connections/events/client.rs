//! The end that opens connections.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use socket2::{Domain, Socket, Type};

use super::{BATCH, wait};
use crate::agent::connections::Connected;
use crate::clock::{Deadline, now};

/// Opens connections until then, so many at a time. Those that are under way then have not failed if they end within `patience`.
pub(in crate::agent::connections) fn connect(
    to: SocketAddrV4,
    at_a_time: usize,
    until: Deadline,
    patience: Duration,
) -> io::Result<Connected> {
    let (began, mut client) = (now(), Client::new(to, at_a_time)?);
    while !until.passed() {
        client.fill()?;
        client.turn()?;
    }
    let (connections, seconds) = (client.closed, (now() - began).as_secs_f64());
    let patience = Deadline::after(patience);
    while client.under_way() > 0 && !patience.passed() {
        client.turn()?;
    }
    Ok(Connected { connections, failed: client.failed + client.under_way(), seconds, threads: 1 })
}

/// Places for connections, each of which is open, or waits for a new one.
struct Client {
    to: SocketAddrV4,
    events: Epoll,
    places: Vec<Option<Connection>>,
    closed: u64,
    failed: u64,
}

/// A connection under way.
struct Connection {
    stream: TcpStream,
    stage: Stage,
}

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Being established.
    Connecting,
    /// The other end, which has been sent a byte.
    Asked,
    /// Nothing any more.
    Closed,
}

impl Client {
    fn new(to: SocketAddrV4, at_a_time: usize) -> io::Result<Self> {
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let places = (0..at_a_time).map(|_| None).collect();
        Ok(Self { to, events, places, closed: 0, failed: 0 })
    }

    fn under_way(&self) -> u64 {
        self.places.iter().flatten().count() as u64
    }

    /// Opens a connection in every place that has none.
    fn fill(&mut self) -> io::Result<()> {
        for (number, place) in self.places.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
            match open(self.to) {
                Ok(stream) => {
                    self.events.add(&stream, EpollEvent::new(DUE, number as u64))?;
                    *place = Some(Connection { stream, stage: Stage::Connecting });
                }
                Err(_) => self.failed += 1,
            }
        }
        Ok(())
    }

    /// Waits for events and does what is due.
    fn turn(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); BATCH];
        for event in wait(&self.events, &mut events, LOOK_AT_THE_TIME.into())? {
            self.attend(event.data() as usize, event.events());
        }
        Ok(())
    }

    fn attend(&mut self, number: usize, due: EpollFlags) {
        let Some(connection) = &mut self.places[number] else { return };
        match connection.advance(due) {
            Ok(Stage::Connecting | Stage::Asked) => return,
            Ok(Stage::Closed) => self.closed += 1,
            Err(_) => self.failed += 1,
        }
        self.places[number] = None;
    }
}

impl Connection {
    fn advance(&mut self, due: EpollFlags) -> io::Result<Stage> {
        if self.stage == Stage::Connecting && due.contains(EpollFlags::EPOLLOUT) {
            self.stream.write_all(b"1")?;
            self.stage = Stage::Asked;
        }
        if due.contains(EpollFlags::EPOLLIN) {
            match self.stream.read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                closed => self.stage = closed.map(|_| Stage::Closed)?,
            }
        }
        Ok(self.stage)
    }
}

/// Begins a connection and does not wait for it.
fn open(to: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// When a place is looked at again: established, or closed by the other end.
const DUE: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLOUT).union(EpollFlags::EPOLLET);

/// Milliseconds without events after which the deadline is looked at.
const LOOK_AT_THE_TIME: u8 = 10;
