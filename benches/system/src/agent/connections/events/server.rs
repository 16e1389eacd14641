//! The end that accepts connections.

use std::collections::HashMap;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::thread;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv};

use super::{BATCH, wait};

/// Accepts in so many threads.
pub(in crate::agent::connections) fn accept(listener: &TcpListener, threads: usize) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    for _ in 0..threads {
        let mut server = Server::new(listener.try_clone()?)?;
        thread::spawn(move || {
            let Err(error) = server.serve();
            end(&error);
        });
    }
    Ok(())
}

/// With a thread less, the figure would be another one.
#[expect(clippy::print_stderr, reason = "whoever started this program reads it there")]
fn end(error: &io::Error) {
    eprintln!("cannot accept connections any more: {error}");
    std::process::exit(1);
}

/// A listener, and the connections whose byte has not come.
struct Server {
    listener: TcpListener,
    events: Epoll,
    silent: HashMap<u64, TcpStream>,
}

impl Server {
    fn new(listener: TcpListener) -> io::Result<Self> {
        let events = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // One thread is woken for a connection, not all.
        let due = EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE;
        events.add(&listener, EpollEvent::new(due, LISTENER))?;
        Ok(Self { listener, events, silent: HashMap::new() })
    }

    /// Ends only with an error.
    fn serve(&mut self) -> io::Result<std::convert::Infallible> {
        loop {
            self.turn()?;
        }
    }

    /// Waits for events and does what is due.
    fn turn(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); BATCH];
        for event in wait(&self.events, &mut events, EpollTimeout::NONE)? {
            match event.data() {
                LISTENER => self.accept()?,
                token => self.hear(token),
            }
        }
        Ok(())
    }

    /// Accepts all that there are, and closes those whose byte has come.
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.raw_os_error() == Some(Errno::EMFILE as i32) => return Err(error),
                // Another thread has it, or it broke, which is the other end's to report.
                Err(_) => return Ok(()),
            };
            if !has_spoken(&stream) {
                let token = stream.as_raw_fd() as u64;
                self.events.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, token))?;
                self.silent.insert(token, stream);
            }
        }
    }

    /// Closes a connection whose byte has come.
    fn hear(&mut self, token: u64) {
        if self.silent.get(&token).is_some_and(has_spoken) {
            self.silent.remove(&token);
        }
    }
}

/// Reads a byte. True as well when the connection has ended without one.
fn has_spoken(stream: &TcpStream) -> bool {
    recv(stream.as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT) != Err(Errno::EAGAIN)
}

/// No connection has that descriptor.
const LISTENER: u64 = u64::MAX;
