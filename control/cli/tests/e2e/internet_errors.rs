//! ICMP errors through the internet gateway: who hears of what did not arrive, and by which address.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crate::harness::{LATE, Lab, NOTHING, address, echo_udp_at, up};
use crate::internet::{CLIENT, INTERNET, LAPTOP, Place, SERVER};

/// The router of subnet `public`.
const ROUTER: [&str; 2] = ["10.54.1.1", "2600:1f18:54:1001::1"];

/// A sender learns that nothing listens only if the error quotes the packet as it was sent.
///
/// Rules: IG-02, OR-06, OR-07, MT-09
#[test]
fn a_closed_port_is_told_in_both_directions() {
    let lab = up(INTERNET);
    for (from, to) in [(CLIENT, LAPTOP), (LAPTOP, SERVER), (CLIENT, SERVER)] {
        for (own, target) in [(from.own, to.seen), (from.v6, to.v6)] {
            let socket = lab.instance(from.name).udp(address(own), 0);
            socket.connect((target, 9)).expect("there is a route");
            socket.send(b"anybody").expect("it is taken");
            let refused = socket.recv(&mut [0; 16]).expect_err("nothing listens");
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{} to {target}", from.name);
        }
    }
    lab.finish(NOTHING);
}

/// Neither the VPC nor its gateway is a hop.
///
/// Rules: AD-26, IG-02
#[test]
fn traceroute_shows_the_target_as_the_first_hop() {
    let lab = up(INTERNET);
    for (from, to) in [(CLIENT, LAPTOP), (LAPTOP, SERVER)] {
        // A kernel answers only a few datagrams to closed ports a second.
        lab.exec(to.name, &["sysctl", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]).ok();
        for target in [to.seen, to.v6] {
            for kind in ["-U", "-I"] {
                let argv = ["traceroute", "-n", kind, "-N", "1", "-q", "2", "-w", "2", "-m", "5", target];
                let trace = lab.exec(from.name, &argv).ok();
                let hops: Vec<&str> = trace.stdout.lines().skip(1).collect();
                assert_eq!(hops.len(), 1, "{trace}");
                let mut words = hops[0].split_whitespace();
                assert_eq!((words.next(), words.next()), (Some("1"), Some(target)), "{trace}");
                assert!(!hops[0].contains('*'), "both probes are answered: {trace}");
            }
        }
    }
    lab.finish(NOTHING);
}

/// The gateway carries 1500 bytes and the instance's interface 9001: the router of its subnet says so.
///
/// Rules: MT-02, MT-03, MT-05, OR-06, OR-08
#[test]
fn what_is_too_long_for_the_internet_is_answered_by_the_router() {
    let lab = up(INTERNET);
    let ping = |target: &str| {
        let argv = ["ping", "-n", "-c", "3", "-i", "0.3", "-W", "1", "-M", "do", "-s", "3000", target];
        lab.exec(CLIENT.name, &argv).exits(1)
    };
    ping(LAPTOP.own).says(&format!("From {} icmp_seq=1 Frag needed and DF set (mtu = 1500)", ROUTER[0]));
    ping(LAPTOP.v6).says(&format!("From {} icmp_seq=1 Packet too big: mtu=1500", ROUTER[1]));
    for target in [LAPTOP.own, LAPTOP.v6] {
        lab.exec(CLIENT.name, &["ip", "route", "get", target]).ok().says("mtu 1500");
    }
    // After the first answer the kernel itself refuses.
    assert_eq!(lab.settled().originated, 2);
    lab.finish(&[("PACKET_TOO_BIG", 2..=2)]);
}

/// Rules: MT-02, MT-05, IG-02
#[test]
fn what_may_be_fragmented_is_and_passes_in_pieces() {
    let lab = up(INTERNET);
    let argv = ["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2", "-M", "dont", "-s", "3000", LAPTOP.own];
    lab.exec(CLIENT.name, &argv).ok().says("2 packets transmitted, 2 received, 0% packet loss");
    // A request of 3028 bytes becomes three packets; the host's reply comes in three as well.
    let counters = lab.settled();
    assert_eq!((counters.received, counters.fragments, counters.delivered), (8, 4, 12), "{counters:?}");
    lab.finish(NOTHING);
}

/// From outside, nothing of what is inside is known: the address that was written to says how long a packet may be.
///
/// Rules: MT-05, IG-02, OR-07, OR-08
#[test]
fn a_small_instance_is_discovered_from_outside() {
    let lab = up(&INTERNET.replace("server-1: { ", "server-1: { mtu: 1300, "));
    let ping = |target: &str| {
        let argv = ["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1400", target];
        lab.exec(LAPTOP.name, &argv).exits(1)
    };
    ping(SERVER.seen).says(&format!("From {} icmp_seq=1 Frag needed and DF set (mtu = 1300)", SERVER.seen));
    ping(SERVER.v6).says(&format!("From {} icmp_seq=1 Packet too big: mtu=1300", SERVER.v6));
    for target in [SERVER.seen, SERVER.v6] {
        lab.exec(LAPTOP.name, &["ip", "route", "get", target]).ok().says("mtu 1300");
    }
    lab.finish(&[("PACKET_TOO_BIG", 2..=2)]);
}

/// Rules: MT-10, MT-11, IG-02
#[test]
fn datagrams_larger_than_the_internet_arrive_whole() {
    let lab = up(INTERNET);
    for (from, to) in [(CLIENT, LAPTOP), (LAPTOP, SERVER)] {
        // Both kernels learn the path first, or the first datagram of each would be lost to it.
        for (asking, asked) in [(from, to), (to, from)] {
            learn(&lab, asking, asked.seen);
            learn(&lab, asking, asked.v6);
        }
        let (client, server) = (lab.instance(from.name), lab.instance(to.name));
        for (source, own, target) in [(from.own, to.own, to.seen), (from.v6, to.v6, to.v6)] {
            let target = SocketAddr::new(address(target), 7);
            echo_udp_at(&client, address(source), &server, address(own), target, &[3_000, 20_000, 60_000]);
        }
    }
    lab.finish(&[("PACKET_TOO_BIG", 0..=16)]);
}

/// The host announces segments that the internet does not carry, so only discovery makes the transfer work.
///
/// Rules: MT-05, MT-09, OR-06, OR-08
#[test]
fn tcp_finds_the_path_mtu() {
    let lab = up(INTERNET);
    for (family, target, segment) in [("-4", LAPTOP.own, "8961"), ("-6", LAPTOP.v6, "8941")] {
        let route =
            ["ip", family, "route", "replace", "default", "dev", "eth0", "src", target, "advmss", segment];
        lab.exec(LAPTOP.name, &route).ok();
        send_a_megabyte(&lab, SocketAddr::new(address(target), 9));
    }
    assert!(lab.settled().originated >= 2, "one answer in each family at least: {:?}", lab.settled());
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 2..=200)]);
}

/// A packet that is too long for the path tells its sender's kernel how long one may be.
fn learn(lab: &Lab, from: Place, target: &str) {
    lab.exec(from.name, &["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "3000", target]).exits(1);
}

fn send_a_megabyte(lab: &Lab, to: SocketAddr) {
    const BYTES: usize = 1 << 20;
    let listener = lab.instance(LAPTOP.name).listen(to.ip(), to.port());
    let receiving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("all comes, and the end");
        heard.len()
    });
    let mut stream = lab.instance(CLIENT.name).connect(to);
    stream.write_all(&vec![7; BYTES]).expect("all is taken");
    drop(stream);
    assert_eq!(receiving.join().expect("the receiver ends well"), BYTES);
}
