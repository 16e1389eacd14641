//! Programs reach one another: ping, TCP and UDP, both ways, both families, inside a subnet and across.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::harness::{LATE, Lab, NOTHING, alone, echo_tcp, echo_udp};

/// Used by every test that needs nothing but two subnets.
pub(crate) const PAIR: &str = include_str!("labs/pair.yaml");

/// Instances and their addresses in the lab.
pub(crate) const A_1: (&str, [&str; 2]) = ("a-1", ["10.50.1.10", "2600:1f18:50:1001::10"]);
pub(crate) const A_2: (&str, [&str; 2]) = ("a-2", ["10.50.1.20", "2600:1f18:50:1001::20"]);
pub(crate) const B_1: (&str, [&str; 2]) = ("b-1", ["10.50.2.10", "2600:1f18:50:1002::10"]);

/// Rules: AD-22, AD-29, RT-04, SG-13, SG-26
#[test]
fn ping_is_answered_both_ways_in_both_families() {
    let lab = Lab::up(PAIR);
    for (from, to) in [(A_1, A_2), (A_1, B_1), (B_1, A_1)] {
        for address in to.1 {
            lab.exec(from.0, &["ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", address])
                .ok()
                .says("3 packets transmitted, 3 received, 0% packet loss");
        }
    }
    let counters = lab.settled();
    assert_eq!((counters.received, counters.delivered), (36, 36), "18 requests and 18 replies: {counters:?}");
    lab.finish(NOTHING);
}

/// Rules: AD-22, AD-29, SG-13, SG-26
#[test]
fn tcp_and_udp_pass_both_ways_in_both_families() {
    let lab = Lab::up(PAIR);
    for (from, to) in [(A_1, A_2), (A_1, B_1), (B_1, A_1)] {
        talk(&lab, from, to);
    }
    lab.finish(&[LATE]);
}

/// TCP and UDP between two instances: a byte, and more than a window or a packet holds.
pub(crate) fn talk(lab: &Lab, from: (&str, [&str; 2]), to: (&str, [&str; 2])) {
    let (client, server) = (lab.instance(from.0), lab.instance(to.0));
    for (source, target) in from.1.into_iter().zip(to.1) {
        let source: IpAddr = source.parse().expect("an address");
        let target: IpAddr = target.parse().expect("an address");
        for bytes in [1, 2_000_000] {
            echo_tcp(&client, &server, SocketAddr::new(target, 7), bytes);
        }
        // Up to the largest that fits into one packet, and beyond.
        echo_udp(&client, source, &server, SocketAddr::new(target, 7), &[0, 1, 8_900, 30_000]);
    }
}

/// Rules: SG-13, SG-23, SG-26
#[test]
fn iperf3_moves_one_and_four_tcp_streams() {
    let _alone = alone();
    let lab = Lab::up(PAIR);
    for (streams, address) in [("1", B_1.1[0]), ("4", B_1.1[0]), ("4", B_1.1[1])] {
        let report = iperf3(&lab, address, &["-t", "2", "-P", streams]);
        let sent = &report["end"]["sum_sent"]["bytes"];
        let received = &report["end"]["sum_received"]["bytes"];
        assert!(received.as_u64().is_some_and(|bytes| bytes > 1_000_000), "{received} of {sent} bytes");
    }
    // The client ends with data under way: what comes after the first reset belongs to no connection (SG-23).
    lab.finish(&[("CONNECTION_CLOSED", 0..=1_000_000)]);
}

/// Rules: SG-13, SG-26
#[test]
fn iperf3_loses_no_datagram_in_the_data_plane() {
    let _alone = alone();
    let lab = Lab::up(PAIR);
    let report = iperf3(&lab, B_1.1[0], &["-t", "2", "-u", "-b", "50M", "-l", "1400"]);
    let sum = &report["end"]["sum"];
    let lost = sum["lost_percent"].as_f64().expect("iperf3 counts losses");
    assert!(lost <= 1.0, "{lost} % lost: {sum}");
    let counters = lab.settled();
    assert!(counters.delivered > 8_000, "50 Mbit/s for 2 s are 8900 datagrams of 1400 bytes: {counters:?}");
    lab.finish(NOTHING);
}

/// Report of a client in `a-1` of a server in `b-1`.
fn iperf3(lab: &Lab, address: &str, arguments: &[&str]) -> serde_json::Value {
    let mut server = lab.start(B_1.0, &["iperf3", "-s", "-1", "-p", "5201", "--forceflush"]);
    server.wait_for("Server listening", Duration::from_secs(10));
    let client = [&["iperf3", "-c", address, "-p", "5201", "-J"], arguments].concat();
    let report = lab.exec(A_1.0, &client).ok().json();
    server.finish(Duration::from_secs(10)).ok();
    report
}
