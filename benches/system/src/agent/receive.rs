//! Counts the datagrams that a socket receives.

use std::io::{self, IoSliceMut, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt};
use serde::{Deserialize, Serialize};

use crate::clock::now;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receive {
    /// Where it listens, on all addresses.
    pub port: u16,
    /// Length of a datagram in bytes.
    pub size: usize,
    /// Whether datagrams of one flow may arrive glued together (`UDP_GRO`).
    pub glued: bool,
    /// What is not counted after the first datagram.
    pub warm_up_ms: u64,
    /// How long it counts.
    pub milliseconds: u64,
}

/// What it counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Datagrams.
    pub datagrams: u64,
    /// In how many seconds.
    pub seconds: f64,
}

impl Receive {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<Received> {
        let socket = self.socket()?;
        super::ready(out)?;
        let mut reader = Reader::new(&socket, if self.glued { LONGEST } else { self.size });
        let Some(first) = reader.first()? else { return Ok(Received { datagrams: 0, seconds: 1.0 }) };
        let start = first + Duration::from_millis(self.warm_up_ms);
        while now() < start {
            reader.read()?;
        }
        let (start, end) = (now(), start + Duration::from_millis(self.milliseconds));
        let mut bytes = 0;
        let mut last = start;
        while last < end {
            bytes += reader.read()?;
            last = now();
        }
        let seconds = (last - start).as_secs_f64();
        Ok(Received { datagrams: bytes / self.size as u64, seconds })
    }

    fn socket(&self) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, self.port))?;
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
        if self.glued {
            setsockopt(&socket, sockopt::UdpGroSegment, &true)?;
        }
        // So that silence ends a call, and the window is looked at.
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        Ok(socket)
    }
}

/// Reads many datagrams with one system call.
struct Reader<'a> {
    socket: &'a UdpSocket,
    buffers: Vec<Vec<u8>>,
    headers: MultiHeaders<()>,
}

impl<'a> Reader<'a> {
    fn new(socket: &'a UdpSocket, longest: usize) -> Self {
        let headers = MultiHeaders::preallocate(BATCH, None);
        Self { socket, buffers: vec![vec![0; longest]; BATCH], headers }
    }

    /// Waits for the first datagram and says when it came; `None` if none does.
    fn first(&mut self) -> io::Result<Option<Instant>> {
        let began = now();
        while now() - began < FIRST {
            if self.read()? > 0 {
                return Ok(Some(now()));
            }
        }
        Ok(None)
    }

    /// The bytes of the datagrams that are there, after waiting for one if there are none.
    fn read(&mut self) -> io::Result<u64> {
        let mut slices: Vec<_> = self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_WAITFORONE;
        match recvmmsg(self.socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(received) => Ok(received.map(|message| message.bytes as u64).sum()),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Datagrams in one system call.
const BATCH: usize = 64;

/// Room for what arrives while the receiver does not run, the same for every system: a hundredth of a second at a million
/// packets, which the kernel counts with some 800 bytes each.
const RECEIVE_BUFFER: usize = 8 << 20;

/// The longest that arrives glued together.
const LONGEST: usize = 65_536;

/// How long a sender may take to start.
const FIRST: Duration = Duration::from_secs(5);
