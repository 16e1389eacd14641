//! ICMP echo (RFC 792).

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};

use super::{Failure, pattern, timed_out};
use crate::doctor::selftest::deadline::Deadline;
use crate::doctor::selftest::site::Site;

pub(super) fn exchange(site: &Site) -> Result<(), Failure> {
    let raw = || {
        let raw = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Icmp)?;
        Ok(raw)
    };
    // CAP_NET_RAW, which labs do not need.
    let socket = site.near.socket(raw).map_err(Failure::NotTried)?;
    let (request, deadline) = (request(), Deadline::new());
    send(&socket, &request, site.far.address)?;
    loop {
        match receive(&socket, deadline) {
            Ok(message) if is_reply(&message, &request) => {
                return if message[HEADER..] == request[HEADER..] {
                    Ok(())
                } else {
                    Err(Failure::ReplyChanged)
                };
            }
            Ok(_) => {}
            Err(error) if timed_out(&error) => return Err(Failure::NoReply),
            Err(error) => return Err(error.into()),
        }
    }
}

fn request() -> Vec<u8> {
    let mut message = [&[ECHO_REQUEST, 0, 0, 0, 0x76, 0x70, 0, 1], &*pattern(0, PAYLOAD)].concat();
    let checksum = !wire::checksum::sum(&message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// Whether it has the type, the identifier and the sequence number.
fn is_reply(message: &[u8], request: &[u8]) -> bool {
    message.first() == Some(&ECHO_REPLY) && message.get(4..HEADER) == request.get(4..HEADER)
}

fn send(socket: &OwnedFd, message: &[u8], to: Ipv4Addr) -> io::Result<()> {
    let to = SockaddrIn::from(SocketAddrV4::new(to, 0));
    sendto(socket.as_raw_fd(), message, &to, MsgFlags::empty())?;
    Ok(())
}

/// The next ICMP message, whatever it is. A raw socket gives the IP header too.
fn receive(socket: &OwnedFd, deadline: Deadline) -> io::Result<Vec<u8>> {
    deadline.limit(socket)?;
    let mut packet = [0; 2048];
    let length = recv(socket.as_raw_fd(), &mut packet, MsgFlags::empty())?;
    let header = usize::from(packet[0] & 15) * 4;
    Ok(packet[..length].get(header..).unwrap_or_default().to_vec())
}

const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

/// Bytes before the payload.
const HEADER: usize = 8;
const PAYLOAD: usize = 1000;
