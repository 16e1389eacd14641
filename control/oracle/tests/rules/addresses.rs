//! Sources and destinations that never reach a rule.

use vpclab_oracle::Reason;

use crate::packets::{SYN, icmp, ping, tcp, udp};
use crate::world::{A_AND_B, TWO_SUBNETS, World, deciders};

/// `a` may send nothing and `b` may receive nothing, so that whatever is not refused by a group never met one.
const CLOSED: &str = "
    security_groups:
      a: { egress: [] }
      b: { egress: [] }
";

const OPEN: &str = "
    security_groups:
      a: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      b: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
";

const OPEN_MIDDLEBOX: &str = "
    security_groups:
      a: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      b: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
    instances:
      a: { subnet: left,  private_ips: [10.0.1.10, 10.0.1.11], security_groups: [a], source_dest_check: false }
      b: { subnet: right, private_ips: [10.0.2.10, 10.0.2.11], security_groups: [b] }
";

/// Rules: AD-23, AD-25
#[test]
fn a_foreign_source_is_dropped_before_the_groups_and_unlogged() {
    let mut world = World::new(&[TWO_SUBNETS, CLOSED, A_AND_B]);
    let verdict = world.send("a", udp("10.0.1.99:1", "10.0.2.10:2"));
    assert_eq!(verdict.reason(), Some(Reason::SourceDestCheck));
    assert_eq!(deciders(&verdict), [world.interface_id("a")]);
    assert!(verdict.records.is_empty());
}

/// Rules: AD-23
#[test]
fn the_source_check_comes_before_the_multicast_drop() {
    let mut world = World::new(&[TWO_SUBNETS, CLOSED, A_AND_B]);
    world.drops("a", icmp("fe80::1", "ff02::1", 134, 0, None), Reason::SourceDestCheck);
}

/// Rules: AD-24
#[test]
fn an_unchecked_interface_sends_for_others() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN_MIDDLEBOX]);
    world.delivers("a", udp("192.0.2.1:1", "10.0.2.10:2"), "b");
}

/// Rules: AD-16, AD-23
#[test]
fn a_secondary_address_is_an_own_address() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN_MIDDLEBOX]);
    world.delivers("b", udp("10.0.2.11:1", "10.0.1.11:2"), "a");
}

/// Rules: AD-05, AD-20
#[test]
fn multicast_and_broadcast_go_nowhere_unlogged() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN, A_AND_B]);
    for destination in ["224.0.0.1", "239.255.255.250", "255.255.255.255", "10.0.1.255", "10.0.2.255"] {
        let verdict = world.send("a", ping("10.0.1.10", destination, 1));
        assert_eq!(verdict.reason(), Some(Reason::MulticastOrBroadcast), "{destination}");
        assert!(verdict.records.is_empty(), "{destination}");
    }
    world.drops("a", ping("2600:1f18:aaaa:1001::10", "ff02::1", 1), Reason::MulticastOrBroadcast);
}

/// Rules: AD-05, AD-07, AD-28, SG-27, NA-14, FL-50
#[test]
fn the_router_is_neither_filtered_nor_logged_nor_does_it_answer() {
    let mut world = World::new(&[TWO_SUBNETS, CLOSED, A_AND_B]);
    for destination in ["10.0.1.1", "10.0.2.1"] {
        let verdict = world.send("a", ping("10.0.1.10", destination, 1));
        assert_eq!(verdict.reason(), Some(Reason::ReservedAddress), "{destination}");
        assert!(verdict.trail.is_empty() && verdict.records.is_empty(), "{destination}");
    }
    for destination in ["2600:1f18:aaaa:1001::1", "2600:1f18:aaaa:1002::1", "fe80::1", "fe80:ec2::1"] {
        world.drops("a", ping("2600:1f18:aaaa:1001::10", destination, 1), Reason::ReservedAddress);
    }
}

/// Rules: AD-09, AD-10, AD-11, SG-27, NA-14, FL-50, FL-51
#[test]
fn services_that_nobody_serves_yet_are_reserved_under_any_route() {
    let routes = "
    route_tables: { main: { main: true, routes: [ { to: 0.0.0.0/0, via: instance/b }, { to: \"::/0\", via: instance/b } ] } }
";
    let mut world = World::new(&[TWO_SUBNETS, CLOSED, routes, A_AND_B]);
    let v4 = [
        "169.254.169.254",
        "169.254.169.253",
        "169.254.169.123",
        "169.254.170.2",
        "169.254.168.1",
        "169.254.0.5",
    ];
    for destination in v4 {
        let verdict = world.send("a", ping("10.0.1.10", destination, 1));
        assert_eq!(verdict.reason(), Some(Reason::ReservedAddress), "{destination}");
        assert!(verdict.records.is_empty(), "{destination}");
    }
    for destination in ["fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::123", "fd00:ec2:ffff::1"] {
        world.drops("a", ping("2600:1f18:aaaa:1001::10", destination, 1), Reason::ReservedAddress);
    }
}

/// Rules: AD-06, SG-27, NA-14, FL-50
#[test]
fn only_the_primary_blocks_second_address_is_the_resolver() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN, A_AND_B]);
    world.drops("a", udp("10.0.1.10:5000", "10.0.0.2:53"), Reason::ReservedAddress);
    let elsewhere = world.send("a", udp("10.0.1.10:5000", "10.0.2.2:53"));
    assert_eq!(elsewhere.reason(), Some(Reason::NoSuchDestination));
    assert_eq!(world.records(&elsewhere), ["a egress ACCEPT 1"]);
}

/// Rules: FL-46
#[test]
fn an_address_that_nobody_has_leaves_the_senders_accept() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN, A_AND_B]);
    for destination in ["10.0.1.77:80", "10.0.2.77:80", "10.0.99.77:80"] {
        let verdict = world.send("a", tcp("10.0.1.10:40000", destination, SYN));
        assert_eq!(verdict.reason(), Some(Reason::NoSuchDestination), "{destination}");
        assert_eq!(world.records(&verdict), ["a egress ACCEPT 1"], "{destination}");
    }
}

/// Rules: AD-29
#[test]
fn rules_for_all_of_ipv4_say_nothing_about_ipv6() {
    let v4_only = "
    security_groups:
      a: { egress: [ { proto: all, to: 0.0.0.0/0 } ] }
      b: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
";
    let mut world = World::new(&[TWO_SUBNETS, v4_only, A_AND_B]);
    let packet = tcp("[2600:1f18:aaaa:1001::10]:40000", "[2600:1f18:aaaa:1002::10]:80", SYN);
    world.drops("a", packet, Reason::SecurityGroup);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN), "b");
}

#[test]
fn a_sender_that_the_lab_lacks_is_reported_as_such() {
    let mut world = World::new(&[TWO_SUBNETS, OPEN, A_AND_B]);
    world.drops("nobody", ping("10.0.1.10", "10.0.2.10", 1), Reason::UnknownSender);
}
