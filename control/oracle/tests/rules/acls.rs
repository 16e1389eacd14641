//! Network ACLs.

use vpclab_oracle::{Reason, StepKind};

use crate::packets::{ACK, SYN, icmp, later_fragment, ping, pong, raw, tcp, udp};
use crate::world::{World, deciders};

/// `a` and `n` in `left`, `b` in `right` behind ACL `t`; groups let everything pass.
fn world(ingress: &str, egress: &str) -> World {
    let text = format!(
        r#"
    cidr: [10.0.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    subnets:
      left:  {{ cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", az: us-east-1a }}
      right: {{ cidr: 10.0.2.0/24, ipv6_cidr: "2600:1f18:aaaa:1002::/64", az: us-east-1a, network_acl: t }}
    network_acls:
      t: {{ ingress: [ {ingress} ], egress: [ {egress} ] }}
    security_groups:
      open: {{ ingress: [ {{ proto: all, from: 0.0.0.0/0 }}, {{ proto: all, from: "::/0" }} ] }}
    instances:
      a: {{ subnet: left,  private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"], security_groups: [open] }}
      b: {{ subnet: right, private_ip: 10.0.2.10, ipv6_addresses: ["2600:1f18:aaaa:1002::10"], security_groups: [open] }}
      c: {{ subnet: right, private_ip: 10.0.2.20, security_groups: [open] }}
"#
    );
    World::new(&[&text])
}

const ALL_OUT: &str = "{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }";

/// Rules: NA-02
#[test]
fn the_lowest_matching_number_decides_wherever_it_is_written() {
    let mut world = world(
        "{ rule: 200, action: allow, proto: all, cidr: 0.0.0.0/0 },
         { rule: 110, action: deny, proto: tcp, ports: 80, cidr: 10.0.1.0/24 },
         { rule: 100, action: allow, proto: tcp, ports: 80, cidr: 10.0.1.0/25 },
         { rule: 1, action: deny, proto: tcp, ports: 0-65535, cidr: 10.9.0.0/16 }",
        ALL_OUT,
    );
    let id = world.vpc().network_acls["t"].id.clone();
    let allowed = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(allowed.reason(), None);
    let step = allowed.trail.iter().find(|step| step.kind == StepKind::NaclIngress).expect("a NACL step");
    assert_eq!(step.decided_by, format!("{id}/ingress/100"));
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:81", SYN), "b");
}

/// Rules: NA-02
#[test]
fn a_deny_ahead_of_an_allow_denies() {
    let mut world = world(
        "{ rule: 32765, action: deny, proto: udp, ports: 53, cidr: 10.0.1.10/32 },
         { rule: 32766, action: allow, proto: all, cidr: 0.0.0.0/0 }",
        ALL_OUT,
    );
    let id = world.vpc().network_acls["t"].id.clone();
    let denied = world.send("a", udp("10.0.1.10:5", "10.0.2.10:53"));
    assert_eq!(denied.reason(), Some(Reason::NetworkAcl));
    assert_eq!(deciders(&denied).last().copied(), Some(format!("{id}/ingress/32765").as_str()));
    world.delivers("a", udp("10.0.1.10:5", "10.0.2.10:54"), "b");
}

/// Rules: NA-03, NA-05
#[test]
fn what_no_entry_matches_meets_the_implicit_deny() {
    let mut world = world("", "");
    let id = world.vpc().network_acls["t"].id.clone();
    let inbound = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(deciders(&inbound).last().copied(), Some(format!("{id}/ingress/*").as_str()));
    assert_eq!(world.records(&inbound), ["a egress ACCEPT 1", "b ingress REJECT -"]);
    let outbound = world.send("b", tcp("10.0.2.10:40000", "10.0.1.10:80", SYN));
    assert_eq!(deciders(&outbound).last().copied(), Some(format!("{id}/egress/*").as_str()));
    assert_eq!(world.records(&outbound), ["b egress REJECT 1"]);
}

/// Rules: NA-04, NA-06
#[test]
fn the_default_acl_lets_both_families_pass() {
    let mut world = world(ALL_OUT, "{ rule: 100, action: allow, proto: all, cidr: \"::/0\" }");
    let sent = world.send("b", ping("2600:1f18:aaaa:1002::10", "2600:1f18:aaaa:1001::10", 1));
    let id = &world.vpc().network_acls["default"].id;
    assert!(deciders(&sent).contains(&format!("{id}/ingress/101").as_str()), "{sent:#?}");
    let sent = world.send("a", ping("10.0.1.10", "10.0.2.10", 1));
    let id = &world.vpc().network_acls["default"].id;
    assert!(deciders(&sent).contains(&format!("{id}/egress/100").as_str()), "{sent:#?}");
}

/// Rules: NA-01, OR-04
#[test]
fn inside_a_subnet_no_acl_is_asked() {
    let mut world = world("", "");
    let verdict = world.send("b", tcp("10.0.2.10:40000", "10.0.2.20:80", SYN));
    assert_eq!(verdict.reason(), None);
    let kinds: Vec<_> = verdict.trail.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::SgEgress, StepKind::SgIngress]);
    assert_eq!(world.records(&verdict), ["b egress ACCEPT 1", "c ingress ACCEPT -"]);
}

/// Rules: OR-01, OR-05
#[test]
fn between_subnets_every_gate_is_asked_in_order() {
    let mut world = world(ALL_OUT, ALL_OUT);
    let kinds =
        |verdict: &vpclab_oracle::Verdict| verdict.trail.iter().map(|step| step.kind).collect::<Vec<_>>();
    let order = [
        StepKind::SgEgress,
        StepKind::NaclEgress,
        StepKind::Route,
        StepKind::NaclIngress,
        StepKind::SgIngress,
    ];
    let there = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(kinds(&there), order);
    let back = world.send("b", tcp("10.0.2.10:80", "10.0.1.10:40000", SYN | ACK));
    assert_eq!(kinds(&back), order);
}

/// Rules: NA-08, AD-29
#[test]
fn an_entry_of_one_family_never_matches_the_other() {
    let mut world = world(
        "{ rule: 100, action: deny, proto: all, cidr: 0.0.0.0/0 }, { rule: 101, action: allow, proto: all, cidr: \"::/0\" }",
        ALL_OUT,
    );
    world.delivers("a", udp("[2600:1f18:aaaa:1001::10]:1", "[2600:1f18:aaaa:1002::10]:2"), "b");
    world.drops("a", udp("10.0.1.10:1", "10.0.2.10:2"), Reason::NetworkAcl);
}

/// Rules: NA-09
#[test]
fn icmp_entries_name_type_and_code_and_other_protocols_no_port() {
    let mut world = world(
        "{ rule: 100, action: allow, proto: icmp, type: 8, cidr: 10.0.1.0/24 },
         { rule: 110, action: allow, proto: icmp, type: 3, code: 4, cidr: 10.0.1.0/24 },
         { rule: 120, action: allow, proto: 47, cidr: 10.0.1.0/24 },
         { rule: 130, action: allow, proto: icmpv6, type: -1, cidr: \"::/0\" }",
        ALL_OUT,
    );
    world.delivers("a", ping("10.0.1.10", "10.0.2.10", 1), "b");
    world.drops("a", pong("10.0.1.10", "10.0.2.10", 2), Reason::NetworkAcl);
    world.delivers("a", icmp("10.0.1.10", "10.0.2.10", 3, 4, None), "b");
    world.drops("a", icmp("10.0.1.10", "10.0.2.10", 3, 1, None), Reason::NetworkAcl);
    world.delivers("a", raw("10.0.1.10", "10.0.2.10", 47), "b");
    world.drops("a", raw("10.0.1.10", "10.0.2.10", 50), Reason::NetworkAcl);
    world.delivers("a", pong("2600:1f18:aaaa:1001::10", "2600:1f18:aaaa:1002::10", 1), "b");
}

/// Rules: NA-10, NA-11
#[test]
fn a_reply_is_judged_by_its_own_destination_port() {
    let mut world = world(
        "{ rule: 100, action: allow, proto: tcp, ports: 80, cidr: 10.0.0.0/16 }",
        "{ rule: 100, action: allow, proto: tcp, ports: 32768-61000, cidr: 10.0.0.0/16 }",
    );
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN), "b");
    world.delivers("b", tcp("10.0.2.10:80", "10.0.1.10:40000", SYN | ACK), "a");
    world.delivers("a", tcp("10.0.1.10:1024", "10.0.2.10:80", SYN), "b");
    let lost = world.send("b", tcp("10.0.2.10:80", "10.0.1.10:1024", SYN | ACK));
    assert_eq!(lost.reason(), Some(Reason::NetworkAcl));
    assert_eq!(world.records(&lost), ["b egress REJECT 1"]);
}

/// Rules: MT-11, NA-10
#[test]
fn a_later_fragment_is_judged_by_the_ports_of_its_first() {
    let mut world = world("{ rule: 100, action: allow, proto: udp, ports: 80, cidr: 10.0.0.0/16 }", ALL_OUT);
    world.delivers("a", later_fragment(udp("10.0.1.10:5", "10.0.2.10:80")), "b");
    world.drops("a", later_fragment(udp("10.0.1.10:5", "10.0.2.10:81")), Reason::NetworkAcl);
}
