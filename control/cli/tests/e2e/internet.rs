//! The internet gateway: what passes it in either direction, what does not, and what flow logs say of it.

use std::net::SocketAddr;

use crate::harness::{LATE, Lab, NOTHING, address, echo_tcp_at, echo_udp_at, ping, ping_well, records, up};

/// Used by every test of an internet gateway without a middlebox.
pub(crate) const INTERNET: &str = include_str!("labs/internet.yaml");

/// What a packet without a public address on its way out is dropped for.
const UNMAPPED: &str = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS";

/// What a packet is dropped for whose destination nobody on the internet has.
pub(crate) const NOBODY: &str = "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS";

/// A place on the internet and how it is seen: its own IPv4 address, the one that others see, its IPv6 address.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) own: &'static str,
    pub(crate) seen: &'static str,
    pub(crate) v6: &'static str,
}

pub(crate) const CLIENT: Place =
    Place { name: "client-1", own: "10.54.1.10", seen: "198.51.100.10", v6: "2600:1f18:54:1001::10" };
pub(crate) const SERVER: Place =
    Place { name: "server-1", own: "10.54.1.20", seen: "198.51.100.20", v6: "2600:1f18:54:1001::20" };
pub(crate) const LAPTOP: Place =
    Place { name: "laptop", own: "203.0.113.50", seen: "203.0.113.50", v6: "2001:db8::50" };
pub(crate) const PHONE: Place =
    Place { name: "phone", own: "203.0.113.60", seen: "203.0.113.60", v6: "2001:db8::60" };

/// TCP and UDP one way in both families: up to what fits into one packet of the internet, and beyond. The other side sees
/// the address that the internet knows.
pub(crate) fn talk(lab: &Lab, from: Place, to: Place) {
    let (client, server) = (lab.instance(from.name), lab.instance(to.name));
    for (source, seen, own, target) in
        [(from.own, from.seen, to.own, to.seen), (from.v6, from.v6, to.v6, to.v6)]
    {
        let (source, seen, own) = (address(source), address(seen), address(own));
        let target = SocketAddr::new(address(target), 7);
        for bytes in [1, 2_000_000] {
            assert_eq!(echo_tcp_at(&client, &server, own, target, bytes).ip(), seen);
        }
        let peers = echo_udp_at(&client, source, &server, own, target, &[0, 1, 1_400]);
        assert!(peers.iter().all(|peer| peer.ip() == seen), "{peers:?}");
    }
}

