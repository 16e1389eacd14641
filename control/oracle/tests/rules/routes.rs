//! Route tables and what their targets do.

use vpclab_oracle::{NO_ROUTE, Reason, StepKind, Verdict};

use crate::packets::{SYN, tcp, udp};
use crate::world::{World, deciders};

/// `a` in `left` with the routes given; `fw` in `left` and `box` in `right` take whatever is routed to them, `checked` does not.
fn world_with_lists(routes: &str, prefix_lists: &str) -> World {
    let text = format!(
        r#"
    cidr: [10.0.0.0/16]
    subnets:
      left:  {{ cidr: 10.0.1.0/24, az: us-east-1a, route_table: t, network_acl: left }}
      right: {{ cidr: 10.0.2.0/24, az: us-east-1a }}
      third: {{ cidr: 10.0.3.0/24, az: us-east-1a }}
    route_tables:
      t: {{ routes: [ {routes} ] }}
    network_acls:
      left: {{ ingress: [ {ALLOW_ALL} ], egress: [ {{ rule: 90, action: deny, proto: tcp, ports: 666, cidr: 0.0.0.0/0 }}, {ALLOW_ALL} ] }}
    security_groups:
      open: {{ ingress: [ {{ proto: all, from: 0.0.0.0/0 }} ] }}
    instances:
      a:       {{ subnet: left,  private_ip: 10.0.1.10, security_groups: [open] }}
      fw:      {{ subnet: left,  private_ip: 10.0.1.20, security_groups: [open], source_dest_check: false }}
      box:     {{ subnet: right, private_ip: 10.0.2.20, security_groups: [open], source_dest_check: false }}
      checked: {{ subnet: right, private_ip: 10.0.2.30, security_groups: [open] }}
      b:       {{ subnet: third, private_ip: 10.0.3.10, security_groups: [open] }}
"#
    );
    World::with(&[&text], prefix_lists)
}

const ALLOW_ALL: &str = "{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }";

fn world(routes: &str) -> World {
    world_with_lists(routes, "")
}

fn route_of(verdict: &Verdict) -> &str {
    let step = verdict.trail.iter().find(|step| step.kind == StepKind::Route).expect("a route step");
    &step.decided_by
}

fn to(destination: &str) -> wire::Parsed {
    udp("10.0.1.10:5000", destination)
}

/// Rules: RT-04, RT-02
#[test]
fn the_local_route_leads_to_the_owner_of_the_address() {
    let mut world = world("");
    let verdict = world.send("a", to("10.0.3.10:80"));
    let table = &world.vpc().route_tables["t"].id;
    assert_eq!(route_of(&verdict), format!("{table}/10.0.0.0/16"));
    world.delivers("a", to("10.0.3.10:80"), "b");
    // The other subnet uses the main table.
    let back = world.send("b", udp("10.0.3.10:80", "10.0.1.10:5000"));
    let main = world.vpc().route_tables.values().find(|table| table.main).expect("a main table");
    assert_eq!(route_of(&back), format!("{}/10.0.0.0/16", main.id));
}

/// Rules: RT-05, RT-07
#[test]
fn the_longest_prefix_wins_wherever_it_is_written() {
    let mut world = world(
        "{ to: 192.0.2.0/24, via: instance/box }, { to: 192.0.2.128/25, via: instance/fw }, { to: 0.0.0.0/0, via: blackhole }",
    );
    world.delivers("a", to("192.0.2.1:80"), "box");
    world.delivers("a", to("192.0.2.129:80"), "fw");
    world.drops("a", to("198.51.100.1:80"), Reason::Blackhole);
}

/// Rules: RT-05
#[test]
fn a_prefix_list_route_counts_as_one_route_per_entry() {
    let lists = "prefix_lists: { p: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24, 198.51.100.0/28] } }";
    let mut world = world_with_lists(
        "{ to: prefix_list/p, via: instance/box }, { to: 192.0.2.0/25, via: instance/fw }, { to: 198.51.100.0/24, via: instance/fw }",
        lists,
    );
    world.delivers("a", to("192.0.2.200:80"), "box");
    world.delivers("a", to("192.0.2.1:80"), "fw");
    world.delivers("a", to("198.51.100.1:80"), "box");
    world.delivers("a", to("198.51.100.99:80"), "fw");
    let verdict = world.send("a", to("198.51.100.1:80"));
    assert_eq!(
        route_of(&verdict),
        format!("{}/{}", world.vpc().route_tables["t"].id, world.prefix_list_id("p"))
    );
}

/// Rules: RT-05
#[test]
fn the_longest_entry_of_a_prefix_list_counts() {
    let lists = "prefix_lists: { p: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24, 192.0.2.0/26] } }";
    let routes = "{ to: 192.0.2.0/25, via: instance/fw }, { to: prefix_list/p, via: instance/box }";
    let mut world = world_with_lists(routes, lists);
    world.delivers("a", to("192.0.2.1:80"), "box");
    world.delivers("a", to("192.0.2.100:80"), "fw");
    world.delivers("a", to("192.0.2.200:80"), "box");
}

