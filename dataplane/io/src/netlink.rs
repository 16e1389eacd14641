//! Asking the kernel's network stack for something, as rtnetlink(7) says.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// A socket of the calling thread's namespace.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let route = SockProtocol::NetlinkRoute;
    Ok(socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, route)?)
}

/// Sends one request and waits for its acknowledgement, which the kernel has ready when the call returns.
pub(crate) fn ask(netlink: &OwnedFd, kind: u16, flags: libc::c_int, body: &[u8]) -> io::Result<()> {
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags).map_err(io::Error::other)?;
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let mut request = length.to_ne_bytes().to_vec();
    request.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    // Sequence number and sender: one request at a time needs neither.
    request.extend([0; 8]);
    request.extend(body);
    send(netlink.as_raw_fd(), &request, MsgFlags::empty())?;
    let mut answer = [0; 512];
    let length = recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match answer[..length].get(HEADER..).and_then(<[u8]>::first_chunk) {
        Some(&code) => acknowledged(i32::from_ne_bytes(code)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads the code of a `struct nlmsgerr`.
fn acknowledged(code: i32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-code)) }
}

/// Bytes of a `struct nlmsghdr`.
const HEADER: usize = 16;
