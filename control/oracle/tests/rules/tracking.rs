//! What connection tracking lets through, and for which flows there is none.

use vpclab_oracle::{Reason, TRACKED};

use crate::packets::{ACK, FIN, RST, SYN, ping, pong, raw, segment, tcp, udp};
use crate::world::{A_AND_B, TWO_SUBNETS, World, deciders};

/// One subnet that holds the address 203.0.113.1 of AWS's example, one for its instance.
const SG_17_WORLD: &str = r#"
    cidr: [172.31.0.0/16, 203.0.112.0/23]
    subnets:
      inside:  { cidr: 172.31.16.0/20, az: us-east-1a }
      outside: { cidr: 203.0.112.0/23, az: us-east-1a }
    instances:
      server: { subnet: inside,  private_ip: 172.31.16.139, security_groups: [server] }
      client: { subnet: outside, private_ip: 203.0.113.1,   security_groups: [anything] }
"#;

const SG_17_GROUP: &str = r#"
    security_groups:
      anything: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      server:
        ingress:
          - { proto: tcp, ports: 22, from: 203.0.113.1/32 }
          - { proto: tcp, ports: 80, from: 0.0.0.0/0 }
          - { proto: tcp, ports: 80, from: "::/0" }
          - { proto: icmp, from: 0.0.0.0/0 }
        egress:
          - { proto: all, to: 0.0.0.0/0 }
          - { proto: all, to: "::/0" }
"#;

/// The group of SG-17 without its ingress rules.
const SG_17_NO_INGRESS: &str = r#"
    security_groups:
      anything: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      server:
        egress:
          - { proto: all, to: 0.0.0.0/0 }
          - { proto: all, to: "::/0" }
"#;

/// The group of SG-17 without its IPv4 egress rule.
const SG_17_NO_V4_EGRESS: &str = r#"
    security_groups:
      anything: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      server:
        ingress:
          - { proto: tcp, ports: 22, from: 203.0.113.1/32 }
          - { proto: tcp, ports: 80, from: 0.0.0.0/0 }
          - { proto: tcp, ports: 80, from: "::/0" }
          - { proto: icmp, from: 0.0.0.0/0 }
        egress:
          - { proto: all, to: "::/0" }
"#;

const CLIENT: &str = "203.0.113.1:40000";
const SSH: &str = "172.31.16.139:22";
const WEB: &str = "172.31.16.139:80";

/// Opens a TCP connection with all three segments.
#[track_caller]
fn connect(world: &mut World, from: &str, client: &str, to: &str, server: &str) {
    world.delivers(from, tcp(client, server, SYN), to);
    world.delivers(to, tcp(server, client, SYN | ACK), from);
    world.delivers(from, tcp(client, server, ACK), to);
}

/// Rules: SG-14, SG-15, SG-17, SG-18
#[test]
fn of_awss_example_port_22_and_icmp_are_tracked_and_port_80_is_not() {
    let mut world = World::new(&[SG_17_WORLD, SG_17_GROUP]);
    connect(&mut world, "client", CLIENT, "server", SSH);
    connect(&mut world, "client", CLIENT, "server", WEB);
    world.delivers("client", ping("203.0.113.1", "172.31.16.139", 9), "server");
    world.delivers("server", pong("172.31.16.139", "203.0.113.1", 9), "client");

    // Without the rules, tracked flows go on and the untracked one is cut at once.
    world.apply(&[SG_17_WORLD, SG_17_NO_INGRESS]);
    world.delivers("client", tcp(CLIENT, SSH, ACK), "server");
    world.delivers("client", ping("203.0.113.1", "172.31.16.139", 9), "server");
    world.drops("client", tcp(CLIENT, WEB, ACK), Reason::SecurityGroup);
}

