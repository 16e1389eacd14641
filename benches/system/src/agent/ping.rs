//! Sends ICMP echo requests, the next one when the answer is there.
//!
//! The round trip is `ping`'s: it ends when the kernel has the answer for the socket (`SO_TIMESTAMPNS`). How long it takes
//! until the program runs again says more of the machine's idle processors than of what lies between the hosts; the
//! whole time, up to the program, is told beside it.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use crate::clock::{Deadline, now, pause, unix};
use crate::statistics::quantile;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Who answers.
    pub to: Ipv4Addr,
    /// How long.
    pub milliseconds: u64,
    /// Microseconds between an answer and the next request.
    pub interval_us: u64,
}

/// Round-trip times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pinged {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests without an answer in 100 ms.
    pub lost: u64,
    /// Average.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 99 % were faster.
    pub p99: f64,
    /// 99.9 % were faster.
    pub p999: f64,
    /// Average until the program ran again.
    pub mean_to_program: f64,
}

impl Ping {
    pub(super) fn run(&self) -> io::Result<Pinged> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
        socket.connect(&SocketAddr::from((self.to, 0)).into())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        let deadline = Deadline::after(Duration::from_millis(self.milliseconds));
        let (mut times, mut lost, mut sequence) = (Vec::new(), 0, 0_u16);
        while !deadline.passed() {
            sequence = sequence.wrapping_add(1);
            match one(&socket, sequence)? {
                Some(trip) => times.push(trip),
                None => lost += 1,
            }
            if self.interval_us > 0 {
                pause(Duration::from_micros(self.interval_us));
            }
        }
        Ok(summary(&times, lost))
    }
}

/// One round trip.
#[derive(Clone, Copy, Debug)]
struct Trip {
    to_socket: Duration,
    to_program: Duration,
}

/// As `ping -f` gives up on an answer after 10 ms and goes on, but no answer that comes late is lost.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends one request and waits for its answer.
fn one(socket: &Socket, sequence: u16) -> io::Result<Option<Trip>> {
    let request = request(identifier(), sequence);
    let (began, sent) = (now(), unix());
    socket.send(&request)?;
    let mut answer = [0; 256];
    loop {
        match receive(socket, &mut answer) {
            Ok((length, arrived)) if answers(&answer[..length], &request) => {
                let to_program = now() - began;
                // Both from the same clock, which nobody sets in the middle of a benchmark; if so, the time is the program's.
                let to_socket = arrived.and_then(|arrived| arrived.checked_sub(sent)).unwrap_or(to_program);
                return Ok(Some(Trip { to_socket: to_socket.min(to_program), to_program }));
            }
            // An answer that came late.
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        if now() - began > PATIENCE {
            return Ok(None);
        }
    }
}

/// Receives one packet, with the Unix time at which the kernel had it.
fn receive(socket: &Socket, packet: &mut [u8]) -> io::Result<(usize, Option<Duration>)> {
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(packet)];
    let received = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            received => break received?,
        }
    };
    let stamp = received.cmsgs()?.find_map(|message| {
        let ControlMessageOwned::ScmTimestampns(stamp) = message else { return None };
        Some(Duration::from(stamp))
    });
    Ok((received.bytes, stamp))
}

fn summary(trips: &[Trip], lost: u64) -> Pinged {
    let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
    let mut times: Vec<f64> = trips.iter().map(|trip| microseconds(trip.to_socket)).collect();
    times.sort_by(f64::total_cmp);
    let mean = |sum: f64| if trips.is_empty() { 0.0 } else { sum / trips.len() as f64 };
    let at = |share| quantile(&times, share);
    Pinged {
        answered: trips.len() as u64,
        lost,
        mean: mean(times.iter().sum()),
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        mean_to_program: mean(trips.iter().map(|trip| microseconds(trip.to_program)).sum()),
    }
}

fn identifier() -> u16 {
    std::process::id() as u16
}

/// An echo request with as many data bytes as `ping` sends (RFC 792).
fn request(identifier: u16, sequence: u16) -> [u8; 64] {
    let mut message = [0; 64];
    message[0] = ECHO_REQUEST;
    message[4..6].copy_from_slice(&identifier.to_be_bytes());
    message[6..8].copy_from_slice(&sequence.to_be_bytes());
    let sum =
        message.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    message[2..4].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    message
}

/// Whether a packet, IP header included, answers the request.
fn answers(packet: &[u8], request: &[u8; 64]) -> bool {
    let header = packet.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    let message = packet.get(header..).unwrap_or_default();
    message.len() == request.len() && message[0] == ECHO_REPLY && message[4..] == request[4..]
}

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_sums_up_to_all_ones_and_only_its_own_reply_answers_it() {
        let request = request(0xfedc, 0xba98);
        let sum: u32 = request.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        let mut packet = vec![0x45; 20];
        packet.extend_from_slice(&request);
        assert!(!answers(&packet, &request), "the request itself");
        packet[20] = ECHO_REPLY;
        assert!(answers(&packet, &request));
        packet[27] ^= 1;
        assert!(!answers(&packet, &request), "another sequence number");
        assert!(!answers(&[], &request));
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let trip =
            |n| Trip { to_socket: Duration::from_micros(n), to_program: Duration::from_micros(n + 10) };
        let pinged = summary(&(1..=1001).map(trip).collect::<Vec<_>>(), 2);
        assert_eq!((pinged.answered, pinged.lost), (1001, 2));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        for (is, should) in
            [(pinged.mean, 501.0), (pinged.p50, 501.0), (pinged.p99, 991.0), (pinged.p999, 1000.0)]
        {
            close(is, should);
        }
        close(pinged.mean_to_program, 511.0);
        close(summary(&[], 1).mean, 0.0);
    }
}
