//! No descriptor is left open. A program of its own, because it counts those of the whole process.

mod support;

use std::fs;

use support::{Namespace, openers};
use vpclab_io::poller::BackendKind;
use vpclab_io::{Tun, TunOptions, Waker};

#[test]
fn opening_failing_and_closing_leave_no_descriptor_open() {
    let namespace = Namespace::new();
    let waker = Waker::new().expect("waker");
    let before = open_descriptors();
    for opener in openers() {
        let options = TunOptions { opener, ..TunOptions::default() };
        for _ in 0..5 {
            let tun = Tun::open(&namespace.handle, "eth0", options).expect("open");
            assert_eq!(open_descriptors(), before + 1, "one for each device: {opener:?}");
            Tun::open(&namespace.handle, "eth0", options).expect_err("in use");
            Tun::open(&namespace.handle, "a-name-that-is-long", options).expect_err("too long");
            drop(tun);
        }
    }
    for kind in [BackendKind::Epoll, BackendKind::Tokio, BackendKind::Uring] {
        drop(kind.build(&waker).expect("backend"));
    }
    assert_eq!(open_descriptors(), before);
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("list the descriptors").count()
}
