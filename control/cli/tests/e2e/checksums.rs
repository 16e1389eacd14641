//! Checksums behind an instance that forwards: every packet is verified where it leaves by a device without offloads.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use wire::proto::{TCP, UDP};

use crate::harness::{Beyond, LATE, Lab, address, datagrams_in_one_call, echo_tcp, eventually};

const BEHIND: &str = include_str!("labs/behind.yaml");

const FORWARDER: &str = "middle-1";

/// Who is behind it.
const FAR: [&str; 2] = ["192.0.2.2", "2001:db8:2::2"];

/// Who is behind `sender-1`.
const NEAR: [&str; 2] = ["198.18.0.2", "2001:db8:18::2"];

const MEGABYTE: usize = 1 << 20;

/// An instance that forwards tells its links which IPv6 multicast groups it has joined, and a VPC has no multicast.
const JOINS: (&str, RangeInclusive<u64>) = ("BROADCAST_OR_MULTICAST", 0..=8);

/// An instance, its addresses, and its MTU.
struct Sender {
    name: &'static str,
    addresses: [&'static str; 2],
    mtu: u16,
}

const SENDERS: [Sender; 2] = [
    Sender { name: "sender-1", addresses: ["10.58.1.10", "2600:1f18:58:1001::10"], mtu: 9001 },
    Sender { name: "sender-2", addresses: ["10.58.1.20", "2600:1f18:58:1001::20"], mtu: 1500 },
];

/// Rules: AD-24, RT-11, MT-01
#[test]
fn they_are_right_behind_an_instance_that_forwards() {
    let lab = Lab::up(BEHIND);
    let [jumbo, small] = SENDERS;
    for (sender, mtu) in [(&jumbo, 9001), (&small, 9001), (&small, 1500)] {
        for offloads in [["on", "on"], ["on", "off"], ["off", "on"], ["off", "off"]] {
            lab.set_offloads(sender.name, offloads[0]);
            lab.set_offloads(FORWARDER, offloads[1]);
            let beyond = Beyond::new(&lab, FORWARDER, &FAR, [mtu, mtu]);
            talk(&lab, sender, &beyond, sender.mtu);
            let seen = beyond.finish();
            for to in FAR.map(address) {
                // TCP fills the sender's MTU, datagrams are odd and a byte or two less.
                let (longest, count) = seen.longest(TCP, to);
                assert_eq!(longest, u32::from(sender.mtu), "{to} {mtu} {offloads:?}");
                assert!(count > 50, "{count} full segments of a megabyte to {to}");
                assert!(seen.longest(UDP, to).0 + 3 > u32::from(sender.mtu), "{to} {mtu} {offloads:?}");
            }
        }
    }
    lab.finish(&[JOINS, LATE]);
}

/// Rules: AD-24, RT-11
#[test]
fn super_packets_are_what_the_forwarder_gets() {
    let lab = Lab::up(BEHIND);
    let beyond = Beyond::new(&lab, FORWARDER, &FAR, [9001; 2]);
    let mut capture = lab.capture(FORWARDER, "greater 9100");
    talk(&lab, &SENDERS[0], &beyond, 9001);
    for to in FAR {
        capture.wait_for(&format!("{to}.7: Flags"));
        capture.wait_for(&format!("{to}.8: UDP, length"));
    }
    beyond.finish();
    lab.finish(&[JOINS, LATE]);
}

/// Rules: AD-24, RT-11, MT-09
#[test]
fn they_are_right_when_the_forwarder_answers_what_does_not_fit() {
    let lab = Lab::up(BEHIND);
    let [sender, _] = &SENDERS;
    for offloads in ["on", "off"] {
        lab.set_offloads(sender.name, offloads);
        forget_paths(&lab, sender.name);
        // Whoever is behind announces segments that do not fit into the link.
        let beyond = Beyond::new(&lab, FORWARDER, &FAR, [1500, 9001]);
        for (to, port) in FAR.into_iter().zip([5, 6]) {
            let to = SocketAddr::new(address(to), port);
            echo_tcp(&lab.instance(sender.name), &beyond.instance(), to, MEGABYTE);
            path_is_known(&lab, sender.name, to.ip());
        }
        forget_paths(&lab, sender.name);
        for (from, to) in sender.addresses.into_iter().zip(FAR) {
            too_long_datagrams(&lab, (sender.name, address(from)), address(to));
            path_is_known(&lab, sender.name, address(to));
        }
        talk(&lab, sender, &beyond, 1500);
        let seen = beyond.finish();
        for to in FAR.map(address) {
            let (longest, count) = seen.longest(TCP, to);
            assert_eq!(longest, 1500, "{to} {offloads}");
            assert!(count > 500, "{count} full segments of a megabyte to {to}");
        }
    }
    assert_eq!(lab.settled().originated, 0, "nothing was too long inside the lab");
    lab.finish(&[JOINS, LATE]);
}

/// Packets that come whole are joined on their way, those of an instance's own programs were so from the beginning.
///
/// Rules: AD-24, RT-11
#[test]
fn they_are_right_when_packets_come_whole_and_are_joined() {
    let lab = Lab::up(BEHIND);
    let far = Beyond::new(&lab, FORWARDER, &FAR, [9001, 1500]);
    let near = Beyond::new(&lab, SENDERS[0].name, &NEAR, [9001, 1500]);
    let capture = lab.capture(FORWARDER, "greater 1600");
    for (from, to) in NEAR.into_iter().zip(FAR) {
        let (near, far) = (near.instance(), far.instance());
        echo_tcp(&near, &far, SocketAddr::new(address(to), 7), MEGABYTE);
        let listening = far.udp(address(to), 8);
        datagrams_in_one_call(&near, address(from), &listening, SocketAddr::new(address(to), 8), 1_001, 40);
    }
    assert!(!capture.packets().is_empty(), "nothing was joined");
    for (seen, to) in [(far.finish(), FAR), (near.finish(), NEAR)] {
        for to in to.map(address) {
            assert_eq!(seen.longest(TCP, to).0, 1500, "{to}");
        }
    }
    lab.finish(&[JOINS, LATE]);
}

/// A megabyte of TCP there and back, and datagrams handed over in one call: short ones and the longest odd ones that fit.
fn talk(lab: &Lab, sender: &Sender, beyond: &Beyond, mtu: u16) {
    let (client, server) = (lab.instance(sender.name), beyond.instance());
    for (from, to) in sender.addresses.map(address).into_iter().zip(FAR.map(address)) {
        echo_tcp(&client, &server, SocketAddr::new(to, 7), MEGABYTE);
        let headers = if to.is_ipv4() { 28 } else { 48 };
        let listening = server.udp(to, 8);
        for (size, count) in [(33, 60), ((i32::from(mtu) - headers - 1) | 1, 6)] {
            datagrams_in_one_call(&client, from, &listening, SocketAddr::new(to, 8), size, count);
        }
    }
}

/// Sends datagrams that do not fit until the sender's kernel refuses them.
fn too_long_datagrams(lab: &Lab, (name, from): (&str, IpAddr), to: IpAddr) {
    let socket = lab.instance(name).udp(from, 0);
    socket.connect(SocketAddr::new(to, 9)).expect("there is a route");
    setsockopt(&socket, UdpGsoSegment, &2_801).expect("the kernel can cut datagrams");
    // Together no longer than the interface's MTU, or the kernel would clear "don't fragment".
    eventually("the sender has learnt the path MTU", Duration::from_secs(10), || {
        socket.send(&[1; 8_403]).is_err()
    });
}

fn path_is_known(lab: &Lab, name: &str, to: IpAddr) {
    lab.exec(name, &["ip", "route", "get", &to.to_string()]).ok().says("mtu 1500");
}

fn forget_paths(lab: &Lab, name: &str) {
    for family in ["-4", "-6"] {
        lab.exec(name, &["ip", family, "route", "flush", "cache"]).ok();
    }
}
