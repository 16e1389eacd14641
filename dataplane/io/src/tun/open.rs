//! Opening a device in the calling thread's namespace.

use std::fs::OpenOptions;
use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;

use super::limits::{self, Limits};
use super::{DeviceName, Header, Offload, Opener, Queues, Tun, TunOptions, qdisc};
use crate::steering::Program;
use crate::sys;

/// Opens the device; the result's `options` say which offload level and which queues the kernel granted.
pub(super) fn open_here(name: DeviceName, options: TunOptions) -> io::Result<Tun> {
    // Attaching to a device that somebody else made persistent would succeed: refuse it here.
    if nix::net::if_::if_nametoindex(name.as_str()).is_ok() {
        let already = format!("a device named {name} exists in the namespace");
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, already));
    }
    let opened = match options.opener {
        Opener::Direct => open_direct(&name, options)?,
        #[cfg(feature = "tokio")]
        Opener::TokioTun => open_with_tokio_tun(&name)?,
    };
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    sys::set_mtu(&socket, &name, options.mtu)?;
    sys::set_queue_length(&socket, &name, options.txqueuelen)?;
    let index = nix::net::if_::if_nametoindex(name.as_str())?;
    let Opened { first, others, refused, header, offload, limits } = opened;
    let queues = if others.is_empty() { Queues::One } else { options.queues };
    let options = TunOptions { offload, queues, ..options };
    Ok(Tun { first, others, refused, header, limits, name, index, options })
}

/// A device's descriptors and what it can do.
struct Opened {
    first: OwnedFd,
    others: Vec<OwnedFd>,
    refused: Option<io::Error>,
    header: Header,
    offload: Offload,
    limits: Limits,
}

fn open_direct(name: &DeviceName, options: TunOptions) -> io::Result<Opened> {
    let (others, refused, first) = match options.queues {
        Queues::PerWorker { workers: 2.., seed } => match open_steered(name, options.queues.count(), seed) {
            Ok((first, others)) => (others, None, first),
            Err(refused) => (Vec::new(), Some(refused), open_single(name)?),
        },
        Queues::PerWorker { .. } | Queues::One => (Vec::new(), None, open_single(name)?),
    };
    // What a device leaves to its reader is the same for all queues. A kernel that can give UDP super-packets can take them.
    let best = grant(&first, Offload::TcpUdp)?;
    let offload = if options.offload < best { grant(&first, options.offload)? } else { best };
    let udp = if best == Offload::TcpUdp { limits::UDP } else { 1 };
    let limits = Limits::new(limits::TCP, udp);
    Ok(Opened { first, others, refused, header: Header::Vnet, offload, limits })
}

/// Opens a device with a queue for each worker, none of which has seen a packet before the program chooses.
fn open_steered(name: &DeviceName, workers: u16, seed: u64) -> io::Result<(OwnedFd, Vec<OwnedFd>)> {
    let program = Program::load(workers, seed)?;
    let first = open_queue(name, libc::IFF_MULTI_QUEUE)?;
    // The kernel numbers queues in the order in which they come.
    let others = (1..workers).map(|_| open_queue(name, libc::IFF_MULTI_QUEUE)).collect::<io::Result<_>>()?;
    program.attach(&first)?;
    qdisc::leave_out(nix::net::if_::if_nametoindex(name.as_str())?)?;
    Ok((first, others))
}

/// Opens a device with one queue, and with a program that says so: without one, the kernel keeps a table of flows for the
/// device as soon as receive packet steering is in use anywhere on the machine, and hashes every packet for it.
fn open_single(name: &DeviceName) -> io::Result<OwnedFd> {
    let only = open_queue(name, 0)?;
    // Without the program the device does the same, more slowly.
    let _ = Program::load_first_queue().and_then(|program| program.attach(&only));
    Ok(only)
}

fn open_queue(name: &DeviceName, more: libc::c_int) -> io::Result<OwnedFd> {
    // The standard library adds O_CLOEXEC.
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(DEVICE)?;
    sys::tun_set_interface(&file, name, libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR | more)?;
    Ok(file.into())
}

/// The highest level up to `wanted` that the kernel accepts, now set.
fn grant(file: &OwnedFd, wanted: Offload) -> io::Result<Offload> {
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
    let first = sys::descriptor_of(&device).try_clone_to_owned()?;
    let (header, offload, limits) = (Header::None, Offload::None, Limits::new(1, 1));
    Ok(Opened { first, others: Vec::new(), refused: None, header, offload, limits })
}

const DEVICE: &str = "/dev/net/tun";
