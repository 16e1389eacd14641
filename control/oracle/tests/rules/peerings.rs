//! Peering connections.

use crate::packets::{ACK, SYN, long, ping, tcp, udp};
use crate::wide::{Wide, answer, end, ends};

/// VPCs `a`, `b` and `c`, peered a-b and b-c; `a` has a NAT gateway in `edge`, `b` an internet gateway and a NAT gateway.
const THREE: &str = r#"
internet: { hosts: { laptop: { ips: [203.0.113.50] } } }
vpcs:
  a:
    cidr: [10.0.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    subnets:
      s:    { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", route_table: s }
      edge: { cidr: 10.0.2.0/24, route_table: edge }
      back: { cidr: 10.0.3.0/24, route_table: back }
    nat_gateways: { nat: { subnet: edge, connectivity_type: private, private_ip: 10.0.2.5 } }
    route_tables:
      s:
        routes: [ { to: 10.1.0.0/16, via: peering/a-b }, { to: "2600:1f18:bbbb:1000::/56", via: peering/a-b }, { to: 10.2.0.0/16, via: peering/a-b }, { to: 203.0.113.0/24, via: peering/a-b } ]
      edge: { routes: [ { to: 10.1.0.0/16, via: peering/a-b } ] }
      back: { routes: [ { to: 10.1.0.0/16, via: nat_gateway/nat } ] }
    security_groups: { open: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: "::/0" } ] } }
    instances:
      one:  { subnet: s, security_groups: [open], private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"] }
      fw:   { subnet: s, security_groups: [open], private_ip: 10.0.1.20, source_dest_check: false }
      deep: { subnet: back, security_groups: [open], private_ip: 10.0.3.10 }
  b:
    REGION
    cidr: [10.1.0.0/16]
    ipv6_cidr: "2600:1f18:bbbb:1000::/56"
    internet_gateway: true
    subnets: { s: { cidr: 10.1.1.0/24, ipv6_cidr: "2600:1f18:bbbb:1001::/64", route_table: s, network_acl: n } }
    nat_gateways: { out: { subnet: s, public_ip: 198.51.100.10, private_ip: 10.1.1.5 } }
    route_tables:
      s: { routes: [ { to: 10.0.1.0/24, via: peering/a-b }, { to: "2600:1f18:aaaa:1000::/56", via: peering/a-b }, { to: 10.2.0.0/16, via: peering/b-c }, { to: 0.0.0.0/0, via: internet_gateway } ] }
    network_acls: { n: { ingress: [ACL], egress: [ACL] } }
    security_groups: { open: { ingress: [ { proto: all, from: OPEN }, { proto: all, from: "::/0" } ] } }
    instances:
      two: { subnet: s, security_groups: [open], private_ip: 10.1.1.10, ipv6_addresses: ["2600:1f18:bbbb:1001::10"] }
  c:
    cidr: [10.2.0.0/16]
    subnets: { s: { cidr: 10.2.1.0/24 } }
    route_tables: { main: { main: true, routes: [ { to: 10.1.0.0/16, via: peering/b-c }, { to: 10.0.0.0/16, via: peering/b-c } ] } }
    security_groups: { open: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } }
    instances: { three: { subnet: s, security_groups: [open], private_ip: 10.2.1.10 } }
peerings:
  a-b: { requester: a, accepter: b, state: active }
  b-c: { requester: b, accepter: c }
"#;

fn text(changes: &[(&str, &str)]) -> String {
    let mut text = THREE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from:?} is in the file");
        text = text.replacen(from, to, 1);
    }
    text.replacen("    REGION\n", "", 1).replacen("OPEN", "0.0.0.0/0", 1)
}

fn world(changes: &[(&str, &str)]) -> Wide {
    Wide::new(&text(changes))
}

const TO_TWO: (&str, &str) = ("10.0.1.10:9", "10.1.1.10:80");

/// Rules: PC-07, PC-22, OR-15, FL-65
#[test]
fn a_packet_crosses_and_is_recorded_once_on_each_side() {
    let mut world = world(&[]);
    let there = world.send("one", tcp(TO_TWO.0, TO_TWO.1, SYN));
    assert_eq!(end(&there), "two");
    assert_eq!(
        world.records(&there),
        ["one egress ACCEPT 4 10.0.1.10:9 > 10.1.1.10:80", "two ingress ACCEPT - 10.0.1.10:9 > 10.1.1.10:80"]
    );
    let back = world.send("two", tcp(TO_TWO.1, TO_TWO.0, SYN | ACK));
    assert_eq!(
        world.records(&back),
        ["two egress ACCEPT 4 10.1.1.10:80 > 10.0.1.10:9", "one ingress ACCEPT - 10.1.1.10:80 > 10.0.1.10:9"]
    );
}

