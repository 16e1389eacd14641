//! Every backend against real devices: the same tests for each.

mod support;

use std::process::Stdio;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use support::worker::{LIMIT, Worker, attached, ends_in_time, for_each_backend};
use support::{Namespace, destination, udp_payload};
use vpclab_io::netns::netns_command;
use vpclab_io::poller::BackendKind;
use vpclab_io::tun::{Trouble, trouble};
use vpclab_io::{Buffer, Tun};

for_each_backend!(
    a_detached_device_is_let_go_at_once,
    a_detached_device_is_read_no_more,
    a_ping_through_the_device_is_answered,
    a_quiet_device_is_read_while_a_busy_one_waits,
    a_removed_device_is_lost_and_the_others_go_on,
    a_queue_that_the_device_does_not_have_is_refused,
    a_token_is_attached_once,
    a_wait_sees_packets_that_came_before_the_device_was_attached,
    a_wake_before_the_wait_is_not_lost,
    a_worker_without_work_sleeps,
    busy_devices_share_what_is_read,
    a_wait_without_events_ends_with_its_timeout,
    every_wake_from_another_thread_ends_a_wait,
    looking_without_waiting_finds_what_is_there,
    one_device_is_read_by_one_backend_and_written_by_another,
    packets_beyond_the_backends_buffers_come_in_order;
    a_detached_device_keeps_its_packets,
    devices_are_served_in_turns_within_the_budget,
);

fn a_ping_through_the_device_is_answered(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    worker.backend.attach(0, tun.clone(), 0).expect("attach");
    let mut command = netns_command(&namespace.name, "timeout").expect("command");
    let ping = command.args(["20", "ping", "-c1", "-W10", "10.9.0.2"]).stdout(Stdio::piped());
    let child = ping.spawn().expect("start ping");
    let request = worker.packets(1).remove(0).1;
    let reply = echo_reply(request.bytes());
    worker.write(&tun, Buffer::copy_of(&reply));
    let output = child.wait_with_output().expect("ping ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn a_wait_sees_packets_that_came_before_the_device_was_attached(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    namespace.socket().send_to(b"early", "10.9.0.2:9").expect("send");
    let mut worker = Worker::new(kind);
    worker.backend.attach(7, tun, 0).expect("attach");
    let packets = worker.packets(1);
    assert_eq!((packets[0].0, udp_payload(packets[0].1.bytes())), (7, &b"early"[..]));
}

fn looking_without_waiting_finds_what_is_there(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 1);
    let socket = namespace.socket();
    for round in 0..20_u8 {
        worker.look();
        assert_eq!(worker.read(64).len(), 0);
        socket.send_to(&[round], "10.9.0.2:9").expect("send");
        worker.look();
        let packets = worker.read(64);
        assert_eq!(
            packets.iter().map(|(_, buffer)| udp_payload(buffer.bytes())[0]).collect::<Vec<_>>(),
            [round]
        );
    }
}

fn devices_are_served_in_turns_within_the_budget(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 3);
    let socket = namespace.socket();
    for (net, count) in [(0, 100_u8), (1, 100), (2, 1)] {
        for at in 0..count {
            socket.send_to(&[at], (destination_in(net), 9)).expect("send");
        }
    }
    worker.look();
    let batch = worker.read(48);
    let of = |wanted| batch.iter().filter(move |(token, _)| *token == wanted);
    assert_eq!(of(2).count(), 1, "the quiet device is served though the busy ones could fill the batch");
    assert_eq!((of(0).count(), of(1).count()), (31, 16));
    assert!(of(0).map(|(_, buffer)| udp_payload(buffer.bytes())[0]).eq(0..31), "in order");
    assert_eq!(worker.packets(153).len(), 153, "what the budget left behind is still there");
}

fn a_detached_device_is_read_no_more(kind: BackendKind) {
    let (_namespace, mut worker, tun) = detached(kind);
    worker.backend.attach(3, tun, 0).expect("attach again");
    assert_eq!(udp_payload(worker.packets_until(b"two")[0].bytes()), b"two");
}

/// More packets than any backend has buffers to read into before the worker takes them.
fn packets_beyond_the_backends_buffers_come_in_order(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 1);
    let socket = namespace.socket();
    for at in 0..MANY {
        socket.send_to(&at.to_be_bytes(), "10.9.0.2:9").expect("send");
    }
    let packets = worker.packets(MANY as usize);
    let order = packets.iter().map(|(_, packet)| udp_payload(packet.bytes()).to_vec());
    assert!(order.eq((0..MANY).map(|at| at.to_be_bytes().to_vec())));
}

