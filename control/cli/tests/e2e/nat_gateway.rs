//! NAT gateways: many to one, and only what answers comes back.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::harness::{
    Deadline, LATE, Lab, NOTHING, address, echo_tcp_at, echo_udp_at, ping, ping_well, records, rows, up,
};

pub(crate) const NAT: &str = include_str!("labs/nat.yaml");

/// A client inside, and its address.
pub(crate) const JOB: (&str, &str) = ("job-1", "10.56.2.10");

pub(crate) const JOB_V6: &str = "2600:1f18:56:1002::10";

/// The public NAT gateway: inside, and as the internet sees it.
pub(crate) const GATEWAY: (&str, &str) = ("10.56.1.5", "198.51.100.10");

/// A host, and its address.
pub(crate) const LAPTOP: (&str, &str) = ("laptop", "203.0.113.50");

/// The same host for who speaks IPv6 (NG-20).
pub(crate) const LAPTOP_V6: &str = "64:ff9b::cb00:7132";

/// What answers nothing that was sent.
pub(crate) const UNSOLICITED: &str = "NGW_UNSOLICITED";

pub(crate) fn port(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(self::address(address), port)
}

pub(crate) fn udp(lab: &Lab, (name, own): (&str, &str), port: u16) -> UdpSocket {
    lab.instance(name).udp(address(own), port)
}

/// The four kinds of records of the gateway, and the two of the client that show no trace of it.
///
/// Rules: OR-10, OR-11, NG-02, FL-44, FL-60, FL-61
#[test]
fn a_ping_over_the_gateway_has_six_records() {
    let lab = up(NAT);
    ping_well(&lab, JOB.0, LAPTOP.1);
    assert_eq!(
        records(lab, NOTHING),
        [
            "app/nat-a egress 10.56.1.5 10.56.2.10 203.0.113.50 10.56.2.10 ACCEPT 1 4 336",
            "app/nat-a egress 10.56.1.5 203.0.113.50 10.56.1.5 203.0.113.50 ACCEPT 8 4 336",
            "app/nat-a ingress 10.56.2.10 10.56.1.5 10.56.2.10 203.0.113.50 ACCEPT - 4 336",
            "app/nat-a ingress 203.0.113.50 10.56.1.5 203.0.113.50 10.56.1.5 ACCEPT - 4 336",
            "job-1.eth0 egress 10.56.2.10 203.0.113.50 10.56.2.10 203.0.113.50 ACCEPT 1 4 336",
            "job-1.eth0 ingress 203.0.113.50 10.56.2.10 203.0.113.50 10.56.2.10 ACCEPT - 4 336",
        ]
    );
}

/// The gateway lowers the segments that both ends announce, so that nothing is too long for the way (MT-08).
///
/// Rules: OR-10, OR-11, NG-05, MT-08
#[test]
fn tcp_and_udp_leave_under_the_gateways_address() {
    let lab = up(NAT);
    let (job, laptop) = (lab.instance(JOB.0), lab.instance(LAPTOP.0));
    for bytes in [1, 2_000_000] {
        let seen = echo_tcp_at(&job, &laptop, address(LAPTOP.1), port(LAPTOP.1, 7), bytes);
        assert!(seen.ip() == address(GATEWAY.1) && seen.port() >= 1024, "{seen}");
    }
    let to = port(LAPTOP.1, 7);
    let seen = echo_udp_at(&job, address(JOB.1), &laptop, address(LAPTOP.1), to, &[0, 1, 1_400]);
    assert!(seen.len() == 1 && seen.iter().all(|peer| peer.ip() == address(GATEWAY.1)), "{seen:?}");
    lab.finish(&[LATE]);
}