/// Rules: SG-14, SG-17
#[test]
fn replies_of_an_untracked_flow_are_allowed_by_the_wide_rule_not_by_state() {
    let mut world = World::new(&[SG_17_WORLD, SG_17_GROUP]);
    world.delivers("client", tcp(CLIENT, WEB, SYN), "server");
    let reply = world.send("server", tcp(WEB, CLIENT, SYN | ACK));
    assert_eq!(deciders(&reply)[0], world.egress_rule("server", 0));
    // Nor did the reply begin a tracked flow.
    let next = world.send("client", tcp(CLIENT, WEB, ACK));
    assert_eq!(deciders(&next).last().copied(), Some(world.ingress_rule("server", 1).as_str()));
}

/// Rules: SG-17
#[test]
fn without_the_ipv4_egress_rule_all_ipv4_is_tracked_port_80_too() {
    let mut world = World::new(&[SG_17_WORLD, SG_17_NO_V4_EGRESS]);
    for server in [SSH, WEB] {
        world.delivers("client", tcp(CLIENT, server, SYN), "server");
        let reply = world.send("server", tcp(server, CLIENT, SYN | ACK));
        assert_eq!(deciders(&reply)[0], TRACKED, "{server}");
    }
    world.drops("server", tcp("172.31.16.139:50000", CLIENT, SYN), Reason::SecurityGroup);
}

/// Rules: SG-17, SG-18
#[test]
fn an_untracked_flow_becomes_tracked_when_the_other_direction_narrows() {
    let mut world = World::new(&[SG_17_WORLD, SG_17_GROUP]);
    connect(&mut world, "client", CLIENT, "server", WEB);
    world.apply(&[SG_17_WORLD, SG_17_NO_V4_EGRESS]);
    world.drops("server", tcp(WEB, CLIENT, ACK), Reason::SecurityGroup);
    world.delivers("client", tcp(CLIENT, WEB, ACK), "server");
    world.delivers("server", tcp(WEB, CLIENT, ACK), "client");
}

/// Rules: SG-14
#[test]
fn the_other_direction_must_be_open_on_every_port() {
    let nearly = r#"
    security_groups:
      anything: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      server:
        ingress: [ { proto: tcp, ports: 80, from: 0.0.0.0/0 }, { proto: udp, ports: 80, from: 0.0.0.0/0 } ]
        egress: [ { proto: tcp, ports: 1-65535, to: 0.0.0.0/0 }, { proto: udp, ports: 0-65535, to: 0.0.0.0/0 } ]
"#;
    let mut world = World::new(&[SG_17_WORLD, nearly]);
    world.delivers("client", tcp(CLIENT, WEB, SYN), "server");
    world.delivers("client", udp(CLIENT, WEB), "server");
    assert_eq!(deciders(&world.preview("server", tcp(WEB, CLIENT, SYN | ACK)))[0], TRACKED);
    assert_ne!(deciders(&world.preview("server", udp(WEB, CLIENT)))[0], TRACKED);
}

/// Rules: SG-14
#[test]
fn one_wide_rule_among_the_matching_suffices() {
    let both = r#"
    security_groups:
      anything: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
      server:
        ingress: [ { proto: tcp, ports: 80, from: 203.0.113.1/32 }, { proto: tcp, ports: 80, from: 0.0.0.0/0 } ]
"#;
    let mut world = World::new(&[SG_17_WORLD, both]);
    world.delivers("client", tcp(CLIENT, WEB, SYN), "server");
    assert_eq!(
        deciders(&world.preview("server", tcp(WEB, CLIENT, SYN | ACK)))[0],
        world.egress_rule("server", 0)
    );
}

/// Rules: SG-14
#[test]
fn who_began_the_flow_says_which_direction_must_be_wide() {
    // Outbound from port 80: the rule that matched is egress, and ingress is not open on all ports, so it is tracked.
    let mut world = World::new(&[SG_17_WORLD, SG_17_GROUP]);
    world.delivers("server", tcp(WEB, "203.0.113.1:9", SYN), "client");
    let reply = world.send("client", tcp("203.0.113.1:9", WEB, SYN | ACK));
    assert_eq!(deciders(&reply).last(), Some(&TRACKED));
}