fn busy_devices_share_what_is_read(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    for at in 0..2 * MANY {
        socket.send_to(b"busy", (destination_in((at % 2) as u8), 9)).expect("send");
    }
    let mut taken = [0_usize; 2];
    while taken.iter().sum::<usize>() < usize::from(MANY) {
        worker.look();
        worker.read(64).iter().for_each(|(token, _)| taken[*token as usize] += 1);
    }
    assert!(taken.iter().all(|share| *share > usize::from(MANY) / 4), "{taken:?}");
}

fn a_quiet_device_is_read_while_a_busy_one_waits(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    let socket = namespace.socket();
    for _ in 0..MANY {
        socket.send_to(b"busy", "10.9.0.2:9").expect("send");
    }
    worker.look();
    socket.send_to(b"quiet", "10.9.1.2:9").expect("send");
    let mut taken = 0;
    loop {
        let packets = worker.read(64);
        taken += packets.len();
        if packets.iter().any(|(token, _)| *token == 1) {
            break;
        }
        worker.look();
    }
    assert!(taken < MANY as usize, "not only once the busy one is done");
}

fn a_detached_device_keeps_its_packets(kind: BackendKind) {
    let (_namespace, mut worker, tun) = detached(kind);
    worker.backend.attach(4, tun, 0).expect("attach again");
    let packets = worker.packets(2);
    let seen: Vec<_> = packets.iter().map(|(token, buffer)| (*token, udp_payload(buffer.bytes()))).collect();
    assert_eq!(seen, [(4, &b"one"[..]), (4, &b"two"[..])]);
}

fn a_detached_device_is_let_go_at_once(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    for token in 0..3 {
        worker.backend.attach(token, tun.clone(), 0).expect("attach");
        worker.backend.detach(token).expect("detach");
        assert_eq!(Arc::strong_count(&tun), 1);
    }
}

fn a_token_is_attached_once(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    worker.backend.attach(1, tun.clone(), 0).expect("attach");
    let refused = worker.backend.attach(1, tun, 0).expect_err("in use");
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    worker.backend.detach(1).expect("detach");
    assert_eq!(worker.backend.detach(1).expect_err("detached").kind(), std::io::ErrorKind::NotFound);
}

fn a_queue_that_the_device_does_not_have_is_refused(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    for queue in [1, u16::MAX] {
        let refused = worker.backend.attach(1, tun.clone(), queue).expect_err("one queue");
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    }
    assert_eq!(Arc::strong_count(&tun), 1);
    worker.backend.attach(1, tun, 0).expect("the token is free");
}

fn a_removed_device_is_lost_and_the_others_go_on(kind: BackendKind) {
    let (namespace, mut worker) = attached(kind, 2);
    namespace.ip(&["link", "delete", "eth0"]);
    let lost = worker.lost();
    assert_eq!(
        lost.iter().map(|(token, error)| (*token, trouble(error))).collect::<Vec<_>>(),
        [(0, Trouble::Gone)]
    );
    assert_eq!(worker.backend.detach(0).expect_err("lost").kind(), std::io::ErrorKind::NotFound);
    namespace.socket().send_to(b"still here", "10.9.1.2:9").expect("send");
    assert_eq!(udp_payload(worker.packets(1)[0].1.bytes()), b"still here");
    assert_eq!(worker.backend.take_lost().len(), 0);
}

fn one_device_is_read_by_one_backend_and_written_by_another(kind: BackendKind) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let socket = namespace.socket();
    socket.set_read_timeout(Some(LIMIT)).expect("timeout");
    let mut reader = Worker::new(kind);
    reader.backend.attach(0, tun.clone(), 0).expect("attach");
    socket.send_to(b"there and back", "10.9.0.2:9").expect("send");
    let packet = udp_reversed(reader.packets(1).remove(0).1);
    let writer = thread::spawn(move || Worker::new(kind).write(&tun, packet));
    writer.join().expect("join");
    let mut bytes = [0; 64];
    let (length, from) = socket.recv_from(&mut bytes).expect("the packet came back");
    assert_eq!((&bytes[..length], from.to_string().as_str()), (&b"there and back"[..], "10.9.0.2:9"));
}

