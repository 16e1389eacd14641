//! What guests leave to their devices, and devices to us, changes nothing for the programs.

use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};

use crate::harness::{LATE, Lab, datagrams_in_one_call, echo_tcp, echo_udp};
use crate::reach::{A_1, B_1, PAIR, talk};

/// An instance and its addresses.
type Host = (&'static str, [&'static str; 2]);

/// Whose interface takes 1500 bytes.
const SMALL: Host = ("b-small", ["10.50.2.20", "2600:1f18:50:1002::20"]);

/// Rules: MT-01
#[test]
fn tcp_and_udp_pass_with_offloads_on_and_off_on_either_side() {
    let lab = Lab::up(PAIR);
    for (near, far) in [("on", "on"), ("on", "off"), ("off", "on"), ("off", "off")] {
        lab.set_offloads(A_1.0, near);
        lab.set_offloads(B_1.0, far);
        for (from, to) in [(A_1, B_1), (B_1, A_1)] {
            talk(&lab, from, to);
            datagrams(&lab, from, to, 1_000);
        }
    }
    lab.finish(&[LATE]);
}

/// Rules: MT-05, MT-09
#[test]
fn both_ways_between_mtus_of_1500_and_9001() {
    let lab = Lab::up(PAIR);
    for offloads in ["on", "off"] {
        lab.set_offloads(A_1.0, offloads);
        lab.set_offloads(SMALL.0, offloads);
        for (from, to) in [(A_1, SMALL), (SMALL, A_1)] {
            let (client, server) = (lab.instance(from.0), lab.instance(to.0));
            for target in addresses(to) {
                echo_tcp(&client, &server, SocketAddr::new(target, 7), 2_000_000);
            }
            datagrams(&lab, from, to, 1_400);
        }
    }
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 0..=1_000)]);
}

/// A super-packet is too big when its segments are: one answer, and the sender's kernel knows the path.
///
/// Rules: MT-05
#[test]
fn segments_that_do_not_fit_are_answered_by_the_router() {
    let lab = Lab::up(PAIR);
    let (client, server) = (lab.instance(A_1.0), lab.instance(SMALL.0));
    for (source, target) in addresses(A_1).zip(addresses(SMALL)) {
        let socket = client.udp(source, 0);
        socket.connect(SocketAddr::new(target, 7)).expect("there is a route");
        setsockopt(&socket, UdpGsoSegment, &2_800).expect("the kernel can cut datagrams");
        // Together no longer than the interface's MTU, or the kernel would clear "don't fragment".
        socket.send(&[1; 8_400]).expect("the first are taken");
        lab.settled();
        // The error is told once; then the kernel knows that such segments do not fit.
        let refused = (0..2).map(|_| socket.send(&[1; 8_400])).any(|sent| sent.is_err());
        assert!(refused, "the sender has learnt the path MTU to {target}");
        echo_udp(&client, source, &server, SocketAddr::new(target, 7), &[1_400]);
    }
    assert_eq!(lab.settled().originated, 2, "one answer in each family");
    lab.finish(&[("PACKET_TOO_BIG", 6..=6)]);
}

/// Rules: MT-01
#[test]
fn a_device_of_the_portable_backend_gets_whole_packets() {
    let lab = Lab::up_with(PAIR, &["--io", "tokio"]);
    for (from, to) in [(A_1, B_1), (B_1, A_1)] {
        talk(&lab, from, to);
        datagrams(&lab, from, to, 1_000);
    }
    lab.finish(&[LATE]);
}

/// Twenty datagrams in one call, in each family.
fn datagrams(lab: &Lab, from: Host, to: Host, size: i32) {
    let (client, server) = (lab.instance(from.0), lab.instance(to.0));
    for (source, target) in addresses(from).zip(addresses(to)) {
        let listening = server.udp(target, 8);
        datagrams_in_one_call(&client, source, &listening, SocketAddr::new(target, 8), size, 20);
    }
}

fn addresses(host: Host) -> impl Iterator<Item = IpAddr> {
    host.1.into_iter().map(|address| address.parse().expect("an address"))
}
