//! Peering connections that stay as they are: who reaches whom, by which path, and what flow logs say of it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::harness::{LATE, Lab, Load, NOTHING, address, alone, echo_tcp, ping, ping_well, rows, up};

const PEERED: &str = include_str!("labs/peered.yaml");

/// What is not from the one VPC, or not for the other.
const OUTSIDE: &str = "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR";

/// Rules: OR-15, PC-07, FL-44, FL-65
#[test]
fn within_a_region_each_side_logs_path_4() {
    let lab = up(PEERED);
    ping_well(&lab, "hub-1", "10.59.1.10");
    let names = lab.interface_names();
    let done = lab.finish(NOTHING);
    assert_eq!(
        rows(&done, "full.log", &names),
        [
            "hub-1.eth0 egress 10.58.1.10 10.59.1.10 10.58.1.10 10.59.1.10 ACCEPT 4 4 336",
            "hub-1.eth0 ingress 10.59.1.10 10.58.1.10 10.59.1.10 10.58.1.10 ACCEPT - 4 336",
        ]
    );
    assert_eq!(
        rows(&done, "near.log", &names),
        [
            "near-1.eth0 egress 10.59.1.10 10.58.1.10 10.59.1.10 10.58.1.10 ACCEPT 4 4 336",
            "near-1.eth0 ingress 10.58.1.10 10.59.1.10 10.58.1.10 10.59.1.10 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-16, PC-21, FL-44, FL-65
#[test]
fn between_regions_each_side_logs_path_5() {
    let lab = up(PEERED);
    ping_well(&lab, "far-1", "10.58.1.10");
    ping_well(&lab, "hub-1", "2600:1f18:60:1001::10");
    let names = lab.interface_names();
    let done = lab.finish(NOTHING);
    assert_eq!(
        rows(&done, "full.log", &names),
        [
            "hub-1.eth0 egress 10.58.1.10 10.60.1.10 10.58.1.10 10.60.1.10 ACCEPT 5 4 336",
            "hub-1.eth0 egress 2600:1f18:58:1001::10 2600:1f18:60:1001::10 2600:1f18:58:1001::10 2600:1f18:60:1001::10 ACCEPT 5 4 416",
            "hub-1.eth0 ingress 10.60.1.10 10.58.1.10 10.60.1.10 10.58.1.10 ACCEPT - 4 336",
            "hub-1.eth0 ingress 2600:1f18:60:1001::10 2600:1f18:58:1001::10 2600:1f18:60:1001::10 2600:1f18:58:1001::10 ACCEPT - 4 416",
        ]
    );
    assert_eq!(rows(&done, "far.log", &names).iter().filter(|row| row.contains(" ACCEPT 5 4 ")).count(), 2);
}

/// Rules: OR-15, OR-16, AD-26
#[test]
fn tcp_passes_and_no_hop_is_seen() {
    let lab = up(PEERED);
    let (hub, far) = (lab.instance("hub-1"), lab.instance("far-1"));
    for to in ["10.60.1.10:7", "[2600:1f18:60:1001::10]:7"] {
        echo_tcp(&hub, &far, to.parse().expect("an address"), 2_000_000);
    }
    lab.exec("hub-1", &["ping", "-n", "-c", "1", "-W", "2", "-t", "1", "10.59.1.10"]).ok();
    // Both announce segments for 9001 bytes, and the way between regions carries 8500.
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 1..=200)]);
}

/// Rules: MT-02, MT-05, PC-15, OR-16
#[test]
fn a_connection_carries_9001_bytes_and_between_regions_8500() {
    let lab = up(PEERED);
    let ping = |size: &str, to: &str| {
        lab.exec("hub-1", &["ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", size, to])
    };
    ping("8973", "10.59.1.10").ok();
    ping("8472", "10.60.1.10").ok();
    ping("8473", "10.60.1.10").exits(1).says("From 10.58.1.1 icmp_seq=1 Frag needed and DF set (mtu = 8500)");
    lab.finish(&[("PACKET_TOO_BIG", 1..=1)]);
}

/// Rules: SG-09, PC-14
#[test]
fn a_group_of_the_peer_is_known_in_its_region() {
    let lab = up(PEERED);
    let near = lab.instance("near-1");
    let to: SocketAddr = "10.59.1.10:80".parse().expect("an address");
    echo_tcp(&lab.instance("hub-1"), &near, to, 1_000);
    let _listener = near.listen(to.ip(), to.port());
    let refused = lab.instance("hub-2").try_connect(to, Duration::from_millis(300));
    assert!(refused.is_err(), "it is in another group: {refused:?}");
    lab.finish(&[LATE, ("ENI_SG_RULES_MISMATCH", 1..=3)]);
}