/// One inner socket has one outer port for each remote endpoint, and only that endpoint may answer there.
///
/// Rules: NG-06, NG-09, NG-12, NG-13
#[test]
fn mapping_and_filtering_depend_on_address_and_port() {
    let lab = up(NAT);
    let inner = udp(&lab, JOB, 4000);
    let remotes = [udp(&lab, LAPTOP, 53), udp(&lab, LAPTOP, 54), udp(&lab, ("phone", "203.0.113.60"), 53)];
    let mut buffer = [0; 16];
    let mut outer = Vec::new();
    for remote in &remotes {
        inner.send_to(b"question", remote.local_addr().expect("it is bound")).expect("it is taken");
        outer.push(remote.recv_from(&mut buffer).expect("it comes").1);
    }
    assert!(outer.iter().all(|seen| seen.ip() == address(GATEWAY.1)), "{outer:?}");
    for (at, remote) in remotes.iter().enumerate() {
        // Whoever else sends to the mapping of the first is not heard.
        remote.send_to(&[u8::try_from(at).expect("a few")], outer[0]).expect("it is taken");
    }
    let (length, from) = inner.recv_from(&mut buffer).expect("the right one is heard");
    assert_eq!((&buffer[..length], from), (&[0][..], remotes[0].local_addr().expect("it is bound")));
    inner.set_read_timeout(Some(Duration::from_millis(300))).expect("it is not zero");
    let silence = inner.recv(&mut buffer).expect_err("nobody else is heard");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);
    // Unless the gateway happened to take one port for several remote endpoints, which it may.
    lab.finish(&[(UNSOLICITED, 1..=2)]);
}

/// Two clients with one port each have a port of their own outside.
///
/// Rules: NG-06, NG-09
#[test]
fn clients_with_one_port_are_told_apart() {
    let lab = up(NAT);
    let clients = [udp(&lab, JOB, 4000), udp(&lab, ("job-2", "10.56.2.20"), 4000)];
    let remote = udp(&lab, LAPTOP, 53);
    let mut buffer = [0; 16];
    let mut seen = Vec::new();
    for (number, client) in (0_u8..).zip(&clients) {
        client.send_to(&[number], (LAPTOP.1, 53)).expect("it is taken");
        seen.push(remote.recv_from(&mut buffer).expect("it comes").1);
    }
    assert_ne!(seen[0], seen[1]);
    for (number, (client, peer)) in (0_u8..).zip(clients.iter().zip(seen)) {
        remote.send_to(&[number], peer).expect("it is taken");
        assert_eq!(client.recv(&mut buffer).map(|_| buffer[0]).expect("it comes"), number);
    }
    lab.finish(NOTHING);
}

/// A gateway answers to nobody, and has no group: what it does not want is ACCEPT in its log.
///
/// Rules: NG-12, NG-13, OR-11
#[test]
fn what_comes_unasked_is_logged_as_accepted_and_dropped() {
    let lab = up(NAT);
    ping(&lab, LAPTOP.0, GATEWAY.1).exits(1);
    assert_eq!(
        records(lab, &[(UNSOLICITED, 4..=4)]),
        ["app/nat-a ingress 203.0.113.50 10.56.1.5 203.0.113.50 10.56.1.5 ACCEPT - 4 336"]
    );
}

/// Rules: NG-10, NG-11
#[test]
fn an_idle_connection_is_reset_towards_the_inside_only() {
    let lab = up(&NAT.replace("settings:\n", "settings:\n  nat: { idle_timeout: 2 }\n"));
    let listener = lab.instance(LAPTOP.0).listen(address(LAPTOP.1), 80);
    let mut inside = lab.instance(JOB.0).connect(port(LAPTOP.1, 80));
    let (mut outside, _) = listener.accept().expect("somebody connects");
    // Nothing tells from outside that the two seconds are over.
    Deadline::after(Duration::from_secs(4)).pass();
    inside.write_all(b"still there?").expect("the kernel takes it");
    let reset = inside.read(&mut [0; 16]).expect_err("there is no connection any more");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    outside.set_read_timeout(Some(Duration::from_millis(300))).expect("it is not zero");
    let silence = outside.read(&mut [0; 16]).expect_err("the other side hears nothing");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);
    lab.finish(&[("NGW_WITHOUT_TRANSLATION", 1..=1)]);
}