/// Rules: SG-14
#[test]
fn with_track_all_every_flow_is_tracked() {
    let mut world = World::with(&[SG_17_WORLD, SG_17_GROUP], "settings: { sg: { track_all: true } }");
    world.delivers("client", tcp(CLIENT, WEB, SYN), "server");
    assert_eq!(deciders(&world.preview("server", tcp(WEB, CLIENT, SYN | ACK)))[0], TRACKED);
}

/// `a` may open to `b`'s port 80 of TCP and UDP and ping it; nothing else is allowed anywhere.
const NARROW: &str = "
    security_groups:
      a: { egress: [ { proto: tcp, ports: 80, to: 10.0.2.0/24 }, { proto: udp, ports: 80, to: 10.0.2.0/24 },
                     { proto: icmp, type: 8, to: 10.0.2.0/24 }, { proto: 47, to: 10.0.2.0/24 } ] }
      b: { ingress: [ { proto: tcp, ports: 80, from: 10.0.1.0/24 }, { proto: udp, ports: 80, from: 10.0.1.0/24 },
                      { proto: icmp, type: 8, from: 10.0.1.0/24 }, { proto: 47, from: 10.0.1.0/24 } ], egress: [] }
";

const CLOSED: &str = "
    security_groups:
      a: { egress: [] }
      b: { egress: [] }
";

const A: &str = "10.0.1.10:40000";
const B: &str = "10.0.2.10:80";

/// Rules: SG-13
#[test]
fn replies_pass_whatever_the_other_direction_says() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("a", udp(A, B), "b");
    world.delivers("b", udp(B, A), "a");
    world.drops("b", udp("10.0.2.10:81", A), Reason::SecurityGroup);
}

/// Rules: SG-13, SG-15, SG-22
#[test]
fn an_echo_reply_needs_the_request_with_its_identifier() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    world.drops("b", pong("10.0.2.10", "10.0.1.10", 7), Reason::SecurityGroup);
    world.delivers("a", ping("10.0.1.10", "10.0.2.10", 7), "b");
    world.delivers("b", pong("10.0.2.10", "10.0.1.10", 7), "a");
    world.drops("b", pong("10.0.2.10", "10.0.1.10", 8), Reason::SecurityGroup);
    world.drops("b", ping("10.0.2.10", "10.0.1.10", 7), Reason::SecurityGroup);
}

/// Rules: SG-21
#[test]
fn other_protocols_are_tracked_by_addresses_and_protocol() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    world.drops("b", raw("10.0.2.10", "10.0.1.10", 47), Reason::SecurityGroup);
    world.delivers("a", raw("10.0.1.10", "10.0.2.10", 47), "b");
    world.delivers("b", raw("10.0.2.10", "10.0.1.10", 47), "a");
}

/// Rules: SG-18
#[test]
fn a_tracked_flow_outlives_its_rules_and_a_new_one_does_not_begin() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.apply(&[TWO_SUBNETS, CLOSED, A_AND_B]);
    let data = world.send("a", tcp(A, B, ACK));
    assert!(data.trail.iter().filter(|step| step.decided_by == TRACKED).count() == 2, "{data:#?}");
    world.drops("a", tcp("10.0.1.10:40001", B, SYN), Reason::SecurityGroup);
}

/// Rules: SG-19, NA-15
#[test]
fn a_network_acl_cuts_a_tracked_flow_at_once_in_either_direction() {
    let deny = |direction: &str| {
        format!(
            r#"
    cidr: [10.0.0.0/16]
    subnets:
      left:  {{ cidr: 10.0.1.0/24, az: us-east-1a }}
      right: {{ cidr: 10.0.2.0/24, az: us-east-1a, network_acl: cut }}
    network_acls:
      cut:
        ingress: [ {{ rule: 100, action: {}, proto: all, cidr: 0.0.0.0/0 }} ]
        egress:  [ {{ rule: 100, action: {}, proto: all, cidr: 0.0.0.0/0 }} ]
    instances:
      a: {{ subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }}
      b: {{ subnet: right, private_ip: 10.0.2.10, security_groups: [b] }}
"#,
            if direction == "ingress" { "deny" } else { "allow" },
            if direction == "egress" { "deny" } else { "allow" },
        )
    };
    let mut world = World::new(&[&deny("nothing"), NARROW]);
    connect(&mut world, "a", A, "b", B);
    world.apply(&[&deny("ingress"), NARROW]);
    world.drops("a", tcp(A, B, ACK), Reason::NetworkAcl);
    world.delivers("b", tcp(B, A, ACK), "a");
    world.apply(&[&deny("egress"), NARROW]);
    world.delivers("a", tcp(A, B, ACK), "b");
    world.drops("b", tcp(B, A, ACK), Reason::NetworkAcl);
}

