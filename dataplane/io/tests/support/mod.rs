//! Namespaces and devices for the tests, gone when the test ends, however it ends.
#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod writer;

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use vpclab_io::poller::BackendKind;
use vpclab_io::{Netns, Opener, Tun, TunOptions};

pub(crate) mod worker;

/// A network namespace of one test, without IPv6, so that no packet comes unasked.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) handle: Netns,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        let name = unique_name();
        let handle = Netns::create(&name).expect("create a namespace");
        let namespace = Self { name, handle };
        namespace.silence_ipv6();
        namespace
    }

    /// Opens `device`, gives it 10.9.`net`.1/24, and brings it up.
    pub(crate) fn device(&self, device: &str, net: u8, opener: Opener) -> Arc<Tun> {
        self.device_with(device, net, TunOptions { mtu: 1500, opener, ..TunOptions::default() })
    }

    /// The same with all options.
    pub(crate) fn device_with(&self, device: &str, net: u8, options: TunOptions) -> Arc<Tun> {
        let tun = Tun::open(&self.handle, device, options).expect("open a device");
        self.ip(&["address", "add", &format!("10.9.{net}.1/24"), "dev", device]);
        self.ip(&["link", "set", device, "up"]);
        Arc::new(tun)
    }

    /// A socket in the namespace.
    pub(crate) fn socket(&self) -> UdpSocket {
        self.handle.run(|| UdpSocket::bind(("0.0.0.0", 0))).expect("a socket in the namespace")
    }

    /// Runs `ip` on the namespace and returns what it printed.
    pub(crate) fn ip(&self, arguments: &[&str]) -> String {
        text(Command::new("timeout").args(["10", "ip", "-n", &self.name]).args(arguments))
    }

    /// Puts `/etc/netns/NAME/FILE` there.
    pub(crate) fn etc_file(&self, file: &str, content: &str) {
        let directory = self.etc();
        fs::create_dir_all(&directory).expect("create /etc/netns/NAME");
        fs::write(directory.join(file), content).expect("write a file for the namespace");
    }

    fn etc(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }

    fn silence_ipv6(&self) {
        let written = self.handle.run(|| fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"));
        written.expect("disable IPv6 in the namespace");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A test that deletes the name itself, or never wrote a file, leaves nothing to remove.
        let _ = Netns::delete(&self.name);
        let _ = fs::remove_dir_all(self.etc());
    }
}

/// A namespace name that no other test, program or earlier run uses.
pub(crate) fn unique_name() -> String {
    require_root();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("vpclab-io-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a command that has to succeed and returns what it printed.
pub(crate) fn text(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("start the command");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout.into_owned()
}

/// The payload of an IPv4 UDP packet.
pub(crate) fn udp_payload(packet: &[u8]) -> &[u8] {
    let header = usize::from(packet[0] & 15) * 4;
    assert_eq!((packet[0] >> 4, packet[9]), (4, 17), "no IPv4 UDP packet: {packet:02x?}");
    &packet[header + 8..]
}

/// The destination address of an IPv4 packet.
pub(crate) fn destination(packet: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19])
}

/// Every way to open a device.
pub(crate) fn openers() -> [Opener; 2] {
    [BackendKind::Epoll.opener(), BackendKind::Tokio.opener()]
}

fn require_root() {
    let status = fs::read_to_string("/proc/self/status").expect("read the process's own status");
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let root = user.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0");
    assert!(root, "this test makes network namespaces and devices: run it as root");
}
