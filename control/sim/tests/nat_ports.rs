//! A NAT gateway's 55,000 connections to one destination, all workers together.

use engine::DropReason;
use vpclab_sim::craft::{Body, Shape};
use vpclab_sim::{Fate, World};
use wire::testing::ip;

/// `one` and `two` reach the internet through a NAT gateway with one address.
const LAB: &str = r#"
lab: t
internet: { hosts: { laptop: { ips: [203.0.113.50] }, other: { ips: [203.0.113.60] } } }
vpcs:
  app:
    cidr: [10.0.0.0/16]
    internet_gateway: true
    subnets: { public: { cidr: 10.0.1.0/24, route_table: public }, private: { cidr: 10.0.2.0/24 } }
    nat_gateways: { nat: { subnet: public, public_ip: 198.51.100.10, private_ip: 10.0.1.5 } }
    route_tables:
      main: { main: true, routes: [ { to: 0.0.0.0/0, via: nat_gateway/nat } ] }
      public: { routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] }
    instances:
      one: { subnet: private, private_ip: 10.0.2.10 }
      two: { subnet: private, private_ip: 10.0.2.11 }
"#;

/// Connections of one address to one destination, port and protocol.
const MOST: u32 = 55_000;

/// Client sockets of one instance: two have more than [`MOST`].
const SOCKETS: u32 = 28_000;

/// Rules: NG-06, NG-08, FL-46
#[test]
fn the_55001st_connection_to_one_destination_finds_no_port() {
    for workers in [1, 3] {
        let mut world = world(workers);
        let laptop = Fate::DeliveredToHost(world.host("laptop").expect("a host"));
        let other = Fate::DeliveredToHost(world.host("other").expect("a host"));
        for n in 0..MOST {
            assert_eq!(
                send(&mut world, n, "203.0.113.50", 53),
                laptop,
                "connection {n} of {workers} workers"
            );
        }
        let exhausted = Fate::Dropped(DropReason::NatPortsExhausted);
        assert_eq!(send(&mut world, MOST, "203.0.113.50", 53), exhausted);
        // What there is goes on, and another destination or port has as many again.
        assert_eq!(send(&mut world, 7, "203.0.113.50", 53), laptop);
        assert_eq!(send(&mut world, MOST, "203.0.113.50", 54), laptop);
        assert_eq!(send(&mut world, MOST, "203.0.113.60", 53), other);
        assert_eq!(world.counters().dropped(DropReason::NatPortsExhausted), 1);
        let errors: u64 = gateways(&world).map(|counters| counters.error_port_allocation).sum();
        assert_eq!(errors, 1, "ErrorPortAllocation");
        // After their idle time the ports are free.
        world.advance(std::time::Duration::from_secs(350));
        assert_eq!(send(&mut world, MOST, "203.0.113.50", 53), laptop);
    }
}

fn world(workers: u16) -> World {
    let (valid, _) = import::load("ports.yaml", LAB).expect("the lab is in order");
    World::with_sessions(valid, workers, 60_000)
}

fn gateways(world: &World) -> impl Iterator<Item = engine::NatCounters> + '_ {
    world.engines().iter().flat_map(|engine| engine.nat_gateways().map(|(_, counters)| counters))
}

/// The `n`th client socket sends a datagram.
fn send(world: &mut World, n: u32, to: &str, port: u16) -> Fate {
    let (name, address) = if n < SOCKETS { ("one", "10.0.2.10") } else { ("two", "10.0.2.11") };
    let source_port = 1 + (n % SOCKETS) as u16;
    let packet = Shape::new(ip(address), ip(to), Body::Udp(source_port, port)).bytes();
    let from = world.interface(name).expect("an instance of the lab");
    world.send(from, &packet).fate
}
