//! Packets that do not fit.

use vpclab_oracle::Reason;

use crate::packets::{icmp, long, ping, udp, without_df};
use crate::world::{TWO_SUBNETS, World};

const HOSTS: &str = r#"
    security_groups:
      open: { ingress: [ { proto: udp, ports: 80, from: 0.0.0.0/0 }, { proto: icmpv6, from: "::/0" } ] }
      shut: {}
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"], security_groups: [open] }
      n: { subnet: left,  private_ip: 10.0.1.20, security_groups: [open], mtu: 1500 }
      b: { subnet: right, private_ip: 10.0.2.10, ipv6_addresses: ["2600:1f18:aaaa:1002::10"], security_groups: [open], mtu: 1500 }
      c: { subnet: right, private_ip: 10.0.2.20, security_groups: [shut], mtu: 1500 }
      j: { subnet: right, private_ip: 10.0.2.30, security_groups: [open] }
"#;

/// Rules: MT-05, FL-46
#[test]
fn what_may_not_be_fragmented_is_too_big_with_the_senders_accept_only() {
    let mut world = World::new(&[TWO_SUBNETS, HOSTS]);
    let verdict = world.send("a", long(udp("10.0.1.10:5", "10.0.2.10:80"), 1501));
    assert_eq!(verdict.reason(), Some(Reason::TooBig));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT 1"]);
    world.delivers("a", long(udp("10.0.1.10:5", "10.0.2.10:80"), 1500), "b");
    world.drops(
        "a",
        long(ping("2600:1f18:aaaa:1001::10", "2600:1f18:aaaa:1002::10", 1), 1501),
        Reason::TooBig,
    );
    world.drops("a", long(udp("10.0.1.10:5", "10.0.1.20:80"), 1501), Reason::TooBig);
}

/// Rules: MT-05
#[test]
fn ipv4_without_df_arrives_in_fragments() {
    let mut world = World::new(&[TWO_SUBNETS, HOSTS]);
    world.delivers("a", without_df(long(udp("10.0.1.10:5", "10.0.2.10:80"), 9001)), "b");
}

/// Rules: MT-01
#[test]
fn jumbo_frames_pass_where_both_ends_take_them() {
    let mut world = World::new(&[TWO_SUBNETS, HOSTS]);
    world.delivers("a", long(udp("10.0.1.10:5", "10.0.2.30:80"), 9001), "j");
    world.drops("a", long(udp("10.0.1.10:5", "10.0.2.30:80"), 9002), Reason::TooBig);
}

/// Rules: MT-05
#[test]
fn the_size_is_looked_at_before_the_receivers_gates() {
    let mut world = World::new(&[TWO_SUBNETS, HOSTS]);
    world.drops("a", long(udp("10.0.1.10:5", "10.0.2.20:80"), 1501), Reason::TooBig);
    world.drops("a", long(udp("10.0.1.10:5", "10.0.2.20:80"), 1500), Reason::SecurityGroup);
}

/// Rules: MT-05, MT-09
#[test]
fn the_routers_error_comes_back_with_the_flow_and_is_logged() {
    let mut world = World::new(&[TWO_SUBNETS, HOSTS]);
    let big = long(udp("10.0.1.10:5", "10.0.2.10:80"), 1501);
    let error = icmp("10.0.1.1", "10.0.1.10", 3, 4, Some(&big));
    assert_eq!(
        world.router_sends("a", icmp("10.0.1.1", "10.0.1.10", 3, 4, None)).reason(),
        Some(Reason::SecurityGroup)
    );
    world.drops("a", big, Reason::TooBig);
    let verdict = world.router_sends("a", error);
    assert_eq!(verdict.reason(), None);
    assert_eq!(world.records(&verdict), ["a ingress ACCEPT -"]);
}

/// Rules: MT-05, MT-09
#[test]
fn the_routers_error_passes_the_senders_acl_as_icmp() {
    let acl = "
    cidr: [10.0.0.0/16]
    subnets: { left: { cidr: 10.0.1.0/24, az: us-east-1a, network_acl: left } }
    network_acls:
      left:
        ingress: [ { rule: 100, action: deny, proto: icmp, type: 3, code: 4, cidr: 10.0.1.1/32 } ]
        egress: [ { rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 } ]
    instances: { a: { subnet: left, private_ip: 10.0.1.10 } }
";
    let mut world = World::new(&[acl]);
    let verdict = world.router_sends("a", icmp("10.0.1.1", "10.0.1.10", 3, 4, None));
    assert_eq!(verdict.reason(), Some(Reason::NetworkAcl));
    assert_eq!(world.records(&verdict), ["a ingress REJECT -"]);
}
