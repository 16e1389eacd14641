//! Where packets go: instances with several interfaces, VPCs with equal addresses, and a table with no room for more flows.

use std::net::{IpAddr, SocketAddr};

use crate::harness::{Lab, NOTHING, echo_udp};

const PLACES: &str = include_str!("labs/places.yaml");

fn ping(lab: &Lab, from: &str, arguments: &[&str]) {
    let argv = [&["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2"], arguments].concat();
    lab.exec(from, &argv).ok();
}

/// Rules: AD-23, AD-16
#[test]
fn replies_leave_by_the_interface_that_was_asked() {
    let lab = Lab::up(PLACES);
    let addresses =
        ["10.55.1.20", "10.55.1.21", "10.55.2.20", "2600:1f18:55:1001::20", "2600:1f18:55:1002::20"];
    for from in ["a-1", "b-1"] {
        for address in addresses {
            ping(&lab, from, &[address]);
        }
    }
    // Whatever source it chooses, the packet leaves by that address's own interface.
    for (source, target) in [("10.55.2.20", "10.55.1.10"), ("10.55.1.21", "10.55.2.10")] {
        ping(&lab, "both", &["-I", source, target]);
    }
    ping(&lab, "both", &["-I", "2600:1f18:55:1002::20", "2600:1f18:55:1001::10"]);
    lab.finish(NOTHING);
}

/// What one VPC sends stays in it.
#[test]
fn equal_addresses_in_two_vpcs_are_two_places() {
    let lab = Lab::up(PLACES);
    let (twin, server) = (lab.instance("twin-2"), lab.instance("twin-1"));
    let other = lab.instance("a-1").udp(address("10.55.1.10"), 7);
    echo_udp(&twin, address("10.55.1.11"), &server, SocketAddr::new(address("10.55.1.10"), 7), &[100]);
    other.set_nonblocking(true).expect("it is open");
    assert!(other.recv(&mut [0; 200]).is_err(), "the other VPC hears nothing");
    // An address that only the other VPC has.
    lab.exec("twin-2", &["ping", "-n", "-c", "1", "-W", "1", "10.55.2.10"]).exits(1);
    lab.finish(&[("NO_INTERFACE_FOR_ADDRESS", 1..=1)]);
}

/// Rules: SG-25
#[test]
fn a_full_table_refuses_new_flows_and_keeps_old_ones() {
    let lab = Lab::up_with(PLACES, &["--workers", "1"]);
    let (client, server) = (lab.instance("a-1"), lab.instance("b-1"));
    let (source, target) = (address("10.55.1.10"), SocketAddr::new(address("10.55.2.10"), 9000));
    let listening = server.udp(target.ip(), target.port());
    let old = client.udp(source, 0);
    let exchange = |socket: &std::net::UdpSocket| {
        socket.send_to(b"?", target).expect("the datagram is taken");
        let (_, peer) = listening.recv_from(&mut [0]).expect("the request comes");
        listening.send_to(b"!", peer).expect("the datagram is taken");
        socket.recv_from(&mut [0]).expect("the answer comes");
    };
    exchange(&old);
    let more: Vec<_> = (0..300).map(|_| client.udp(source, 0)).collect();
    for socket in &more {
        socket.send_to(b"?", target).expect("the datagram is taken");
    }
    let refused = lab.settled().dropped.get("CONNTRACK_ALLOWANCE_EXCEEDED").copied().unwrap_or(0);
    let arrived = 300 - refused;
    for _ in 0..arrived {
        listening.recv_from(&mut [0]).expect("what was not refused comes");
    }
    exchange(&old);
    assert!((32..300).contains(&arrived), "room for 64 sessions: {arrived} of 300 arrived");
    lab.finish(&[("CONNTRACK_ALLOWANCE_EXCEEDED", 1..=268)]);
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
