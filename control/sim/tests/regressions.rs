//! Mistakes that were made once, each with the smallest world that shows it.

use std::time::Duration;

use engine::{DropReason, Event, Facts, Tracked, TrackedState, decide};
use model::Valid;
use snapshot::{Attachment, InterfaceIx};
use vpclab_sim::{Fate, World};
use wire::FiveTuple;
use wire::testing::{at, echo_request, fragments, icmp, icmp_error, ip, tcp};

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

const A: &str = "10.0.1.10";
const B: &str = "10.0.2.10";
const C: &str = "10.0.2.11";

/// `a` may be reached on tcp/22 from `b` and sends nothing by itself; `b` and `c` take everything.
const LAB: &str = r#"
lab: regressions
vpcs:
  v:
    cidr: [10.0.0.0/16]
    subnets: { one: { cidr: 10.0.1.0/24 }, two: { cidr: 10.0.2.0/24, network_acl: echo } }
    network_acls:
      echo:
        ingress: [ { rule: 100, action: allow, proto: icmp, type: 8, code: 0, cidr: 0.0.0.0/0 }, { rule: 110, action: allow, proto: icmp, type: 3, cidr: 0.0.0.0/0 }, { rule: 120, action: allow, proto: tcp, ports: 0-65535, cidr: 0.0.0.0/0 } ]
        egress: [ { rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 } ]
    security_groups:
      quiet: { ingress: [ { proto: tcp, ports: 22, from: 10.0.2.10/32 } ], egress: [] }
      open: { ingress: [ { proto: all, from: 10.0.0.0/16 } ], egress: [ { proto: all, to: 10.0.0.0/16 } ] }
    instances:
      a: { subnet: one, security_groups: [quiet], private_ip: 10.0.1.10 }
      b: { subnet: two, security_groups: [open], private_ip: 10.0.2.10 }
      c: { subnet: two, security_groups: [open], private_ip: 10.0.2.11 }
      d: { subnet: one, security_groups: [open], private_ip: 10.0.1.11 }
"#;

/// Rules: MT-09, SG-01, SG-26
#[test]
fn an_icmp_error_passes_with_a_flow_only_back_to_the_sender_of_what_it_quotes() {
    let (mut world, [a, b, ..]) = world(LAB);
    let syn = tcp(at("10.0.2.10:40000"), at("10.0.1.10:22"), SYN, 1, 0, &[]);
    assert_eq!(world.send(b, &syn).fate, Fate::Delivered(a));
    let back = icmp_error(ip(A), &syn, 3, 3, 0);
    assert_eq!(world.send(a, &back).fate, Fate::Delivered(b));
    let astray = icmp(ip(A), ip(C), 3, 3, [0; 4], &syn);
    assert_eq!(world.send(a, &astray).fate, Fate::Dropped(DropReason::SecurityGroupDenied));
}

/// Rules: SG-01, SG-18
#[test]
fn group_state_ends_with_its_interface() {
    let (mut world, [a, b, ..]) = world(LAB);
    let syn = tcp(at("10.0.2.10:40000"), at("10.0.1.10:22"), SYN, 1, 0, &[]);
    let answer = tcp(at("10.0.1.10:22"), at("10.0.2.10:40000"), SYN | ACK, 9, 2, &[]);
    assert_eq!(world.send(b, &syn).fate, Fate::Delivered(a));
    assert_eq!(world.send(a, &answer).fate, Fate::Delivered(b));
    let instance = LAB.lines().find(|line| line.contains(" a: {")).expect("a is there");
    world.apply(load(&LAB.replace(instance, "")));
    world.apply(load(&LAB.replace("ports: 22", "ports: 23")));
    assert_eq!(world.interface("a"), Some(a), "the same interface as before by its id");
    assert_eq!(world.send(a, &answer).fate, Fate::Dropped(DropReason::SecurityGroupDenied));
    let ack = tcp(at("10.0.2.10:40000"), at("10.0.1.10:22"), ACK, 2, 10, &[]);
    assert_eq!(world.send(b, &ack).fate, Fate::Dropped(DropReason::SecurityGroupDenied));
}

/// Rules: NA-02, NA-09
#[test]
fn a_cached_decision_holds_for_its_icmp_code_only() {
    let (mut world, [_, b, _, d]) = world(LAB);
    let proper = echo_request(ip("10.0.1.11"), ip(B), 7, 1, &[]);
    let odd = icmp(ip("10.0.1.11"), ip(B), 8, 1, [0, 7, 0, 1], &[]);
    assert_eq!(world.send(d, &proper).fate, Fate::Delivered(b));
    assert_eq!(world.send(d, &odd).fate, Fate::Dropped(DropReason::NetworkAclDenied));
    assert_eq!(world.send(d, &proper).fate, Fate::Delivered(b));
}

