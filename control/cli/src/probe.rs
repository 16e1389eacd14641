//! The two ends of a probe, run inside instances: somebody who answers, and somebody who asks.
//!
//! Both say one line on standard output and end in time. [`Outcome`] is what the asking end saw; what became of an unanswered
//! packet on its way is for the data plane's records to say.

mod icmp;
mod listen;
mod send;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use crate::args::low::{Probe, ProbeRole};
use crate::error::{Answer, Error};
use crate::output::{self, Out};

/// The first line of a listening end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Listening {
    /// Somebody else serves the port already.
    Busy,
    /// It cannot listen, and why.
    Failed(String),
    /// It answers now.
    Ready,
}

/// What the asking end says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// What came back.
    pub(crate) answer: Reply,
    /// The source port that was used, or the echo identifier; 0 for protocols without ports.
    pub(crate) source_port: u16,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// The other end answered.
    Answered,
    /// The sender's own system did not even send, or somebody reported the destination unreachable.
    Failed(String),
    /// The other end said that nothing listens there.
    Refused,
    /// Nothing, in time.
    Silence,
}

/// Runs one end.
///
/// # Errors
///
/// [`Error::Output`]; everything else is part of what it says.
pub(crate) fn run(args: &Probe, out: Out<'_>) -> Result<Answer, Error> {
    match &args.role {
        ProbeRole::Listen(end) => {
            let timeout = Duration::from_millis(end.timeout);
            listen::run(SocketAddr::new(end.address, end.port), end.proto, timeout, out)?;
        }
        ProbeRole::Send(send) => {
            let timeout = Duration::from_millis(send.end.timeout);
            let to = SocketAddr::new(send.to, send.end.port);
            output::json_line(out, &send::run(send.end.address, to, send.end.proto, timeout))?;
        }
    }
    Ok(Answer::Yes)
}

/// A socket for whole messages of a protocol, without ports. It is no UDP socket; the type offers exactly the calls that are
/// needed, and the kernel does not mind.
fn raw_socket(address: IpAddr, protocol: u8) -> io::Result<UdpSocket> {
    let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(protocol))))?;
    socket.bind(&SocketAddr::new(address, 0).into())?;
    Ok(socket.into())
}

/// The message in what a raw socket delivers: for IPv4 the IP header comes with it (`raw(7)`).
fn message(address: IpAddr, received: &[u8]) -> &[u8] {
    let header = match (address, received.first()) {
        (IpAddr::V4(_), Some(first)) => usize::from(first & 0x0f) * 4,
        _ => 0,
    };
    received.get(header..).unwrap_or_default()
}

/// The longest message that an end reads: more than any of them sends.
const LONGEST: usize = 2048;
