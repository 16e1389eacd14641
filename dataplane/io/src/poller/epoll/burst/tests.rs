use std::os::unix::net::UnixDatagram;

use super::*;
use crate::netns::in_a_new_namespace;
use crate::pool::PACKET_CAPACITY;
use crate::tun::TunOptions;

#[test]
fn packets_come_in_order_and_what_failed_between_them_is_passed_over() {
    let mut packets = vec![b"packet".to_vec(); BURST];
    packets[3].clear();
    packets[4] = b"another".to_vec();
    let came = all(&mut fetched(3, &packets), 3, &device());
    packets.remove(3);
    assert_eq!(came, (packets, Next::Unknown), "it may have more");
}

#[test]
fn a_device_that_had_no_more_is_dry_once() {
    let tun = device();
    let mut burst = fetched(3, &[b"one".to_vec()]);
    assert_eq!(all(&mut burst, 3, &tun), (vec![b"one".to_vec()], Next::Dry));
    assert_eq!(next(&mut burst, 3, &tun), Next::Unknown);
    let mut burst = fetched(3, &[]);
    assert_eq!(all(&mut burst, 3, &tun), (vec![], Next::Dry));
}

#[test]
fn the_longest_packet_comes_whole() {
    let longest = vec![7; PACKET_CAPACITY];
    assert_eq!(all(&mut fetched(3, std::slice::from_ref(&longest)), 3, &device()).0, [longest]);
}

#[test]
fn another_devices_packets_stay_until_they_are_taken_or_forgotten() {
    let tun = device();
    let mut burst = fetched(3, &[b"one".to_vec(), b"two".to_vec()]);
    burst.fetch(4, &UnixDatagram::unbound().expect("a socket"));
    burst.forget(4);
    assert_eq!(next(&mut burst, 4, &tun), Next::Unknown, "it is read alone meanwhile");
    assert_eq!(next(&mut burst, 3, &tun), Next::Packet(3));
    burst.forget(3);
    assert_eq!(next(&mut burst, 3, &tun), Next::Unknown);
}

#[test]
fn a_device_that_cannot_be_read_so_is_the_end_of_bursts() {
    let (tun, mut burst) = (device(), fetched(3, &[]));
    assert_eq!(next(&mut burst, 3, &tun), Next::Dry);
    burst.fetch(3, &std::fs::File::open("/proc/self/mounts").expect("it is there"));
    assert!(matches!(burst.ring, Ring::Refused));
    burst.fetch(3, &tun);
    assert_eq!(next(&mut burst, 3, &tun), Next::Unknown);
}

/// A burst that has read these packets of a device, each behind an empty header. An empty one stands for a read that failed.
fn fetched(token: u32, packets: &[Vec<u8>]) -> Burst {
    let (near, far) = UnixDatagram::pair().expect("sockets");
    for packet in packets {
        let header: &[u8] = if packet.is_empty() { &[] } else { &[0; 10] };
        far.send(&[header, packet].concat()).expect("send");
    }
    let mut burst = Burst::default();
    burst.fetch(token, &near);
    burst
}

/// The packets that are left, and what comes behind them.
fn all(burst: &mut Burst, token: u32, tun: &Tun) -> (Vec<Vec<u8>>, Next) {
    let mut packets = Vec::new();
    let mut buffer = Buffer::default();
    loop {
        match burst.next(token, tun, &mut buffer) {
            Next::Packet(_) => packets.push(buffer.bytes().to_vec()),
            end @ (Next::Dry | Next::Unknown) => return (packets, end),
        }
    }
}

fn next(burst: &mut Burst, token: u32, tun: &Tun) -> Next {
    burst.next(token, tun, &mut Buffer::default())
}

fn device() -> Tun {
    in_a_new_namespace(|netns| Tun::open(&netns, "test", TunOptions::default())).expect("a device, as root")
}