fn a_wake_before_the_wait_is_not_lost(kind: BackendKind) {
    ends_in_time(move || {
        let mut worker = Worker::new(kind);
        worker.waker.wake();
        worker.waker.wake();
        worker.backend.wait(None).expect("wait");
    });
}

fn every_wake_from_another_thread_ends_a_wait(kind: BackendKind) {
    ends_in_time(move || {
        let mut worker = Worker::new(kind);
        let waker = worker.waker.clone();
        let (answer, answers) = mpsc::channel();
        let other = thread::spawn(move || {
            for _ in 0..1000 {
                waker.wake();
                answers.recv().expect("the worker woke");
            }
        });
        for _ in 0..1000 {
            worker.backend.wait(None).expect("wait");
            answer.send(()).expect("the other thread listens");
        }
        other.join().expect("join");
    });
}

fn a_wait_without_events_ends_with_its_timeout(kind: BackendKind) {
    ends_in_time(move || {
        let mut worker = Worker::new(kind);
        worker.backend.wait(Some(Duration::from_micros(1))).expect("wait");
        worker.backend.wait(Some(Duration::ZERO)).expect("wait");
        assert_eq!(worker.read(1).len(), 0);
    });
}

/// An early end is allowed, one that repeats itself would be a busy loop. Only the lower bound is measured.
#[expect(clippy::disallowed_methods, reason = "whether a call waits can only be told by a clock")]
fn a_worker_without_work_sleeps(kind: BackendKind) {
    let namespace = Namespace::new();
    let mut worker = Worker::new(kind);
    worker.backend.attach(0, namespace.device("eth0", 0, kind.opener()), 0).expect("attach");
    let pause = Duration::from_millis(20);
    for round in 0..3 {
        namespace.socket().send_to(b"work", "10.9.0.2:9").expect("send");
        worker.packets(1);
        worker.waker.wake();
        let slept = (0..5).any(|_| {
            assert_eq!(worker.read(64).len(), 0);
            let start = Instant::now();
            worker.backend.wait(Some(pause)).expect("wait");
            start.elapsed() >= pause
        });
        assert!(slept, "never in round {round}");
    }
}

/// A worker that reads so many devices, `eth0` under token 0 and so on.
/// A worker whose device, once token 3, has a packet from before it was detached and one from after; neither is read.
fn detached(kind: BackendKind) -> (Namespace, Worker, Arc<Tun>) {
    let namespace = Namespace::new();
    let tun = namespace.device("eth0", 0, kind.opener());
    let mut worker = Worker::new(kind);
    worker.backend.attach(3, tun.clone(), 0).expect("attach");
    let socket = namespace.socket();
    socket.send_to(b"one", "10.9.0.2:9").expect("send");
    worker.look();
    worker.backend.detach(3).expect("detach");
    assert_eq!(worker.read(64).len(), 0, "though it was known to have a packet");
    socket.send_to(b"two", "10.9.0.2:9").expect("send");
    worker.look();
    assert_eq!(worker.read(64).len(), 0);
    (namespace, worker, tun)
}

fn destination_in(net: u8) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::new(10, 9, net, 2)
}

/// The answer to an ICMP echo request (RFC 792): addresses swapped, type 8 becomes 0, checksum accordingly.
fn echo_reply(request: &[u8]) -> Vec<u8> {
    assert_eq!((request[9], request[20]), (1, 8), "no echo request: {request:02x?}");
    assert_eq!(destination(request), destination_in(0));
    let mut reply = with_addresses_swapped(request);
    reply[20] = 0;
    // RFC 1624: the word of type and code falls by 0x0800, so the complement rises by it.
    let (sum, carry) = u16::from_be_bytes([reply[22], reply[23]]).overflowing_add(0x0800);
    reply[22..24].copy_from_slice(&(sum + u16::from(carry)).to_be_bytes());
    reply
}

/// A UDP packet sent back to where it came from; no sum changes when both ends are swapped, not even a partial one.
fn udp_reversed(mut packet: Buffer) -> Buffer {
    let swapped = with_addresses_swapped(packet.bytes());
    packet.bytes_mut().copy_from_slice(&swapped);
    packet.bytes_mut()[20..24].rotate_left(2);
    packet
}

fn with_addresses_swapped(packet: &[u8]) -> Vec<u8> {
    let mut swapped = packet.to_vec();
    swapped[12..20].rotate_left(4);
    swapped
}

/// More packets than any backend reads ahead.
const MANY: u16 = 700;
