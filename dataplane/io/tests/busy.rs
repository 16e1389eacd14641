//! Devices that are busy all the time, of which a backend may read some without being told of their packets.

mod support;

use std::net::UdpSocket;
use std::time::Duration;

use support::udp_payload;
use support::worker::{Worker, attached, ends_in_time, for_each_backend};
use vpclab_io::BackendKind;
use vpclab_io::tun::{Trouble, trouble};

for_each_backend!(
    a_busy_device_falls_silent_and_speaks_again,
    a_busy_device_that_is_removed_is_lost,
    a_device_that_is_removed_during_a_flood_is_lost,
    a_busy_device_wakes_a_worker_that_has_gone_to_sleep,
    a_quiet_device_is_found_beside_a_busy_one,
    many_busy_devices_have_all_their_packets_read,
    packets_of_a_busy_device_come_in_order_one_by_one_and_in_bursts,
    packets_of_a_flood_are_whole_whatever_their_length,
    what_was_fetched_of_a_detached_device_is_not_the_next_ones;
    a_busy_device_that_is_detached_keeps_its_packets,
);

fn packets_of_a_busy_device_come_in_order_one_by_one_and_in_bursts(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 1);
    let socket = namespace.socket();
    let mut numbers = 0_u32..;
    for burst in [vec![1; 200], vec![3; 100], [1, 2].repeat(50), vec![200, 1, 1]].concat() {
        let sent: Vec<u32> = numbers.by_ref().take(burst).collect();
        sent.iter().for_each(|number| send(&socket, 0, *number));
        let seen: Vec<_> = looks(&mut worker, burst).into_iter().map(|(_, number)| number).collect();
        assert_eq!(seen, sent, "a burst of {burst}");
    }
}

fn packets_of_a_flood_are_whole_whatever_their_length(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    let lengths = [vec![4; 500], [4, 1400, 700].repeat(200), vec![1472; 300], vec![4; 300]].concat();
    for (number, length) in (0_u32..).zip(&lengths) {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(*length, number as u8);
        socket.send_to(&payload, ("10.9.0.2", 9)).expect("send");
        send(&socket, 1, number);
    }
    let mut numbers = [0_u32; 2];
    while numbers.iter().any(|number| *number < lengths.len() as u32) {
        worker.look();
        let packets = worker.read(64);
        assert!(!packets.is_empty(), "{numbers:?} of {} packets came", lengths.len());
        for (device, packet) in packets {
            let (next, payload) = (&mut numbers[device as usize], udp_payload(packet.bytes()));
            assert_eq!(payload[..4], next.to_be_bytes());
            assert!(payload[4..].iter().all(|byte| *byte == *next as u8));
            assert_eq!(payload.len(), if device == 0 { lengths[*next as usize] } else { 4 });
            *next += 1;
        }
    }
}

fn what_was_fetched_of_a_detached_device_is_not_the_next_ones(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 1);
    let socket = namespace.socket();
    flood(&mut worker, &socket);
    worker.backend.detach(0).expect("detach");
    worker.backend.attach(0, namespace.device("eth1", 1, kind.opener()), 0).expect("attach");
    send(&socket, 1, 7_777);
    assert_eq!(looks(&mut worker, 1), [(0, 7_777)]);
}

fn a_busy_device_wakes_a_worker_that_has_gone_to_sleep(kind: BackendKind) {
    ends_in_time(move || {
        let (namespace, mut worker) = attached(kind, 2);
        let socket = namespace.socket();
        for _ in 0..3 {
            keep_busy(&mut worker, &socket, 0);
            drain(&mut worker);
            // It has come when the worker still looks, but after its last look at the device.
            send(&socket, 0, 1);
            assert_eq!(sleeps_until(&mut worker, 1), [(0, 1)]);
            drain(&mut worker);
            send(&socket, 1, 2);
            assert_eq!(sleeps_until(&mut worker, 1), [(1, 2)]);
        }
    });
}

fn a_busy_device_falls_silent_and_speaks_again(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 1);
    let socket = namespace.socket();
    for number in 0..3 {
        keep_busy(&mut worker, &socket, 0);
        // Longer than any backend goes on reading a silent device unasked.
        (0..1_000).for_each(|_| assert_eq!(look(&mut worker), []));
        send(&socket, 0, number);
        assert_eq!(looks(&mut worker, 1), [(0, number)]);
    }
}

fn a_quiet_device_is_found_beside_a_busy_one(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    keep_busy(&mut worker, &socket, 0);
    send(&socket, 1, 1);
    // The busy one has a packet for every look.
    let found = (0..20).find(|number| {
        send(&socket, 0, *number);
        look(&mut worker).iter().any(|(device, _)| *device == 1)
    });
    assert!(found.is_some(), "not in 20 rounds");
}