/// Rules: RT-06
#[test]
fn at_equal_length_a_plain_block_beats_a_prefix_list() {
    let lists = "prefix_lists: { p: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24] } }";
    let mut world = world_with_lists(
        "{ to: prefix_list/p, via: instance/box }, { to: 192.0.2.0/24, via: instance/fw }",
        lists,
    );
    world.delivers("a", to("192.0.2.1:80"), "fw");
}

/// Rules: RT-08
#[test]
fn of_two_prefix_lists_the_lowest_id_wins() {
    let lists = "prefix_lists:
  p: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24] }
  q: { address_family: ipv4, max_entries: 5, entries: [192.0.2.0/24] }";
    let mut one = world_with_lists(
        "{ to: prefix_list/p, via: instance/box }, { to: prefix_list/q, via: instance/fw }",
        lists,
    );
    let mut other = world_with_lists(
        "{ to: prefix_list/q, via: instance/fw }, { to: prefix_list/p, via: instance/box }",
        lists,
    );
    let winner = if one.prefix_list_id("p") < one.prefix_list_id("q") { "box" } else { "fw" };
    one.delivers("a", to("192.0.2.1:80"), winner);
    other.delivers("a", to("192.0.2.1:80"), winner);
}

/// Rules: RT-11
#[test]
fn a_whole_subnet_may_be_sent_through_a_middlebox() {
    let mut world = world("{ to: 10.0.3.0/24, via: instance/fw }");
    world.delivers("a", to("10.0.3.10:80"), "fw");
    world.delivers("a", to("10.0.2.30:80"), "checked");
}

/// Rules: RT-13, AD-22
#[test]
fn no_route_diverts_traffic_inside_a_subnet() {
    let mut world = world("{ to: 10.0.1.0/24, via: instance/box }");
    let verdict = world.send("a", to("10.0.1.20:80"));
    assert_eq!(verdict.reason(), None);
    assert!(verdict.trail.iter().all(|step| step.kind != StepKind::Route));
    world.delivers("a", to("10.0.1.20:80"), "fw");
}

/// Rules: RT-15, FL-46, OR-02
#[test]
fn a_blackhole_drops_without_falling_back_and_leaves_an_accept() {
    let mut world = world("{ to: 192.0.2.0/24, via: blackhole }, { to: 0.0.0.0/0, via: instance/box }");
    let verdict = world.send("a", to("192.0.2.1:80"));
    assert_eq!(verdict.reason(), Some(Reason::Blackhole));
    assert_eq!(route_of(&verdict), format!("{}/192.0.2.0/24", world.vpc().route_tables["t"].id));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT -"]);
    world.delivers("a", to("192.0.3.1:80"), "box");
}

/// Rules: RT-17, FL-46, OR-02
#[test]
fn without_a_route_the_packet_is_lost_silently_after_its_accept() {
    let mut world = world("");
    let verdict = world.send("a", to("192.0.2.1:80"));
    assert_eq!(verdict.reason(), Some(Reason::NoRoute));
    assert_eq!(deciders(&verdict).last(), Some(&NO_ROUTE));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT -"]);
    // Refused by the ACL on the way to nowhere: still no path.
    let refused = world.send("a", tcp("10.0.1.10:5000", "192.0.2.1:666", SYN));
    assert_eq!(refused.reason(), Some(Reason::NetworkAcl));
    assert_eq!(world.records(&refused), ["a egress REJECT -"]);
}

/// Rules: AD-23, AD-24
#[test]
fn a_checked_interface_takes_nothing_that_is_not_its_own() {
    let mut world =
        world("{ to: 192.0.2.0/24, via: instance/checked }, { to: 0.0.0.0/0, via: instance/box }");
    let verdict = world.send("a", to("192.0.2.1:80"));
    assert_eq!(verdict.reason(), Some(Reason::SourceDestCheck));
    assert_eq!(deciders(&verdict).last().copied(), Some(world.interface_id("checked").as_str()));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT 1"]);
    let taken = world.send("a", to("198.51.100.1:80"));
    assert_eq!(world.records(&taken), ["a egress ACCEPT 1", "box ingress ACCEPT -"]);
}

/// Rules: OR-12, NA-01
#[test]
fn a_target_in_the_senders_subnet_crosses_no_boundary() {
    let mut world =
        world("{ to: 192.0.2.0/24, via: instance/fw }, { to: 198.51.100.0/24, via: instance/box }");
    let near = world.send("a", tcp("10.0.1.10:5000", "192.0.2.1:666", SYN));
    assert_eq!(near.reason(), None);
    assert_eq!(
        near.trail.iter().map(|step| step.kind).collect::<Vec<_>>(),
        [StepKind::SgEgress, StepKind::Route, StepKind::SgIngress]
    );
    world.drops("a", tcp("10.0.1.10:5000", "198.51.100.1:666", SYN), Reason::NetworkAcl);
}
