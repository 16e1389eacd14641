//! What happens when a table is full: old flows go on, new ones are refused or counted, and nothing is lost in silence.

use std::time::Duration;

use engine::{Action, Direction, DropReason, Event};
use model::Valid;
use vpclab_sim::craft::{Body, Shape};
use vpclab_sim::{Fate, World};
use wire::testing::ip;

/// `a` may ask `b` on UDP port 53 and `c` anything, untracked at both ends; `d` lets nothing in.
const LAB: &str = r#"
lab: t
vpcs:
  main:
    cidr: [10.0.0.0/16]
    subnets:
      left:  { cidr: 10.0.1.0/24 }
      right: { cidr: 10.0.2.0/24 }
    security_groups:
      a: { ingress: [ { proto: tcp, ports: 0-65535, from: 0.0.0.0/0 } ], egress: [ { proto: udp, ports: 53, to: 10.0.2.0/24 }, { proto: tcp, ports: 80, to: 0.0.0.0/0 } ] }
      b: { ingress: [ { proto: udp, ports: 53, from: 10.0.1.0/24 } ], egress: [] }
      c: { ingress: [ { proto: tcp, ports: 80, from: 0.0.0.0/0 } ], egress: [ { proto: tcp, ports: 0-65535, to: 0.0.0.0/0 } ] }
    instances:
      a: { subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }
      b: { subnet: right, private_ip: 10.0.2.10, security_groups: [b] }
      c: { subnet: right, private_ip: 10.0.2.11, security_groups: [c] }
      d: { subnet: right, private_ip: 10.0.2.12, security_groups: [b], mtu: 1500 }
    flow_logs:
      all: { traffic: all, max_aggregation_interval: 60, destination: { file: all.log } }
"#;

const A: &str = "10.0.1.10";
const B: &str = "10.0.2.10";
const C: &str = "10.0.2.11";
const D: &str = "10.0.2.12";

/// Sessions that a small world remembers: each has two halves.
const SESSIONS: usize = 16;

/// Rules: SG-25, FL-46
#[test]
fn a_full_table_keeps_old_flows_and_takes_no_new_one() {
    let mut world = small(1);
    for port in 1..=SESSIONS as u16 {
        assert_eq!(fate(&mut world, "a", &udp(A, port, B, 53)), delivered(&world, "b"), "flow {port}");
    }
    let full = Fate::Dropped(DropReason::SessionTableFull);
    assert_eq!(fate(&mut world, "a", &udp(A, 1_000, B, 53)), full);
    for port in 1..=SESSIONS as u16 {
        assert_eq!(fate(&mut world, "b", &udp(B, 53, A, port)), delivered(&world, "a"), "reply {port}");
        assert_eq!(fate(&mut world, "a", &udp(A, port, B, 53)), delivered(&world, "b"), "flow {port}");
    }
    assert_eq!(fate(&mut world, "a", &udp(A, 1_000, B, 53)), full);
    assert_eq!(world.counters().dropped(DropReason::SessionTableFull), 2);
    // The group let it out, so the sender's record is ACCEPT and the receiver has none.
    assert_eq!(taps(&mut world, 1_000), [("a".to_owned(), Direction::Egress, Action::Accept, 2)]);
}

/// Rules: SG-25, SG-14
#[test]
fn what_needs_no_entry_passes_a_full_table() {
    let mut world = small(1);
    for port in 1..=SESSIONS as u16 {
        fate(&mut world, "a", &udp(A, port, B, 53));
    }
    let body = Body::Tcp { ports: (7, 80), flags: wire::tcp_flag::SYN, seq: 1, ack: 0 };
    let syn = Shape::new(ip(A), ip(C), body).bytes();
    assert_eq!(fate(&mut world, "a", &syn), delivered(&world, "c"));
    assert_eq!(fate(&mut world, "a", &syn), delivered(&world, "c"));
}

/// Rules: SG-25, SG-20
#[test]
fn a_flow_that_ends_makes_room_for_another() {
    let mut world = small(1);
    for port in 1..=SESSIONS as u16 {
        fate(&mut world, "a", &udp(A, port, B, 53));
    }
    world.advance(Duration::from_secs(29));
    assert_eq!(fate(&mut world, "a", &udp(A, 1, B, 53)), delivered(&world, "b"));
    // All but the first are idle for 30 seconds, and the timer wheel has come by.
    world.advance(Duration::from_secs(2));
    for port in 100..100 + SESSIONS as u16 - 1 {
        assert_eq!(fate(&mut world, "a", &udp(A, port, B, 53)), delivered(&world, "b"), "flow {port}");
    }
    let full = Fate::Dropped(DropReason::SessionTableFull);
    assert_eq!(fate(&mut world, "a", &udp(A, 1_000, B, 53)), full);
}

