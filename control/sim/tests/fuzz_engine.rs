//! Arbitrary packets through whole engines: no panic, and every packet ends exactly once, with one reason if dropped.
//!
//! Runs a bounded number of inputs under `cargo test`. For longer, set `BOLERO_RANDOM_ITERATIONS` and
//! `BOLERO_RANDOM_TEST_TIME_MS`; a failure prints the `BOLERO_RANDOM_SEED` that repeats it.

use std::time::Duration;

use bolero::TypeGenerator;
use engine::{DropReason, Event};
use snapshot::InterfaceIx;
use vpclab_sim::{Fate, Sent, World};

const INPUTS: usize = 3_000;

const LAB: &str = r#"
lab: fuzz
internet: { hosts: { laptop: { ips: [203.0.113.50, "2001:db8:ffff::50"] } } }
vpcs:
  v:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2001:db8:0:1000::/56
    internet_gateway: true
    egress_only_internet_gateway: true
    subnets:
      a: { cidr: 10.0.1.0/24, ipv6_cidr: "2001:db8:0:1001::/64", route_table: private }
      b: { cidr: 10.0.2.0/24, ipv6_cidr: "2001:db8:0:1002::/64" }
    nat_gateways: { gate: { subnet: b, public_ip: 198.51.100.10, private_ip: 10.0.2.5 } }
    route_tables:
      main: { main: true, routes: [ { to: 0.0.0.0/0, via: internet_gateway }, { to: "::/0", via: internet_gateway }, { to: 10.9.0.0/16, via: peering/p } ] }
      private: { routes: [ { to: 0.0.0.0/0, via: nat_gateway/gate }, { to: "64:ff9b::/96", via: nat_gateway/gate }, { to: "::/0", via: egress_only_internet_gateway }, { to: 10.9.0.0/16, via: nat_gateway/gate } ] }
    security_groups:
      some: { ingress: [ { proto: tcp, ports: 80, from: 0.0.0.0/0 }, { proto: icmp, from: 10.0.0.0/16 }, { proto: udp, ports: 0-65535, from: sg/some } ] }
      all: { ingress: [ { proto: all, from: 0.0.0.0/0 }, { proto: all, from: "::/0" } ] }
    instances:
      one: { subnet: a, security_groups: [some], private_ip: 10.0.1.10, ipv6: true }
      two: { subnet: b, security_groups: [all], private_ip: 10.0.2.10, public_ip: 198.51.100.20, ipv6: true, mtu: 1500 }
      nat: { subnet: b, security_groups: [all], private_ip: 10.0.2.11, source_dest_check: false }
  w:
    cidr: [10.9.0.0/16]
    subnets: { a: { cidr: 10.9.1.0/24 } }
    security_groups: { all: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } }
    instances: { far: { subnet: a, security_groups: [all], private_ip: 10.9.1.10 } }
peerings: { p: { requester: v, accepter: w } }
"#;

/// Bytes, and how to make them look like a packet of an instance of the lab.
#[derive(Clone, Debug, TypeGenerator)]
struct Input {
    bytes: Vec<u8>,
    from: u8,
    to: u8,
    protocol: u8,
    disguise: Disguise,
    fragment: u16,
    long: bool,
    wait: u8,
}

/// How much of the header is put right.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Disguise {
    /// Nothing: the bytes as they come.
    None,
    V4,
    V6,
    /// IPv4 whose length field lies.
    V4Lie,
}

#[test]
fn every_packet_ends_once() {
    let (valid, _) = import::load("fuzz.yaml", LAB).expect("the lab is sound");
    bolero::check!().with_iterations(INPUTS).with_type::<Vec<Input>>().for_each(|inputs| {
        for workers in [1, 3] {
            let mut world = World::with_sessions(valid.clone(), workers, 16);
            let ends = ["one", "two", "nat", "far"].map(|name| world.interface(name).expect("there"));
            for input in inputs {
                check_one(&mut world, &ends, input);
            }
            world.advance(Duration::from_secs(2));
            assert_eq!(world.counters().held, 0, "no fragment waits for more than a second");
            check_taps(&mut world);
        }
    });
}

