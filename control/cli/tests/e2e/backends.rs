//! The same traffic through each backend and several numbers of workers.

use crate::harness::{LATE, Lab};
use crate::reach::{A_1, A_2, B_1, PAIR, talk};

fn traffic_passes(backend: &str) {
    for workers in [1, 2, 4] {
        let lab = Lab::up_with(PAIR, &["--io", backend, "--workers", &workers.to_string()]);
        let status = lab.status();
        assert_eq!((status.backend.as_str(), status.workers), (backend, workers));
        for (from, to) in [(A_1, A_2), (B_1, A_1)] {
            for address in to.1 {
                for size in ["56", "10000"] {
                    lab.exec(from.0, &["ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", "-s", size, address])
                        .ok()
                        .says("3 packets transmitted, 3 received, 0% packet loss");
                }
            }
            talk(&lab, from, to);
        }
        lab.finish(&[LATE]);
    }
}

#[test]
fn epoll_moves_packets_with_1_2_and_4_workers() {
    traffic_passes("epoll");
}

#[test]
fn tokio_moves_packets_with_1_2_and_4_workers() {
    traffic_passes("tokio");
}