/// Rules: FL-39, SG-25
#[test]
fn a_flood_of_refused_packets_becomes_skipdata_and_leaves_flows_alone() {
    for workers in [1, 3] {
        let mut world = small(workers);
        assert_eq!(fate(&mut world, "a", &udp(A, 1, B, 53)), delivered(&world, "b"));
        let refused = Fate::Dropped(DropReason::SecurityGroupDenied);
        for port in 1..=200 {
            assert_eq!(fate(&mut world, "a", &udp(A, port, B, 54)), refused, "flow {port}");
            assert_eq!(fate(&mut world, "b", &udp(B, 53, A, 1)), delivered(&world, "a"), "reply {port}");
        }
        assert_eq!(world.counters().dropped(DropReason::SecurityGroupDenied), 200);
        world.advance(Duration::from_secs(60));
        let interface = world.valid().lab().vpcs["main"].instances["a"].interfaces[0].id.clone();
        let lines: Vec<_> = world.take_lines().into_iter().map(|line| line.text).collect();
        let mine: Vec<_> = lines.iter().filter(|line| line.contains(&interface)).collect();
        let with = |status: &str| mine.iter().filter(|line| line.ends_with(status)).count();
        assert_eq!(with(" SKIPDATA"), 1, "{mine:#?}");
        let kept = usize::from(workers) * SESSIONS;
        assert!((1..=kept).contains(&with(" REJECT OK")), "{mine:#?}");
        assert_eq!(with(" ACCEPT OK"), 2, "{mine:#?}");
        let recorded: u64 =
            mine.iter().filter(|line| line.ends_with(" REJECT OK")).map(|line| packets(line)).sum();
        assert!(recorded < 200, "some records are lost: {recorded}");
    }
}

/// Rules: MT-05
#[test]
fn an_interface_is_told_of_oversize_packets_a_hundred_times_a_second() {
    let mut world = small(1);
    let large =
        Shape { size: Some(1_501), dont_fragment: true, ..Shape::new(ip(A), ip(D), Body::Udp(9, 53)) };
    let mut told =
        || (0..150).map(|_| world.send(port(&world, "a"), &large.bytes()).errors.len()).sum::<usize>();
    assert_eq!(told(), 100);
    assert_eq!(told(), 0);
    world.advance(Duration::from_secs(1));
    let sent: usize = (0..150).map(|_| world.send(port(&world, "a"), &large.bytes()).errors.len()).sum();
    assert_eq!((sent, world.counters().originated, world.counters().in_flight()), (100, 200, 0));
}

fn small(workers: u16) -> World {
    World::with_sessions(lab(), workers, SESSIONS)
}

fn lab() -> Valid {
    import::load("limits.yaml", LAB).expect("the lab is in order").0
}

fn udp(src: &str, from: u16, dst: &str, to: u16) -> Vec<u8> {
    Shape::new(ip(src), ip(dst), Body::Udp(from, to)).bytes()
}

fn port(world: &World, name: &str) -> snapshot::InterfaceIx {
    world.interface(name).expect("an instance of the lab")
}

/// Sends, and checks that every packet has ended.
fn fate(world: &mut World, from: &str, packet: &[u8]) -> Fate {
    let sent = world.send(port(world, from), packet);
    assert_eq!(world.counters().in_flight(), 0);
    sent.fate
}

fn delivered(world: &World, to: &str) -> Fate {
    Fate::Delivered(port(world, to))
}

/// What the flow logs count for packets from this source port.
fn taps(world: &mut World, source_port: u16) -> Vec<(String, Direction, Action, u64)> {
    world.finish();
    let mut sums = Vec::new();
    for (_, event) in world.take_events() {
        let Event::Tap(tap) = event else { continue };
        if tap.tuple.src_port != source_port {
            continue;
        }
        let name = world.name_of(tap.interface).expect("an interface of the lab").1.instance;
        let key = (name, tap.direction, tap.action);
        match sums.iter_mut().find(|(known, _)| *known == key) {
            Some((_, packets)) => *packets += tap.packets,
            None => sums.push((key, tap.packets)),
        }
    }
    sums.into_iter().map(|((name, direction, action), packets)| (name, direction, action, packets)).collect()
}

/// The packets field of a line in the default format.
fn packets(line: &str) -> u64 {
    line.split(' ').nth(8).expect("the ninth field").parse().expect("a number")
}
