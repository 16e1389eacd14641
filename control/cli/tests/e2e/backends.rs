//! The same traffic through each backend and several numbers of workers.

use std::time::Duration;

use crate::harness::{LATE, Lab, Program, unique_name, vpclab};
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

#[test]
fn uring_moves_packets_with_1_2_and_4_workers() {
    traffic_passes("uring");
}

/// What a machine cannot do is said before anything is made, and `doctor` says what it can.
#[test]
fn a_backend_that_is_not_there_is_refused() {
    let doctor = Program::run(vpclab(["doctor"]), Duration::from_secs(30)).ok();
    for backend in ["epoll", "uring", "tokio"] {
        let line = doctor.stdout.lines().find(|line| line.starts_with(&format!("--io {backend} ")));
        assert!(line.is_some_and(|line| line.contains("ok")), "the tests above ran: {doctor}");
    }
    let mut lab = Lab::written(&unique_name(), PAIR);
    lab.bring_up(&["--io", "kqueue"]).exits(2).says("auto, epoll, tokio, uring");
    lab.check_gone();
}