/// Rules: OR-03
#[test]
fn a_gate_that_granted_remembers_even_if_a_later_one_refuses() {
    let mut world = World::new(&[
        TWO_SUBNETS,
        "
    security_groups:
      a: { egress: [ { proto: udp, ports: 80, to: 10.0.2.0/24 } ] }
      b: {}
",
        A_AND_B,
    ]);
    world.drops("a", udp(A, B), Reason::SecurityGroup);
    // b may send anything, and a remembers having asked.
    world.delivers("b", udp(B, A), "a");
}

/// Rules: OR-03
#[test]
fn what_the_ingress_acl_drops_leaves_no_state_behind_it() {
    let base = |action: &str| {
        format!(
            r#"
    cidr: [10.0.0.0/16]
    subnets:
      left:  {{ cidr: 10.0.1.0/24, az: us-east-1a }}
      right: {{ cidr: 10.0.2.0/24, az: us-east-1a, network_acl: in }}
    network_acls:
      in:
        ingress: [ {{ rule: 100, action: {action}, proto: all, cidr: 0.0.0.0/0 }} ]
        egress:  [ {{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }} ]
    instances:
      a: {{ subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }}
      b: {{ subnet: right, private_ip: 10.0.2.10, security_groups: [b] }}
"#
        )
    };
    let mut world = World::new(&[&base("deny"), NARROW]);
    world.drops("a", udp(A, B), Reason::NetworkAcl);
    world.drops("b", udp(B, A), Reason::SecurityGroup);
}

/// Rules: SG-23, FL-37, SG-22
#[test]
fn after_a_reset_packets_are_rejected_until_a_syn_starts_anew() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("b", tcp(B, A, RST | ACK), "a");
    let late = world.send("a", tcp(A, B, ACK));
    assert_eq!(late.reason(), Some(Reason::ConnectionClosed));
    assert_eq!(world.records(&late), ["a egress REJECT 1"]);
    world.delivers("a", tcp(A, B, SYN), "b");
    world.delivers("b", tcp(B, A, SYN | ACK), "a");
}

/// Rules: SG-23, SG-24
#[test]
fn ten_seconds_after_the_close_a_packet_is_a_new_flow_and_rejects_do_not_prolong_it() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("b", tcp(B, A, RST), "a");
    world.wait(9);
    world.drops("a", tcp(A, B, ACK), Reason::ConnectionClosed);
    world.wait(1);
    world.delivers("a", tcp(A, B, ACK), "b");
}

/// Rules: SG-23
#[test]
fn a_syn_after_the_close_meets_the_rules_again() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("b", tcp(B, A, RST), "a");
    world.apply(&[TWO_SUBNETS, CLOSED, A_AND_B]);
    world.drops("a", tcp(A, B, SYN), Reason::SecurityGroup);
    world.drops("a", tcp(A, B, ACK), Reason::ConnectionClosed);
}

/// Rules: SG-23, FL-37
#[test]
fn a_connection_is_closed_when_both_fins_are_acknowledged() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("a", segment(A, B, FIN | ACK, 100, 500, 20), "b");
    world.delivers("b", segment(B, A, ACK, 500, 121, 0), "a");
    // b is still sending: half closed is open.
    world.delivers("b", segment(B, A, ACK, 500, 121, 40), "a");
    world.delivers("a", segment(A, B, ACK, 121, 540, 0), "b");
    world.delivers("b", segment(B, A, FIN | ACK, 540, 121, 0), "a");
    // An acknowledgement short of the FIN does not close.
    world.delivers("a", segment(A, B, ACK, 121, 540, 0), "b");
    world.delivers("a", segment(A, B, ACK, 121, 541, 0), "b");
    world.drops("b", segment(B, A, ACK, 541, 121, 0), Reason::ConnectionClosed);
}

