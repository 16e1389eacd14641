//! Counts the datagrams that a socket receives.

use std::io::{self, IoSliceMut, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::ops::AddAssign;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt};
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::machine::ProcessorTime;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receive {
    /// Where it listens, on all addresses.
    pub port: u16,
    /// Length of a datagram, where datagrams of one flow may arrive glued together (`UDP_GRO`); absent where not.
    pub glued: Option<usize>,
    /// What is counted.
    pub window: Window,
}

/// What a receiver counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Everything, until nothing has come for 100 ms.
    Everything,
    /// What comes in a time that begins after the first datagram.
    Milliseconds {
        /// How long after it.
        after: u64,
        /// How long.
        count: u64,
    },
}

/// What it counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Datagrams.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// In how many seconds.
    pub seconds: f64,
    /// Processor time of the whole machine meanwhile, in seconds.
    pub busy_seconds: f64,
}

impl Receive {
    pub(super) fn run(&self, out: &mut dyn Write) -> io::Result<Received> {
        let socket = self.socket()?;
        super::ready(out)?;
        let mut reader = Reader::new(&socket, if self.glued.is_some() { LONGEST } else { WHOLE });
        let (first, came) = reader.first()?;
        let Some(first) = first else {
            return Ok(Received { datagrams: 0, bytes: 0, seconds: 1.0, busy_seconds: 0.0 });
        };
        match self.window {
            Window::Everything => self.everything(&mut reader, first, came),
            Window::Milliseconds { after, count } => {
                let start = first + Duration::from_millis(after);
                while now() < start {
                    reader.read()?;
                }
                self.count(&mut reader, Duration::from_millis(count))
            }
        }
    }

    fn count(&self, reader: &mut Reader<'_>, time: Duration) -> io::Result<Received> {
        let before = processor_time()?;
        let start = now();
        let (mut came, mut last) = (Came::default(), start);
        while last - start < time {
            came += reader.read()?;
            last = now();
        }
        self.outcome(came, last - start, processor_time()?.since(before))
    }

    fn everything(&self, reader: &mut Reader<'_>, first: Instant, mut came: Came) -> io::Result<Received> {
        let before = processor_time()?;
        let mut last = first;
        while now() - last < SILENCE {
            let more = reader.read()?;
            if more.messages > 0 {
                came += more;
                last = now();
            }
        }
        self.outcome(came, last - first, processor_time()?.since(before))
    }

    fn outcome(&self, came: Came, time: Duration, passed: ProcessorTime) -> io::Result<Received> {
        let datagrams = self.glued.map_or(came.messages, |size| came.bytes / size as u64);
        let seconds = time.as_secs_f64();
        Ok(Received { datagrams, bytes: came.bytes, seconds, busy_seconds: passed.busy })
    }

    fn socket(&self) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, self.port))?;
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
        if self.glued.is_some() {
            setsockopt(&socket, sockopt::UdpGroSegment, &true)?;
        }
        // So that silence ends a call, and the window is looked at.
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        Ok(socket)
    }
}

fn processor_time() -> io::Result<ProcessorTime> {
    ProcessorTime::now().map_err(io::Error::other)
}

/// What one or several system calls brought.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    messages: u64,
    bytes: u64,
}

impl AddAssign for Came {
    fn add_assign(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
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

    /// Waits for the first datagrams and says when they came, if any do.
    fn first(&mut self) -> io::Result<(Option<Instant>, Came)> {
        let began = now();
        while now() - began < FIRST {
            let came = self.read()?;
            if came.messages > 0 {
                return Ok((Some(now()), came));
            }
        }
        Ok((None, Came::default()))
    }

    /// The datagrams that are there, after waiting for one if there are none.
    fn read(&mut self) -> io::Result<Came> {
        let mut slices: Vec<_> = self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_WAITFORONE;
        match recvmmsg(self.socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(received) => Ok(received.fold(Came::default(), |came, message| Came {
                messages: came.messages + 1,
                bytes: came.bytes + message.bytes as u64,
            })),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Came::default()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Datagrams in one system call.
const BATCH: usize = 64;

/// Room for what arrives while the receiver does not run, the same for every system: a hundredth of a second at a million
/// packets, which the kernel counts with some 800 bytes each.
const RECEIVE_BUFFER: usize = 8 << 20;

/// The longest that arrives whole.
const WHOLE: usize = 2048;

/// The longest that arrives glued together.
const LONGEST: usize = 65_536;

/// How long a sender may take to start.
const FIRST: Duration = Duration::from_secs(5);

/// After which nothing is under way any more: ten times what a full queue of 10,000 packets takes.
const SILENCE: Duration = Duration::from_millis(100);