/// The gateway is a hop and shows its private address; the internet gateway is none.
///
/// Rules: AD-26, AD-27, NG-29
#[test]
fn traceroute_shows_the_private_address_of_the_gateway() {
    let lab = up(NAT);
    for kind in ["-U", "-I"] {
        let argv = ["traceroute", "-n", kind, "-N", "1", "-q", "1", "-w", "2", "-m", "5", LAPTOP.1];
        let trace = lab.exec(JOB.0, &argv).ok();
        let hops: Vec<_> =
            trace.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(hops, [GATEWAY.0, LAPTOP.1], "{trace}");
    }
    lab.finish(&[("TTL_EXCEEDED", 2..=2)]);
}

/// Up to the gateway the router of the client's subnet says how long a packet may be, beyond it the gateway.
///
/// Rules: MT-02, MT-05, MT-07
#[test]
fn path_mtu_discovery_works_on_both_legs() {
    let lab = up(NAT);
    let ping = |size: &str| {
        let argv = ["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", size, LAPTOP.1];
        lab.exec(JOB.0, &argv).exits(1)
    };
    ping("8800").says("From 10.56.2.1 icmp_seq=1 Frag needed and DF set (mtu = 8500)");
    ping("3000").says(&format!("From {} icmp_seq=1 Frag needed and DF set (mtu = 1500)", GATEWAY.0));
    lab.exec(JOB.0, &["ip", "route", "get", LAPTOP.1]).ok().says("mtu 1500");
    lab.finish(&[("PACKET_TOO_BIG", 2..=2)]);
}

