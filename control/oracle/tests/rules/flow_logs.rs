//! Which records a packet is counted in.

use vpclab_oracle::{Action, Direction, Reason, Record};

use crate::packets::{SYN, ping, pong, tcp};
use crate::world::{A_AND_B, TWO_SUBNETS, World};

/// AWS's ping example between two subnets: `home` is 203.0.113.12, the instance 172.31.16.139.
fn fl_38(group_ingress: &str, acl_egress: &str) -> World {
    let text = format!(
        r#"
    cidr: [172.31.0.0/16, 203.0.112.0/23]
    subnets:
      inside:  {{ cidr: 172.31.16.0/20, az: us-east-1a, network_acl: inside }}
      outside: {{ cidr: 203.0.112.0/23, az: us-east-1a }}
    network_acls:
      inside:
        ingress: [ {{ rule: 100, action: allow, proto: icmp, cidr: 0.0.0.0/0 }} ]
        egress:  [ {{ rule: 100, action: {acl_egress}, proto: icmp, cidr: 0.0.0.0/0 }} ]
    security_groups:
      home: {{ ingress: [ {{ proto: all, from: 0.0.0.0/0 }} ] }}
      instance: {{ ingress: [ {group_ingress} ], egress: [] }}
    instances:
      home:     {{ subnet: outside, private_ip: 203.0.113.12,  security_groups: [home] }}
      instance: {{ subnet: inside,  private_ip: 172.31.16.139, security_groups: [instance] }}
"#
    );
    World::new(&[&text])
}

/// Packets and bytes that the instance's interface counts per direction and action.
#[derive(Default, Debug, PartialEq)]
struct Count {
    packets: u32,
    bytes: u32,
}

/// Rules: FL-38, FL-14, FL-36
#[test]
fn a_ping_that_the_group_admits_and_the_acl_lets_not_out_is_accepted_then_rejected() {
    let mut world = fl_38("{ proto: icmp, from: 0.0.0.0/0 }", "deny");
    let (mut requests, mut replies) = (Count::default(), Count::default());
    for _ in 0..4 {
        let request = ping("203.0.113.12", "172.31.16.139", 77);
        let there = world.send("home", request);
        assert_eq!(world.records(&there), ["home egress ACCEPT 1", "instance ingress ACCEPT -"]);
        requests.packets += 1;
        requests.bytes += request.length;
        let reply = pong("172.31.16.139", "203.0.113.12", 77);
        let back = world.send("instance", reply);
        assert_eq!(back.reason(), Some(Reason::NetworkAcl));
        assert_eq!(world.records(&back), ["instance egress REJECT 1"]);
        replies.packets += 1;
        replies.bytes += reply.length;
    }
    // 2 123456789010 eni-… 203.0.113.12 172.31.16.139 0 0 1 4 336 … ACCEPT OK
    // 2 123456789010 eni-… 172.31.16.139 203.0.113.12 0 0 1 4 336 … REJECT OK
    assert_eq!(requests, Count { packets: 4, bytes: 336 });
    assert_eq!(replies, Count { packets: 4, bytes: 336 });
}

/// Rules: FL-38
#[test]
fn with_an_acl_that_lets_it_out_both_are_accepted() {
    let mut world = fl_38("{ proto: icmp, from: 0.0.0.0/0 }", "allow");
    world.delivers("home", ping("203.0.113.12", "172.31.16.139", 77), "instance");
    let back = world.send("instance", pong("172.31.16.139", "203.0.113.12", 77));
    assert_eq!(world.records(&back), ["instance egress ACCEPT 1", "home ingress ACCEPT -"]);
}

/// Rules: FL-38
#[test]
fn a_group_that_denies_inbound_gives_a_single_reject() {
    let mut world = fl_38("", "allow");
    let there = world.send("home", ping("203.0.113.12", "172.31.16.139", 77));
    assert_eq!(there.reason(), Some(Reason::SecurityGroup));
    assert_eq!(world.records(&there), ["home egress ACCEPT 1", "instance ingress REJECT -"]);
}

/// Rules: FL-43, FL-44, FL-66
#[test]
fn a_packet_inside_the_vpc_is_recorded_at_both_ends() {
    let groups = "
    security_groups:
      a: {}
      b: { ingress: [ { proto: tcp, ports: 80, from: 0.0.0.0/0 } ] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups, A_AND_B]);
    let verdict = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    let sender = Record {
        interface_id: world.interface_id("a"),
        direction: Direction::Egress,
        action: Action::Accept,
        traffic_path: Some(1),
        tuple: verdict.tuple,
        bytes: 84,
    };
    let receiver = Record {
        interface_id: world.interface_id("b"),
        direction: Direction::Ingress,
        action: Action::Accept,
        traffic_path: None,
        tuple: verdict.tuple,
        bytes: 84,
    };
    assert_eq!(verdict.records, [sender, receiver]);
}

/// Rules: FL-66
#[test]
fn the_receivers_refusal_leaves_the_senders_accept() {
    let groups = "
    security_groups: { a: {}, b: {} }
";
    let mut world = World::new(&[TWO_SUBNETS, groups, A_AND_B]);
    let verdict = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(world.records(&verdict), ["a egress ACCEPT 1", "b ingress REJECT -"]);
}

/// Rules: FL-67, FL-36, OR-01
#[test]
fn the_senders_refusal_is_the_only_record() {
    let groups = "
    security_groups:
      a: { egress: [] }
      b: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] }
";
    let mut world = World::new(&[TWO_SUBNETS, groups, A_AND_B]);
    let verdict = world.send("a", tcp("10.0.1.10:40000", "10.0.2.10:80", SYN));
    assert_eq!(world.records(&verdict), ["a egress REJECT 1"]);
}
