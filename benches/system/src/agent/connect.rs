//! Opens connections one after the other: connect, one byte, wait for the other end to close.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Deadline, now};

/// See the module. `THREADS` threads do the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// Who accepts.
    pub to: SocketAddrV4,
    /// How long new ones are begun.
    pub milliseconds: u64,
}

/// What became of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    /// Opened, used and closed.
    pub connections: u64,
    /// Refused, reset or not done within `PATIENCE`.
    pub failed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Connections at a time: enough to keep two processors busy, few enough to wait for none of them.
pub(super) const THREADS: usize = 8;

/// Longer than the first retransmission of a SYN, which is one second.
const PATIENCE: Duration = Duration::from_millis(2500);

impl Connect {
    pub(super) fn run(&self) -> io::Result<Connected> {
        let began = now();
        let deadline = Deadline::after(Duration::from_millis(self.milliseconds));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let to = SocketAddr::V4(self.to);
                thread::spawn(move || count(to, deadline))
            })
            .collect();
        let (mut connections, mut failed) = (0, 0);
        for thread in threads {
            let (good, bad) = thread.join().map_err(|_| io::Error::other("a connecting thread panicked"))?;
            connections += good;
            failed += bad;
        }
        Ok(Connected { connections, failed, seconds: (now() - began).as_secs_f64() })
    }
}

fn count(to: SocketAddr, deadline: Deadline) -> (u64, u64) {
    let (mut good, mut bad) = (0, 0);
    while !deadline.passed() {
        match one(to) {
            Ok(()) => good += 1,
            Err(_) => bad += 1,
        }
    }
    (good, bad)
}

fn one(to: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&to, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"1")?;
    // The other end closes first and keeps the closed state, so that no port of this end is held up.
    connection.read(&mut [0]).map(drop)
}
