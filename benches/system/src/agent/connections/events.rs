//! Many connections in each thread, which does what is due on each and sleeps when nothing is.

mod client;
mod server;

use std::io;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollTimeout};

pub(super) use client::connect;
pub(super) use server::accept;

/// The next events, none when time is up.
fn wait<'a>(
    epoll: &Epoll,
    events: &'a mut [EpollEvent; BATCH],
    timeout: EpollTimeout,
) -> io::Result<&'a [EpollEvent]> {
    match epoll.wait(events, timeout) {
        Err(Errno::EINTR) => Ok(&[]),
        count => Ok(&events[..count?]),
    }
}

/// Events that the kernel tells of at once.
const BATCH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::connections::{Connected, listen, tests::address_of};
    use crate::clock::Deadline;
    use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
    use std::time::Duration;

    const AT_A_TIME: usize = 16;

    fn connected_to(listener: &TcpListener, patience: Duration) -> Connected {
        let until = Deadline::after(Duration::from_millis(300));
        connect(address_of(listener), AT_A_TIME, until, patience).expect("the kernel lets it")
    }

    #[test]
    fn connections_are_opened_one_after_the_other_in_each_place_and_none_fails() {
        let listener = listen(0).expect("a port");
        accept(&listener, 2).expect("threads");
        let connected = connected_to(&listener, Duration::from_secs(10));
        assert!(connected.connections > AT_A_TIME as u64, "{connected:?}");
        assert_eq!(connected.failed, 0);
        assert!(connected.seconds >= 0.3, "{connected:?}");
    }

    #[test]
    fn what_is_refused_has_failed() {
        // Bound, so that nobody else gets the port, but not listening.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("one");
        socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let connected = connected_to(&socket.into(), Duration::ZERO);
        assert!(connected.connections == 0 && connected.failed > 0, "{connected:?}");
    }

    #[test]
    fn what_nobody_closes_has_failed_when_patience_ends() {
        let connected = connected_to(&listen(0).expect("a port"), Duration::from_millis(100));
        assert_eq!((connected.connections, connected.failed), (0, AT_A_TIME as u64));
    }
}
