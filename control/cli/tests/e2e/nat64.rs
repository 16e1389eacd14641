//! NAT64: IPv6 to `64:ff9b::/96` becomes IPv4 at a NAT gateway, and its answers IPv6.

use std::net::SocketAddr;

use crate::harness::{LATE, Lab, address, echo_tcp_at, echo_udp_at, ping, ping_well, records, up};
use crate::nat_gateway::{GATEWAY, JOB_V6, LAPTOP, LAPTOP_V6, NAT};

/// The private IPv4 address of the gateway as IPv6 clients see it.
const SEEN_GATEWAY: &str = "64:ff9b::a38:105";

/// The client and the gateway share a subnet whose ACL lets no IPv6 in or out: between them there is none. From another subnet
/// the same packets do not get in.
///
/// Rules: OR-12, NG-20, FL-60, NA-13
#[test]
fn between_a_client_and_the_gateway_in_one_subnet_is_no_acl() {
    let lab = up(&NAT.replace(", { rule: 101, action: allow, proto: all, cidr: \"::/0\" }", ""));
    ping_well(&lab, "near-1", LAPTOP_V6);
    ping(&lab, "job-1", LAPTOP_V6).exits(1);
    assert_eq!(
        records(lab, &[("SUBNET_ACL_RESTRICTION", 4..=4)]),
        [
            "app/nat-a egress - 2600:1f18:56:1001::10 64:ff9b::cb00:7132 2600:1f18:56:1001::10 ACCEPT 1 4 416",
            "app/nat-a egress 10.56.1.5 203.0.113.50 10.56.1.5 203.0.113.50 ACCEPT 8 4 336",
            "app/nat-a ingress 203.0.113.50 10.56.1.5 203.0.113.50 10.56.1.5 ACCEPT - 4 336",
            "app/nat-a ingress 2600:1f18:56:1001::10 - 2600:1f18:56:1001::10 64:ff9b::cb00:7132 ACCEPT - 4 416",
            "app/nat-a ingress 2600:1f18:56:1002::10 - 2600:1f18:56:1002::10 64:ff9b::cb00:7132 REJECT - 4 416",
            "job-1.eth0 egress 2600:1f18:56:1002::10 64:ff9b::cb00:7132 2600:1f18:56:1002::10 64:ff9b::cb00:7132 ACCEPT 1 4 416",
            "near-1.eth0 egress 2600:1f18:56:1001::10 64:ff9b::cb00:7132 2600:1f18:56:1001::10 64:ff9b::cb00:7132 ACCEPT 1 4 416",
            "near-1.eth0 ingress 64:ff9b::cb00:7132 2600:1f18:56:1001::10 64:ff9b::cb00:7132 2600:1f18:56:1001::10 ACCEPT - 4 416",
        ]
    );
}

/// Rules: OR-12, NA-13
#[test]
fn the_outer_leg_of_a_neighbour_meets_the_acl() {
    let allow = "egress:  [ { rule: 100, action: allow";
    let deny =
        "egress:  [ { rule: 1, action: deny, proto: icmp, cidr: 203.0.113.0/24 }, { rule: 100, action: allow";
    let lab = up(&NAT.replace(allow, deny));
    ping(&lab, "near-1", LAPTOP_V6).exits(1);
    assert_eq!(
        records(lab, &[("SUBNET_ACL_RESTRICTION", 4..=4)]),
        [
            "app/nat-a egress 10.56.1.5 203.0.113.50 10.56.1.5 203.0.113.50 REJECT 8 4 336",
            "app/nat-a ingress 2600:1f18:56:1001::10 - 2600:1f18:56:1001::10 64:ff9b::cb00:7132 ACCEPT - 4 416",
            "near-1.eth0 egress 2600:1f18:56:1001::10 64:ff9b::cb00:7132 2600:1f18:56:1001::10 64:ff9b::cb00:7132 ACCEPT 1 4 416",
        ]
    );
}

/// Rules: NG-20, OR-10, OR-11, MT-08
#[test]
fn tcp_and_udp_reach_a_host_without_ipv6() {
    let lab = up(NAT);
    talk(&lab, "job-1", JOB_V6);
    talk(&lab, "near-1", "2600:1f18:56:1001::10");
    lab.finish(&[LATE]);
}

/// Rules: NG-20, AD-27
#[test]
fn traceroute_shows_the_gateway_and_the_host() {
    let lab = up(NAT);
    lab.exec("laptop", &["sysctl", "-w", "net.ipv4.icmp_ratelimit=0"]).ok();
    for kind in ["-U", "-I"] {
        let argv = ["traceroute", "-6", "-n", kind, "-N", "1", "-q", "2", "-w", "2", "-m", "5", LAPTOP_V6];
        let trace = lab.exec("job-1", &argv).ok();
        let hops = trace.stdout.lines().skip(1);
        let shown: Vec<&str> = hops.filter_map(|hop| hop.split_whitespace().nth(1)).collect();
        assert_eq!(shown, [SEEN_GATEWAY, LAPTOP_V6], "{trace}");
    }
    lab.finish(&[("TTL_EXCEEDED", 4..=4)]);
}

/// A header of IPv6 is 20 bytes longer than one of IPv4, so that the client may send as many more.
///
/// Rules: NG-20, MT-05, MT-07
#[test]
fn a_client_learns_the_path_mtu() {
    let lab = up(NAT);
    let argv = ["ping", "-n", "-c", "1", "-W", "2", "-M", "do", "-s", "3000", LAPTOP_V6];
    let said = format!("From {SEEN_GATEWAY} icmp_seq=1 Packet too big: mtu=1520");
    lab.exec("job-1", &argv).exits(1).says(&said);
    lab.exec("job-1", &["ip", "route", "get", LAPTOP_V6]).ok().says("mtu 1520");
    lab.finish(&[("PACKET_TOO_BIG", 1..=1)]);
}

fn talk(lab: &Lab, client: &str, source: &str) {
    let (client, host) = (lab.instance(client), lab.instance("laptop"));
    let to = SocketAddr::new(address(LAPTOP_V6), 7);
    for bytes in [1, 1_000_000] {
        assert_eq!(echo_tcp_at(&client, &host, address(LAPTOP.1), to, bytes).ip(), address(GATEWAY.1));
    }
    let peers = echo_udp_at(&client, address(source), &host, address(LAPTOP.1), to, &[0, 1, 1_400]);
    assert!(peers.iter().all(|peer| peer.ip() == address(GATEWAY.1)), "{peers:?}");
}
