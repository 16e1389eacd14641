//! Which addresses a record shows.

use engine::{Direction, TapEvent};
use wire::proto;

use super::world::{ENI, World, feed, flow_log, interface, packet, secs, texts, tuple};
use crate::FlowLogs;

const OWN: [&str; 4] = ["10.0.0.62", "10.0.0.63", "2001:db8::62", "2001:db8::63"];

/// The line `srcaddr dstaddr pkt-srcaddr pkt-dstaddr type` of one packet at an interface that has `own`.
fn shown(own: &[&str], direction: Direction, src: &str, dst: &str) -> String {
    let mut spec = flow_log(&[ENI]);
    spec.format = "${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${type}".into();
    let world = World::new(vec![interface(ENI, own)], vec![spec]);
    let mut logs = FlowLogs::new(1, secs(0));
    logs.handle_snapshot(&world.snapshot, secs(0));
    let tuple = tuple(proto::UDP, (src, 1), (dst, 2));
    feed(&mut logs, [TapEvent { direction, tuple, ..packet(world.ix(ENI), 1) }]);
    logs.finish(secs(2));
    texts(&mut logs).concat()
}

/// Rules: FL-30
#[test]
fn packets_from_and_to_the_primary_address_show_it() {
    assert_eq!(
        shown(&OWN, Direction::Egress, "10.0.0.62", "192.0.2.1"),
        "10.0.0.62 192.0.2.1 10.0.0.62 192.0.2.1 IPv4"
    );
    assert_eq!(
        shown(&OWN, Direction::Ingress, "192.0.2.1", "10.0.0.62"),
        "192.0.2.1 10.0.0.62 192.0.2.1 10.0.0.62 IPv4"
    );
}

/// Rules: FL-30, FL-31
#[test]
fn a_packet_to_a_secondary_address_shows_the_primary_one() {
    assert_eq!(
        shown(&OWN, Direction::Ingress, "192.0.2.1", "10.0.0.63"),
        "192.0.2.1 10.0.0.62 192.0.2.1 10.0.0.63 IPv4"
    );
    assert_eq!(
        shown(&OWN, Direction::Egress, "10.0.0.63", "192.0.2.1"),
        "10.0.0.62 192.0.2.1 10.0.0.63 192.0.2.1 IPv4"
    );
}

/// Rules: FL-31
#[test]
fn a_packet_to_a_foreign_address_shows_the_primary_one() {
    assert_eq!(
        shown(&OWN, Direction::Ingress, "192.0.2.1", "198.51.100.7"),
        "192.0.2.1 10.0.0.62 192.0.2.1 198.51.100.7 IPv4"
    );
}

/// Rules: FL-32
#[test]
fn a_foreign_source_is_rewritten_on_egress_only() {
    assert_eq!(
        shown(&OWN, Direction::Egress, "198.51.100.7", "192.0.2.1"),
        "10.0.0.62 192.0.2.1 198.51.100.7 192.0.2.1 IPv4"
    );
    assert_eq!(
        shown(&OWN, Direction::Ingress, "198.51.100.7", "10.0.0.62"),
        "198.51.100.7 10.0.0.62 198.51.100.7 10.0.0.62 IPv4"
    );
}

/// Rules: FL-30
#[test]
fn each_own_ipv6_address_shows_as_itself_and_a_foreign_one_as_the_first() {
    assert_eq!(
        shown(&OWN, Direction::Egress, "2001:db8::63", "2001:db8:1::1"),
        "2001:db8::63 2001:db8:1::1 2001:db8::63 2001:db8:1::1 IPv6"
    );
    assert_eq!(
        shown(&OWN, Direction::Ingress, "2001:db8:1::1", "2001:db8::63"),
        "2001:db8:1::1 2001:db8::63 2001:db8:1::1 2001:db8::63 IPv6"
    );
    assert_eq!(
        shown(&OWN, Direction::Egress, "2001:db8:9::9", "2001:db8:1::1"),
        "2001:db8::62 2001:db8:1::1 2001:db8:9::9 2001:db8:1::1 IPv6"
    );
}

/// Rules: FL-22, FL-30
#[test]
fn an_interface_without_ipv6_has_no_address_to_show_for_it() {
    assert_eq!(
        shown(&["10.0.0.62"], Direction::Ingress, "2001:db8:1::1", "2001:db8:9::9"),
        "2001:db8:1::1 - 2001:db8:1::1 2001:db8:9::9 IPv6"
    );
}
