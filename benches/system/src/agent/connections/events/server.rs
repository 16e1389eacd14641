//! The end that accepts connections.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::thread;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv};

use super::BATCH;

/// Listens, and returns when every thread can accept.
pub(in crate::agent::connections) fn accept(port: u16, threads: usize) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    listener.set_nonblocking(true)?;
    for _ in 0..threads {
        let mut server = Server::new(listener.try_clone()?)?;
        thread::spawn(move || {
            // It ends only where the kernel has no memory to watch one more connection.
            while server.turn().is_ok() {}
        });
    }
    Ok(())
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

    /// Waits for events and does what is due.
    fn turn(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = match self.events.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => 0,
            count => count?,
        };
        for event in &events[..count] {
            match event.data() {
                LISTENER => self.accept()?,
                // Dropped, and so closed.
                token => self.silent.remove(&token).map_or((), |mut stream| drop(stream.read(&mut [0]))),
            }
        }
        Ok(())
    }

    /// Accepts all that there are. Those that broke are the other end's to report.
    fn accept(&mut self) -> io::Result<()> {
        while let Ok((stream, _)) = self.listener.accept() {
            let descriptor = stream.as_raw_fd();
            if recv(descriptor, &mut [0], MsgFlags::MSG_DONTWAIT) == Err(Errno::EAGAIN) {
                let token = descriptor as u64;
                self.events.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, token))?;
                self.silent.insert(token, stream);
            }
        }
        Ok(())
    }
}

/// No connection has that descriptor.
const LISTENER: u64 = u64::MAX;