/// Neither the peer's other peer nor its internet gateway is there for the hub; the sender has logged ACCEPT.
///
/// Rules: OR-18, PC-09, PC-10, PC-11, FL-46
#[test]
fn a_connection_leads_to_the_peer_and_no_further() {
    let lab = up(PEERED);
    ping_well(&lab, "near-1", "203.0.113.50");
    ping(&lab, "hub-1", "10.61.1.10").exits(1);
    ping(&lab, "lone-1", "10.58.1.10").exits(1);
    ping(&lab, "hub-1", "203.0.113.50").exits(1);
    let names = lab.interface_names();
    let done = lab.finish(&[(OUTSIDE, 12..=12)]);
    assert_eq!(
        rows(&done, "full.log", &names),
        [
            "hub-1.eth0 egress 10.58.1.10 10.61.1.10 10.58.1.10 10.61.1.10 ACCEPT 4 4 336",
            "hub-1.eth0 egress 10.58.1.10 203.0.113.50 10.58.1.10 203.0.113.50 ACCEPT 4 4 336",
        ]
    );
}

/// Rules: PC-07, PC-12, RT-27, NA-11
#[test]
fn without_a_route_back_requests_arrive_and_replies_do_not() {
    let lab = up(PEERED);
    lab.edit("          - { to: 10.58.0.0/16, via: peering/hub-near }\n", "");
    ping(&lab, "hub-1", "10.59.1.10").exits(1);
    let names = lab.interface_names();
    // The replies take the default route, and near-1 has a public address; nobody there is called 10.58.1.10.
    let done = lab.finish(&[("IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS", 4..=4)]);
    assert_eq!(
        rows(&done, "near.log", &names),
        [
            "near-1.eth0 egress 10.59.1.10 10.58.1.10 10.59.1.10 10.58.1.10 ACCEPT 8 4 336",
            "near-1.eth0 ingress 10.58.1.10 10.59.1.10 10.58.1.10 10.59.1.10 ACCEPT - 4 336",
        ]
    );
}

/// Two pairs of VPCs with the same blocks and addresses carry the same flows at once, and each hears its own.
///
/// Rules: AD-29, PC-01, PC-07
#[test]
fn pairs_with_equal_blocks_do_not_meet() {
    let _alone = alone();
    let vpc = |name: &str, block: u8, peer: u8, peering: &str| {
        format!(
            "  {name}:\n    cidr: [10.{block}.0.0/16]\n    subnets: {{ s: {{ cidr: 10.{block}.1.0/24 }} }}\n    \
             route_tables: {{ main: {{ main: true, routes: [ {{ to: 10.{peer}.0.0/16, via: peering/{peering} }} ] }} }}\n    \
             security_groups: {{ open: {{ ingress: [ {{ proto: all, from: 0.0.0.0/0 }} ] }} }}\n    \
             instances: {{ {name}-1: {{ subnet: s, private_ip: 10.{block}.1.10, security_groups: [open] }} }}\n"
        )
    };
    let vpcs = [vpc("a", 1, 2, "ab"), vpc("b", 2, 1, "ab"), vpc("c", 1, 2, "cd"), vpc("d", 2, 1, "cd")];
    let peerings = "peerings:\n  ab: { requester: a, accepter: b, state: active }\n  \
                    cd: { requester: c, accepter: d, state: active }\n";
    let lab = Lab::up_with(&format!("lab: LAB\nvpcs:\n{}{peerings}", vpcs.concat()), &["--workers", "4"]);
    let pairs = [("a-1", "b-1"), ("c-1", "d-1")].map(|(from, to)| (lab.instance(from), lab.instance(to)));
    let to = SocketAddr::new(address("10.2.1.10"), 7);
    let loads = pairs
        .each_ref()
        .map(|(from, other)| Load::start((from, address("10.1.1.10")), (other, to), 20, 3_000));
    for _ in 0..5 {
        ping_well(&lab, "a-1", "10.2.1.10");
        ping_well(&lab, "d-1", "10.1.1.10");
    }
    for load in loads {
        let sent = load.stop();
        assert!(sent.sent > 1_000, "there was load: {sent:?}");
        assert_eq!((sent.received, sent.out_of_sequence.as_slice()), (sent.sent, [].as_slice()), "{sent:?}");
    }
    lab.finish(NOTHING);
}
