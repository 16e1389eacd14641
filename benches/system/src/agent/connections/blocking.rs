//! A thread for each connection, which waits in every call.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Connected, PATIENCE};
use crate::clock::{Deadline, now};

/// Accepts in so many threads.
pub(super) fn accept(listener: &TcpListener, threads: usize) -> io::Result<()> {
    for _ in 0..threads {
        let listener = listener.try_clone()?;
        thread::spawn(move || serve(&listener));
    }
    Ok(())
}

fn serve(listener: &TcpListener) {
    loop {
        // A connection that broke is the other end's to report.
        let Ok((mut connection, _)) = listener.accept() else { continue };
        let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = connection.read(&mut [0]);
    }
}

/// Opens connections one after the other until then.
pub(super) fn connect(to: SocketAddrV4, until: Deadline) -> Connected {
    let (began, mut count) = (now(), Connected::default());
    while !until.passed() {
        match one(to.into()) {
            Ok(()) => count.connections += 1,
            Err(_) => count.failed += 1,
        }
    }
    Connected { seconds: (now() - began).as_secs_f64(), threads: 1, ..count }
}

fn one(to: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&to, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"1")?;
    connection.read(&mut [0]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::connections::{listen, tests::address_of};

    #[test]
    fn connections_are_opened_and_closed_one_after_the_other() {
        let listener = listen(0).expect("a port");
        accept(&listener, 1).expect("it is cloned");
        let connected = connect(address_of(&listener), Deadline::after(Duration::from_millis(100)));
        assert!(connected.connections > 0 && connected.failed == 0, "{connected:?}");
    }
}
