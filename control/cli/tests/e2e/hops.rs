//! A VPC is no hop.

use crate::harness::{Lab, NOTHING};
use crate::reach::{A_1, A_2, B_1, PAIR};

/// Rules: AD-26
#[test]
fn traceroute_shows_the_target_as_the_first_hop() {
    let lab = Lab::up(PAIR);
    for to in [A_2, B_1] {
        // A kernel answers only a few datagrams to closed ports a second.
        lab.exec(to.0, &["sysctl", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]).ok();
        for address in to.1 {
            for kind in ["-U", "-I"] {
                let argv = ["traceroute", "-n", kind, "-N", "1", "-q", "2", "-w", "2", "-m", "5", address];
                let trace = lab.exec(A_1.0, &argv).ok();
                let hops: Vec<&str> = trace.stdout.lines().skip(1).collect();
                assert_eq!(hops.len(), 1, "{trace}");
                let mut words = hops[0].split_whitespace();
                assert_eq!((words.next(), words.next()), (Some("1"), Some(address)), "{trace}");
                assert!(!hops[0].contains('*'), "both probes are answered: {trace}");
            }
        }
    }
    lab.finish(NOTHING);
}

/// Rules: AD-26
#[test]
fn a_packet_with_one_hop_left_arrives_in_another_subnet() {
    let lab = Lab::up(PAIR);
    for address in B_1.1 {
        lab.exec(A_1.0, &["ping", "-n", "-c", "1", "-W", "2", "-t", "1", address]).ok();
    }
    lab.finish(NOTHING);
}

/// Rules: AD-28, AD-20, RT-17
#[test]
fn router_strangers_and_broadcast_do_not_answer() {
    let lab = Lab::up(PAIR);
    let ping = |arguments: &[&str]| {
        let argv = [&["ping", "-n", "-c", "1", "-W", "1"], arguments].concat();
        lab.exec(A_1.0, &argv).exits(1).says("0 received");
    };
    ping(&["10.50.1.1"]);
    ping(&["10.50.1.99"]);
    ping(&["192.0.2.1"]);
    ping(&["-b", "10.50.1.255"]);
    lab.finish(&[
        ("BROADCAST_OR_MULTICAST", 1..=1),
        ("NO_INTERFACE_FOR_ADDRESS", 1..=1),
        ("NO_ROUTE_TO_DESTINATION", 1..=1),
        ("RESERVED_ADDRESS", 1..=1),
    ]);
}
