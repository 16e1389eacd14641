//! Each worker reads what it owns, also of devices that came later; where one worker reads a device, the others are given theirs.

use std::net::{IpAddr, SocketAddr};

use crate::harness::{LATE, Lab, echo_tcp, echo_udp};
use crate::reach::{A_1, A_2, B_1, PAIR};

/// An instance that is not there from the start.
const LATER: (&str, [&str; 2]) = ("a-3", ["10.50.1.30", "2600:1f18:50:1001::30"]);

#[test]
fn epoll_workers_read_what_they_own() {
    assert_eq!(strays("epoll"), 0);
}

#[test]
fn uring_workers_read_what_they_own() {
    assert_eq!(strays("uring"), 0);
}

/// Devices of the portable backend have one queue.
#[test]
fn tokio_workers_are_given_what_they_own() {
    assert!(strays("tokio") > 0);
}

/// How many packets of plain flows, all delivered, had been read by another worker than their owner.
fn strays(backend: &str) -> u64 {
    let lab = Lab::up_with(PAIR, &["--io", backend, "--workers", "4"]);
    exchange(&lab, A_1, B_1);
    exchange(&lab, B_1, A_2);
    let place = "      b-small:";
    let more = format!(
        "      a-3: {{ subnet: a, security_groups: [open], private_ip: {}, ipv6_addresses: [\"{}\"] }}\n{place}",
        LATER.1[0], LATER.1[1]
    );
    lab.edit(place, &more);
    exchange(&lab, LATER, B_1);
    exchange(&lab, B_1, LATER);
    let strays = lab.settled().strays;
    lab.finish(&[LATE]);
    strays
}

/// Several flows of each kind, in both families.
fn exchange(lab: &Lab, from: (&str, [&str; 2]), to: (&str, [&str; 2])) {
    let (client, server) = (lab.instance(from.0), lab.instance(to.0));
    for (source, target) in from.1.into_iter().zip(to.1) {
        let source: IpAddr = source.parse().expect("an address");
        for port in 7..11 {
            let service = SocketAddr::new(target.parse().expect("an address"), port);
            echo_tcp(&client, &server, service, 100_000);
            echo_udp(&client, source, &server, service, &[0, 1, 1_000]);
        }
        for _ in 0..3 {
            lab.exec(from.0, &["ping", "-n", "-c", "1", "-W", "2", target]).ok();
        }
    }
}
