//! Sends datagrams of one flow, as fast as possible or at a pace.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg, setsockopt, sockopt};
use serde::{Deserialize, Serialize};

use crate::clock::{Deadline, now};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Who receives.
    pub to: SocketAddrV4,
    /// Length of a datagram in bytes.
    pub size: usize,
    /// How many datagrams go into one message, for the kernel or the device to cut (`UDP_SEGMENT`); 1 sends them whole.
    pub segments: usize,
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
        if self.segments > 1 {
            let size = i32::try_from(self.size).map_err(io::Error::other)?;
            setsockopt(&socket, sockopt::UdpGsoSegment, &size)?;
        }
        let payload = vec![0x55; self.size * self.segments];
        let began = now();
        let deadline = Deadline::after(Duration::from_millis(self.milliseconds));
        let mut messages = 0;
        while !deadline.passed() {
            messages += send_batch(&socket, &payload)? as u64;
        }
        let datagrams = messages * self.segments as u64;
        Ok(Sent { datagrams, seconds: (now() - began).as_secs_f64() })
    }
}

/// Sends the same message many times with one system call and says how many times it went.
fn send_batch(socket: &UdpSocket, payload: &[u8]) -> io::Result<usize> {
    let slices = [[IoSlice::new(payload)]; BATCH];
    let mut headers = MultiHeaders::<()>::preallocate(BATCH, None);
    let addresses = [None; BATCH];
    match sendmmsg(socket.as_raw_fd(), &mut headers, &slices, addresses, [], MsgFlags::empty()) {
        Ok(sent) => Ok(sent.count()),
        // A full queue, or nobody there yet: the next batch may fare better.
        Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::ECONNREFUSED) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// Datagrams in one system call.
const BATCH: usize = 64;
