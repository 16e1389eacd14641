//! Devices in namespaces, opened in every way there is.

mod support;

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;

use support::{Namespace, openers, udp_payload};
use vpclab_io::pool::BufferPool;
use vpclab_io::tun::{Trouble, trouble};
use vpclab_io::{Buffer, Tun, TunOptions};

#[test]
fn a_device_has_the_mtu_the_queue_length_and_the_index_of_its_namespace() {
    for opener in openers() {
        let namespace = Namespace::new();
        let options = TunOptions { mtu: 8123, txqueuelen: 777, opener, ..TunOptions::default() };
        // The second device, so that its index differs from what the host's first device has.
        let _first = Tun::open(&namespace.handle, "eth0", options).expect("open");
        let tun = Tun::open(&namespace.handle, "fifteen-bytes-x", options).expect("open");
        let shown = namespace.ip(&["-oneline", "link", "show", "dev", tun.name()]);
        assert!(shown.starts_with(&format!("{}: fifteen-bytes-x:", tun.index())), "{shown}");
        assert!(shown.contains("mtu 8123") && shown.contains("qlen 777"), "{shown}");
        assert!(shown.contains("state DOWN"), "{shown}");
        assert!(!fs::exists("/sys/class/net/fifteen-bytes-x").expect("the host's /sys"));
    }
}

#[test]
fn a_descriptor_neither_blocks_nor_reaches_other_programs() {
    for opener in openers() {
        let namespace = Namespace::new();
        let tun = namespace.device("eth0", 0, opener);
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", tun.as_raw_fd())).expect("fdinfo");
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags");
        let flags = i32::from_str_radix(flags.trim(), 8).expect("octal");
        assert_eq!(flags & O_CLOEXEC, O_CLOEXEC, "{flags:o}");
        assert_eq!(flags & O_NONBLOCK, O_NONBLOCK, "{flags:o}");
        assert_eq!(tun.read(0, &mut Buffer::with_capacity(64)).expect("read"), None);
    }
}

#[test]
fn a_device_name_in_use_is_refused() {
    for opener in openers() {
        let namespace = Namespace::new();
        let _tun = namespace.device("eth0", 0, opener);
        let options = TunOptions { opener, ..TunOptions::default() };
        let refused = Tun::open(&namespace.handle, "eth0", options).expect_err("in use");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert!(refused.to_string().contains("eth0"), "{refused}");
    }
}

#[test]
fn a_long_name_is_refused_and_not_cut() {
    let namespace = Namespace::new();
    for opener in openers() {
        let options = TunOptions { opener, ..TunOptions::default() };
        let refused = Tun::open(&namespace.handle, "interface-number-1", options).expect_err("too long");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(namespace.ip(&["-oneline", "link", "show"]).lines().count(), 1, "only loopback");
}

#[test]
fn packets_are_read_whole_and_in_order_until_none_waits() {
    for opener in openers() {
        let namespace = Namespace::new();
        let options = TunOptions { mtu: 65_535, opener, ..TunOptions::default() };
        let tun = Tun::open(&namespace.handle, "eth0", options).expect("open");
        namespace.ip(&["address", "add", "10.9.0.1/24", "dev", "eth0"]);
        namespace.ip(&["link", "set", "eth0", "up"]);
        let socket = namespace.socket();
        // The longest IPv4 packet: 65,535 bytes less 20 of IP and 8 of UDP.
        let payloads = [vec![1; 65_507], vec![2; 1], vec![3; 1400]];
        let mut pool = BufferPool::new(1);
        for payload in &payloads {
            socket.send_to(payload, "10.9.0.2:9").expect("send");
        }
        for payload in &payloads {
            let mut buffer = pool.take();
            let length = tun.read(0, &mut buffer).expect("read").expect("a packet");
            assert_eq!((length, buffer.len()), (payload.len() + 28, payload.len() + 28));
            assert!(udp_payload(buffer.bytes()) == payload, "{} bytes", payload.len());
            pool.give(buffer);
        }
        assert_eq!(tun.read(0, &mut pool.take()).expect("read"), None);
    }
}

#[test]
fn a_queue_that_is_not_there_is_written_through_queue_0_but_not_read() {
    for opener in openers() {
        let namespace = Namespace::new();
        let tun = namespace.device("eth0", 0, opener);
        tun.write(1, &mut packet()).expect("written");
        let refused = tun.read(1, &mut Buffer::with_capacity(64)).expect_err("no such queue");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_device_that_is_down_refuses_packets_and_works_again_when_up() {
    for opener in openers() {
        let namespace = Namespace::new();
        let tun = namespace.device("eth0", 0, opener);
        tun.write(0, &mut packet()).expect("up");
        namespace.ip(&["link", "set", "eth0", "down"]);
        assert_eq!(trouble(&tun.write(0, &mut packet()).expect_err("down")), Trouble::Down);
        namespace.ip(&["link", "set", "eth0", "up"]);
        tun.write(0, &mut packet()).expect("up again");
    }
}

#[test]
fn a_removed_device_is_told_from_other_errors() {
    for opener in openers() {
        let namespace = Namespace::new();
        let tun = namespace.device("eth0", 0, opener);
        let nonsense = tun.write(0, &mut Buffer::copy_of(b"\0 is no IP version")).expect_err("refused");
        assert_eq!(trouble(&nonsense), Trouble::Other, "{nonsense}");
        namespace.ip(&["link", "delete", "eth0"]);
        assert_eq!(trouble(&tun.write(0, &mut packet()).expect_err("gone")), Trouble::Gone);
        let mut buffer = Buffer::with_capacity(64);
        assert_eq!(trouble(&tun.read(0, &mut buffer).expect_err("gone")), Trouble::Gone);
        assert!(buffer.is_empty());
    }
}

/// An IPv4 header of protocol 253 (RFC 3692: for experiments) from 10.9.0.2 to 10.9.0.1, with its checksum.
fn packet() -> Buffer {
    Buffer::copy_of(&[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0x65, 0xd7, 10, 9, 0, 2, 10, 9, 0, 1])
}

// The values of x86-64 and of every other machine with the generic `fcntl.h`.
const O_NONBLOCK: i32 = 0o4_000;
const O_CLOEXEC: i32 = 0o2_000_000;