/// Rules: SG-23
#[test]
fn sequence_numbers_wrap_around() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("a", segment(A, B, FIN | ACK, u32::MAX, 7, 0), "b");
    world.delivers("b", segment(B, A, FIN | ACK, 7, 0, 0), "a");
    world.delivers("a", segment(A, B, ACK, 0, 8, 0), "b");
    world.drops("a", segment(A, B, ACK, 0, 8, 0), Reason::ConnectionClosed);
}

/// Rules: SG-23
#[test]
fn what_does_not_acknowledge_both_fins_leaves_the_connection_open() {
    // The first FIN ends at 121, the second at 541.
    let second_fin = segment(B, A, FIN | ACK, 540, 121, 0);
    let not_closing = [
        ("short of the data", second_fin, segment(A, B, ACK, 121, 540, 0)),
        ("no ACK flag", second_fin, segment(A, B, 0, 121, 541, 0)),
        (
            "the first FIN is not covered",
            segment(B, A, FIN | ACK, 540, 120, 0),
            segment(A, B, ACK, 121, 541, 0),
        ),
        ("half the number space behind", second_fin, segment(A, B, ACK, 121, 541 + (1 << 31), 0)),
    ];
    for (why, fin, last) in not_closing {
        let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
        connect(&mut world, "a", A, "b", B);
        world.delivers("a", segment(A, B, FIN | ACK, 100, 540, 20), "b");
        world.delivers("b", fin, "a");
        world.delivers("a", last, "b");
        assert_eq!(world.send("a", tcp(A, B, ACK)).reason(), None, "{why}");
    }
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("a", segment(A, B, FIN | ACK, 100, 540, 20), "b");
    world.delivers("b", second_fin, "a");
    world.delivers("a", segment(A, B, ACK, 121, 541 + (1 << 31) - 1, 0), "b");
    world.drops("a", tcp(A, B, ACK), Reason::ConnectionClosed);
}

/// Rules: SG-23
#[test]
fn a_syn_takes_a_sequence_number_as_a_fin_does() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    world.delivers("a", segment(A, B, SYN | FIN, 100, 0, 0), "b");
    world.delivers("b", segment(B, A, SYN | FIN | ACK, 500, 101, 0), "a");
    world.delivers("a", segment(A, B, ACK, 102, 502, 0), "b");
    world.delivers("b", segment(B, A, ACK, 502, 102, 0), "a");
    world.drops("b", segment(B, A, ACK, 502, 102, 0), Reason::ConnectionClosed);
}

/// Rules: SG-23
#[test]
fn a_syn_ack_does_not_start_a_closed_connection_anew() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    connect(&mut world, "a", A, "b", B);
    world.delivers("b", tcp(B, A, RST), "a");
    world.drops("a", tcp(A, B, SYN | ACK), Reason::ConnectionClosed);
}

/// Rules: SG-14, SG-23
#[test]
fn an_untracked_flow_has_no_closed_state() {
    let mut world = World::new(&[SG_17_WORLD, SG_17_GROUP]);
    connect(&mut world, "client", CLIENT, "server", WEB);
    let reset = world.send("server", tcp(WEB, CLIENT, RST));
    assert_eq!(reset.reason(), None);
    let late = world.send("server", tcp(WEB, CLIENT, ACK));
    assert_eq!(deciders(&late)[0], world.egress_rule("server", 0));
}

#[test]
fn a_preview_remembers_nothing() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    assert_eq!(world.preview("a", udp(A, B)).reason(), None);
    world.drops("b", udp(B, A), Reason::SecurityGroup);
}
