//! An address for a device, asked for as rtnetlink(7) says.

use std::io;
use std::net::Ipv4Addr;

use crate::netlink;

/// Gives the device with this index an address with a 24-bit prefix and brings it up, in the calling thread's namespace.
///
/// # Errors
///
/// What the kernel answers.
pub(super) fn bring_up(index: u32, address: Ipv4Addr) -> io::Result<()> {
    let socket = netlink::open()?;
    let fresh = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    netlink::ask(&socket, libc::RTM_NEWADDR, fresh, &new_address(index, address))?;
    netlink::ask(&socket, libc::RTM_NEWLINK, 0, &up(index))
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
