//! Opening a device in the calling thread's namespace.

use std::fs::OpenOptions;
use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;

use super::limits::{self, Limits};
use super::{DeviceName, Header, Offload, Opener, Tun, TunOptions};
use crate::sys;

/// Opens the device; the result's `options` say which offload level the kernel granted.
pub(super) fn open_here(name: DeviceName, options: TunOptions) -> io::Result<Tun> {
    // Attaching to a device that somebody else made persistent would succeed: refuse it here.
    if nix::net::if_::if_nametoindex(name.as_str()).is_ok() {
        let already = format!("a device named {name} exists in the namespace");
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, already));
    }
    let opened = match options.opener {
        Opener::Direct => open_direct(&name, options.offload)?,
        #[cfg(feature = "tokio")]
        Opener::TokioTun => open_with_tokio_tun(&name)?,
    };
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    sys::set_mtu(&socket, &name, options.mtu)?;
    sys::set_queue_length(&socket, &name, options.txqueuelen)?;
    let index = nix::net::if_::if_nametoindex(name.as_str())?;
    let Opened { file, header, offload, limits } = opened;
    Ok(Tun { file, header, limits, name, index, options: TunOptions { offload, ..options } })
}

/// A device's descriptor and what it can do.
struct Opened {
    file: OwnedFd,
    header: Header,
    offload: Offload,
    limits: Limits,
}

fn open_direct(name: &DeviceName, wanted: Offload) -> io::Result<Opened> {
    // The standard library adds O_CLOEXEC.
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(DEVICE)?;
    sys::tun_set_interface(&file, name, libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR)?;
    // A kernel that can give UDP super-packets can take them.
    let best = grant(&file, Offload::TcpUdp)?;
    let offload = if wanted < best { grant(&file, wanted)? } else { best };
    let udp = if best == Offload::TcpUdp { limits::UDP } else { 1 };
    Ok(Opened { file: file.into(), header: Header::Vnet, offload, limits: Limits::new(limits::TCP, udp) })
}

/// The highest level up to `wanted` that the kernel accepts, now set.
fn grant(file: &std::fs::File, wanted: Offload) -> io::Result<Offload> {
    let mut answer = Ok(Offload::None);
    for level in Offload::ALL.into_iter().filter(|level| *level <= wanted) {
        answer = sys::tun_set_offload(file, level.mask()).map(|()| level);
        if answer.is_ok() {
            break;
        }
    }
    answer
}

/// Lets tokio-tun make the device, then takes it out of the reactor that tokio-tun needs while building: a worker
/// waits for the device in its own reactor, and one that nobody drives would be woken for every packet.
///
/// tokio-tun leaks descriptors when a build fails, so the caller has ruled out the failures that can be foreseen.
#[cfg(feature = "tokio")]
fn open_with_tokio_tun(name: &DeviceName) -> io::Result<Opened> {
    let reactor = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = reactor.enter();
    let built = tokio_tun::Tun::builder().name(name.as_str()).build();
    let device = built.map_err(io::Error::other)?.pop().ok_or(io::ErrorKind::NotFound)?;
    let file = sys::descriptor_of(&device).try_clone_to_owned()?;
    Ok(Opened { file, header: Header::None, offload: Offload::None, limits: Limits::new(1, 1) })
}

const DEVICE: &str = "/dev/net/tun";
