//! A super-packet is judged, counted and logged as the packets that it stands for.

use engine::{Direction, DropReason, Event};
use vpclab_sim::{Fate, World};
use wire::tcp_flag::{ACK, SYN};
use wire::testing::{at, dont_fragment, ip, left_to_device, tcp, udp, verify};

const LAB: &str = r#"
lab: t
vpcs:
  main:
    cidr: [10.0.0.0/16]
    subnets: { left: { cidr: 10.0.1.0/24 }, right: { cidr: 10.0.2.0/24 } }
    security_groups:
      open: { ingress: [ { proto: udp, ports: 53, from: 10.0.0.0/16 } ] }
      shut: { ingress: [] }
    instances:
      a:      { subnet: left,  private_ip: 10.0.1.10, security_groups: [open] }
      b:      { subnet: right, private_ip: 10.0.2.10, security_groups: [open] }
      narrow: { subnet: right, private_ip: 10.0.2.11, security_groups: [open], mtu: 1500 }
      shut:   { subnet: right, private_ip: 10.0.2.12, security_groups: [shut] }
    flow_logs:
      all: { traffic: all, max_aggregation_interval: 60, destination: { file: all.log } }
"#;

/// NAT64 towards a peer.
const NAT64: &str = r#"
lab: t
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2600:1f18:aaaa:1000::/56
    subnets:
      jobs:    { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", route_table: jobs }
      transit: { cidr: 10.0.2.0/24, route_table: transit }
    nat_gateways: { nat: { subnet: transit, connectivity_type: private, private_ip: 10.0.2.5 } }
    route_tables:
      jobs:    { routes: [ { to: "64:ff9b::/96", via: nat_gateway/nat } ] }
      transit: { routes: [ { to: 10.1.0.0/16, via: peering/app-store } ] }
    security_groups: { shy: { ingress: [] } }
    instances: { job: { subnet: jobs, security_groups: [shy], ipv6_addresses: ["2600:1f18:aaaa:1001::10"] } }
  store:
    cidr: [10.1.0.0/16]
    subnets: { s: { cidr: 10.1.1.0/24 } }
    security_groups: { open: { ingress: [ { proto: all, from: 0.0.0.0/0 } ] } }
    instances: { store: { subnet: s, security_groups: [open], private_ip: 10.1.1.10 } }
peerings: { app-store: { requester: app, accepter: store } }
"#;

/// 7,000 bytes of payload from a to port 53 of `to`, cut into datagrams of at most `size`.
fn datagrams(to: &str, size: u16) -> wire::Buffer {
    left_to_device(dont_fragment(whole(to)), Some(size))
}

fn whole(to: &str) -> Vec<u8> {
    let payload: Vec<u8> = (0..7_000_u32).map(|n| n as u8).collect();
    udp(at("10.0.1.10:4000"), at(&format!("{to}:53")), &payload)
}

fn world() -> World {
    let (valid, _) = import::load("t.yaml", LAB).expect("the lab is sound");
    World::new(valid, 2)
}

/// Packets and bytes at each tap, sender's first.
fn taps(world: &mut World) -> Vec<(Direction, u64, u64)> {
    world.finish();
    let mut taps: Vec<_> = world
        .take_events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            Event::Tap(tap) => Some((tap.direction, tap.packets, tap.bytes)),
            Event::Flushed(_) | Event::Skipped { .. } => None,
        })
        .collect();
    taps.sort_unstable();
    taps
}

/// Rules: FL-14
#[test]
fn it_leaves_unsplit_and_counts_as_its_datagrams() {
    let mut world = world();
    let [a, b] = ["a", "b"].map(|name| world.interface(name).expect("there"));
    let sent = world.send_buffer(a, datagrams("10.0.2.10", 1_400));
    assert_eq!(sent.fate, Fate::Delivered(b));
    assert_eq!(sent.deliveries.len(), 1, "one frame");
    let counters = world.counters();
    assert_eq!((counters.received, counters.delivered, counters.in_flight()), (5, 5, 0));
    let bytes = 7_000 + 5 * 28;
    assert_eq!(taps(&mut world), [(Direction::Egress, 5, bytes), (Direction::Ingress, 5, bytes)]);
}

#[test]
fn a_refused_one_is_dropped_as_all_its_datagrams() {
    let mut world = world();
    let a = world.interface("a").expect("there");
    for _ in 0..2 {
        let sent = world.send_buffer(a, datagrams("10.0.2.12", 1_000));
        assert_eq!(sent.fate, Fate::Dropped(DropReason::SecurityGroupDenied));
    }
    let counters = world.counters();
    assert_eq!((counters.dropped(DropReason::SecurityGroupDenied), counters.in_flight()), (14, 0));
}

/// Rules: MT-05
#[test]
fn it_fits_a_narrow_path_when_its_datagrams_do() {
    let mut world = world();
    let [a, narrow] = ["a", "narrow"].map(|name| world.interface(name).expect("there"));
    let sent = world.send_buffer(a, datagrams("10.0.2.11", 1_472));
    assert_eq!((sent.fate, sent.deliveries.len()), (Fate::Delivered(narrow), 1));
}

/// Rules: MT-05
#[test]
fn the_error_about_one_that_is_too_long_quotes_its_first_datagram() {
    let mut world = world();
    let a = world.interface("a").expect("there");
    let sent = world.send_buffer(a, datagrams("10.0.2.11", 1_473));
    assert_eq!(sent.fate, Fate::Dropped(DropReason::TooBig));
    assert_eq!(world.counters().dropped(DropReason::TooBig), 5);
    let [error] = &sent.errors[..] else { panic!("one error: {:?}", sent.errors) };
    verify(&error.packet).expect("a right packet");
    let quoted_length = u16::from_be_bytes([error.packet[30], error.packet[31]]);
    assert_eq!(quoted_length, 1_501, "of one datagram, not of the frame");
    assert_eq!(error.packet[12..16], [10, 0, 1, 1], "from the router of the sender's subnet");
}

