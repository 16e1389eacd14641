//! What security-group rules match, before any state.

use vpclab_oracle::{NO_RULE, Reason};

use crate::packets::{ACK, SYN, icmp, later_fragment, ping, pong, raw, tcp, udp};
use crate::world::{A_AND_B, TWO_SUBNETS, World, deciders};

/// `a` sends anything; `b` has the given ingress rules.
fn b_admits(rules: &str) -> World {
    let groups = format!(
        "
    security_groups:
      a: {{}}
      b: {{ ingress: [ {rules} ] }}
"
    );
    World::new(&[TWO_SUBNETS, &groups, A_AND_B])
}

/// Rules: SG-01, FL-66
#[test]
fn what_no_rule_allows_is_refused() {
    let mut world = b_admits("{ proto: tcp, ports: 443, from: 10.0.0.0/16 }");
    let verdict = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(verdict.reason(), Some(Reason::SecurityGroup));
    assert_eq!(deciders(&verdict).last(), Some(&NO_RULE));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT 1", "b ingress REJECT -"]);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:443", SYN), "b");
}

/// Rules: SG-02
#[test]
fn groups_are_united_and_any_rule_suffices() {
    let groups = "
    security_groups:
      none: {}
      one: { ingress: [ { proto: tcp, ports: 80, from: 10.0.1.0/24 } ] }
      two: { ingress: [ { proto: tcp, ports: 22, from: 10.0.1.0/24 }, { proto: tcp, ports: 80-90, from: 10.0.1.10/32 } ] }
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10, security_groups: [none] }
      b: { subnet: right, private_ip: 10.0.2.10, security_groups: [none, one, two] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups]);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:22", SYN), "b");
    let verdict = world.send("a", tcp("10.0.1.10:40001", "10.0.2.10:80", SYN));
    let step = verdict.trail.last().expect("an SG step");
    assert_eq!(step.any_of, [world.ingress_rule("one", 0), world.ingress_rule("two", 1)]);
    assert_eq!(step.decided_by, world.ingress_rule("one", 0));
}

/// Rules: SG-03, SG-05
#[test]
fn protocol_numbers_ports_and_blocks_all_have_to_match() {
    let mut world =
        b_admits("{ proto: udp, ports: 1000-1002, from: 10.0.1.0/24 }, { proto: 47, from: 10.0.1.10/32 }");
    world.drops("a", udp("10.0.1.10:5", "10.0.2.10:999"), Reason::SecurityGroup);
    world.delivers("a", udp("10.0.1.10:5", "10.0.2.10:1000"), "b");
    world.delivers("a", udp("10.0.1.10:5", "10.0.2.10:1002"), "b");
    world.drops("a", udp("10.0.1.10:5", "10.0.2.10:1003"), Reason::SecurityGroup);
    world.drops("a", tcp("10.0.1.10:5", "10.0.2.10:1001", SYN), Reason::SecurityGroup);
    world.delivers("a", raw("10.0.1.10", "10.0.2.10", 47), "b");
    world.drops("a", raw("10.0.1.10", "10.0.2.10", 50), Reason::SecurityGroup);
}

/// Rules: SG-04
#[test]
fn icmp_rules_name_type_and_code() {
    let mut world = b_admits(
        "{ proto: icmp, type: 8, from: 10.0.0.0/16 }, { proto: icmp, type: 3, code: 4, from: 10.0.0.0/16 }",
    );
    world.delivers("a", ping("10.0.1.10", "10.0.2.10", 1), "b");
    world.drops("a", pong("10.0.1.10", "10.0.2.10", 1), Reason::SecurityGroup);
    world.delivers("a", icmp("10.0.1.10", "10.0.2.10", 3, 4, None), "b");
    world.drops("a", icmp("10.0.1.10", "10.0.2.10", 3, 1, None), Reason::SecurityGroup);
}

/// Rules: SG-04, AD-29
#[test]
fn icmp_and_icmpv6_are_two_protocols() {
    let mut world =
        b_admits("{ proto: icmpv6, type: 128, from: \"::/0\" }, { proto: icmp, from: 10.0.2.0/24 }");
    world.delivers("a", ping("2600:1f18:aaaa:1001::10", "2600:1f18:aaaa:1002::10", 1), "b");
    world.drops("a", ping("10.0.1.10", "10.0.2.10", 1), Reason::SecurityGroup);
}

/// Rules: SG-04, MT-11
#[test]
fn a_later_fragment_is_the_icmp_message_of_its_first() {
    let mut world = b_admits("{ proto: icmp, type: 8, from: 10.0.0.0/16 }");
    world.delivers("a", later_fragment(ping("10.0.1.10", "10.0.2.10", 1)), "b");
    world.drops("a", later_fragment(pong("10.0.1.10", "10.0.2.10", 2)), Reason::SecurityGroup);
    world.drops("a", later_fragment(icmp("10.0.1.10", "10.0.2.10", 3, 1, None)), Reason::SecurityGroup);
    let mut world = b_admits(
        "{ proto: icmp, type: 0, from: 10.0.0.0/16 }, { proto: icmp, type: 3, code: 1, from: 10.0.0.0/16 }",
    );
    world.drops("a", later_fragment(ping("10.0.1.10", "10.0.2.10", 1)), Reason::SecurityGroup);
    world.delivers("a", later_fragment(pong("10.0.1.10", "10.0.2.10", 0x1234)), "b");
    world.delivers("a", later_fragment(icmp("10.0.1.10", "10.0.2.10", 3, 1, None)), "b");
}

