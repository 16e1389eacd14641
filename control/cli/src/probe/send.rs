//! The end that asks.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use wire::proto;

use super::{LONGEST, Outcome, Reply, icmp, message, raw_socket};

/// How often a message without delivery of its own is sent.
const TRIES: u32 = 3;

/// Sends from `from` to `to` and waits for what comes back, no longer than `timeout`.
pub(super) fn run(from: IpAddr, to: SocketAddr, protocol: u8, timeout: Duration) -> Outcome {
    let mut source_port = 0;
    let asked = match protocol {
        proto::TCP => connect(from, to, timeout, &mut source_port),
        proto::UDP => datagram(from, to, timeout, &mut source_port),
        proto::ICMP | proto::ICMPV6 => icmp::ping(from, to.ip(), protocol, timeout, &mut source_port),
        other => raw(from, to.ip(), other, timeout),
    };
    Outcome { answer: asked.unwrap_or_else(|error| reply(&error)), source_port }
}

fn connect(from: IpAddr, to: SocketAddr, timeout: Duration, source_port: &mut u16) -> io::Result<Reply> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    *source_port = socket.local_addr()?.as_socket().map_or(0, |own| own.port());
    socket.connect_timeout(&to.into(), timeout)?;
    Ok(Reply::Answered)
}

fn datagram(from: IpAddr, to: SocketAddr, timeout: Duration, source_port: &mut u16) -> io::Result<Reply> {
    let socket = UdpSocket::bind(SocketAddr::new(from, 0))?;
    *source_port = socket.local_addr()?.port();
    socket.connect(to)?;
    exchange(&socket, timeout, b"vpclab", |_| true)
}

fn raw(from: IpAddr, to: IpAddr, protocol: u8, timeout: Duration) -> io::Result<Reply> {
    const PAYLOAD: &[u8] = b"vpclab";
    let socket = raw_socket(from, protocol)?;
    socket.connect(SocketAddr::new(to, 0))?;
    exchange(&socket, timeout, PAYLOAD, |received| message(to, received) == PAYLOAD)
}

/// Sends a message a few times until something comes back that `is_answer`.
pub(super) fn exchange(
    socket: &UdpSocket,
    timeout: Duration,
    payload: &[u8],
    is_answer: impl Fn(&[u8]) -> bool,
) -> io::Result<Reply> {
    let mut buffer = [0; LONGEST];
    socket.set_read_timeout(Some(timeout / TRIES))?;
    for _ in 0..TRIES {
        socket.send(payload)?;
        match socket.recv(&mut buffer) {
            Ok(length) if is_answer(&buffer[..length]) => return Ok(Reply::Answered),
            // A stranger's message takes one of the tries.
            Ok(_) => {}
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Reply::Silence)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

fn reply(error: &io::Error) -> Reply {
    if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) {
        Reply::Refused
    } else if is_timeout(error) {
        Reply::Silence
    } else {
        Reply::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_listener_answers_and_a_closed_port_refuses() {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("a free port");
        let to = listener.local_addr().expect("bound");
        let outcome = run(LOOPBACK, to, proto::TCP, SECOND);
        assert_eq!(outcome.answer, Reply::Answered);
        assert_ne!(outcome.source_port, 0);
        drop(listener);
        assert_eq!(run(LOOPBACK, to, proto::TCP, SECOND).answer, Reply::Refused);
        assert_eq!(run(LOOPBACK, to, proto::UDP, SECOND).answer, Reply::Refused);
    }

    #[test]
    fn a_bound_port_that_says_nothing_is_silence() {
        let mute = UdpSocket::bind((LOOPBACK, 0)).expect("a free port");
        let to = mute.local_addr().expect("bound");
        assert_eq!(run(LOOPBACK, to, proto::UDP, Duration::from_millis(60)).answer, Reply::Silence);
    }
}
