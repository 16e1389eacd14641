//! The end that answers: it accepts connections, and sends datagrams and messages back as they are.

use std::io::{self, ErrorKind, Read as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use wire::proto;

use super::{LONGEST, Listening, message, raw_socket};
use crate::error::Error;
use crate::output::{self, Out};

/// Something that answers for as long as the process lives.
type Service = Box<dyn FnOnce() + Send>;

/// Says whether it listens, then answers until standard input closes, but no longer than `limit`.
pub(super) fn run(at: SocketAddr, protocol: u8, limit: Duration, out: Out<'_>) -> Result<(), Error> {
    let service = match open(at, protocol) {
        Ok(service) => service,
        Err(error) => {
            let busy = error.kind() == ErrorKind::AddrInUse;
            let word = if busy { Listening::Busy } else { Listening::Failed(error.to_string()) };
            return output::json_line(out, &word);
        }
    };
    output::json_line(out, &Listening::Ready)?;
    out.flush()?;
    let (end, ended) = mpsc::channel();
    thread::spawn(service);
    thread::spawn(move || wait_for_end_of_input(&end));
    // The threads end with the process.
    ended.recv_timeout(limit).ok();
    Ok(())
}

fn open(at: SocketAddr, protocol: u8) -> io::Result<Service> {
    Ok(match protocol {
        proto::TCP => {
            let listener = TcpListener::bind(at)?;
            // A connection that was accepted has told the other end all there is to tell.
            Box::new(move || for _connection in listener.incoming() {})
        }
        proto::UDP => {
            let socket = UdpSocket::bind(at)?;
            Box::new(move || echo(&socket, |received| received))
        }
        other => {
            let socket = raw_socket(at.ip(), other)?;
            Box::new(move || echo(&socket, |received| message(at.ip(), received)))
        }
    })
}

fn echo(socket: &UdpSocket, payload: impl Fn(&[u8]) -> &[u8]) {
    let mut buffer = [0; LONGEST];
    // A message that cannot be received or returned is as good as lost, which its sender sees.
    loop {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(payload(&buffer[..length]), from).ok();
        }
    }
}

fn wait_for_end_of_input(end: &Sender<()>) {
    io::stdin().lock().read_to_end(&mut Vec::new()).ok();
    end.send(()).ok();
}
