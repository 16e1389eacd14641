//! A guest that forwards to a device without offloads: what leaves there went through the kernel's own segmentation.
//!
//! A receiving socket does not notice a wrong partial checksum; a device that takes none shows it.

mod support;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use support::Namespace;
use support::writer::{Writer, read_all};
use vpclab_io::{Buffer, Offload, Tun, TunOptions};
use wire::testing::{at, dont_fragment, left_to_device, tcp, udp, verify};
use wire::{Transport, parse, tcp_flag};

/// Source and destination, before and behind the guest.
const ENDS: [[&str; 2]; 2] = [["10.9.0.2:9", "10.9.1.2:9"], ["[2001:db8:9::2]:9", "[2001:db8:9:1::2]:9"]];

/// MTUs of the device behind the guest: the least of IPv6 (RFC 8200 section 5), the internet's, and a VPC's.
const MTUS: [u16; 3] = [1280, 1500, 9001];

#[test]
fn checksums_are_right_behind_a_guest_that_forwards() {
    for near in Offload::ALL {
        for mtu in MTUS {
            let guest = Guest::new(near, mtu);
            for ends in ENDS {
                let mut writer = Writer::new();
                let sent = packets_that_fit(ends.map(at), mtu);
                sent.iter().for_each(|(packet, _)| writer.write(&guest.near, packet));
                assert_eq!(writer.flush(), []);
                let got = forwarded(&guest.far);
                let count = sent.iter().map(|(_, count)| count).sum();
                assert_eq!(got.len(), count, "{near:?} {mtu} {ends:?}");
                assert_eq!(got.iter().map(Buffer::len).max(), Some(mtu.into()), "{near:?} {ends:?}");
            }
        }
    }
}

#[test]
fn segments_that_do_not_fit_are_answered_by_the_guest() {
    for near in Offload::ALL {
        let guest = Guest::new(near, 1500);
        for [src, dst] in ENDS.map(|ends| ends.map(at)) {
            let datagrams = dont_fragment(udp(src, dst, &[7; 8_001]));
            let stream = dont_fragment(tcp(src, dst, tcp_flag::ACK, 1, 1, &[8; 30_001]));
            for packet in [left_to_device(datagrams, Some(2_001)), left_to_device(stream, Some(8_001))] {
                let mut writer = Writer::new();
                writer.write(&guest.near, &packet);
                assert_eq!(writer.flush(), []);
                let about = parse(packet.bytes()).expect("a packet").tuple;
                assert_eq!(told(&guest.near), [(1500, about)], "{near:?}");
            }
        }
        assert_eq!(forwarded(&guest.far), [], "nothing is cut behind the sender's back");
    }
}

/// A namespace that forwards between two devices.
struct Guest {
    near: Arc<Tun>,
    far: Arc<Tun>,
    /// Keeps the namespace's name until the devices are gone.
    _namespace: Namespace,
}

impl Guest {
    fn new(offload: Offload, mtu: u16) -> Self {
        let namespace = Namespace::new();
        let near = namespace.device_with("eth0", 0, TunOptions { offload, ..TunOptions::default() });
        let far = TunOptions { mtu, offload: Offload::None, ..TunOptions::default() };
        let far = namespace.device_with("eth1", 1, far);
        set(&namespace, "ipv4/ip_forward", "1");
        set(&namespace, "ipv6/conf/all/forwarding", "1");
        for (device, prefix) in [("eth0", "2001:db8:9::"), ("eth1", "2001:db8:9:1::")] {
            // No link-local address (1 is "none"), and no probe of the one it gets.
            set(&namespace, &format!("ipv6/conf/{device}/addr_gen_mode"), "1");
            set(&namespace, &format!("ipv6/conf/{device}/disable_ipv6"), "0");
            namespace.ip(&["address", "add", &format!("{prefix}1/64"), "dev", device, "nodad"]);
        }
        Self { near, far, _namespace: namespace }
    }
}

fn set(namespace: &Namespace, parameter: &str, value: &str) {
    let write = || fs::write(format!("/proc/sys/net/{parameter}"), value);
    namespace.handle.run(write).expect("the parameter is there");
}

/// Packets whose longest segments have exactly `mtu` bytes, and how many each is on the wire.
fn packets_that_fit([src, dst]: [SocketAddr; 2], mtu: u16) -> Vec<(Buffer, usize)> {
    let network = if src.is_ipv4() { 20 } else { 40 };
    let (datagram, segment) = (mtu - network - 8, mtu - network - 20);
    let (longest, part) = (usize::from(datagram), usize::from(segment));
    let udp = |length: usize| dont_fragment(udp(src, dst, &vec![7; length]));
    let tcp = |seq: usize, length: usize| {
        dont_fragment(tcp(src, dst, tcp_flag::ACK, seq as u32, 1, &vec![8; length]))
    };
    vec![
        (Buffer::copy_of(&udp(64)), 1),
        (left_to_device(udp(64), None), 1),
        (left_to_device(udp(33), None), 1),
        (left_to_device(udp(longest), None), 1),
        (left_to_device(udp(5 * longest + 1), Some(datagram)), 6),
        (left_to_device(udp(10_001), Some(1_001)), 10),
        (left_to_device(tcp(0, part), None), 1),
        (Buffer::copy_of(&tcp(part, part)), 1),
        (left_to_device(tcp(2 * part, 5 * part + 1), Some(segment)), 6),
    ]
}

/// What was forwarded, every packet whole and right. Of its own accord the guest says only which groups it joins.
fn forwarded(far: &Tun) -> Vec<Buffer> {
    let packets = read_all(far);
    for packet in &packets {
        assert_eq!(packet.offload(), wire::Offload::default());
        verify(packet.bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {packet:?}"));
    }
    packets.into_iter().filter(|packet| !is_icmp(packet)).collect()
}

/// MTU and flow of each "too big" that came back (RFC 792 with RFC 1191, RFC 4443 section 3.2).
fn told(near: &Tun) -> Vec<(u16, wire::FiveTuple)> {
    let error = |packet: Buffer| {
        let parsed = parse(packet.bytes()).expect("a packet");
        let Transport::Icmp { icmp_type: 3 | 2, about: Some(about), .. } = parsed.transport else {
            return None;
        };
        verify(packet.bytes()).expect("right");
        let field = usize::from(parsed.transport_offset) + 6;
        Some((u16::from_be_bytes([packet.bytes()[field], packet.bytes()[field + 1]]), about))
    };
    read_all(near).into_iter().filter_map(error).collect()
}

fn is_icmp(packet: &Buffer) -> bool {
    let parsed = parse(packet.bytes()).expect("a packet");
    matches!(parsed.transport, Transport::Icmp { .. })
}