fn check_one(world: &mut World, ends: &[InterfaceIx; 4], input: &Input) {
    let before = world.counters();
    let drops_before = world.drops().len();
    let host = world.host("laptop").expect("there");
    let sent = match ends.get(usize::from(input.from) % V4_FROM) {
        Some(interface) => world.send(*interface, &packet(input)),
        None => world.send_from_host(host, &packet(input)),
    };
    let after = world.counters();
    assert_eq!(after.in_flight(), 0, "{after:?}");
    assert_eq!(after.received, before.received + 1);
    let (fates, errors) = ends_of(&sent);
    // An ICMP error of ours that did not arrive was refused on its way, and is counted under a reason of its own.
    let refused_errors = after.originated - before.originated - errors;
    for reason in DropReason::ALL {
        let counted = after.dropped(*reason) - before.dropped(*reason);
        let dropped = fates.iter().filter(|fate| **fate == Fate::Dropped(*reason)).count() as u64;
        assert!(
            (dropped..=dropped + refused_errors).contains(&counted),
            "{reason:?}: {counted} of {fates:?}"
        );
    }
    let dropped = fates.iter().filter(|fate| matches!(fate, Fate::Dropped(_))).count() as u64;
    let counted = after.dropped_in_all() - before.dropped_in_all();
    assert_eq!(counted, dropped + refused_errors, "one reason each: {fates:?}");
    assert!(world.drops().len() >= drops_before.min(1_024));
    world.advance(Duration::from_millis(u64::from(input.wait) * 10));
}

/// What became of a packet and of the fragments that it released, and how many ICMP errors reached their receivers.
fn ends_of(sent: &Sent) -> (Vec<Fate>, u64) {
    let mut fates = vec![sent.fate.clone()];
    let mut errors = sent.errors.len() as u64;
    for (released, more) in sent.released.iter().map(ends_of) {
        fates.extend(released);
        errors += more;
    }
    (fates, errors)
}

/// What flow logs hear of is never more than what the gates let see.
fn check_taps(world: &mut World) {
    world.finish();
    for (_, event) in world.take_events() {
        if let Event::Tap(tap) = event {
            assert!(tap.packets > 0 && tap.first <= tap.last && tap.bytes >= 20 * tap.packets, "{tap:?}");
        }
    }
}

/// Addresses of who sends, then others that packets go to.
const V4: [[u8; 4]; 9] = [
    [10, 0, 1, 10],
    [10, 0, 2, 10],
    [10, 0, 2, 11],
    [10, 9, 1, 10],
    [203, 0, 113, 50],
    [198, 51, 100, 10],
    [198, 51, 100, 20],
    [10, 0, 2, 5],
    [10, 0, 1, 1],
];

/// How many of them send.
const V4_FROM: usize = 5;

fn packet(input: &Input) -> Vec<u8> {
    let mut bytes = input.bytes.repeat(if input.long { 40 } else { 1 });
    match input.disguise {
        Disguise::None => {}
        Disguise::V4 | Disguise::V4Lie => disguise_v4(&mut bytes, input),
        Disguise::V6 => disguise_v6(&mut bytes, input),
    }
    bytes
}

fn disguise_v4(bytes: &mut Vec<u8>, input: &Input) {
    bytes.resize(bytes.len().max(28), 0);
    let lie = matches!(input.disguise, Disguise::V4Lie);
    let length =
        u16::try_from(bytes.len()).unwrap_or(u16::MAX).wrapping_add(u16::from(lie) * u16::from(input.wait));
    bytes[0] = if lie { 0x40 | (input.wait & 15) } else { 0x45 };
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes[4..6].copy_from_slice(&[0, input.to & 1]);
    bytes[6..8].copy_from_slice(&fragment_field(input).to_be_bytes());
    bytes[9] = [1, 6, 17, 17, input.protocol][usize::from(input.protocol) % 5];
    bytes[12..16].copy_from_slice(&V4[usize::from(input.from) % V4_FROM]);
    bytes[16..20].copy_from_slice(&V4[usize::from(input.to) % V4.len()]);
}

/// Mostly no fragment; else small offsets, so that first, later and overlapping fragments of few datagrams meet.
fn fragment_field(input: &Input) -> u16 {
    match input.fragment % 4 {
        0 => 0x2000 | (input.fragment >> 13),
        1 => input.fragment >> 12,
        _ => input.fragment & 0x4000,
    }
}

fn disguise_v6(bytes: &mut Vec<u8>, input: &Input) {
    bytes.resize(bytes.len().max(56), 0);
    let length = u16::try_from(bytes.len() - 40).unwrap_or(u16::MAX);
    bytes[0] = 0x60;
    bytes[4..6].copy_from_slice(&length.to_be_bytes());
    bytes[6] = [58, 6, 17, 44, 0, 60, input.protocol][usize::from(input.protocol) % 7];
    bytes[8..24].copy_from_slice(&address_v6(input.from, usize::from(input.from) % V4_FROM == 4));
    bytes[24..40].copy_from_slice(&address_v6(input.to, input.to.is_multiple_of(3)));
}

/// An instance's address, the host's, or what NAT64 makes of the host's IPv4 address.
fn address_v6(n: u8, far: bool) -> [u8; 16] {
    match (far, n % 2) {
        (false, subnet) => [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0x10, 1 + subnet, 0, 0, 0, 0, 0, 0, 0, 4],
        (true, 0) => [0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50],
        (true, _) => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 203, 0, 113, 50],
    }
}
