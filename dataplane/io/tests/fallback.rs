//! Devices whose queues the kernel refuses. A program of its own: a child that another test has just forked would keep the refused
//! device alive for a moment.

mod support;

use std::io;

use support::Namespace;
use vpclab_io::{Buffer, Queues, TunOptions};
use wire::testing::{at, udp};

/// The kernel gives a device 256 queues at most.
const TOO_MANY: u16 = 257;

const E2BIG: i32 = 7;

#[test]
fn a_device_has_one_queue_where_several_are_refused() {
    let namespace = Namespace::new();
    let queues = Queues::PerWorker { workers: TOO_MANY, seed: 0 };
    let tun = namespace.device_with("eth0", 0, TunOptions { mtu: 1500, queues, ..TunOptions::default() });
    assert_eq!((tun.queues(), tun.options().queues), (1, Queues::One));
    assert_eq!(tun.refusal().and_then(io::Error::raw_os_error), Some(E2BIG), "{:?}", tun.refusal());
    for _ in 0..8 {
        namespace.socket().send_to(b"hello", ("10.9.0.77", 7)).expect("send");
        assert!(tun.read(0, &mut Buffer::with_capacity(1500)).expect("read").is_some());
    }
    // A queue that is not there stands for the one that is.
    let mut packet = Buffer::copy_of(&udp(at("10.9.0.7:1"), at("10.9.0.1:9"), b"x"));
    tun.write(3, &mut packet).expect("write");
}
