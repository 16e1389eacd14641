//! A connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use super::{Failure, Way, pattern, timed_out};
use crate::doctor::selftest::deadline::Deadline;
use crate::doctor::selftest::site::Site;

pub(super) fn exchange(site: &Site) -> Result<(), Failure> {
    let listen = || TcpListener::bind((site.far.address, 0));
    let listener = site.far.socket(listen)?;
    let deadline = Deadline::new();
    let (near, far) = connect(site, &listener, deadline).map_err(Failure::NoConnection)?;
    for (way, from, to) in [(Way::There, &near, &far), (Way::Back, &far, &near)] {
        stream(from, to, way, deadline)?;
    }
    Ok(())
}

fn connect(site: &Site, listener: &TcpListener, deadline: Deadline) -> io::Result<(TcpStream, TcpStream)> {
    let to = listener.local_addr()?;
    let near = site.near.socket(|| TcpStream::connect_timeout(&to, deadline.left()?))?;
    deadline.limit(listener)?;
    let (far, _) = listener.accept()?;
    Ok((near, far))
}

/// Sends bytes while they are read at the other end, and compares them.
fn stream(from: &TcpStream, to: &TcpStream, way: Way, deadline: Deadline) -> Result<(), Failure> {
    let sent = pattern(0, LENGTH);
    let mut came = Vec::with_capacity(LENGTH);
    let read = thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || {
            let mut from = from;
            from.write_all(&sent)
        })?;
        // When nobody reads on, the writer must not wait; on a connection that is gone it does not.
        read(to, &mut came, deadline).inspect_err(|_| drop(from.shutdown(Shutdown::Both)))
    });
    if let Some(at) = came.iter().zip(&sent).position(|(came, sent)| came != sent) {
        return Err(Failure::ByteChanged { at, sent: LENGTH, way });
    }
    match read {
        Ok(()) => Ok(()),
        Err(error) if timed_out(&error) => Err(Failure::BytesLost { came: came.len(), sent: LENGTH, way }),
        Err(error) => Err(error.into()),
    }
}

fn read(mut from: &TcpStream, into: &mut Vec<u8>, deadline: Deadline) -> io::Result<()> {
    let mut bytes = [0; 16_384];
    while into.len() < LENGTH {
        deadline.limit(&from)?;
        match from.read(&mut bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => into.extend_from_slice(&bytes[..length]),
        }
    }
    Ok(())
}

/// Bytes each way: some super-packets of 64 KiB.
const LENGTH: usize = 300_000;
