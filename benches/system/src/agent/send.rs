//! Sends datagrams of one flow, as fast as possible or at a pace.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg, setsockopt, sockopt};
use serde::{Deserialize, Serialize};

use crate::clock::{now, pause};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Who receives.
    pub to: SocketAddrV4,
    /// Lengths of the datagrams in bytes, over and over again.
    pub sizes: Vec<usize>,
    /// How many datagrams go into one message, for the kernel or the device to cut (`UDP_SEGMENT`); 1 sends them whole.
    pub segments: usize,
    /// Datagrams a second; as many as possible if absent.
    pub per_second: Option<u32>,
    /// How long.
    pub milliseconds: u64,
}

/// What was handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Datagrams.
    pub datagrams: u64,
    /// In how many seconds.
    pub seconds: f64,
}

impl Send {
    pub(super) fn run(&self) -> io::Result<Sent> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(self.to)?;
        if let [size] = self.sizes[..]
            && self.segments > 1
        {
            setsockopt(&socket, sockopt::UdpGsoSegment, &i32::try_from(size).map_err(io::Error::other)?)?;
        }
        let longest = self.sizes.iter().copied().max().unwrap_or(0) * self.segments;
        let payload = vec![0x55; longest];
        let mut slices = self.sizes.iter().cycle().map(|size| &payload[..size * self.segments]);
        let (began, whole) = (now(), Duration::from_millis(self.milliseconds));
        let mut messages = 0;
        loop {
            let passed = now() - began;
            if passed >= whole {
                let datagrams = messages * self.segments as u64;
                return Ok(Sent { datagrams, seconds: passed.as_secs_f64() });
            }
            match self.due(messages, passed) {
                Due::Later(wait) => pause(wait),
                Due::Now(count) => {
                    let batch: Vec<_> =
                        slices.by_ref().take(count).map(|slice| [IoSlice::new(slice)]).collect();
                    messages += send(&socket, &batch)?;
                }
            }
        }
    }

    /// What is to be done when so many messages went in that time.
    fn due(&self, messages: u64, passed: Duration) -> Due {
        let Some(rate) = self.per_second else { return Due::Now(BATCH) };
        // What is due is never far behind: a sender that was late makes up for it in a few batches.
        let due = (passed.as_secs_f64() * f64::from(rate)) as u64 / self.segments as u64;
        match due.saturating_sub(messages) {
            0 => Due::Later(Duration::from_micros(100)),
            count => Due::Now(usize::try_from(count).unwrap_or(BATCH).min(BATCH)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Nothing is: wait so long.
    Later(Duration),
    /// So many messages.
    Now(usize),
}

/// Sends messages with one system call and says how many went.
fn send(socket: &UdpSocket, slices: &[[IoSlice<'_>; 1]]) -> io::Result<u64> {
    let mut headers = MultiHeaders::<()>::preallocate(slices.len(), None);
    let addresses = [None; BATCH];
    match sendmmsg(socket.as_raw_fd(), &mut headers, slices, addresses, [], MsgFlags::empty()) {
        Ok(sent) => Ok(sent.count() as u64),
        // A full queue, or nobody there yet: the next batch may fare better.
        Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::ECONNREFUSED) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// Datagrams in one system call.
const BATCH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn paced(per_second: Option<u32>) -> Send {
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
        Send { to, sizes: vec![64], segments: 1, per_second, milliseconds: 1 }
    }

    #[test]
    fn a_pace_is_kept_and_what_is_late_is_made_up_for_in_batches() {
        let second = Duration::from_secs(1);
        assert_eq!(paced(Some(1000)).due(990, second), Due::Now(10));
        assert_eq!(paced(Some(1000)).due(100, second), Due::Now(BATCH));
        assert_eq!(paced(Some(1000)).due(1000, second), Due::Later(Duration::from_micros(100)));
        assert_eq!(paced(None).due(u64::MAX, second), Due::Now(BATCH));
    }

    #[test]
    fn what_is_sent_arrives_in_its_sizes() {
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        receiver.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let port = receiver.local_addr().expect("bound").port();
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let send =
            Send { to, sizes: vec![64, 64, 500], segments: 1, per_second: Some(1000), milliseconds: 20 };
        let sent = send.run().expect("it sends");
        assert!((1..=30).contains(&sent.datagrams), "{sent:?}");
        let mut buffer = [0; 1000];
        let lengths = (0..sent.datagrams).map(|_| receiver.recv(&mut buffer).expect("all arrive"));
        assert!(lengths.zip([64, 64, 500].into_iter().cycle()).all(|(got, wanted)| got == wanted));
    }
}
