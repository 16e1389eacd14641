//! A route table of the internet gateway, which leads what comes in over an instance.

use std::ops::RangeInclusive;

use crate::harness::{LATE, Lab, address, echo_tcp_at, ping, ping_well, records, up};

const EDGE: &str = include_str!("labs/edge.yaml");

/// An instance that forwards tells its links which IPv6 multicast groups it has joined, and a VPC has no multicast.
const JOINS: (&str, RangeInclusive<u64>) = ("BROADCAST_OR_MULTICAST", 0..=8);

/// Rules: OR-20, RT-20, RT-21, FL-31, FL-32
#[test]
fn what_comes_in_passes_the_middlebox_and_so_does_what_goes_out() {
    let lab = up(EDGE);
    ping_well(&lab, "laptop", "198.51.100.10");
    assert_eq!(
        records(lab, &[JOINS]),
        [
            // The replies of server-1 leave under its address, which fw-1 does not own.
            "fw-1.eth0 egress 10.55.1.10 10.55.2.10 203.0.113.50 10.55.2.10 ACCEPT 1 4 336",
            "fw-1.eth0 egress 10.55.1.10 203.0.113.50 10.55.2.10 203.0.113.50 ACCEPT 8 4 336",
            "fw-1.eth0 ingress 10.55.2.10 10.55.1.10 10.55.2.10 203.0.113.50 ACCEPT - 4 336",
            "fw-1.eth0 ingress 203.0.113.50 10.55.1.10 203.0.113.50 10.55.2.10 ACCEPT - 4 336",
            "server-1.eth0 egress 10.55.2.10 203.0.113.50 10.55.2.10 203.0.113.50 ACCEPT 1 4 336",
            "server-1.eth0 ingress 203.0.113.50 10.55.2.10 203.0.113.50 10.55.2.10 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-20, RT-21
#[test]
fn tcp_passes_the_middlebox_both_ways() {
    let lab = up(EDGE);
    let (laptop, server) = (lab.instance("laptop"), lab.instance("server-1"));
    let to = "198.51.100.10:80".parse().expect("an address");
    let peer = echo_tcp_at(&laptop, &server, address("10.55.2.10"), to, 500_000);
    assert_eq!(peer.ip(), address("203.0.113.50"));
    let to = "203.0.113.50:80".parse().expect("an address");
    let peer = echo_tcp_at(&server, &laptop, address("203.0.113.50"), to, 500_000);
    assert_eq!(peer.ip(), address("198.51.100.10"));
    lab.finish(&[JOINS, LATE]);
}

/// The middlebox is the only hop; neither the gateway nor the VPC is one.
///
/// From outside it stays unknown: its error quotes the address that server-1 has inside, and the gateway translates what
/// belongs to the error's own source alone.
///
/// Rules: OR-20, AD-26, IG-02
#[test]
fn traceroute_shows_the_middlebox() {
    let lab = up(EDGE);
    assert_eq!(hops(&lab, "server-1", "203.0.113.50"), ["10.55.1.10", "203.0.113.50"]);
    let from_outside = hops(&lab, "laptop", "198.51.100.10");
    assert_eq!((from_outside.len(), from_outside[1].as_str()), (2, "198.51.100.10"), "{from_outside:?}");
    lab.finish(&[JOINS]);
}

/// Without the table, packets go straight to the instance.
///
/// Rules: RT-21, RT-22
#[test]
fn without_the_table_the_middlebox_is_left_out() {
    let lab = up(EDGE);
    lab.edit("internet_gateway: { route_table: edge }", "internet_gateway: true");
    ping(&lab, "laptop", "198.51.100.10").ok();
    let records = records(lab, &[JOINS]);
    let on_the_way_in = |row: &&String| row.starts_with("fw-1.eth0 ingress 203.0.113.50 ");
    assert_eq!(records.iter().filter(on_the_way_in).count(), 0, "{records:#?}");
}

/// Addresses on the way, with one probe for each.
fn hops(lab: &Lab, from: &str, to: &str) -> Vec<String> {
    let argv = ["traceroute", "-n", "-U", "-N", "1", "-q", "1", "-w", "2", "-m", "5", to];
    let trace = lab.exec(from, &argv).ok();
    trace
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(str::to_owned)
        .collect()
}