fn many_busy_devices_have_all_their_packets_read(kind: BackendKind) {
    const DEVICES: u8 = 9;
    let (namespace, mut worker) = attached(kind, DEVICES);
    let socket = namespace.socket();
    for number in 0..150 {
        (0..DEVICES).for_each(|device| send(&socket, device, number));
        let mut seen = looks(&mut worker, DEVICES.into());
        seen.sort_unstable();
        assert_eq!(seen, (0..u32::from(DEVICES)).map(|device| (device, number)).collect::<Vec<_>>());
    }
}

fn a_busy_device_that_is_removed_is_lost(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    keep_busy(&mut worker, &socket, 0);
    namespace.ip(&["link", "delete", "eth0"]);
    let lost: Vec<_> = worker.lost().iter().map(|(token, error)| (*token, trouble(error))).collect();
    assert_eq!(lost, [(0, Trouble::Gone)]);
    keep_busy(&mut worker, &socket, 1);
}

fn a_device_that_is_removed_during_a_flood_is_lost(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    flood(&mut worker, &socket);
    namespace.ip(&["link", "delete", "eth0"]);
    // What was fetched before still comes.
    worker.read(64);
    let lost: Vec<_> = worker.lost().iter().map(|(token, error)| (*token, trouble(error))).collect();
    assert_eq!(lost, [(0, Trouble::Gone)]);
    keep_busy(&mut worker, &socket, 1);
}

fn a_busy_device_that_is_detached_keeps_its_packets(kind: BackendKind) {
    let namespace = support::Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    let socket = namespace.socket();
    for number in 0..3 {
        worker.backend.attach(0, tun.clone(), 0).expect("attach");
        keep_busy(&mut worker, &socket, 0);
        worker.backend.detach(0).expect("detach");
        send(&socket, 0, number);
        assert_eq!(look(&mut worker), []);
        worker.backend.wait(Some(Duration::from_micros(1))).expect("wait");
        assert_eq!(worker.backend.take_lost().len(), 0);
        worker.backend.attach(1, tun.clone(), 0).expect("attach");
        assert_eq!(looks(&mut worker, 1), [(1, number)]);
        worker.backend.detach(1).expect("detach");
    }
}

/// Sends a datagram with a number through a device.
fn send(socket: &UdpSocket, device: u8, number: u32) {
    socket.send_to(&number.to_be_bytes(), (format!("10.9.{device}.2"), 9)).expect("send");
}

/// Sends so much through a device, one packet at a time, that it is busy.
fn keep_busy(worker: &mut Worker, socket: &UdpSocket, device: u8) {
    for number in 0..200 {
        send(socket, device, number);
        let seen: Vec<_> = looks(worker, 1).into_iter().map(|(_, number)| number).collect();
        assert_eq!(seen, [number]);
    }
}

/// Sends more than is read, in bursts where that is done, and stops within one.
fn flood(worker: &mut Worker, socket: &UdpSocket) {
    (0..1_000).for_each(|number| send(socket, 0, number));
    let mut seen = 0;
    while seen < 190 {
        worker.look();
        seen += worker.read(10).len();
    }
}

/// One round of a worker that does not sleep: devices and numbers.
fn look(worker: &mut Worker) -> Vec<(u32, u32)> {
    worker.look();
    read(worker)
}

/// Rounds until so many packets have come; there must be enough in a few.
fn looks(worker: &mut Worker, count: usize) -> Vec<(u32, u32)> {
    let mut seen = Vec::new();
    for _ in 0..count + 50 {
        seen.extend(look(worker));
        if seen.len() >= count {
            return seen;
        }
    }
    panic!("{} of {count} packets came", seen.len());
}

/// Rounds until nothing comes.
fn drain(worker: &mut Worker) {
    let mut silent = 0;
    while silent < 10 {
        silent = if look(worker).is_empty() { silent + 1 } else { 0 };
    }
}

/// Sleeps as long as nothing comes.
fn sleeps_until(worker: &mut Worker, count: usize) -> Vec<(u32, u32)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        worker.backend.wait(None).expect("wait");
        seen.extend(read(worker));
    }
    seen
}

fn read(worker: &mut Worker) -> Vec<(u32, u32)> {
    let packets = worker.read(64).into_iter();
    let number = |packet: &[u8]| udp_payload(packet).try_into().map(u32::from_be_bytes);
    packets.map(|(device, packet)| (device, number(packet.bytes()).expect("four bytes"))).collect()
}