/// Rules: NG-14, MT-10
#[test]
fn fragments_of_udp_pass_and_those_of_icmp_do_not() {
    let lab = up(NAT);
    let dont = ["ping", "-n", "-c", "1", "-W", "1", "-M", "dont", "-s", "9500", LAPTOP.1];
    lab.exec(JOB.0, &dont).exits(1);
    let fragments = lab.settled().dropped.get("NGW_FRAGMENT").copied().unwrap_or_default();
    assert!(fragments >= 1, "{}", lab.told());
    // The client's kernel learns the path first, or its first datagram would be lost to it.
    lab.exec(JOB.0, &["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "3000", LAPTOP.1]).exits(1);
    let (job, laptop) = (lab.instance(JOB.0), lab.instance(LAPTOP.0));
    let to = port(LAPTOP.1, 7);
    echo_udp_at(&job, address(JOB.1), &laptop, address(LAPTOP.1), to, &[3_000, 20_000, 60_000]);
    lab.finish(&[("NGW_FRAGMENT", fragments..=fragments), ("PACKET_TOO_BIG", 1..=1)]);
}

/// Rules: NG-29, MT-09
#[test]
fn a_closed_port_outside_is_told_inside() {
    let lab = up(NAT);
    let socket = udp(&lab, JOB, 0);
    socket.connect((LAPTOP.1, 9)).expect("there is a route");
    socket.send(b"anybody").expect("it is taken");
    let refused = socket.recv(&mut [0; 16]).expect_err("nothing listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    lab.finish(NOTHING);
}

/// The store has no route back: what it answers to a gateway returns over the connection that it came by.
///
/// Rules: OR-17, NG-03, NG-18, NG-23, FL-44, FL-60
#[test]
fn a_peer_without_a_route_back_answers_a_private_gateway() {
    let lab = up(NAT);
    ping_well(&lab, JOB.0, "10.57.1.10");
    ping(&lab, "store-1", JOB.1).exits(1);
    let names = lab.interface_names();
    let done = lab.finish(&[("NO_ROUTE_TO_DESTINATION", 4..=4)]);
    assert_eq!(
        rows(&done, "full.log", &names),
        [
            "app/nat-p egress 10.56.3.5 10.56.2.10 10.57.1.10 10.56.2.10 ACCEPT 1 4 336",
            "app/nat-p egress 10.56.3.5 10.57.1.10 10.56.3.5 10.57.1.10 ACCEPT 4 4 336",
            "app/nat-p ingress 10.56.2.10 10.56.3.5 10.56.2.10 10.57.1.10 ACCEPT - 4 336",
            "app/nat-p ingress 10.57.1.10 10.56.3.5 10.57.1.10 10.56.3.5 ACCEPT - 4 336",
            "job-1.eth0 egress 10.56.2.10 10.57.1.10 10.56.2.10 10.57.1.10 ACCEPT 1 4 336",
            "job-1.eth0 ingress 10.57.1.10 10.56.2.10 10.57.1.10 10.56.2.10 ACCEPT - 4 336",
        ]
    );
    assert_eq!(
        rows(&done, "store.log", &names),
        [
            "store-1.eth0 egress 10.57.1.10 10.56.2.10 10.57.1.10 10.56.2.10 ACCEPT - 4 336",
            "store-1.eth0 egress 10.57.1.10 10.56.3.5 10.57.1.10 10.56.3.5 ACCEPT 4 4 336",
            "store-1.eth0 ingress 10.56.3.5 10.57.1.10 10.56.3.5 10.57.1.10 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-17, NG-18
#[test]
fn tcp_passes_a_private_gateway_and_a_connection() {
    let lab = up(NAT);
    let (job, store) = (lab.instance(JOB.0), lab.instance("store-1"));
    let seen = echo_tcp_at(&job, &store, address("10.57.1.10"), port("10.57.1.10", 7), 500_000);
    assert_eq!(seen.ip(), address("10.56.3.5"));
    lab.finish(&[LATE]);
}

/// Each side has records of its own family, and packets of IPv6 have 20 bytes more.
///
/// Rules: NG-20, FL-60, FL-61
#[test]
fn who_speaks_ipv6_pings_a_host_without_it() {
    let lab = up(NAT);
    ping_well(&lab, JOB.0, LAPTOP_V6);
    let rows = records(lab, NOTHING);
    let (gateway, client): (Vec<&str>, Vec<&str>) =
        rows.iter().map(String::as_str).partition(|row| row.starts_with("app/nat-a "));
    assert_eq!(
        client,
        [
            "job-1.eth0 egress 2600:1f18:56:1002::10 64:ff9b::cb00:7132 2600:1f18:56:1002::10 64:ff9b::cb00:7132 ACCEPT 1 4 416",
            "job-1.eth0 ingress 64:ff9b::cb00:7132 2600:1f18:56:1002::10 64:ff9b::cb00:7132 2600:1f18:56:1002::10 ACCEPT - 4 416",
        ]
    );
    // What the gateway's own address is on the side where it has none is nobody's promise.
    let outside: Vec<&str> = gateway.iter().copied().filter(|row| row.ends_with(" 336")).collect();
    assert_eq!(
        outside,
        [
            "app/nat-a egress 10.56.1.5 203.0.113.50 10.56.1.5 203.0.113.50 ACCEPT 8 4 336",
            "app/nat-a ingress 203.0.113.50 10.56.1.5 203.0.113.50 10.56.1.5 ACCEPT - 4 336",
        ]
    );
    assert_eq!(gateway.len(), 4, "{gateway:#?}");
}

/// Rules: NG-20, NG-29
#[test]
fn tcp_and_udp_pass_between_the_families() {
    let lab = up(NAT);
    let (job, laptop) = (lab.instance(JOB.0), lab.instance(LAPTOP.0));
    let to = port(LAPTOP_V6, 7);
    assert_eq!(echo_tcp_at(&job, &laptop, address(LAPTOP.1), to, 1).ip(), address(GATEWAY.1));
    let seen = echo_udp_at(&job, address(JOB_V6), &laptop, address(LAPTOP.1), to, &[1, 1_400]);
    assert!(seen.iter().all(|peer| peer.ip() == address(GATEWAY.1)), "{seen:?}");
    let closed = udp(&lab, (JOB.0, JOB_V6), 0);
    closed.connect((LAPTOP_V6, 9)).expect("there is a route");
    closed.send(b"anybody").expect("it is taken");
    let refused = closed.recv(&mut [0; 16]).expect_err("nothing listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    lab.finish(&[LATE]);
}

/// Rules: NG-20
#[test]
fn many_bytes_pass_between_the_families() {
    let lab = up(NAT);
    let (job, laptop) = (lab.instance(JOB.0), lab.instance(LAPTOP.0));
    let seen = echo_tcp_at(&job, &laptop, address(LAPTOP.1), port(LAPTOP_V6, 7), 500_000);
    assert_eq!(seen.ip(), address(GATEWAY.1));
    lab.finish(&[LATE]);
}