/// Rules: PC-07, PC-12, RT-27
#[test]
fn the_reply_needs_a_route_of_its_own() {
    let mut world = world(&[("{ to: 10.0.1.0/24, via: peering/a-b }, ", "")]);
    assert_eq!(world.end("one", tcp(TO_TWO.0, TO_TWO.1, SYN)), "two");
    // The default route leads to the internet, where nobody has the address.
    assert_eq!(world.end("two", tcp(TO_TWO.1, TO_TWO.0, SYN | ACK)), "NoPublicAddress");
}

/// Rules: NA-17
#[test]
fn the_acls_of_both_sides_apply() {
    let mut world = world(&[(
        "ingress: [ACL]",
        "ingress: [ { rule: 1, action: deny, proto: all, cidr: 10.0.0.0/16 }, ACL]",
    )]);
    let denied = world.send("one", tcp(TO_TWO.0, TO_TWO.1, SYN));
    assert_eq!(end(&denied), "NetworkAcl");
    assert_eq!(world.records(&denied)[1], "two ingress REJECT - 10.0.1.10:9 > 10.1.1.10:80");
}

/// Rules: PC-15, PC-16, OR-16, MT-02, FL-44
#[test]
fn between_regions_packets_are_smaller_and_the_path_is_another() {
    let size = |length| long(udp("10.0.1.10:9", "10.1.1.10:80"), length);
    let mut near = world(&[]);
    assert_eq!(near.end("one", size(9001)), "two");
    let mut far = world(&[("REGION", "region: eu-west-1")]);
    let there = far.send("one", size(8500));
    assert_eq!(end(&there), "two");
    assert_eq!(far.records(&there)[0], "one egress ACCEPT 5 10.0.1.10:9 > 10.1.1.10:80");
    assert_eq!(far.end("one", size(8501)), "TooBig");
}

/// Rules: RT-15, RT-16, PC-23
#[test]
fn only_an_active_connection_carries_packets() {
    for state in ["pending-acceptance", "deleted", "rejected", "expired", "failed"] {
        let mut world = world(&[("state: active", &format!("state: {state}"))]);
        let lost = world.send("one", tcp(TO_TWO.0, TO_TWO.1, SYN));
        assert_eq!(end(&lost), "Blackhole", "{state}");
        assert_eq!(world.records(&lost), ["one egress ACCEPT - 10.0.1.10:9 > 10.1.1.10:80"]);
    }
}

/// Rules: PC-09, PC-11
#[test]
fn two_connections_are_no_way_to_a_third_vpc() {
    let mut world = world(&[]);
    let lost = world.send("one", tcp("10.0.1.10:9", "10.2.1.10:80", SYN));
    assert_eq!((end(&lost).as_str(), lost.records.len()), ("PeeringCidr", 1));
    assert_eq!(world.end("three", tcp("10.2.1.10:9", "10.0.1.10:80", SYN)), "PeeringCidr");
    assert_eq!(world.end("two", tcp("10.1.1.10:9", "10.2.1.10:80", SYN)), "three");
}

/// Rules: PC-10, OR-18, NG-17
#[test]
fn a_peer_cannot_use_the_gateways_of_the_other_side() {
    let mut world = world(&[]);
    assert_eq!(world.end("one", tcp("10.0.1.10:9", "203.0.113.50:80", SYN)), "PeeringCidr");
    assert_eq!(world.end("one", tcp("10.0.1.10:9", "10.1.1.5:80", SYN)), "NatUnsolicited");
}

/// Rules: PC-11
#[test]
fn a_source_outside_the_sending_vpc_does_not_cross() {
    let mut world = world(&[]);
    assert_eq!(world.end("fw", udp("192.0.2.1:9", "10.1.1.10:80")), "PeeringCidr");
    assert_eq!(world.end("fw", udp("10.0.1.10:9", "10.1.1.10:80")), "two");
    assert_eq!(world.end("fw", udp("10.0.1.20:9", "10.1.1.99:80")), "NoSuchDestination");
}

/// Rules: PC-21
#[test]
fn ipv6_crosses_too() {
    let (one, two) = ("[2600:1f18:aaaa:1001::10]:9", "[2600:1f18:bbbb:1001::10]:80");
    let mut world = world(&[]);
    assert_eq!(world.end("one", tcp(one, two, SYN)), "two");
    assert_eq!(world.end("two", tcp(two, one, SYN | ACK)), "one");
}

