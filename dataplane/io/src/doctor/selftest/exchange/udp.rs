//! Datagrams.

use std::io;
use std::net::UdpSocket;

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};

use super::{Failure, Way, pattern, timed_out};
use crate::doctor::selftest::deadline::Deadline;
use crate::doctor::selftest::site::{End, Site};

/// Sends datagrams of several lengths, one by one.
pub(super) fn exchange(site: &Site) -> Result<(), Failure> {
    let datagrams: Vec<Vec<u8>> =
        LENGTHS.into_iter().zip(1..).map(|(length, seed)| pattern(seed, length)).collect();
    let (near, far) = sockets(site)?;
    let deadline = Deadline::new();
    for (way, from, to) in [(Way::There, &near, &far), (Way::Back, &far, &near)] {
        for datagram in &datagrams {
            from.send(datagram)?;
        }
        receive(to, &datagrams, way, deadline)?;
    }
    Ok(())
}

/// Sends datagrams of one length in one call: where the device has the offload, it gets them as one super-packet.
pub(super) fn exchange_segmented(site: &Site) -> Result<(), Failure> {
    let whole = pattern(0, COUNT * usize::from(SEGMENT));
    let datagrams: Vec<Vec<u8>> = whole.chunks(SEGMENT.into()).map(<[u8]>::to_vec).collect();
    let (near, far) = sockets(site)?;
    for socket in [&near, &far] {
        // Linux 4.18.
        setsockopt(socket, UdpGsoSegment, &SEGMENT.into())
            .map_err(|errno| Failure::NotTried(errno.into()))?;
    }
    let deadline = Deadline::new();
    for (way, from, to) in [(Way::There, &near, &far), (Way::Back, &far, &near)] {
        from.send(&whole)?;
        receive(to, &datagrams, way, deadline)?;
    }
    Ok(())
}

/// Two sockets connected to each other.
fn sockets(site: &Site) -> io::Result<(UdpSocket, UdpSocket)> {
    let bound = |end: &End| end.socket(|| UdpSocket::bind((end.address, 0)));
    let (near, far) = (bound(&site.near)?, bound(&site.far)?);
    near.connect(far.local_addr()?)?;
    far.connect(near.local_addr()?)?;
    Ok((near, far))
}

/// Waits until as many datagrams have come as were sent, in whatever order.
fn receive(socket: &UdpSocket, sent: &[Vec<u8>], way: Way, deadline: Deadline) -> Result<(), Failure> {
    let mut missing: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
    let mut changed = 0;
    let mut bytes = vec![0; usize::from(u16::MAX)];
    while missing.len() > changed {
        match next(socket, &mut bytes, deadline) {
            Ok(datagram) => match missing.iter().position(|expected| *expected == datagram) {
                Some(at) => drop(missing.swap_remove(at)),
                None => changed += 1,
            },
            Err(error) if timed_out(&error) => break,
            Err(error) => return Err(error.into()),
        }
    }
    outcome(sent, missing.len(), changed, way)
}

fn next<'b>(socket: &UdpSocket, bytes: &'b mut [u8], deadline: Deadline) -> io::Result<&'b [u8]> {
    deadline.limit(socket)?;
    let length = socket.recv(bytes)?;
    Ok(&bytes[..length])
}

fn outcome(sent: &[Vec<u8>], missing: usize, changed: usize, way: Way) -> Result<(), Failure> {
    let lengths = || sent.iter().map(Vec::len);
    let sizes = [lengths().min().unwrap_or(0), lengths().max().unwrap_or(0)];
    let sent = sent.len();
    match (missing, changed) {
        (0, 0) => Ok(()),
        (missing, 0) => Err(Failure::DatagramsLost { came: sent - missing, sent, sizes, way }),
        (_, changed) => Err(Failure::DatagramsChanged { changed, sent, way }),
    }
}

/// From nearly nothing to nearly the MTU of a device, [`TunOptions::default`](crate::TunOptions::default).
const LENGTHS: [usize; 4] = [1, 100, 1400, 8900];

/// Bytes of each datagram of a call, and how many.
const SEGMENT: u16 = 1400;
const COUNT: usize = 10;
