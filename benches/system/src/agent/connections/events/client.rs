//! The end that opens connections.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use socket2::{Domain, Socket, Type};

use super::BATCH;
use crate::agent::connections::{Count, PATIENCE};
use crate::clock::Deadline;

/// Opens connections until then, and waits for those that are under way.
pub(in crate::agent::connections) fn connect(
    to: SocketAddrV4,
    at_a_time: usize,
    until: Deadline,
) -> io::Result<Count> {
    let mut client = Client::new(to, at_a_time)?;
    while !until.passed() {
        client.fill()?;
        client.turn()?;
    }
    let patience = Deadline::after(PATIENCE);
    while client.under_way() > 0 && !patience.passed() {
        client.turn()?;
    }
    client.count.failed += client.under_way();
    Ok(client.count)
}

/// Places for connections, each of which is open, or waits for a new one.
struct Client {
    to: SocketAddrV4,
    events: Epoll,
    places: Vec<Option<Opened>>,
    count: Count,
}

/// A connection under way.
struct Opened {
    stream: TcpStream,
    written: bool,
}

impl Client {
    fn new(to: SocketAddrV4, at_a_time: usize) -> io::Result<Self> {
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let places = (0..at_a_time).map(|_| None).collect();
        Ok(Self { to, events, places, count: Count::default() })
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
                    *place = Some(Opened { stream, written: false });
                }
                Err(_) => self.count.failed += 1,
            }
        }
        Ok(())
    }

    /// Waits for events and does what is due.
    fn turn(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = match self.events.wait(&mut events, LOOK_AT_THE_TIME) {
            Err(Errno::EINTR) => 0,
            count => count?,
        };
        for event in &events[..count] {
            self.advance(event.data() as usize, event.events());
        }
        Ok(())
    }

    fn advance(&mut self, number: usize, due: EpollFlags) {
        let Some(opened) = &mut self.places[number] else { return };
        match opened.advance(due) {
            Ok(false) => return,
            Ok(true) => self.count.good += 1,
            Err(_) => self.count.failed += 1,
        }
        self.places[number] = None;
    }
}

impl Opened {
    /// Writes its byte when it is established. True when the other end has closed it.
    fn advance(&mut self, due: EpollFlags) -> io::Result<bool> {
        if !self.written && due.contains(EpollFlags::EPOLLOUT) {
            self.stream.write_all(b"1")?;
            self.written = true;
        }
        if !due.contains(EpollFlags::EPOLLIN) {
            return Ok(false);
        }
        match self.stream.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            read => read.map(|_| true),
        }
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
