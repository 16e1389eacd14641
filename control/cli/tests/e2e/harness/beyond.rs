//! Networks behind instances and hosts that forward, where every packet that leaves the lab is verified in user space.
//!
//! A receiving socket does not notice a wrong partial checksum. A device without offloads does: before a packet leaves by it,
//! the kernel cuts super-packets and completes checksums from what it was given.

use std::fs;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use io::{Netns, Offload, Tun, TunOptions};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use wire::testing::verify;
use wire::{Buffer, Parsed};

use super::lab::Lab;
use super::program::Program;
use super::sockets::Instance;
use super::unique_name;

/// How long `ip` may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the relay looks whether it shall end, in milliseconds.
const LOOK: u16 = 50;

/// A namespace with one device, and the test in between: it carries packets to and from a device without offloads in the place
/// that forwards.
#[derive(Debug)]
pub(crate) struct Beyond {
    namespace: String,
    stop: Arc<AtomicBool>,
    relay: Option<JoinHandle<Seen>>,
}

/// What came out of the lab.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<Parsed>);

impl Beyond {
    /// Opens a network that has these addresses behind a place that forwards. The MTUs are those of the device in the place and
    /// of the one behind.
    pub(crate) fn new(lab: &Lab, place: &str, addresses: &[&str], mtus: [u16; 2]) -> Self {
        let name = unique_name();
        // A program that another test starts holds what this process has open for a moment, hence no name is used again.
        let link = name.replace("e2e", "to");
        let behind = Netns::create(&name).expect("root may make a namespace");
        let mut beyond = Self { namespace: name, stop: Arc::default(), relay: None };
        let place = lab.namespace(place);
        let near = Netns::open(&place).expect("the lab has the place");
        let [near, far] = [(&near, &*link, mtus[0]), (&behind, "eth0", mtus[1])].map(|(netns, name, mtu)| {
            let options = TunOptions { mtu, offload: Offload::None, ..TunOptions::default() };
            Tun::open(netns, name, options).expect("root may open a device")
        });
        beyond.quiet();
        ip(&place, &format!("link set {link} up"));
        ip(&beyond.namespace, "link set eth0 up");
        for address in addresses {
            ip(&beyond.namespace, &format!("address add {address} dev eth0"));
            ip(&place, &format!("route replace {address} dev {link}"));
        }
        for family in ["-4", "-6"] {
            ip(&beyond.namespace, &format!("{family} route add default dev eth0"));
        }
        let stop = Arc::clone(&beyond.stop);
        beyond.relay = Some(thread::spawn(move || relay(&near, &far, &stop)));
        beyond
    }

    /// The same, but with the address of the place itself, which from now on forwards what was its own: so come packets whose
    /// destination a gateway has translated.
    pub(crate) fn instead(lab: &Lab, place: &str, address: &str, mtu: u16) -> Self {
        lab.exec(place, &["sysctl", "-w", "net.ipv4.ip_forward=1"]).ok();
        let namespace = lab.namespace(place);
        ip(&namespace, "address flush dev eth0 scope global");
        // The default route had the address as its source.
        ip(&namespace, "route replace default dev eth0");
        Self::new(lab, place, &[address], [mtu; 2])
    }

    /// Where sockets behind the place are made.
    pub(crate) fn instance(&self) -> Instance {
        Instance::of_namespace(&self.namespace)
    }

    /// Closes it.
    pub(crate) fn finish(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let relay = self.relay.take().expect("it runs until here");
        relay.join().expect("every packet was right")
    }

    /// No packet that nobody asked for: no link-local address (1 is "none"), no address probe.
    fn quiet(&self) {
        self.instance().inside(|| {
            for (parameter, value) in [("addr_gen_mode", "1"), ("accept_dad", "0")] {
                let path = format!("/proc/sys/net/ipv6/conf/eth0/{parameter}");
                fs::write(path, value).expect("the kernel has IPv6");
            }
        });
    }
}

impl Drop for Beyond {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Best effort: a relay that is still here belongs to a test that has failed already.
        let _ = self.relay.take().map(JoinHandle::join);
        let _ = Netns::delete(&self.namespace);
    }
}

impl Seen {
    /// Length of the longest packet of a protocol to this address, and how many have it.
    pub(crate) fn longest(&self, protocol: u8, to: IpAddr) -> (u32, usize) {
        let its = |packet: &&Parsed| (packet.tuple.proto, packet.tuple.dst) == (protocol, to);
        let longest = self.0.iter().filter(its).map(|packet| packet.length).max().unwrap_or(0);
        (longest, self.0.iter().filter(its).filter(|packet| packet.length == longest).count())
    }
}

fn relay(near: &Tun, far: &Tun, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut packet = Buffer::default();
    while !stop.load(Ordering::Relaxed) {
        let mut devices = [near, far].map(|tun| PollFd::new(tun.as_fd(), PollFlags::POLLIN));
        poll(&mut devices, PollTimeout::from(LOOK)).expect("both are open");
        while near.read(0, &mut packet).expect("the place has its device").is_some() {
            let parsed = wire::parse(packet.bytes()).expect("the kernel sends packets");
            verify(packet.bytes()).unwrap_or_else(|wrong| panic!("{parsed} left the lab, but {wrong}"));
            seen.0.push(parsed);
            far.write(0, &mut packet).expect("the device behind is up");
        }
        while far.read(0, &mut packet).expect("the device is ours").is_some() {
            near.write(0, &mut packet).expect("the place's device is up");
        }
    }
    seen
}

fn ip(namespace: &str, arguments: &str) {
    let mut command = Command::new("ip");
    command.args(["-n", namespace]).args(arguments.split(' '));
    Program::run(command, PATIENCE).ok();
}
