//! Super-packets and partial checksums over real devices, both ways.

mod support;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use support::writer::{FROM, Writer, read_all};
use support::{Namespace, udp_payload};
use vpclab_io::poller::BackendKind;
use vpclab_io::tun::{Trouble, trouble};
use vpclab_io::{Buffer, Offload, Opener, Tun, TunOptions};
use wire::testing::{at, dont_fragment, left_to_device, tcp, udp, verify};
use wire::{SegmentKind, parse, tcp_flag};

#[test]
fn the_kernel_here_grants_every_level_and_no_more_than_was_asked() {
    let namespace = Namespace::new();
    for (offload, name) in Offload::ALL.into_iter().zip(["eth0", "eth1", "eth2", "eth3"]) {
        let options = TunOptions { offload, ..TunOptions::default() };
        let tun = Tun::open(&namespace.handle, name, options).expect("open");
        assert_eq!(tun.options().offload, offload);
    }
}

#[test]
fn a_device_of_tokio_tun_grants_none() {
    let namespace = Namespace::new();
    let options =
        TunOptions { offload: Offload::TcpUdp, opener: BackendKind::Tokio.opener(), ..TunOptions::default() };
    let tun = Tun::open(&namespace.handle, "eth0", options).expect("open");
    assert_eq!(tun.options().offload, Offload::None);
}

#[test]
fn a_guests_datagrams_are_read_as_its_device_promises() {
    for offload in Offload::ALL {
        let namespace = Namespace::new();
        let tun = device(&namespace, offload);
        let socket = namespace.socket();
        setsockopt(&socket, UdpGsoSegment, &1000).expect("UDP_SEGMENT");
        socket.send_to(&payload(), "10.9.0.2:9").expect("send");
        let packets = read_all(&tun);
        let seen = (packets.len(), packets[0].offload().checksum.is_some());
        let expected = match offload {
            Offload::None => (3, false),
            Offload::Checksum | Offload::Tcp => (3, true),
            Offload::TcpUdp => (1, true),
        };
        assert_eq!(seen, expected, "{offload:?}");
        let size = packets[0].offload().segments.map(|of| (of.kind, of.size));
        assert_eq!(size, (offload == Offload::TcpUdp).then_some((SegmentKind::Udp, 1000)));
        assert_eq!(payload_of(&packets), payload(), "{offload:?}");
    }
}

#[test]
fn a_super_packet_arrives_as_its_datagrams() {
    for opener in support::openers() {
        for offload in Offload::ALL {
            let namespace = Namespace::new();
            let tun = opened(&namespace, TunOptions { offload, opener, ..options() });
            let socket = listener(&namespace);
            let whole = udp(at("10.9.0.2:9"), at("10.9.0.1:9"), &payload());
            let mut packet = left_to_device(whole, Some(1000));
            let before = packet.clone();
            tun.write(0, &mut packet).expect("write");
            assert_eq!(packet, before, "the packet is as it was");
            assert_eq!(lengths(&socket, 3), [1000, 1000, 500], "{opener:?} {offload:?}");
        }
    }
}

#[test]
fn a_partial_checksum_is_no_trouble_for_the_receiver_and_a_wrong_one_is() {
    for opener in support::openers() {
        let namespace = Namespace::new();
        let tun = opened(&namespace, TunOptions { opener, ..options() });
        let socket = listener(&namespace);
        let whole = udp(at("10.9.0.2:9"), at("10.9.0.1:9"), b"counted");
        let mut wrong = Buffer::copy_of(&whole);
        wrong.bytes_mut()[30] ^= 1;
        tun.write(0, &mut wrong).expect("write");
        tun.write(0, &mut left_to_device(whole, None)).expect("write");
        assert_eq!(lengths(&socket, 1), [7], "only the second");
    }
}

#[test]
fn coalesced_datagrams_arrive_one_by_one_and_in_order() {
    for opener in support::openers() {
        let namespace = Namespace::new();
        let tun = opened(&namespace, TunOptions { opener, ..options() });
        let socket = listener(&namespace);
        let mut writer = Writer::new();
        let sent: Vec<usize> = [vec![900; 20], vec![64; 100], vec![1400, 3]].concat();
        for (length, mark) in sent.iter().zip(0_u8..) {
            let packet = udp(at("10.9.0.2:9"), at("10.9.0.1:9"), &vec![mark; *length]);
            writer.write(&tun, &Buffer::copy_of(&dont_fragment(packet)));
        }
        assert_eq!(writer.flush(), []);
        let mut bytes = [0; 2048];
        for (length, mark) in sent.iter().zip(0_u8..) {
            let got = socket.recv(&mut bytes).expect("a datagram");
            assert_eq!(bytes[..got], vec![mark; *length], "number {mark}");
        }
    }
}