/// Rules: MT-05
#[test]
fn one_that_may_be_split_is_cut_and_each_datagram_fragmented() {
    let mut world = world();
    let [a, narrow] = ["a", "narrow"].map(|name| world.interface(name).expect("there"));
    let sent = world.send_buffer(a, left_to_device(whole("10.0.2.11"), Some(3_500)));
    assert_eq!(sent.fate, Fate::Delivered(narrow));
    // Two datagrams of 3,528 bytes, each in three fragments.
    assert_eq!(sent.deliveries.len(), 6);
    assert!(sent.deliveries.iter().all(|delivery| delivery.packet.len() <= 1_500));
    let counters = world.counters();
    assert_eq!((counters.received, counters.fragments, counters.delivered), (2, 4, 6));
    assert_eq!(counters.in_flight(), 0);
}

#[test]
fn a_partial_checksum_is_completed_before_its_packet_is_split() {
    let mut world = world();
    let a = world.interface("a").expect("there");
    let sent = world.send_buffer(a, left_to_device(whole("10.0.2.11"), None));
    let payload: Vec<u8> =
        sent.deliveries.iter().flat_map(|delivery| delivery.packet[20..].to_vec()).collect();
    let sound = wire::checksum::transport(ip("10.0.1.10"), ip("10.0.2.11"), wire::proto::UDP, &payload);
    assert_eq!(sound, 0, "the checksum of the whole datagram is right");
}

/// A header of IPv6 is longer, so that segments which stay as long carry less, and five become six.
///
/// Rules: NG-20
#[test]
fn one_of_which_nat64_makes_more_segments_leaves_nothing_in_flight() {
    let (valid, _) = import::load("t.yaml", NAT64).expect("the lab is sound");
    let mut world = World::new(valid, 2);
    let [job, store] = ["job", "store"].map(|name| world.interface(name).expect("there"));
    let (client, server) = (at("[2600:1f18:aaaa:1001::10]:4000"), at("10.1.1.10:80"));
    let asked = world.send(job, &tcp(client, at("[64:ff9b::a01:10a]:80"), SYN, 0, 0, &[]));
    assert_eq!(asked.fate, Fate::Delivered(store));
    let request = wire::parse(&asked.deliveries[0].packet).expect("a packet").tuple;
    let peer = std::net::SocketAddr::new(request.src, request.src_port);
    let answer = tcp(server, peer, ACK, 1, 1, &[7; 5 * 1_400]);
    let answered = world.send_buffer(store, left_to_device(dont_fragment(answer), Some(1_400)));
    assert_eq!(answered.fate, Fate::Delivered(job));
    let counters = world.counters();
    assert_eq!((counters.received, counters.fragments, counters.delivered), (6, 1, 7));
    assert_eq!(counters.in_flight(), 0);
}

/// `a` is behind a NAT gateway, in both families.
const GATEWAYS: &str = r#"
lab: t
internet: { hosts: { laptop: { ips: [203.0.113.50] } } }
vpcs:
  main:
    cidr: [10.0.0.0/16]
    ipv6_cidr: "2600:1f18:aaaa:1000::/56"
    internet_gateway: true
    subnets:
      left:   { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64" }
      public: { cidr: 10.0.2.0/24, route_table: public }
    nat_gateways: { nat: { subnet: public, public_ip: 198.51.100.10, private_ip: 10.0.2.5 } }
    route_tables:
      main: { main: true, routes: [ { to: 0.0.0.0/0, via: nat_gateway/nat }, { to: "64:ff9b::/96", via: nat_gateway/nat } ] }
      public: { routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] }
    instances: { a: { subnet: left, private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"] } }
    flow_logs:
      all: { traffic: all, max_aggregation_interval: 60, destination: { file: all.log } }
"#;

/// Rules: FL-14, NG-02, NG-20
#[test]
fn it_passes_a_nat_gateway_unsplit_and_counts_as_its_datagrams_at_each_record() {
    let v4 = ("10.0.1.10:4000", "203.0.113.50:53", 28);
    let v6 = ("[2600:1f18:aaaa:1001::10]:4000", "[64:ff9b::203.0.113.50]:53", 48);
    for (from, to, headers) in [v4, v6] {
        let (valid, _) = import::load("t.yaml", GATEWAYS).expect("the lab is sound");
        let mut world = World::new(valid, 2);
        let (a, laptop) = (world.interface("a").expect("there"), world.host("laptop").expect("there"));
        let payload = vec![7; 7_000];
        let packet = left_to_device(dont_fragment(udp(at(from), at(to), &payload)), Some(1_400));
        let sent = world.send_buffer(a, packet);
        assert_eq!((sent.fate, sent.deliveries.len()), (Fate::DeliveredToHost(laptop), 1));
        let parsed = wire::parse(&sent.deliveries[0].packet).expect("a packet");
        assert_eq!((parsed.tuple.src, parsed.length), (ip("198.51.100.10"), 7_028));
        let counters = world.counters();
        assert_eq!((counters.received, counters.delivered, counters.in_flight()), (5, 5, 0));
        let (inside, outside) = (7_000 + 5 * headers, 7_000 + 5 * 28);
        let mut expected = [
            (Direction::Egress, 5, inside),
            (Direction::Ingress, 5, inside),
            (Direction::Egress, 5, outside),
        ];
        expected.sort_unstable();
        assert_eq!(taps(&mut world), expected, "from the client, into the gateway, out of it");
    }
}
