//! Sends ICMP echo requests, the next one when the answer is there.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use crate::clock::{Deadline, now, pause};
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
}

impl Ping {
    pub(super) fn run(&self) -> io::Result<Pinged> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
        socket.connect(&SocketAddr::from((self.to, 0)).into())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // The type offers exactly the calls that are needed, and the kernel does not mind.
        let socket = UdpSocket::from(socket);
        let deadline = Deadline::after(Duration::from_millis(self.milliseconds));
        let (mut times, mut lost, mut sequence) = (Vec::new(), 0, 0_u16);
        while !deadline.passed() {
            sequence = sequence.wrapping_add(1);
            match one(&socket, sequence)? {
                Some(time) => times.push(time.as_secs_f64() * 1e6),
                None => lost += 1,
            }
            if self.interval_us > 0 {
                pause(Duration::from_micros(self.interval_us));
            }
        }
        Ok(summary(times, lost))
    }
}

/// As `ping -f` gives up on an answer after 10 ms and goes on, but no answer that comes late is lost.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends one request and waits for its answer.
fn one(socket: &UdpSocket, sequence: u16) -> io::Result<Option<Duration>> {
    let request = request(identifier(), sequence);
    let began = now();
    socket.send(&request)?;
    let mut answer = [0; 256];
    loop {
        match socket.recv(&mut answer) {
            Ok(length) if answers(&answer[..length], &request) => return Ok(Some(now() - began)),
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

fn summary(mut times: Vec<f64>, lost: u64) -> Pinged {
    times.sort_by(f64::total_cmp);
    let answered = times.len() as u64;
    let mean = if times.is_empty() { 0.0 } else { times.iter().sum::<f64>() / answered as f64 };
    let at = |share| quantile(&times, share);
    Pinged { answered, lost, mean, p50: at(0.5), p99: at(0.99), p999: at(0.999) }
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
        let pinged = summary((1..=1001).map(f64::from).collect(), 2);
        assert_eq!((pinged.answered, pinged.lost), (1001, 2));
        assert_eq!((pinged.mean, pinged.p50, pinged.p99, pinged.p999), (501.0, 501.0, 991.0, 1000.0));
        assert_eq!(summary(Vec::new(), 1).mean, 0.0);
    }
}
