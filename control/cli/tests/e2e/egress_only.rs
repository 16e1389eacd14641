//! The egress-only internet gateway: IPv6 goes out and is answered, and nothing else comes in.

use std::net::SocketAddr;
use std::time::Duration;

use crate::harness::{LATE, NOTHING, address, echo_tcp_at, echo_udp_at, ping, ping_well, records, up};
use crate::internet::{INTERNET, LAPTOP};

/// What is dropped that answers nothing.
const UNASKED: &str = "EIGW_WITHOUT_FLOW";

const INNER: (&str, &str) = ("inner-1", "2600:1f18:54:1002::10");

/// Rules: OR-09, EI-01, EI-02, EI-03, EI-07, FL-44
#[test]
fn what_goes_out_is_answered() {
    let lab = up(INTERNET);
    ping_well(&lab, INNER.0, LAPTOP.v6);
    assert_eq!(
        records(lab, NOTHING),
        [
            "inner-1.eth0 egress 2600:1f18:54:1002::10 2001:db8::50 2600:1f18:54:1002::10 2001:db8::50 ACCEPT 8 4 416",
            "inner-1.eth0 ingress 2001:db8::50 2600:1f18:54:1002::10 2001:db8::50 2600:1f18:54:1002::10 ACCEPT - 4 416",
        ]
    );
}

/// Rules: OR-09, EI-02, EI-03
#[test]
fn tcp_and_udp_go_out_under_their_own_address() {
    let lab = up(INTERNET);
    let (inner, laptop) = (lab.instance(INNER.0), lab.instance(LAPTOP.name));
    let (own, to) = (address(LAPTOP.v6), SocketAddr::new(address(LAPTOP.v6), 7));
    for bytes in [1, 2_000_000] {
        assert_eq!(echo_tcp_at(&inner, &laptop, own, to, bytes).ip(), address(INNER.1));
    }
    let peers = echo_udp_at(&inner, address(INNER.1), &laptop, own, to, &[0, 1, 1_400]);
    assert!(peers.iter().all(|peer| peer.ip() == address(INNER.1)), "{peers:?}");
    lab.finish(&[LATE]);
}

/// The gateway drops it, so that no interface has a record.
///
/// Rules: OR-09, EI-02, EI-08
#[test]
fn what_nobody_asked_for_does_not_come_in() {
    let lab = up(INTERNET);
    ping(&lab, LAPTOP.name, INNER.1).exits(1);
    let to = SocketAddr::new(address(INNER.1), 22);
    let _listener = lab.instance(INNER.0).listen(to.ip(), to.port());
    let refused = lab.instance(LAPTOP.name).try_connect(to, Duration::from_millis(300));
    assert!(refused.is_err(), "{refused:?}");
    let none: [&str; 0] = [];
    assert_eq!(records(lab, &[(UNASKED, 5..=8)]), none);
}

/// A reply passes for as long as its flow is remembered, and only the reply.
///
/// Rules: EI-02
#[test]
fn another_port_of_who_was_asked_is_no_reply() {
    let lab = up(INTERNET);
    let inner = lab.instance(INNER.0).udp(address(INNER.1), 4000);
    let laptop = lab.instance(LAPTOP.name);
    let (asked, other) = (laptop.udp(address(LAPTOP.v6), 53), laptop.udp(address(LAPTOP.v6), 54));
    inner.send_to(b"question", (LAPTOP.v6, 53)).expect("it is taken");
    let mut buffer = [0; 16];
    let (_, peer) = asked.recv_from(&mut buffer).expect("the question comes");
    other.send_to(b"wrong", peer).expect("it is taken");
    asked.send_to(b"right", peer).expect("it is taken");
    let (length, _) = inner.recv_from(&mut buffer).expect("the answer comes");
    assert_eq!(&buffer[..length], b"right");
    lab.finish(&[(UNASKED, 1..=1)]);
}

/// An error about a flow that went out passes: a program learns that nothing listens.
///
/// Rules: EI-10
#[test]
fn an_error_about_what_went_out_comes_in() {
    let lab = up(INTERNET);
    let socket = lab.instance(INNER.0).udp(address(INNER.1), 0);
    socket.connect((LAPTOP.v6, 9)).expect("there is a route");
    socket.send(b"anybody").expect("it is taken");
    let refused = socket.recv(&mut [0; 16]).expect_err("nothing listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    lab.finish(NOTHING);
}

/// Which of the two gateways serves a subnet is what its route says, also while packets flow.
///
/// Rules: EI-07, EI-08, IG-08
#[test]
fn the_route_of_the_subnet_says_by_which_gateway_packets_come_in() {
    let lab = up(INTERNET);
    let via = |gateway: &str| format!("private: {{ routes: [ {{ to: \"::/0\", via: {gateway} }} ] }}");
    let (egress_only, both_ways) = (via("egress_only_internet_gateway"), via("internet_gateway"));
    ping(&lab, LAPTOP.name, INNER.1).exits(1);
    lab.edit(&egress_only, &both_ways);
    ping(&lab, LAPTOP.name, INNER.1).ok();
    ping(&lab, INNER.0, LAPTOP.v6).ok();
    lab.edit(&both_ways, &egress_only);
    ping(&lab, LAPTOP.name, INNER.1).exits(1);
    ping(&lab, INNER.0, LAPTOP.v6).ok();
    lab.edit(&egress_only, "private: { routes: [] }");
    ping(&lab, LAPTOP.name, INNER.1).exits(1);
    ping(&lab, INNER.0, LAPTOP.v6).exits(1);
    lab.finish(&[(UNASKED, 8..=8), ("IGW_NO_ROUTE_BACK", 4..=4), ("NO_ROUTE_TO_DESTINATION", 4..=4)]);
}
