//! A thread for each connection, which waits in every call.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Count, PATIENCE};
use crate::clock::Deadline;

pub(super) fn accept(port: u16, threads: usize) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
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

pub(super) fn connect(to: SocketAddrV4, until: Deadline) -> Count {
    let mut count = Count::default();
    while !until.passed() {
        match one(to.into()) {
            Ok(()) => count.good += 1,
            Err(_) => count.failed += 1,
        }
    }
    count
}

fn one(to: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&to, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"1")?;
    connection.read(&mut [0]).map(drop)
}
