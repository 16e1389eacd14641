//! No descriptor is left open. A program of its own, because it counts those of the whole process; one test at a time.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use support::{Namespace, openers, unique_name};
use vpclab_io::doctor::selftest::{self, Setting};
use vpclab_io::netns::NETNS_DIRECTORY;
use vpclab_io::poller::BackendKind;
use vpclab_io::{Queues, Tun, TunOptions, Waker};

#[test]
fn opening_failing_and_closing_leave_no_descriptor_open() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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
    let queues = Queues::PerWorker { workers: 4, seed: 0 };
    for _ in 0..5 {
        let tun = Tun::open(&namespace.handle, "eth0", TunOptions { queues, ..TunOptions::default() })
            .expect("open");
        assert_eq!(open_descriptors(), before + 4, "one for each queue");
        drop(tun);
        let queues = Queues::PerWorker { workers: 300, seed: 0 };
        let tun = Tun::open(&namespace.handle, "eth0", TunOptions { queues, ..TunOptions::default() })
            .expect("open");
        assert_eq!((tun.queues(), open_descriptors()), (1, before + 1), "the kernel refuses the 257th");
    }
    for kind in [BackendKind::Epoll, BackendKind::Tokio, BackendKind::Uring] {
        drop(kind.build(&waker).expect("backend"));
    }
    assert_eq!(open_descriptors(), before);
}

/// Without a descriptor or a name nothing holds a namespace, and with it goes its device.
#[test]
fn a_self_test_leaves_no_descriptor_and_no_name_of_a_namespace() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Fails with the reason when the tests are not run as root.
    let _root = unique_name();
    let before = open_descriptors();
    let mut seen = BTreeSet::new();
    let tried = selftest::run(Setting::On, |packet| {
        seen.extend(open_namespaces());
        Some(packet)
    });
    assert!(tried.expect("two namespaces with devices").ok());
    assert_eq!(seen.len(), 2, "one for each device: {seen:?}");
    assert_eq!(open_descriptors(), before);
    let names = fs::read_dir(NETNS_DIRECTORY).into_iter().flatten().flatten();
    let named: BTreeSet<u64> = names.filter_map(|name| Some(fs::metadata(name.path()).ok()?.ino())).collect();
    assert!(seen.is_disjoint(&named), "{seen:?} {named:?}");
}

/// The inodes of the network namespaces that this process holds by descriptors.
fn open_namespaces() -> Vec<u64> {
    let descriptors = fs::read_dir("/proc/self/fd").expect("list the descriptors").flatten();
    let is_namespace =
        |path: &PathBuf| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("net:["));
    let paths = descriptors.map(|entry| entry.path()).filter(is_namespace);
    paths.filter_map(|path| Some(fs::metadata(path).ok()?.ino())).collect()
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("list the descriptors").count()
}

static ALONE: Mutex<()> = Mutex::new(());