/// Rules: SG-06
#[test]
fn a_group_without_egress_rules_written_sends_anything_of_both_families() {
    let mut world = b_admits("{ proto: all, from: 0.0.0.0/0 }, { proto: all, from: \"::/0\" }");
    world.delivers("a", raw("10.0.1.10", "10.0.2.10", 89), "b");
    world.delivers("a", udp("[2600:1f18:aaaa:1001::10]:1", "[2600:1f18:aaaa:1002::10]:2"), "b");
}

/// Rules: SG-07
#[test]
fn the_default_group_admits_its_own_members_only() {
    let instances = "
    security_groups: { other: {} }
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10 }
      b: { subnet: right, private_ip: 10.0.2.10 }
      c: { subnet: right, private_ip: 10.0.2.20, security_groups: [other] }
";
    let mut world = World::new(&[TWO_SUBNETS, instances]);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN), "b");
    world.drops("c", tcp("10.0.2.20:40000", "10.0.2.10:80", SYN), Reason::SecurityGroup);
}

const REFERENCE: &str = "
    security_groups:
      web: {}
      db: { ingress: [ { proto: tcp, ports: 5432, from: sg/web } ] }
      relay: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
    instances:
      web:   { subnet: left,  private_ips: [10.0.1.10, 10.0.1.11], security_groups: [web] }
      other: { subnet: left,  private_ip: 10.0.1.20, security_groups: [relay] }
      relay: { subnet: left,  private_ip: 10.0.1.30, security_groups: [web, relay], source_dest_check: false }
      db:    { subnet: right, private_ip: 10.0.2.10, security_groups: [db] }
";

/// Rules: SG-08
#[test]
fn a_group_reference_means_the_members_own_addresses() {
    let mut world = World::new(&[TWO_SUBNETS, REFERENCE]);
    world.delivers("web", tcp("10.0.1.10:40000", "10.0.2.10:5432", SYN), "db");
    world.delivers("web", tcp("10.0.1.11:40000", "10.0.2.10:5432", SYN), "db");
    world.drops("other", tcp("10.0.1.20:40000", "10.0.2.10:5432", SYN), Reason::SecurityGroup);
}

/// Rules: SG-08
#[test]
fn what_a_middlebox_forwards_is_no_members_packet() {
    let mut world = World::new(&[TWO_SUBNETS, REFERENCE]);
    // The relay is a member itself and forwards for a member: still neither's own packet.
    world.drops("relay", tcp("10.0.1.10:40000", "10.0.2.10:5432", SYN), Reason::SecurityGroup);
    world.delivers("relay", tcp("10.0.1.30:40000", "10.0.2.10:5432", SYN), "db");
}

/// Rules: SG-08
#[test]
fn an_outbound_reference_means_whoever_has_the_destination() {
    let groups = "
    security_groups:
      a: { egress: [ { proto: tcp, ports: 80, to: sg/b } ] }
      b: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }
      b: { subnet: right, private_ip: 10.0.2.10, security_groups: [b] }
      c: { subnet: right, private_ip: 10.0.2.20, security_groups: [a] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups]);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN), "b");
    let refused = world.send("a", tcp("10.0.1.10:40000", "10.0.2.20:80", SYN));
    assert_eq!(world.records(&refused), ["a egress REJECT 1"]);
}

/// Rules: SG-11
#[test]
fn a_prefix_list_peer_stands_for_its_entries() {
    let groups = "
    security_groups:
      a: {}
      b: { ingress: [ { proto: tcp, ports: 80, from: prefix_list/offices } ] }
";
    let lists = "prefix_lists: { offices: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24, 10.0.1.8/30] } }";
    let mut world = World::with(&[TWO_SUBNETS, groups, A_AND_B], lists);
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN), "b");
    world.drops("b", tcp("10.0.2.10:40000", "10.0.1.10:80", SYN), Reason::SecurityGroup);
}

/// Rules: SG-26
#[test]
fn both_ends_are_asked_even_between_members_of_one_group_in_one_subnet() {
    let groups = "
    security_groups:
      same: { egress: [ { proto: tcp, ports: 80, to: 10.0.1.0/24 } ] }
    instances:
      a: { subnet: left, private_ip: 10.0.1.10, security_groups: [same] }
      b: { subnet: left, private_ip: 10.0.1.20, security_groups: [same] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups]);
    let refused_inside = world.send("a", tcp("10.0.1.10:40000", "10.0.1.20:80", SYN));
    assert_eq!(world.records(&refused_inside), ["a egress ACCEPT 1", "b ingress REJECT -"]);
    let refused_outside = world.send("a", tcp("10.0.1.10:40000", "10.0.1.20:81", SYN));
    assert_eq!(world.records(&refused_outside), ["a egress REJECT 1"]);
}

/// Rules: SG-24
#[test]
fn a_packet_in_midstream_without_state_is_judged_as_a_new_flow() {
    let mut world = b_admits("{ proto: tcp, ports: 80, from: 10.0.1.0/24 }");
    world.delivers("a", tcp("10.0.1.10:40000", "10.0.2.10:80", ACK), "b");
    world.delivers("b", tcp("10.0.2.10:80", "10.0.1.10:40000", ACK), "a");
    world.drops("a", tcp("10.0.1.10:40000", "10.0.2.10:81", ACK), Reason::SecurityGroup);
}