#[test]
fn every_packet_of_a_refused_write_is_reported_singly() {
    let namespace = Namespace::new();
    let tun = opened(&namespace, options());
    namespace.ip(&["link", "set", "eth0", "down"]);
    let packet = dont_fragment(udp(at("10.9.0.2:9"), at("10.9.0.1:9"), &[5; 500]));
    let mut writer = Writer::new();
    (0..5).for_each(|_| writer.write(&tun, &left_to_device(packet.clone(), None)));
    let stream =
        |seq, length| tcp(at("10.9.0.2:9"), at("10.9.0.1:9"), tcp_flag::ACK, seq, 1, &vec![1; length]);
    writer.write(&tun, &left_to_device(stream(0, 2500), Some(1000)));
    let failed = writer.flush();
    assert_eq!(failed.len(), 5 + 3);
    for (from, packet) in &failed {
        assert_eq!(*from, FROM);
        verify(packet.bytes()).expect("whole");
    }
    assert_eq!(trouble(&tun.write(0, &mut left_to_device(packet, None)).expect_err("down")), Trouble::Down);
    namespace.ip(&["link", "set", "eth0", "up"]);
    let mut writer = Writer::new();
    writer.write(&tun, &left_to_device(stream(0, 2500), Some(1000)));
    assert_eq!(writer.flush(), [], "a device that was down is not held to refuse super-packets");
}

#[test]
fn a_super_packet_the_kernel_refuses_is_sent_in_segments() {
    let namespace = Namespace::new();
    let tun = opened(&namespace, options());
    let socket = listener(&namespace);
    // More segments than any kernel takes in one write.
    let whole = udp(at("10.9.0.2:9"), at("10.9.0.1:9"), &[1; 200]);
    for _ in 0..2 {
        tun.write(0, &mut left_to_device(whole.clone(), Some(1))).expect("write");
        assert_eq!(lengths(&socket, 200), [1; 200]);
    }
    let mut nonsense = left_to_device(whole, Some(100));
    nonsense.bytes_mut()[0] = 0;
    let refused = tun.write(0, &mut nonsense).expect_err("no IP packet");
    assert_eq!(trouble(&refused), Trouble::Other);
}

fn options() -> TunOptions {
    TunOptions { offload: Offload::TcpUdp, ..TunOptions::default() }
}

fn device(namespace: &Namespace, offload: Offload) -> Arc<Tun> {
    opened(namespace, TunOptions { offload, opener: Opener::Direct, ..options() })
}

fn opened(namespace: &Namespace, options: TunOptions) -> Arc<Tun> {
    namespace.device_with("eth0", 0, TunOptions { mtu: 1500, ..options })
}

fn listener(namespace: &Namespace) -> UdpSocket {
    let socket = namespace.handle.run(|| UdpSocket::bind(("10.9.0.1", 9))).expect("a socket");
    socket.set_read_timeout(Some(LIMIT)).expect("timeout");
    socket
}

fn lengths(socket: &UdpSocket, count: usize) -> Vec<usize> {
    let mut bytes = [0; 65_536];
    (0..count).map(|_| socket.recv(&mut bytes).expect("a datagram")).collect()
}

fn payload() -> Vec<u8> {
    (0..2500_u32).map(|at| (at % 251) as u8).collect()
}

/// The datagrams' payload, having verified every packet that goes on the wire.
fn payload_of(packets: &[Buffer]) -> Vec<u8> {
    let single = |packet: &Buffer| {
        let parsed = parse(packet.bytes()).expect("a packet");
        wire::segment(packet.bytes(), &parsed, packet.offload())
    };
    let singles: Vec<Buffer> = packets.iter().flat_map(single).collect();
    singles.iter().for_each(|packet| verify(packet.bytes()).expect("right"));
    singles.iter().flat_map(|packet| udp_payload(packet.bytes()).to_vec()).collect()
}

/// The longest a test waits for anything: only a failing one waits this long.
const LIMIT: Duration = Duration::from_secs(30);
