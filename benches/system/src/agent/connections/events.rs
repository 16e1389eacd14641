//! Many connections in each thread, which does what is due on each and sleeps when nothing is.

mod client;
mod server;

pub(super) use client::connect;
pub(super) use server::accept;

/// Events that the kernel tells of at once.
const BATCH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::connections::Count;
    use crate::clock::Deadline;
    use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
    use std::time::Duration;

    const AT_A_TIME: u64 = 16;

    fn connected_to(port: u16) -> Count {
        let until = Deadline::after(Duration::from_millis(300));
        connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), AT_A_TIME as usize, until)
            .expect("the kernel lets it")
    }

    #[test]
    fn connections_are_opened_one_after_the_other_in_each_place_and_none_fails() {
        let port = free_port();
        accept(port, 2).expect("the port is free");
        let count = connected_to(port);
        assert!(count.good > AT_A_TIME, "{count:?}");
        assert_eq!(count.failed, 0);
    }

    #[test]
    fn what_nobody_accepts_has_failed() {
        let count = connected_to(free_port());
        assert_eq!(count.good, 0);
        assert!(count.failed > 0);
    }

    #[test]
    fn what_nobody_closes_has_failed_when_patience_ends() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let count = connected_to(silent.local_addr().expect("it is bound").port());
        assert_eq!(count, Count { good: 0, failed: AT_A_TIME });
    }

    /// One that was just free.
    fn free_port() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.local_addr().expect("it is bound").port()
    }
}