/// Rules: SG-08, SG-09, PC-14
#[test]
fn a_rule_may_name_a_group_of_the_peer() {
    let refers = ("from: OPEN", "from: sg/a.open");
    let mut near = world(&[refers]);
    assert_eq!(near.end("one", tcp(TO_TWO.0, TO_TWO.1, SYN)), "two");
    // What a middlebox forwards is nobody's, nor what comes from a group with the same name elsewhere.
    assert_eq!(near.end("fw", tcp("10.0.1.10:8", TO_TWO.1, SYN)), "SecurityGroup");
    assert_eq!(near.end("three", tcp("10.2.1.10:9", TO_TWO.1, SYN)), "SecurityGroup");
    let own = world(&[("from: OPEN", "from: sg/open")]).end("one", tcp(TO_TWO.0, TO_TWO.1, SYN));
    assert_eq!(own, "SecurityGroup", "a group of the same name in the own VPC is another one");
}

/// Rules: SG-09
#[test]
fn an_outbound_rule_may_name_a_group_of_the_peer() {
    let a_open = "security_groups: { open: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: \"::/0\" } ] } }\n    instances:\n      one:";
    let refers =
        a_open.replacen("open: { ingress", "open: { egress: [ { proto: all, to: sg/b.open } ], ingress", 1);
    let mut world = world(&[(a_open, &refers)]);
    assert_eq!(world.end("one", tcp(TO_TWO.0, TO_TWO.1, SYN)), "two");
    assert_eq!(world.end("one", tcp("10.0.1.10:9", "10.0.1.20:80", SYN)), "SecurityGroup");
}

/// Rules: SG-10
#[test]
fn a_rule_about_a_peer_that_is_gone_matches_nobody() {
    let refers = ("from: OPEN", "from: sg/a.open");
    let mut world = world(&[refers, ("state: active", "state: deleted")]);
    // Nothing crosses any more; the rule stands and lets nobody of its own VPC in either.
    assert_eq!(world.end("one", tcp(TO_TWO.0, TO_TWO.1, SYN)), "Blackhole");
}

/// Rules: NG-18, NG-23, OR-17, FL-44
#[test]
fn what_a_nat_gateway_sent_over_a_connection_is_answered_over_it_without_a_route() {
    let mut world = world(&[]);
    let there = world.send("deep", tcp("10.0.3.10:9", "10.1.1.10:80", SYN));
    assert_eq!((end(&there).as_str(), ends(there.tuple).as_str()), ("two", "10.0.2.5:1024 > 10.1.1.10:80"));
    assert_eq!(world.records(&there)[2], "nat egress ACCEPT 4 10.0.2.5:1024 > 10.1.1.10:80");
    // b routes 10.0.1.0/24 to the connection, and 10.0.2.5 by its default route.
    let back = world.send("two", answer(&there, tcp("0.0.0.0:0", "0.0.0.0:0", SYN | ACK)));
    assert_eq!(end(&back), "deep");
    assert_eq!(
        world.records(&back)[..2],
        [
            "two egress ACCEPT 4 10.1.1.10:80 > 10.0.2.5:1024",
            "nat ingress ACCEPT - 10.1.1.10:80 > 10.0.2.5:1024"
        ]
    );
    // Anything else to the gateway takes the route that there is.
    assert_eq!(world.end("two", tcp("10.1.1.10:81", "10.0.2.5:1024", SYN)), "NoPublicAddress");
}

/// Rules: PC-13
#[test]
fn vpcs_with_equal_blocks_do_not_meet() {
    let twins = r#"
vpcs:
  a: { cidr: [10.0.0.0/16], subnets: { s: { cidr: 10.0.1.0/24 } }, security_groups: { o: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } },
       instances: { a1: { subnet: s, private_ip: 10.0.1.10, security_groups: [o] }, a2: { subnet: s, private_ip: 10.0.1.11, security_groups: [o] } },
       route_tables: { main: { main: true, routes: [ { to: 10.1.1.10/32, via: peering/left }, { to: 10.1.1.11/32, via: peering/right } ] } } }
  left:  { cidr: [10.1.0.0/16], subnets: { s: { cidr: 10.1.1.0/24 } }, security_groups: { o: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } },
       instances: { l1: { subnet: s, private_ip: 10.1.1.10, security_groups: [o] }, l2: { subnet: s, private_ip: 10.1.1.11, security_groups: [o] } } }
  right: { cidr: [10.1.0.0/16], subnets: { s: { cidr: 10.1.1.0/24 } }, security_groups: { o: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } },
       instances: { r1: { subnet: s, private_ip: 10.1.1.10, security_groups: [o] }, r2: { subnet: s, private_ip: 10.1.1.11, security_groups: [o] } } }
peerings: { left: { requester: a, accepter: left }, right: { requester: a, accepter: right } }
"#;
    let mut world = Wide::new(twins);
    assert_eq!(world.end("a1", ping("10.0.1.10", "10.1.1.10", 1)), "l1");
    assert_eq!(world.end("a1", ping("10.0.1.10", "10.1.1.11", 1)), "r2");
    assert_eq!(world.end("l1", ping("10.1.1.10", "10.1.1.11", 1)), "l2");
}
