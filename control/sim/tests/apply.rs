//! Changes of a lab between every two packets: what they are not about does not notice.

use std::time::Duration;

use vpclab_sim::craft::{Body, Shape};
use vpclab_sim::{Fate, Hosts, Trial};
use wire::tcp_flag::{ACK, SYN};
use wire::testing::ip;

/// Flows of each kind.
const FLOWS: u16 = 8;

/// Times that every flow sends in both directions.
const ROUNDS: usize = 12;

/// A tracked, an untracked and a middlebox path; `{…}` is what the changes are about.
fn lab(change: &Change) -> String {
    let Change { rule, entry, route, group, instance } = change;
    format!(
        r#"
lab: t
vpcs:
  main:
    cidr: [10.0.0.0/16]
    subnets:
      left:  {{ cidr: 10.0.1.0/24, route_table: left, network_acl: left }}
      right: {{ cidr: 10.0.2.0/24 }}
      mid:   {{ cidr: 10.0.3.0/24 }}
    route_tables:
      main: {{ main: true }}
      left: {{ routes: [ {{ to: 10.0.3.0/24, via: interface/fw.eth0 }}, {route} ] }}
    network_acls:
      left:
        ingress: [ {{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }}, {entry} ]
        egress:  [ {{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 }} ]
    security_groups:
      a: {{ egress: [ {{ proto: all, to: 10.0.0.0/16 }}, {rule} ] }}
      b: {{ ingress: [ {{ proto: tcp, ports: 22, from: 10.0.1.0/24 }}, {{ proto: tcp, ports: 80, from: 0.0.0.0/0 }}, {{ proto: udp, ports: 53, from: 10.0.1.0/24 }} ] }}
      open: {{ ingress: [ {{ proto: all, from: 0.0.0.0/0 }} ] }}
      spare: {{ {group} }}
    instances:
      a:  {{ subnet: left,  private_ip: 10.0.1.10, security_groups: [a] }}
      b:  {{ subnet: right, private_ip: 10.0.2.10, security_groups: [b] }}
      fw: {{ subnet: right, private_ip: 10.0.2.20, security_groups: [open], source_dest_check: false }}
      c:  {{ subnet: mid,   private_ip: 10.0.3.10, security_groups: [open] }}
      {instance}
"#
    )
}

/// What differs between two labs.
#[derive(Default)]
struct Change {
    rule: &'static str,
    entry: &'static str,
    route: &'static str,
    group: &'static str,
    instance: &'static str,
}

/// Changes that no flow of the test is about, though they change parts that all of them use.
fn changes() -> Vec<Change> {
    let none = Change::default;
    vec![
        none(),
        Change { rule: "{ proto: udp, ports: 9999, to: 10.0.0.0/8 }", ..none() },
        Change { entry: "{ rule: 50, action: deny, proto: udp, ports: 9, cidr: 0.0.0.0/0 }", ..none() },
        Change { route: "{ to: 192.0.2.0/24, via: blackhole }", ..none() },
        Change { group: "ingress: [ { proto: all, from: sg/a } ]", ..none() },
        Change {
            instance: "d: { subnet: right, private_ip: 10.0.2.30, security_groups: [spare] }",
            ..none()
        },
        Change { instance: "e: { subnet: left, private_ip: 10.0.1.30, security_groups: [a] }", ..none() },
    ]
}

/// Rules: NA-15, SG-18
#[test]
fn an_apply_between_every_two_packets_loses_nothing() {
    let labs: Vec<_> = changes()
        .iter()
        .map(|change| import::load("apply.yaml", &lab(change)).expect("the lab is in order").0)
        .collect();
    let mut trial = Trial::new(&labs[0]);
    let mut hosts = Hosts::default();
    let mut published = 0;
    let mut send = |trial: &mut Trial, from: &str, shape: &mut Shape, to: &str| {
        published += 1;
        trial.apply(&labs[published % labs.len()]);
        hosts.number(shape);
        let heard = trial.send(from, &shape.bytes()).unwrap_or_else(|complaint| panic!("{complaint}"));
        let Fate::Delivered(ix) = heard.sent.fate else { panic!("{from} to {to}: {heard:#?}") };
        assert_eq!(trial.name_of(ix), to);
    };
    for round in 0..ROUNDS {
        for flow in 0..FLOWS {
            for (mut asked, to) in
                [(tcp(flow, 22, round), "b.eth0"), (tcp(flow, 80, round), "b.eth0"), (udp(flow), "b.eth0")]
            {
                send(&mut trial, "a.eth0", &mut asked, to);
                let mut answer = reply(&asked, round);
                send(&mut trial, to, &mut answer, "a.eth0");
            }
            let mut through = Shape::new(ip("10.0.1.10"), ip("10.0.3.10"), Body::Udp(1_000 + flow, 53));
            send(&mut trial, "a.eth0", &mut through, "fw.eth0");
            send(&mut trial, "fw.eth0", &mut through, "c.eth0");
            let mut answer = Shape::new(ip("10.0.3.10"), ip("10.0.1.10"), through.body.reversed());
            send(&mut trial, "c.eth0", &mut answer, "a.eth0");
        }
        trial.advance(Duration::from_millis(700)).unwrap_or_else(|complaint| panic!("{complaint}"));
    }
    let packets = u64::from(FLOWS) * 9 * ROUNDS as u64;
    let counters = trial.counters();
    assert_eq!((counters.received, counters.delivered, counters.dropped_in_all()), (packets, packets, 0));
    trial.finish().unwrap_or_else(|complaint| panic!("{complaint}"));
}

fn tcp(flow: u16, port: u16, round: usize) -> Shape {
    let flags = if round == 0 { SYN } else { ACK };
    let body = Body::Tcp { ports: (1_000 + flow, port), flags, seq: 0, ack: 0 };
    Shape::new(ip("10.0.1.10"), ip("10.0.2.10"), body)
}

fn udp(flow: u16) -> Shape {
    Shape::new(ip("10.0.1.10"), ip("10.0.2.10"), Body::Udp(1_000 + flow, 53))
}

fn reply(asked: &Shape, round: usize) -> Shape {
    let mut body = asked.body.reversed();
    if let Body::Tcp { flags, .. } = &mut body {
        *flags = if round == 0 { SYN | ACK } else { ACK };
    }
    Shape::new(asked.dst, asked.src, body)
}
