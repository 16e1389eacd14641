//! Labs of a chosen size and packets for them.

use std::fmt::Write;
use std::net::SocketAddr;

use compile::Compiler;
use engine::{Config, Engine, Frame, Next, Time};
use snapshot::{Attachment, InterfaceIx, Snapshot};
use wire::Buffer;

/// How large a lab's policy is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Security groups on each interface.
    pub groups: usize,
    /// Rules in each group and direction.
    pub rules: usize,
    /// Entries of each network ACL and direction.
    pub entries: usize,
    /// Routes beside the local one.
    pub routes: usize,
}

/// What design goals name a typical policy: 5 groups of 60 rules, 20 entries, 50 routes.
pub const TYPICAL: Size = Size { groups: 5, rules: 60, entries: 20, routes: 50 };

/// Two instances in two subnets, with every rule that can match placed last.
#[derive(Debug)]
pub struct Pair {
    /// The compiled lab.
    pub snapshot: Snapshot,
    /// The client, 10.0.1.10 and 2001:db8:0:1::10.
    pub client: InterfaceIx,
    /// The server, 10.0.2.10 and 2001:db8:0:2::10.
    pub server: InterfaceIx,
}

/// When benches begin.
pub const START: Time = Time(1_700_000_000_000_000_000);

impl Pair {
    /// Compiles the lab.
    ///
    /// # Panics
    ///
    /// When the generated lab has findings.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let text = lab(size);
        let (valid, _) = import::load("bench.yaml", &text).expect("a generated lab has no errors");
        let snapshot = Compiler::default().snapshot(&valid).expect("a checked lab compiles");
        let find = |instance: &str| {
            let interface = &valid.lab().vpcs["v"].instances[instance].interfaces[0];
            snapshot.interface_by_id(&interface.id).expect("every interface is in the snapshot")
        };
        let (client, server) = (find("client"), find("server"));
        Self { snapshot, client, server }
    }
}

/// An engine that owns everything.
#[must_use]
pub fn engine(sessions: usize) -> Engine {
    Engine::new(&Config { worker: 0, workers: 1, seed: 7, sessions, tap_interval: 60, start: START })
}

/// A frame as it comes from a device.
#[must_use]
pub fn frame(from: InterfaceIx, packet: &[u8]) -> Frame {
    Frame::new(Attachment::interface(from), Buffer::copy_of(packet))
}

/// Makes a frame fresh again, so that a bench need not copy its bytes.
pub fn reset(frame: &mut Frame) {
    frame.next = Next::Pending;
    frame.parsed = None;
}

/// Flow number `n` from the client to the server's port 5432, as a UDP packet with 64 bytes of payload.
#[must_use]
pub fn udp(n: u32) -> Vec<u8> {
    let (client, server) = ends(Family::V4, n);
    wire::testing::udp(client, server, &[0; 64])
}

/// Which addresses a flow has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Flow number `n` as a question of the client and the answer of the server.
#[must_use]
pub fn exchange(family: Family, n: u32) -> [Vec<u8>; 2] {
    let (client, server) = ends(family, n);
    [wire::testing::udp(client, server, &[0; 64]), wire::testing::udp(server, client, &[0; 64])]
}

/// Each end owns one address of a family, so flows differ in both ports.
fn ends(family: Family, n: u32) -> (SocketAddr, SocketAddr) {
    let [_, high, mid, low] = n.to_be_bytes();
    let source = 1024 + u16::from_be_bytes([mid, low]) % 60_000;
    let port = 5_432 + u16::from(high) * 8 + u16::from_be_bytes([mid, low]) / 60_000;
    match family {
        Family::V4 => (at("10.0.1.10", source), at("10.0.2.10", port)),
        Family::V6 => (at("2001:db8:0:1::10", source), at("2001:db8:0:2::10", port)),
    }
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(wire::testing::ip(address), port)
}

/// The lab file: rules and entries that do not match, then those that do.
fn lab(size: Size) -> String {
    let mut text = String::from(
        "lab: bench\nvpcs:\n  v:\n    cidr: [10.0.0.0/16]\n    ipv6_cidr: 2001:db8::/56\n    subnets:\n",
    );
    for (subnet, n) in [("a", 1), ("b", 2)] {
        writeln!(
            text,
            "      {subnet}: {{ cidr: 10.0.{n}.0/24, ipv6_cidr: \"2001:db8:0:{n}::/64\", az: us-east-1a, network_acl: n, route_table: r }}"
        )
        .expect("a string grows");
    }
    text.push_str("    route_tables:\n      r:\n        main: true\n        routes:\n");
    for n in 0..size.routes {
        writeln!(text, "          - {{ to: 172.{}.{}.0/24, via: blackhole }}", 16 + n / 256, n % 256)
            .expect("a string grows");
    }
    text.push_str("    network_acls:\n      n:\n");
    for direction in ["ingress", "egress"] {
        writeln!(text, "        {direction}:").expect("a string grows");
        for n in 1..size.entries.max(1) {
            writeln!(
                text,
                "          - {{ rule: {n}, action: deny, proto: tcp, ports: {n}, cidr: 192.0.2.0/24 }}"
            )
            .expect("a string grows");
        }
        text.push_str("          - { rule: 32000, action: allow, proto: all, cidr: 10.0.0.0/16 }\n");
        text.push_str("          - { rule: 32001, action: allow, proto: all, cidr: \"2001:db8::/56\" }\n");
    }
    text.push_str("    security_groups:\n");
    for group in 0..size.groups {
        writeln!(text, "      g{group}:").expect("a string grows");
        for (direction, peer) in [("ingress", "from"), ("egress", "to")] {
            writeln!(text, "        {direction}:").expect("a string grows");
            for n in 1..size.rules.max(1) {
                let port = 10_000 + group * size.rules + n;
                writeln!(text, "          - {{ proto: udp, ports: {port}, {peer}: 192.0.{}.0/24 }}", n % 256)
                    .expect("a string grows");
            }
            for net in ["10.0.0.0/16", "\"2001:db8::/56\""] {
                writeln!(text, "          - {{ proto: udp, ports: 5432-9999, {peer}: {net} }}")
                    .expect("a string grows");
            }
        }
    }
    let groups: Vec<_> = (0..size.groups).map(|group| format!("g{group}")).collect();
    writeln!(text, "    instances:").expect("a string grows");
    for (instance, subnet, n) in [("client", "a", "1"), ("server", "b", "2")] {
        let groups = groups.join(", ");
        writeln!(
            text,
            "      {instance}: {{ subnet: {subnet}, security_groups: [{groups}], private_ip: 10.0.{n}.10, ipv6_addresses: [\"2001:db8:0:{n}::10\"] }}"
        )
        .expect("a string grows");
    }
    text
}
