//! ICMP errors about other packets.

use vpclab_oracle::{Reason, TRACKED, UNTRACKED};

use crate::packets::{SYN, icmp, tcp, udp};
use crate::world::{A_AND_B, TWO_SUBNETS, World, deciders};

/// `a` may ask `b` on UDP port 80, and nothing else is allowed.
const NARROW: &str = "
    security_groups:
      a: { egress: [ { proto: udp, ports: 80, to: 10.0.2.0/24 } ] }
      b: { ingress: [ { proto: udp, ports: 80, from: 10.0.1.0/24 } ], egress: [] }
";

/// Untracked at both ends.
const WIDE: &str = "
    security_groups:
      a: { ingress: [ { proto: udp, ports: 0-65535, from: 0.0.0.0/0 } ], egress: [ { proto: udp, ports: 80, to: 0.0.0.0/0 } ] }
      b: { ingress: [ { proto: udp, ports: 80, from: 0.0.0.0/0 } ], egress: [ { proto: udp, ports: 0-65535, to: 0.0.0.0/0 } ] }
";

const A: &str = "10.0.1.10:40000";
const B: &str = "10.0.2.10:80";

/// Rules: MT-09, SG-13
#[test]
fn an_error_passes_both_gates_with_the_tracked_flow_that_it_is_about() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    let error = icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, B)));
    world.drops("b", error, Reason::SecurityGroup);
    world.delivers("a", udp(A, B), "b");
    let verdict = world.send("b", error);
    assert_eq!(verdict.reason(), None);
    assert_eq!((deciders(&verdict)[0], *deciders(&verdict).last().expect("steps")), (TRACKED, TRACKED));
}

/// Rules: MT-09
#[test]
fn an_error_about_another_flow_or_the_wrong_direction_does_not_pass() {
    let mut world = World::new(&[TWO_SUBNETS, NARROW, A_AND_B]);
    world.delivers("a", udp(A, B), "b");
    world.drops(
        "b",
        icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp("10.0.1.10:40001", B))),
        Reason::SecurityGroup,
    );
    // b never received what it sent itself.
    world.drops("b", icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(B, A))), Reason::SecurityGroup);
}

/// Rules: MT-09
#[test]
fn the_knob_makes_errors_about_tracked_flows_need_a_rule() {
    let groups = "
    security_groups:
      a: { egress: [ { proto: udp, ports: 80, to: 10.0.2.0/24 } ], ingress: [ { proto: icmp, type: 3, code: 3, from: 10.0.2.0/24 } ] }
      b: { ingress: [ { proto: udp, ports: 80, from: 10.0.1.0/24 } ] }
";
    let mut world =
        World::with(&[TWO_SUBNETS, groups, A_AND_B], "settings: { sg: { related_icmp: reject } }");
    world.delivers("a", udp(A, B), "b");
    world.delivers("b", icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, B))), "a");
    world.drops("b", icmp("10.0.2.10", "10.0.1.10", 3, 1, Some(&udp(A, B))), Reason::SecurityGroup);
}

/// Rules: MT-09, SG-14
#[test]
fn an_error_about_an_untracked_flow_passes_whatever_the_knob_says() {
    let settings = "settings: { sg: { related_icmp: reject } }";
    let mut world = World::with(&[TWO_SUBNETS, WIDE, A_AND_B], settings);
    world.delivers("a", udp(A, B), "b");
    let verdict = world.send("b", icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, B))));
    assert_eq!(verdict.reason(), None);
    assert_eq!(deciders(&verdict)[0], UNTRACKED);
    world.drops(
        "b",
        icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, "10.0.2.10:81"))),
        Reason::SecurityGroup,
    );
}

/// Rules: MT-09, SG-14
#[test]
fn an_error_about_a_reply_goes_with_the_flow_that_was_replied_to() {
    let mut world = World::new(&[TWO_SUBNETS, WIDE, A_AND_B]);
    world.delivers("a", udp(A, B), "b");
    world.delivers("b", udp(B, A), "a");
    world.delivers("a", icmp("10.0.1.10", "10.0.2.10", 3, 3, Some(&udp(B, A))), "b");
}

/// Rules: MT-09
#[test]
fn an_error_begins_no_flow_and_prolongs_none() {
    let groups = "
    security_groups:
      a: { egress: [ { proto: udp, ports: 80, to: 10.0.2.0/24 } ], ingress: [] }
      b: { ingress: [ { proto: udp, ports: 80, from: 10.0.1.0/24 } ] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups, A_AND_B]);
    world.delivers("a", udp(A, B), "b");
    let error = icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, B)));
    world.wait(20);
    world.delivers("b", error, "a");
    world.wait(10);
    world.drops("b", error, Reason::SecurityGroup);
}

/// Rules: MT-09, NA-11
#[test]
fn the_network_acl_sees_an_error_as_icmp() {
    let base = |code: u8| {
        format!(
            r#"
    cidr: [10.0.0.0/16]
    subnets:
      left:  {{ cidr: 10.0.1.0/24, az: us-east-1a, network_acl: in }}
      right: {{ cidr: 10.0.2.0/24, az: us-east-1a }}
    network_acls:
      in:
        ingress: [ {{ rule: 100, action: allow, proto: icmp, type: 3, code: {code}, cidr: 10.0.2.0/24 }} ]
        egress:  [ {{ rule: 100, action: allow, proto: udp, ports: 80, cidr: 10.0.2.0/24 }} ]
    instances:
      a: {{ subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }}
      b: {{ subnet: right, private_ip: 10.0.2.10, security_groups: [b] }}
"#
        )
    };
    let mut world = World::new(&[&base(3), NARROW]);
    world.delivers("a", udp(A, B), "b");
    let error = icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&udp(A, B)));
    world.delivers("b", error, "a");
    world.apply(&[&base(4), NARROW]);
    world.drops("b", error, Reason::NetworkAcl);
}

/// Rules: MT-09, SG-24
#[test]
fn an_error_without_a_flow_needs_a_rule() {
    let groups = "
    security_groups:
      a: { ingress: [ { proto: icmp, type: 3, from: 10.0.2.0/24 } ], egress: [] }
      b: {}
";
    let mut world = World::new(&[TWO_SUBNETS, groups, A_AND_B]);
    let about = tcp(A, B, SYN);
    world.delivers("b", icmp("10.0.2.10", "10.0.1.10", 3, 3, Some(&about)), "a");
    world.drops("b", icmp("10.0.2.10", "10.0.1.10", 11, 0, Some(&about)), Reason::SecurityGroup);
    // It was not tracked: nothing comes back along it.
    world.drops("a", icmp("10.0.1.10", "10.0.2.10", 3, 3, Some(&about)), Reason::SecurityGroup);
}
