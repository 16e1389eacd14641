//! Every system call that the safe wrappers in use do not offer: one call per unsafe block.
#![expect(unsafe_code, reason = "no safe wrapper in use makes these calls")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

#[cfg(feature = "tokio")]
use std::os::fd::BorrowedFd;
#[cfg(feature = "tokio")]
use tokio::io::{Interest, unix::AsyncFd};

use crate::tun::DeviceName;

/// Makes `file`, a fresh descriptor of `/dev/net/tun`, a queue of the device `name`: the only one, or the next with
/// `IFF_MULTI_QUEUE` among the flags.
///
/// The device appears in the network namespace of the thread that opened the descriptor.
pub(crate) fn tun_set_interface(file: &impl AsFd, name: &DeviceName, flags: libc::c_int) -> io::Result<()> {
    let mut request = interface_request(name);
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: `fd` is open while `file` is borrowed; TUNSETIFF reads and writes one `ifreq`, which `request` is.
    done(unsafe { libc::ioctl(fd, libc::TUNSETIFF, &raw mut request) })
}

/// Says what work the device may leave to the reader of its packets: a mask of `TUN_F_*`.
pub(crate) fn tun_set_offload(file: &impl AsFd, mask: libc::c_uint) -> io::Result<()> {
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: `fd` is open while `file` is borrowed; TUNSETOFFLOAD takes its argument by value.
    done(unsafe { libc::ioctl(fd, libc::TUNSETOFFLOAD, libc::c_ulong::from(mask)) })
}

/// Sets the MTU of `name` in the namespace `socket` was made in.
pub(crate) fn set_mtu(socket: &impl AsFd, name: &DeviceName, bytes: u16) -> io::Result<()> {
    let mut request = interface_request(name);
    request.ifr_ifru.ifru_mtu = libc::c_int::from(bytes);
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `fd` is open while `socket` is borrowed; SIOCSIFMTU reads one `ifreq`, which `request` is.
    done(unsafe { libc::ioctl(fd, libc::SIOCSIFMTU, &raw const request) })
}

/// Sets how many packets may wait in the device for a reader, in the namespace `socket` was made in.
pub(crate) fn set_queue_length(socket: &impl AsFd, name: &DeviceName, packets: u32) -> io::Result<()> {
    let mut request = interface_request(name);
    // `ifr_qlen` is another name for the integer that libc calls `ifru_metric`.
    request.ifr_ifru.ifru_metric = libc::c_int::try_from(packets).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `fd` is open while `socket` is borrowed; SIOCSIFTXQLEN reads one `ifreq`, which `request` is.
    done(unsafe { libc::ioctl(fd, libc::SIOCSIFTXQLEN, &raw const request) })
}

/// The descriptor of something that only offers its number.
#[cfg(feature = "tokio")]
pub(crate) fn descriptor_of(device: &tokio_tun::Tun) -> BorrowedFd<'_> {
    // SAFETY: tokio-tun closes the descriptor when the device is dropped and not before, and the result cannot
    // outlive the borrow of the device.
    unsafe { BorrowedFd::borrow_raw(device.as_raw_fd()) }
}

/// Something that owns one descriptor, which stays open and the same as long as it lives.
#[cfg(feature = "tokio")]
pub(crate) trait KeepsDescriptor: AsRawFd {}

#[cfg(feature = "tokio")]
impl KeepsDescriptor for std::sync::Arc<crate::tun::Tun> {}

#[cfg(feature = "tokio")]
impl KeepsDescriptor for crate::poller::Waker {}

/// Registers `file` with the reactor of the tokio runtime the caller has entered.
#[cfg(feature = "tokio")]
pub(crate) fn watch<T: KeepsDescriptor>(file: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: `KeepsDescriptor` is what the call asks for; its two implementors hold the descriptor as an owned,
    // private field that nothing replaces.
    let watched = unsafe { AsyncFd::register_with_interest(file, interest) };
    watched.map_err(Into::into)
}

/// Runs `prepare` in the child between fork and exec.
///
/// `prepare` must not allocate, lock or panic: other threads of the parent may have held any lock at the fork.
pub(crate) fn before_exec(
    command: &mut Command,
    prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the one caller passes a closure that makes system calls over data prepared before the fork, and
    // nothing else; these calls are safe after a fork.
    unsafe { command.pre_exec(prepare) };
}

fn interface_request(name: &DeviceName) -> libc::ifreq {
    let mut ifr_name = [0; libc::IFNAMSIZ];
    for (to, from) in ifr_name.iter_mut().zip(name.as_str().bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    libc::ifreq { ifr_name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_map: NO_MAP } }
}

/// The largest member of the request's union, so that all its bytes are zero.
const NO_MAP: libc::__c_anonymous_ifru_map =
    libc::__c_anonymous_ifru_map { mem_start: 0, mem_end: 0, base_addr: 0, irq: 0, dma: 0, port: 0 };

fn done(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
