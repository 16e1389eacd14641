//! An address for a device, asked for as rtnetlink(7) says.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// Gives the device with this index an address with a 24-bit prefix and brings it up, in the calling thread's namespace.
///
/// # Errors
///
/// What the kernel answers.
pub(super) fn bring_up(index: u32, address: Ipv4Addr) -> io::Result<()> {
    let route = SockProtocol::NetlinkRoute;
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, route)?;
    ask(&netlink, libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &new_address(index, address))?;
    ask(&netlink, libc::RTM_NEWLINK, 0, &up(index))
}

/// A `struct ifaddrmsg` and its one attribute.
fn new_address(index: u32, address: Ipv4Addr) -> Vec<u8> {
    const PREFIX: u8 = 24;
    const INET: u8 = 2;
    let mut message = vec![INET, PREFIX, 0, libc::RT_SCOPE_UNIVERSE];
    message.extend(index.to_ne_bytes());
    message.extend(8_u16.to_ne_bytes());
    message.extend(libc::IFA_LOCAL.to_ne_bytes());
    message.extend(address.octets());
    message
}

/// A `struct ifinfomsg` that changes one flag.
fn up(index: u32) -> Vec<u8> {
    let up = libc::IFF_UP.to_ne_bytes();
    [[0; 4], index.to_ne_bytes(), up, up].concat()
}

/// Sends one request and waits for its acknowledgement, which the kernel has ready when the call returns.
fn ask(netlink: &OwnedFd, kind: u16, flags: libc::c_int, body: &[u8]) -> io::Result<()> {
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
