//! Layer-3 TUN devices in network namespaces.
//!
//! Kernel reference: Documentation/networking/tuntap.rst.

mod limits;
mod name;
mod open;
mod options;
mod qdisc;
mod send;
mod vnet;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use wire::Buffer;

use crate::netns::Netns;
use crate::pool::PACKET_CAPACITY;
use limits::Limits;

pub use name::{DEVICE_NAME_MAX, DeviceName};
pub use options::{Offload, Opener, Queues, TunOptions};
pub(crate) use send::{MAX_PARTS, singles};

/// One TUN device: IP packets go in and out, with what is left to do for them in [`Buffer::offload`].
///
/// It has one queue, or several between which a [steering program](crate::steering) chooses. What waits in a queue is read
/// from that queue alone; a packet may be written through any, and there one that the device does not have stands for queue 0.
///
/// Reading never blocks; neither does writing, because the kernel delivers a written packet before the call
/// returns. Any thread may read or write: share it in an `Arc`. The device exists as long as this value does, and
/// as long as its namespace lives; an open device keeps its namespace alive even after the name is deleted.
#[derive(Debug)]
pub struct Tun {
    first: OwnedFd,
    /// The queues from 1 on.
    others: Vec<OwnedFd>,
    /// Why there are no others though they were wanted.
    refused: Option<io::Error>,
    header: Header,
    limits: Limits,
    name: DeviceName,
    index: u32,
    options: TunOptions,
}

/// What is in front of each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "what tokio-tun opens has none"))]
    None,
    Vnet,
}

impl Tun {
    /// Creates the device `name` inside `netns`. It is down and has no address.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a name the kernel would refuse or cut; `AlreadyExists` when the namespace has a device
    /// of that name; else what the kernel answers (`PermissionDenied` without `CAP_NET_ADMIN`, `NotFound` without
    /// `/dev/net/tun`).
    pub fn open(netns: &Netns, name: &str, options: TunOptions) -> io::Result<Self> {
        let name = DeviceName::new(name)?;
        netns.run(|| open::open_here(name, options))
    }

    /// Reads one packet of a queue into `buffer`, which is emptied first, and says how long it is; `None` when no packet waits.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the device has no such queue; else [`trouble`] tells a removed device from the rest.
    pub fn read(&self, queue: u16, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        match nix::unistd::read(self.queue_to_read(queue)?, make_room(buffer)) {
            Ok(length) => {
                buffer.set_len(length);
                self.take_header(buffer);
                Ok(Some(buffer.len()))
            }
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Takes a packet as it was read, the header included, into `buffer`, which is emptied first.
    pub(crate) fn take_copy(&self, read: &[u8], buffer: &mut Buffer) {
        make_room(buffer)[..read.len()].copy_from_slice(read);
        buffer.set_len(read.len());
        self.take_header(buffer);
    }

    /// Moves what the header says to [`Buffer::offload`].
    pub(crate) fn take_header(&self, buffer: &mut Buffer) {
        if let Header::Vnet = self.header
            && let Some(header) = buffer.bytes().first_chunk()
        {
            let offload = vnet::decode(*header);
            buffer.trim_front(vnet::LENGTH);
            buffer.set_offload(offload);
        }
    }

    /// The device's name in its namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The interface index in the device's own namespace.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// How many queues the device has.
    #[must_use]
    pub const fn queues(&self) -> u16 {
        self.options.queues.count()
    }

    /// Why the device has one queue though more were asked for.
    #[must_use]
    pub const fn refusal(&self) -> Option<&io::Error> {
        self.refused.as_ref()
    }

    /// The descriptor of a queue to read from, or `InvalidInput` when the device has no such queue.
    pub(crate) fn queue_to_read(&self, queue: u16) -> io::Result<BorrowedFd<'_>> {
        let file = match usize::from(queue).checked_sub(1) {
            None => Some(&self.first),
            Some(at) => self.others.get(at),
        };
        file.map(AsFd::as_fd).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    /// The descriptor of a queue to write through; of queue 0 when the device has no such queue.
    pub(crate) fn queue_to_write(&self, queue: u16) -> BorrowedFd<'_> {
        self.queue_to_read(queue).unwrap_or_else(|_| self.first.as_fd())
    }

    /// What the device was opened with; offload level and queues are those that the kernel granted.
    #[must_use]
    pub const fn options(&self) -> TunOptions {
        self.options
    }
}

/// Queue 0.
impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.first.as_fd()
    }
}

/// Queue 0.
impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.first.as_raw_fd()
    }
}

/// Empties the buffer and returns where a packet may be read to: a header in front lands in the headroom, so that the
/// packet is where it would be without. What was read is claimed with [`Buffer::set_len`], then [`Tun::take_header`].
pub(crate) fn make_room(buffer: &mut Buffer) -> &mut [u8] {
    buffer.clear();
    buffer.prepend(vnet::LENGTH);
    buffer.set_len(0);
    buffer.spare_mut(ROOM)
}

/// Bytes of the longest packet and its header.
pub(crate) const ROOM: usize = vnet::LENGTH + PACKET_CAPACITY;

/// What an error of [`Tun::read`] or [`Tun::write`] says about the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The device exists but is not up: writes fail until it is, reads find nothing.
    Down,
    /// The device was removed; this descriptor will never work again.
    Gone,
    /// Only this packet or this call failed.
    Other,
}

/// Says what `error`, from a device's read or write, means for the device.
///
/// The codes are those of `drivers/net/tun.c`: EBADFD when the descriptor has lost its device, EFAULT when the
/// device goes during a read, EIO when it is down.
#[must_use]
pub fn trouble(error: &io::Error) -> Trouble {
    match error.raw_os_error() {
        Some(libc::EBADFD | libc::EFAULT | libc::ENODEV) => Trouble::Gone,
        Some(libc::EIO) => Trouble::Down,
        Some(_) | None => Trouble::Other,
    }
}

/// Whether the device will never work again; any other error is one of this packet or this call.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    match trouble(error) {
        Trouble::Gone => true,
        Trouble::Down | Trouble::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_codes_tell_gone_from_down() {
        let of = |code| trouble(&io::Error::from_raw_os_error(code));
        assert_eq!(of(libc::EBADFD), Trouble::Gone);
        assert_eq!(of(libc::EIO), Trouble::Down);
        assert_eq!(of(libc::EINVAL), Trouble::Other);
        assert_eq!(trouble(&io::Error::other("ours")), Trouble::Other);
    }
}