/// Rules: SG-23, MT-11
#[test]
fn a_later_fragment_opens_no_closed_connection() {
    let (mut world, [a, b, ..]) = world(LAB);
    let (there, here) = (at("10.0.2.10:40000"), at("10.0.1.10:22"));
    assert_eq!(world.send(b, &tcp(there, here, SYN, 1, 0, &[])).fate, Fate::Delivered(a));
    assert_eq!(world.send(b, &tcp(there, here, RST, 2, 0, &[])).fate, Fate::Delivered(a));
    for fragment in fragments(&tcp(there, here, ACK, 2, 9, &[0; 2000]), 7, 1000) {
        assert_eq!(world.send(b, &fragment).fate, Fate::Dropped(DropReason::ConnectionClosed));
    }
}

/// Rules: NA-15, SG-18
#[test]
fn a_decision_holds_while_the_parts_that_it_used_are_the_same() {
    let (mut world, [_, b, _, d]) = world(LAB);
    let ping = echo_request(ip("10.0.1.11"), ip(B), 7, 1, &[]);
    assert_eq!(world.send(d, &ping).fate, Fate::Delivered(b));
    let facts = Facts::of(Attachment::interface(d), &wire::parse(&ping).expect("a packet of ours"));
    let decision = decide(world.snapshot(), &facts, &Nothing);
    let generation = world.snapshot().generation();
    world.apply(load(&LAB.replace("ports: 22", "ports: 23")));
    assert!(world.snapshot().generation() > generation);
    assert!(decision.holds_in(world.snapshot()), "the group that changed is not on the way");
    world.apply(load(&LAB.replace("type: 8, code: 0", "type: 8, code: 1")));
    assert!(!decision.holds_in(world.snapshot()), "the entry that decided is gone");
}

struct Nothing;

impl Tracked for Nothing {
    fn at(&self, _: Attachment, _: &FiveTuple) -> Option<TrackedState> {
        None
    }
}

/// Rules: FL-11, FL-12
#[test]
fn a_longer_tap_interval_loses_nothing_and_rests_in_between() {
    let log = |interval: u32| {
        format!(
            "{LAB}    flow_logs: {{ all: {{ traffic: all, max_aggregation_interval: {interval}, destination: {{ file: x }} }} }}\n\
             settings: {{ flow_logs: {{ allow_any_interval: true }} }}\n"
        )
    };
    let (mut world, [_, b, _, d]) = world(&log(10));
    let ping = echo_request(ip("10.0.1.11"), ip(B), 7, 1, &[0; 56]);
    world.advance(Duration::from_secs(12));
    world.apply(load(&log(60)));
    world.advance(Duration::from_secs(1));
    assert_eq!(world.send(d, &ping).fate, Fate::Delivered(b));
    world.advance(Duration::from_secs(8));
    assert!(world.engines()[0].poll_timeout() > world.now(), "no work is left before the interval ends");
    world.advance(Duration::from_secs(60));
    let counted: u64 = world
        .take_events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            Event::Tap(tap) => Some(tap.packets),
            Event::Flushed(_) | Event::Skipped { .. } => None,
        })
        .sum();
    assert_eq!(counted, 2, "one at the sender, one at the receiver");
}

/// Rules: AD-09, AD-11, RT-15
#[test]
fn ipv6_addresses_of_the_host_and_of_services_are_never_forwarded_and_their_neighbours_are() {
    const DUAL: &str = r#"
lab: dual
vpcs:
  v:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2001:db8:0:1000::/56
    subnets: { one: { cidr: 10.0.1.0/24, ipv6_cidr: "2001:db8:0:1001::/64" } }
    instances: { a: { subnet: one, private_ip: 10.0.1.10, ipv6_addresses: ["2001:db8:0:1001::10"] } }
"#;
    let mut world = World::new(load(DUAL), 1);
    let a = world.interface("a").expect("there");
    let mut fate = |to: &str| world.send(a, &echo_request(ip("2001:db8:0:1001::10"), ip(to), 7, 1, &[])).fate;
    for reserved in ["::", "::1", "fe80::1", "fd00:ec2::253", "fd00:ec2:ffff::"] {
        assert_eq!(fate(reserved), Fate::Dropped(DropReason::ReservedAddress), "{reserved}");
    }
    for ordinary in ["::2", "fd00:ec3::253", "fd01:ec2::253"] {
        assert_eq!(fate(ordinary), Fate::Dropped(DropReason::NoRoute), "{ordinary}");
    }
}

fn world(text: &str) -> (World, [InterfaceIx; 4]) {
    let world = World::new(load(text), 1);
    let ends = ["a", "b", "c", "d"].map(|name| world.interface(name).expect("there"));
    (world, ends)
}

fn load(text: &str) -> Valid {
    match import::load("regressions.yaml", text) {
        Ok((valid, _)) => valid,
        Err(findings) => {
            panic!("{}", import::render(&findings, "regressions.yaml", text, import::Look::Plain))
        }
    }
}
