//! The checks on a machine where labs run. A program of its own, because it changes a limit of the process.

mod support;

use std::fs;

use support::unique_name;
use vpclab_io::doctor::{self, FileLimit, Need};

#[test]
fn a_machine_that_runs_these_tests_lacks_nothing() {
    // Fails with the reason when the tests are not run as root.
    let _root = unique_name();
    let checks = doctor::checks();
    for check in &checks {
        assert!(!check.blocks(), "{check:?}");
        assert!(!check.detail.is_empty(), "{check:?}");
    }
    let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
    for name in [
        "/dev/net/tun",
        "CAP_NET_ADMIN",
        "network namespaces",
        "TUN devices",
        "device offloads",
        "--io epoll",
        "io_uring",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn a_backend_that_is_not_there_says_so_and_blocks_nothing() {
    let checks = doctor::checks();
    let uring = checks.iter().find(|check| check.name == "--io uring").expect("listed");
    assert_eq!((uring.ok(), uring.need), (true, Need::Optional));
}

#[test]
fn the_limit_of_open_files_is_raised_and_reported_as_the_kernel_has_it() {
    let before = FileLimit::current().expect("limit");
    let after = doctor::raise_nofile_limit().expect("raise");
    assert_eq!(after.soft, after.hard);
    assert!(after.soft >= before.hard, "{before:?} {after:?}");
    let limits = fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("listed");
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, [after.soft, after.hard]);
}
