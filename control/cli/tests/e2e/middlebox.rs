//! Instances that forward for others.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::harness::{Done, LATE, Lab, echo_tcp, eventually};

const FORWARDER: &str = include_str!("labs/forwarder.yaml");
const NAT_INSTANCE: &str = include_str!("../../../../examples/nat-instance.yaml");

const CHECK: &str = "ENI_SOURCE_DEST_CHECK_RESTRICTION";

/// An instance that forwards tells its links which IPv6 multicast groups it has joined, and a VPC has no multicast.
const JOINS: (&str, RangeInclusive<u64>) = ("BROADCAST_OR_MULTICAST", 0..=8);

fn ping(lab: &Lab, from: &str, to: &str) -> Done {
    lab.exec(from, &["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", to])
}

/// Rules: AD-24, RT-11, AD-26
#[test]
fn an_unchecked_instance_forwards_between_subnets() {
    let lab = Lab::up(FORWARDER);
    ping(&lab, "client-1", "10.51.3.10").ok();
    ping(&lab, "server-1", "10.51.1.10").ok();
    let (client, server) = (lab.instance("client-1"), lab.instance("server-1"));
    echo_tcp(&client, &server, "10.51.3.10:80".parse().expect("an address"), 100_000);
    // The instance is a hop; the VPC around it is none.
    let trace =
        lab.exec("client-1", &["traceroute", "-n", "-q", "1", "-w", "2", "-m", "5", "10.51.3.10"]).ok();
    let hops: Vec<_> =
        trace.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(hops, ["10.51.2.10", "10.51.3.10"], "{trace}");
    lab.finish(&[JOINS, LATE]);
}

/// Rules: AD-23, AD-24, AD-25
#[test]
fn a_checked_instance_gets_nothing_for_others() {
    let lab = Lab::up(FORWARDER);
    ping(&lab, "client-1", "10.51.3.10").ok();
    lab.edit("source_dest_check: false", "source_dest_check: true");
    ping(&lab, "client-1", "10.51.3.10").exits(1);
    let forwarded = lab.drops().into_iter().filter(|drop| drop.destination == "10.51.3.10");
    let from: Vec<_> = forwarded.map(|drop| (drop.from, drop.reason)).collect();
    let dropped = ("client-1.eth0".to_owned(), CHECK.to_owned());
    assert_eq!(from, [dropped.clone(), dropped], "{}", lab.told());
    lab.edit("source_dest_check: true", "source_dest_check: false");
    ping(&lab, "client-1", "10.51.3.10").ok();
    // Reports of a checked instance about multicast groups have no source of its own.
    lab.finish(&[JOINS, (CHECK, 2..=8)]);
}

/// Rules: AD-23, AD-25
#[test]
fn a_checked_instance_cannot_send_for_others() {
    let lab = Lab::up(FORWARDER);
    lab.exec("client-1", &["ip", "address", "add", "10.51.1.77/32", "dev", "eth0"]).ok();
    lab.exec(
        "client-1",
        &["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-I", "10.51.1.77", "10.51.2.10"],
    )
    .exits(1);
    lab.finish(&[JOINS, (CHECK, 2..=2)]);
}

/// Rules: SG-08
#[test]
fn a_forwarded_packet_matches_no_group_reference() {
    let lab = Lab::up(FORWARDER);
    ping(&lab, "client-1", "10.51.3.20").exits(1);
    lab.finish(&[JOINS, ("ENI_SG_RULES_MISMATCH", 2..=2)]);
}

/// Rules: AD-24, RT-11, SG-08
#[test]
fn the_example_of_a_nat_instance_translates() {
    let lab = Lab::up(&NAT_INSTANCE.replace("lab: nat-instance", "lab: LAB"));
    let ready = |instance: &str, argv: &[&str], text: &str| {
        eventually(&format!("{instance} is set up"), Duration::from_secs(20), || {
            lab.exec(instance, argv).stdout.contains(text)
        });
    };
    ready("nat-1", &["nft", "list", "ruleset"], "masquerade");
    ready("fw-1", &["ip", "address", "show", "dev", "lo"], "192.0.2.1");
    ping(&lab, "client-1", "10.3.3.10").ok();
    let (client, server) = (lab.instance("client-1"), lab.instance("server-1"));
    echo_tcp(&client, &server, "10.3.3.10:80".parse().expect("an address"), 100_000);
    // As the comment at the top of the example says.
    ping(&lab, "server-1", "10.3.1.10").exits(1);
    ping(&lab, "client-1", "192.0.2.1").ok();
    let done = lab.finish(&[JOINS, LATE, ("ENI_SG_RULES_MISMATCH", 2..=2), (CHECK, 0..=4)]);
    let format = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                  ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
    let records = done.records("logs/nat-instance.log", format).of_traffic();
    let to_server = records.with("dstaddr=10.3.3.10 protocol=6 action=ACCEPT");
    let sources = to_server.distinct("srcaddr");
    assert!(sources.contains("10.3.2.10"), "the server sees the translator: {sources:?}");
}
