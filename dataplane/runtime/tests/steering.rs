//! The steering program gives a packet to the worker that the engine says it belongs to.

mod support;

use std::net::SocketAddr;

use engine::Steering;
use io::steering::Program;
use proptest::prelude::*;
use wire::testing::{echo_reply, echo_request, fragments, icmp, icmp_error, other, tcp, udp};
use wire::{Parsed, Transport, icmp_query_reply};

#[test]
fn the_program_and_the_engine_agree_on_every_packet_that_shows_its_flow() {
    let snapshot = support::empty_lab();
    let judges: Vec<_> = [(1, 3), (2, 0), (3, u64::MAX), (4, 0x5eed), (8, 1 << 63)]
        .map(|(workers, seed)| {
            (Steering::new(workers, seed), Program::load(workers, seed).expect("run this as root"))
        })
        .into();
    proptest!(|(packets in packets())| {
        for packet in packets {
            let parsed = wire::parse(&packet).expect("a packet");
            for (steering, program) in &judges {
                let owner = if shows_its_flow(&parsed) { steering.owner(&snapshot, &parsed) } else { 0 };
                prop_assert_eq!(program.run(&packet).expect("it runs"), u32::from(owner), "{:?}", parsed);
            }
        }
    });
}

/// Whether this is what the program knows.
fn shows_its_flow(parsed: &Parsed) -> bool {
    let plain = parsed.tuple.src.is_ipv4() || parsed.transport_offset == 40;
    let known = match parsed.transport {
        Transport::Tcp { .. } | Transport::Udp => true,
        Transport::Icmp { icmp_type, .. } => {
            let echo = if parsed.tuple.src.is_ipv4() { 8 } else { 128 };
            icmp_query_reply(parsed.tuple.proto, icmp_type).is_some_and(|(query, _)| query == echo)
        }
        Transport::Later | Transport::Other => false,
    };
    plain && known && parsed.fragment.is_none()
}

/// Packets of all kinds between two ends, in both directions.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let v4 = any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
    let v6 = any::<([u8; 16], u16)>().prop_map(SocketAddr::from);
    let ends = prop_oneof![(v4.clone(), v4), (v6.clone(), v6)];
    (ends, any::<u16>(), any::<u8>()).prop_map(|((near, far), id, icmp_type)| {
        let (a, b) = (near.ip(), far.ip());
        let about = udp(near, far, &[0; 40]);
        let unreachable = if a.is_ipv4() { 3 } else { 1 };
        let mut packets = vec![
            tcp(near, far, 2, 1, 0, &[]),
            tcp(far, near, 18, 1, 2, b"a payload"),
            udp(far, near, b"a payload"),
            echo_request(a, b, id, 1, b"ping"),
            echo_reply(b, a, id, 1, b"ping"),
            icmp(a, b, icmp_type, 0, [0, 7, 0, 7], &[0; 20]),
            icmp_error(b, &about, unreachable, 0, 0),
            other(a, b, 132, &[7; 20]),
        ];
        packets.extend(fragments(&about, u32::from(id), 16));
        packets.push(about);
        packets
    })
}
