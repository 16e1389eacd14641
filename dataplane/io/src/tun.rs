//! Layer-3 TUN devices in network namespaces.
//!
//! Kernel reference: Documentation/networking/tuntap.rst.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;

use nix::errno::Errno;
use wire::Buffer;

use crate::netns::Netns;
use crate::pool::PACKET_CAPACITY;
use crate::sys;

/// The longest name a device can have, in bytes: the kernel's `IFNAMSIZ` less the closing zero.
pub const DEVICE_NAME_MAX: usize = libc::IFNAMSIZ - 1;

/// One TUN device with one queue: whole IP packets go in and out, without any header in front.
///
/// Reading never blocks; neither does writing, because the kernel delivers a written packet before the call
/// returns. Any thread may read or write: share it in an `Arc`. The device exists as long as this value does, and
/// as long as its namespace lives; an open device keeps its namespace alive even after the name is deleted.
#[derive(Debug)]
pub struct Tun {
    file: OwnedFd,
    name: DeviceName,
    index: u32,
    options: TunOptions,
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
        let (file, index) = netns.run(|| open_here(&name, options))?;
        Ok(Self { file, name, index, options })
    }

    /// Reads one packet to the end of `buffer`, which is normally empty, and says how long it is;
    /// `None` when no packet waits.
    ///
    /// # Errors
    ///
    /// [`trouble`] tells a removed device from the rest.
    pub fn read(&self, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        let before = buffer.len();
        match nix::unistd::read(&self.file, buffer.spare_mut(PACKET_CAPACITY)) {
            Ok(length) => {
                buffer.set_len(before + length);
                Ok(Some(length))
            }
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Hands one packet to the namespace's network stack.
    ///
    /// # Errors
    ///
    /// [`trouble`] tells a removed device and one that is down from the rest; `InvalidInput` means the bytes are
    /// no IP packet.
    pub fn write(&self, packet: &[u8]) -> io::Result<()> {
        nix::unistd::write(&self.file, packet)?;
        Ok(())
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

    /// What the device was opened with.
    #[must_use]
    pub const fn options(&self) -> TunOptions {
        self.options
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// How to open a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunOptions {
    /// Largest packet in bytes, IP header included.
    pub mtu: u16,
    /// How many packets the kernel keeps for a reader that is late; each slot costs one pointer.
    pub txqueuelen: u32,
    /// Work left to whoever reads the packet.
    pub offload: Offload,
    /// Which code talks to `/dev/net/tun`.
    pub opener: Opener,
}

impl Default for TunOptions {
    /// An interface as AWS makes it: jumbo frames (EC2 user guide, "Network maximum transmission unit"). The
    /// queue holds a burst of 10,000 packets, as long as a reader may sleep (10 ms) at a million packets a second.
    fn default() -> Self {
        Self { mtu: 9001, txqueuelen: 10_000, offload: Offload::None, opener: Opener::Direct }
    }
}

/// Work that the namespace's network stack leaves to whoever reads the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offload {
    /// Nothing: every packet is whole, checksummed, and no longer than the MTU.
    None,
}

/// Which code opens the device; the result is the same kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opener {
    /// This crate's own calls.
    Direct,
    /// The crate `tokio-tun`.
    #[cfg(feature = "tokio")]
    TokioTun,
}

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

/// A device name that the kernel takes as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// Accepts what the kernel's `dev_valid_name` accepts, less `%`, which the kernel reads as a pattern to number.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, saying what is wrong with the name.
    pub fn new(name: &str) -> io::Result<Self> {
        match refusal(name) {
            None => Ok(Self(name.to_owned())),
            Some(why) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, format!("device name {name:?} {why}")))
            }
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refusal(name: &str) -> Option<String> {
    let odd = |c: char| matches!(c, '/' | ':' | '%' | '\0' | '\u{b}') || c.is_ascii_whitespace();
    if name.is_empty() {
        Some("is empty".to_owned())
    } else if name.len() > DEVICE_NAME_MAX {
        Some(format!("has {} bytes; the kernel allows {DEVICE_NAME_MAX}", name.len()))
    } else if matches!(name, "." | "..") {
        Some("stands for a directory".to_owned())
    } else {
        name.find(odd).map(|at| format!("has a character at byte {at} that the kernel does not allow"))
    }
}

/// Opens the device in the calling thread's namespace and returns it with its index there.
fn open_here(name: &DeviceName, options: TunOptions) -> io::Result<(OwnedFd, u32)> {
    // Attaching to a device that somebody else made persistent would succeed: refuse it here.
    if nix::net::if_::if_nametoindex(name.as_str()).is_ok() {
        let already = format!("a device named {name} exists in the namespace");
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, already));
    }
    let Offload::None = options.offload;
    let file = match options.opener {
        Opener::Direct => open_direct(name)?,
        #[cfg(feature = "tokio")]
        Opener::TokioTun => open_with_tokio_tun(name)?,
    };
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    sys::set_mtu(&socket, name, options.mtu)?;
    sys::set_queue_length(&socket, name, options.txqueuelen)?;
    Ok((file, nix::net::if_::if_nametoindex(name.as_str())?))
}

fn open_direct(name: &DeviceName) -> io::Result<OwnedFd> {
    // The standard library adds O_CLOEXEC.
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(DEVICE)?;
    sys::tun_set_interface(&file, name, libc::IFF_TUN | libc::IFF_NO_PI)?;
    Ok(file.into())
}

/// Lets tokio-tun make the device, then takes it out of the reactor that tokio-tun needs while building: a worker
/// waits for the device in its own reactor, and one that nobody drives would be woken for every packet.
///
/// tokio-tun leaks descriptors when a build fails, so the caller has ruled out the failures that can be foreseen.
#[cfg(feature = "tokio")]
fn open_with_tokio_tun(name: &DeviceName) -> io::Result<OwnedFd> {
    let reactor = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = reactor.enter();
    let built = tokio_tun::Tun::builder().name(name.as_str()).build();
    let device = built.map_err(io::Error::other)?.pop().ok_or(io::ErrorKind::NotFound)?;
    sys::descriptor_of(&device).try_clone_to_owned()
}

const DEVICE: &str = "/dev/net/tun";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_over_fifteen_bytes_is_refused_with_its_length() {
        let refused = DeviceName::new("interface-number-1").expect_err("too long");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("18 bytes; the kernel allows 15"), "{refused}");
        assert_eq!(DeviceName::new("fifteen-bytes-x").expect("fits").as_str(), "fifteen-bytes-x");
    }

    #[test]
    fn names_the_kernel_would_misread_are_refused() {
        for name in ["", ".", "..", "a/b", "a:b", "eth 0", "eth%d", "eth\t", "a\0"] {
            assert!(DeviceName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_kernels_codes_tell_gone_from_down() {
        let of = |code| trouble(&io::Error::from_raw_os_error(code));
        assert_eq!(of(libc::EBADFD), Trouble::Gone);
        assert_eq!(of(libc::EIO), Trouble::Down);
        assert_eq!(of(libc::EINVAL), Trouble::Other);
        assert_eq!(trouble(&io::Error::other("ours")), Trouble::Other);
    }
}
