//! How long a flow is remembered after its last packet.

use vpclab_oracle::Reason;
use wire::Parsed;

use crate::packets::{ACK, SYN, ping, pong, raw, tcp, udp};
use crate::world::{A_AND_B, TWO_SUBNETS, World};

/// Everything that `b` sends needs state.
const GROUPS: &str = "
    security_groups:
      a: { egress: [ { proto: all, to: 10.0.2.0/24 } ] }
      b: { ingress: [ { proto: all, from: 10.0.1.0/24 } ], egress: [] }
";

const A: &str = "10.0.1.10:40000";
const B: &str = "10.0.2.10:80";

fn world(settings: &str) -> World {
    World::with(&[TWO_SUBNETS, GROUPS, A_AND_B], settings)
}

/// Asserts that the flow lives until just before `seconds` of silence, and that it is gone then.
#[track_caller]
fn expires_after(seconds: u64, settings: &str, packets: &[(&str, Parsed)], reply: Parsed) {
    let settled = |wait_ns: u64| {
        let mut world = world(settings);
        for (from, parsed) in packets {
            assert_eq!(world.send(from, *parsed).reason(), None);
        }
        world.wait_ns(wait_ns);
        world.send("b", reply).reason()
    };
    assert_eq!(settled(seconds * 1_000_000_000 - 1), None);
    assert_eq!(settled(seconds * 1_000_000_000), Some(Reason::SecurityGroup));
}

/// Rules: SG-20
#[test]
fn a_udp_exchange_is_kept_30_seconds() {
    expires_after(30, "", &[("a", udp(A, B))], udp(B, A));
    expires_after(
        30,
        "",
        &[("a", udp(A, B)), ("a", udp(A, B)), ("b", udp(B, A)), ("b", udp(B, A))],
        udp(B, A),
    );
    expires_after(45, "settings: { sg: { udp_timeout: 45 } }", &[("a", udp(A, B))], udp(B, A));
}

/// Rules: SG-20
#[test]
fn a_udp_stream_is_kept_180_seconds() {
    let stream = [("a", udp(A, B)), ("b", udp(B, A)), ("a", udp(A, B))];
    expires_after(180, "", &stream, udp(B, A));
    expires_after(60, "settings: { sg: { udp_stream: 60 } }", &stream, udp(B, A));
}

/// Rules: SG-20
#[test]
fn established_tcp_is_kept_five_days() {
    let both_ways = [("a", tcp(A, B, SYN)), ("b", tcp(B, A, SYN | ACK))];
    expires_after(432_000, "", &both_ways, tcp(B, A, ACK));
    expires_after(350, "settings: { sg: { tcp_established: 350 } }", &both_ways, tcp(B, A, ACK));
}

/// Rules: SG-22, SG-24
#[test]
fn tcp_seen_one_way_is_kept_60_seconds_with_or_without_a_syn() {
    expires_after(60, "", &[("a", tcp(A, B, SYN))], tcp(B, A, SYN | ACK));
    expires_after(60, "", &[("a", tcp(A, B, ACK)), ("a", tcp(A, B, ACK))], tcp(B, A, ACK));
    expires_after(432_000, "", &[("a", tcp(A, B, ACK)), ("b", tcp(B, A, ACK))], tcp(B, A, ACK));
}

/// Rules: SG-22
#[test]
fn icmp_is_kept_30_seconds() {
    let (there, back) = (ping("10.0.1.10", "10.0.2.10", 5), pong("10.0.2.10", "10.0.1.10", 5));
    expires_after(30, "", &[("a", there)], back);
    expires_after(30, "", &[("a", there), ("b", back), ("a", there)], back);
    expires_after(90, "settings: { sg: { icmp: 90 } }", &[("a", there)], back);
}

/// Rules: SG-21
#[test]
fn other_protocols_are_kept_600_seconds() {
    let (there, back) = (raw("10.0.1.10", "10.0.2.10", 47), raw("10.0.2.10", "10.0.1.10", 47));
    expires_after(600, "", &[("a", there)], back);
}

/// Rules: SG-20
#[test]
fn every_packet_that_passes_starts_the_time_again() {
    let mut world = world("");
    world.delivers("a", udp(A, B), "b");
    for _ in 0..10 {
        world.wait(29);
        world.delivers("b", udp(B, A), "a");
    }
}