/// Rules: OR-06, IG-02, FL-30, FL-33, FL-44
#[test]
fn an_instance_with_a_public_address_pings_a_host() {
    let lab = up(INTERNET);
    ping_well(&lab, CLIENT.name, LAPTOP.own);
    assert_eq!(
        records(lab, NOTHING),
        [
            "client-1.eth0 egress 10.54.1.10 203.0.113.50 10.54.1.10 203.0.113.50 ACCEPT 8 4 336",
            "client-1.eth0 ingress 203.0.113.50 10.54.1.10 203.0.113.50 10.54.1.10 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-06, OR-08, IG-02, IG-08, SG-13
#[test]
fn an_instance_talks_to_a_host_that_sees_its_public_address() {
    let lab = up(INTERNET);
    talk(&lab, CLIENT, LAPTOP);
    lab.finish(&[LATE]);
}

/// Rules: OR-07, IG-02, FL-30, FL-33, FL-44, SG-13
#[test]
fn a_host_pings_a_public_address() {
    let lab = up(INTERNET);
    ping_well(&lab, LAPTOP.name, SERVER.seen);
    assert_eq!(
        records(lab, NOTHING),
        [
            "server-1.eth0 egress 10.54.1.20 203.0.113.50 10.54.1.20 203.0.113.50 ACCEPT 8 4 336",
            "server-1.eth0 ingress 203.0.113.50 10.54.1.20 203.0.113.50 10.54.1.20 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-07, OR-08, IG-02, IG-08
#[test]
fn a_host_talks_to_an_instance_that_sees_the_host() {
    let lab = up(INTERNET);
    talk(&lab, LAPTOP, SERVER);
    lab.finish(&[LATE]);
}

/// Rules: OR-07, SG-01, FL-36
#[test]
fn a_host_that_no_rule_allows_is_refused_at_the_interface() {
    let lab = up(INTERNET);
    for address in [CLIENT.seen, CLIENT.v6] {
        ping(&lab, LAPTOP.name, address).exits(1);
    }
    let drops = lab.drops();
    assert!(drops.iter().all(|drop| drop.from == "internet"), "{}", lab.told());
    assert_eq!(
        records(lab, &[("ENI_SG_RULES_MISMATCH", 8..=8)]),
        [
            "client-1.eth0 ingress 2001:db8::50 2600:1f18:54:1001::10 2001:db8::50 2600:1f18:54:1001::10 REJECT - 4 416",
            "client-1.eth0 ingress 203.0.113.50 10.54.1.10 203.0.113.50 10.54.1.10 REJECT - 4 336",
        ]
    );
}

/// Rules: OR-08, IG-08, FL-30, FL-44
#[test]
fn ipv6_passes_as_it_is() {
    let lab = up(INTERNET);
    ping_well(&lab, CLIENT.name, LAPTOP.v6);
    ping_well(&lab, LAPTOP.name, SERVER.v6);
    assert_eq!(
        records(lab, NOTHING),
        [
            "client-1.eth0 egress 2600:1f18:54:1001::10 2001:db8::50 2600:1f18:54:1001::10 2001:db8::50 ACCEPT 8 4 416",
            "client-1.eth0 ingress 2001:db8::50 2600:1f18:54:1001::10 2001:db8::50 2600:1f18:54:1001::10 ACCEPT - 4 416",
            "server-1.eth0 egress 2600:1f18:54:1001::20 2001:db8::50 2600:1f18:54:1001::20 2001:db8::50 ACCEPT 8 4 416",
            "server-1.eth0 ingress 2001:db8::50 2600:1f18:54:1001::20 2001:db8::50 2600:1f18:54:1001::20 ACCEPT - 4 416",
        ]
    );
}

/// Rules: IG-04, IG-11, FL-46
#[test]
fn without_a_public_address_nothing_leaves_and_accept_is_logged() {
    let lab = up(INTERNET);
    ping(&lab, "bare-1", LAPTOP.own).exits(1);
    assert_eq!(
        records(lab, &[(UNMAPPED, 4..=4)]),
        ["bare-1.eth0 egress 10.54.1.40 203.0.113.50 10.54.1.40 203.0.113.50 ACCEPT 8 4 336"]
    );
}

/// A public address is an attribute of an interface, and is taken away and given while packets flow.
///
/// Rules: IG-03, IG-04
#[test]
fn a_public_address_is_given_and_taken_while_the_lab_runs() {
    let lab = up(INTERNET);
    let bare = "private_ip: 10.54.1.40";
    ping(&lab, "bare-1", LAPTOP.own).exits(1);
    lab.edit(bare, "private_ip: 10.54.1.40, public_ip: 198.51.100.50");
    ping(&lab, "bare-1", LAPTOP.own).ok();
    ping(&lab, LAPTOP.name, "198.51.100.50").ok();
    lab.edit("public_ip: 198.51.100.50", "public_ip: 198.51.100.51");
    ping(&lab, LAPTOP.name, "198.51.100.50").exits(1);
    ping(&lab, LAPTOP.name, "198.51.100.51").ok();
    lab.edit(", public_ip: 198.51.100.51", "");
    ping(&lab, "bare-1", LAPTOP.own).exits(1);
    lab.finish(&[(UNMAPPED, 8..=8), (NOBODY, 4..=4)]);
}

/// Rules: IG-06
#[test]
fn what_nobody_has_leads_nowhere_and_hosts_reach_each_other() {
    let lab = up(INTERNET);
    ping(&lab, LAPTOP.name, "198.51.100.99").exits(1);
    ping(&lab, CLIENT.name, "192.0.2.1").exits(1);
    for address in [PHONE.own, PHONE.v6] {
        ping(&lab, LAPTOP.name, address).ok();
    }
    assert_eq!(
        records(lab, &[(NOBODY, 8..=8)]),
        ["client-1.eth0 egress 10.54.1.10 192.0.2.1 10.54.1.10 192.0.2.1 ACCEPT 8 4 336"]
    );
}

/// Rules: IG-07, FL-46, RT-17
#[test]
fn without_a_route_to_the_gateway_requests_arrive_and_replies_do_not() {
    let lab = up(INTERNET);
    ping(&lab, LAPTOP.name, "198.51.100.40").exits(1);
    assert_eq!(
        records(lab, &[("NO_ROUTE_TO_DESTINATION", 4..=4)]),
        [
            "inner-1.eth0 egress 10.54.2.10 203.0.113.50 10.54.2.10 203.0.113.50 ACCEPT - 4 336",
            "inner-1.eth0 ingress 203.0.113.50 10.54.2.10 203.0.113.50 10.54.2.10 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-19, IG-10, FL-30, FL-44
#[test]
fn a_neighbour_is_reached_at_its_public_address_over_the_gateway() {
    let lab = up(INTERNET);
    ping_well(&lab, CLIENT.name, SERVER.seen);
    assert_eq!(
        records(lab, NOTHING),
        [
            "client-1.eth0 egress 10.54.1.10 198.51.100.20 10.54.1.10 198.51.100.20 ACCEPT 8 4 336",
            "client-1.eth0 ingress 198.51.100.20 10.54.1.10 198.51.100.20 10.54.1.10 ACCEPT - 4 336",
            "server-1.eth0 egress 10.54.1.20 198.51.100.10 10.54.1.20 198.51.100.10 ACCEPT 8 4 336",
            "server-1.eth0 ingress 198.51.100.10 10.54.1.20 198.51.100.10 10.54.1.20 ACCEPT - 4 336",
        ]
    );
}

/// Rules: OR-19, IG-10
#[test]
fn tcp_and_udp_reach_a_neighbour_at_its_public_address() {
    let lab = up(INTERNET);
    talk(&lab, CLIENT, SERVER);
    // Both announce segments for 9001 bytes, and the way over the gateway carries 1500 (MT-02).
    lab.finish(&[LATE, ("PACKET_TOO_BIG", 1..=200)]);
}

/// Rules: IG-10, SG-08
#[test]
fn a_group_reference_does_not_match_what_comes_over_the_gateway() {
    let lab = up(INTERNET);
    ping(&lab, SERVER.name, "10.54.1.30").ok();
    ping(&lab, SERVER.name, "198.51.100.30").exits(1);
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 4..=4)]);
}
