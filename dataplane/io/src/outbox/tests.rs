use std::collections::BTreeMap;
use std::net::SocketAddr;

use proptest::prelude::*;
use wire::testing::{at, dont_fragment, fragments, left_to_device, tcp, udp, with_ttl};
use wire::{FiveTuple, Offload, parse, tcp_flag};

use super::*;

const ACK: u8 = tcp_flag::ACK;

#[test]
fn datagrams_of_one_flow_leave_together() {
    let packets = [100, 100, 100, 40, 100].map(|size| Buffer::copy_of(&dont_fragment(datagram(size))));
    assert_eq!(sizes(written(packets)), [(100, 340), (0, 100)], "the shorter one ends it");
}

#[test]
fn long_payloads_are_linked_and_short_ones_follow_them() {
    let packets = [1000, 1000, 7].map(|size| Buffer::copy_of(&dont_fragment(datagram(size))));
    assert_eq!(sizes(written(packets)), [(1000, 2007)]);
}

#[test]
fn tcp_leaves_together_up_to_a_push() {
    let flags = [ACK, ACK, ACK | tcp_flag::PSH, ACK];
    let packets = flags.iter().zip(0..).map(|(flags, at)| Buffer::copy_of(&stream(*flags, at * 100, 100)));
    let all = written(packets);
    assert_eq!(sizes(all.clone()), [(100, 300), (0, 100)]);
    assert_eq!(all[0].bytes()[33], ACK | tcp_flag::PSH);
}

#[test]
fn super_packets_are_joined_as_they_are() {
    let packets = [300, 200, 250].into_iter().scan(0, |seq, length| {
        let packet = left_to_device(stream(ACK, *seq, length), Some(100));
        *seq += length as u32;
        Some(packet)
    });
    assert_eq!(sizes(written(packets)), [(100, 750)]);
}

#[test]
fn a_wrong_checksum_is_not_hidden() {
    for wrong in 0..3 {
        for at in [10, 26, 40] {
            let mut packets = [50, 50, 50].map(|size| Buffer::copy_of(&dont_fragment(datagram(size))));
            packets[wrong].bytes_mut()[at] ^= 1;
            let bad = packets[wrong].clone();
            assert!(written(packets).contains(&bad), "packet {wrong} wrong at byte {at}");
        }
    }
}

#[test]
fn neighbours_that_differ_are_not_joined() {
    let first = || stream(ACK, 1000, 100);
    let second = stream(ACK, 1100, 100);
    let v6 = |label: u8| {
        let mut packet = udp(at("[fd00::5]:1"), at("[fd00::9]:2"), &[1; 50]);
        packet[3] = label;
        packet
    };
    let different = [
        (first(), stream(ACK, 1101, 100), "a gap"),
        (first(), stream(ACK, 1100, 101), "longer than the first"),
        (first(), stream(ACK | tcp_flag::FIN, 1100, 100), "FIN"),
        (first(), stream(ACK | tcp_flag::CWR, 1100, 100), "CWR"),
        (first(), stream(ACK, 1100, 0), "nothing to carry"),
        (first(), with_ttl(second, 63), "TTL"),
        (first(), fragmentable(1100), "DF"),
        (fragmentable(1000), fragmentable(1100), "an identification that does not count up"),
        (v6(1), v6(2), "flow label"),
        (dont_fragment(datagram(0)), dont_fragment(datagram(0)), "empty datagrams"),
    ];
    for (first, second, why) in different {
        let packets = [&first, &second].map(|packet| Buffer::copy_of(packet));
        assert_eq!(written(packets.clone()), packets, "{why}");
    }
}

#[test]
fn tcp_headers_agree_in_all_that_cutting_copies() {
    let fields = [(28, "acknowledgement"), (32, "reserved bits"), (34, "window"), (38, "urgent pointer")];
    for (at, why) in fields {
        let mut packets = [0, 100].map(|seq| left_to_device(stream(ACK, seq, 100), None));
        assert_eq!(written(packets.clone()).len(), 1);
        packets[1].bytes_mut()[at] ^= 1;
        assert_eq!(written(packets.clone()), packets, "{why}");
    }
}

#[test]
fn tcp_options_agree_to_the_byte() {
    // Eight bytes of the payload become options, by a header length of seven words.
    let with_options = |seq| {
        let mut packet = left_to_device(stream(ACK, seq, 108), None);
        packet.bytes_mut()[32] = 0x70;
        packet
    };
    let mut packets = [0, 100].map(with_options);
    assert_eq!(written(packets.clone()).len(), 1);
    packets[1].bytes_mut()[47] ^= 1;
    assert_eq!(written(packets.clone()), packets);
}

#[test]
fn a_datagram_without_a_checksum_stays_alone() {
    let mut packet = Buffer::copy_of(&dont_fragment(datagram(50)));
    packet.bytes_mut()[26..28].fill(0);
    assert_eq!(written([packet.clone(), packet.clone()]), [packet.clone(), packet]);
}

#[test]
fn a_device_gets_no_more_segments_than_it_takes() {
    let packets = (0..10).map(|_| Buffer::copy_of(&dont_fragment(datagram(10))));
    assert_eq!(sizes(written(packets)), [(10, 80), (10, 20)]);
}

#[test]
fn a_super_packet_stays_within_an_ip_packet() {
    let packets: Vec<_> = (0..60).map(|at| Buffer::copy_of(&stream(ACK, at * 1400, 1400))).collect();
    let all = sizes(written(packets));
    assert_eq!(all, [(1400, 46 * 1400), (1400, 14 * 1400)]);
}

/// One packet of the property test.
#[derive(Clone, Debug)]
struct Step {
    device: usize,
    from: u32,
    flow: usize,
    length: usize,
    flags: u8,
    skip: bool,
    shape: Shape,
    dont_fragment: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Fragment,
    Partial,
    Super,
    Whole,
    Wrong,
}

fn step() -> impl Strategy<Value = Step> {
    let shapes = [
        Shape::Whole,
        Shape::Whole,
        Shape::Partial,
        Shape::Partial,
        Shape::Super,
        Shape::Wrong,
        Shape::Fragment,
    ];
    (
        (0..2_usize, prop::sample::select(vec![7_u32, 7, 7, 8]), 0..FLOWS.len()),
        prop::sample::select(vec![0_usize, 64, 100, 100, 100, 300, 300, 1400]),
        prop::sample::select(vec![
            ACK,
            ACK,
            ACK,
            ACK | tcp_flag::PSH,
            ACK | tcp_flag::ECE,
            ACK | tcp_flag::FIN,
        ]),
        (prop::bool::weighted(0.1), prop::sample::select(shapes.to_vec()), prop::bool::weighted(0.8)),
    )
        .prop_map(|((device, from, flow), length, flags, (skip, shape, dont_fragment))| Step {
            device,
            from,
            flow,
            length,
            flags,
            skip,
            shape,
            dont_fragment,
        })
}

const FLOWS: [(&str, &str, bool); 4] = [
    ("10.0.0.5:1", "10.0.0.9:2", true),
    ("10.0.0.5:1", "10.0.0.9:2", false),
    ("[fd00::5]:1", "[fd00::9]:2", true),
    ("[fd00::5]:1", "[fd00::9]:2", false),
];

proptest! {
    /// What every flow gets is what it was sent, packet by packet, and nothing passes a packet that shows no flow.
    #[test]
    fn cut_again_the_very_packets_come_out_in_order(steps in prop::collection::vec(step(), 1..120)) {
        let devices = [Arc::new(Fake), Arc::new(Fake)];
        let mut queue = Queue::default();
        let mut pool = BufferPool::new(64);
        let mut expected = Exchange::default();
        let mut seqs = [0_u32; FLOWS.len()];
        for step in &steps {
            let packet = build(step, &mut seqs[step.flow]);
            expected.add(step.device, step.from, &packet);
            queue.push(&devices[step.device], step.from, packet, &mut pool);
        }
        let mut seen = Exchange::default();
        queue.drain(&mut pool, |chain| {
            let device = devices.iter().position(|device| Arc::ptr_eq(device, &chain.device)).unwrap();
            seen.add(device, chain.from, &gather(chain));
        });
        prop_assert_eq!(seen, expected);
    }
}

/// Packets on the wire: for each device the times between two packets without a flow, and in each the packets by flow.
#[derive(Debug, Default, PartialEq, Eq)]
struct Exchange {
    groups: BTreeMap<Group, Vec<Vec<u8>>>,
    spans: [usize; 2],
}

/// Device, span, attachment and flow.
type Group = (usize, usize, u32, Option<FiveTuple>);

impl Exchange {
    fn add(&mut self, device: usize, from: u32, packet: &Buffer) {
        let parsed = parse(packet.bytes()).unwrap();
        let flow = parsed.fragment.is_none().then_some(parsed.tuple);
        self.spans[device] += usize::from(flow.is_none());
        let group = self.groups.entry((device, self.spans[device], from, flow)).or_default();
        group.extend(singles(packet));
        self.spans[device] += usize::from(flow.is_none());
    }
}

/// The packets on the wire, with the identification of an atomic datagram left out.
fn singles(packet: &Buffer) -> Vec<Vec<u8>> {
    let parsed = parse(packet.bytes()).unwrap();
    // A wrong checksum stays wrong: cutting is only for what leaves something to do.
    let cut = match packet.offload() == Offload::default() {
        true => vec![packet.clone()],
        false => wire::segment(packet.bytes(), &parsed, packet.offload()),
    };
    cut.iter().map(|single| without_id(single.bytes())).collect()
}

fn without_id(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if packet[0] == 0x45 && packet[6] & 0x40 != 0 {
        let id = u16::from_be_bytes([packet[4], packet[5]]);
        let checksum = u16::from_be_bytes([packet[10], packet[11]]);
        packet[10..12].copy_from_slice(&wire::checksum::update16(checksum, id, 0).to_be_bytes());
        packet[4..6].fill(0);
    }
    packet
}

fn build(step: &Step, seq: &mut u32) -> Buffer {
    let (src, dst, is_tcp) = FLOWS[step.flow];
    let (src, dst): (SocketAddr, SocketAddr) = (at(src), at(dst));
    let payload: Vec<u8> = (0..step.length).map(|at| (at as u32 + *seq) as u8).collect();
    *seq += u32::from(step.skip);
    let packet = if is_tcp { tcp(src, dst, step.flags, *seq, 1, &payload) } else { udp(src, dst, &payload) };
    *seq += step.length as u32;
    let packet = if step.dont_fragment { dont_fragment(packet) } else { packet };
    match step.shape {
        Shape::Fragment => Buffer::copy_of(&fragments(&packet, 3, 32)[0]),
        Shape::Partial => left_to_device(packet, None),
        Shape::Super if step.length > 100 => left_to_device(packet, Some(100)),
        Shape::Super | Shape::Whole => Buffer::copy_of(&packet),
        Shape::Wrong => {
            let mut packet = Buffer::copy_of(&packet);
            if let Some(last) = packet.bytes_mut().last_mut() {
                *last ^= 1;
            }
            packet
        }
    }
}

/// A device that takes up to eight datagrams in one write.
#[derive(Debug)]
struct Fake;

impl Device for Fake {
    fn segments(&self, kind: SegmentKind) -> u16 {
        match kind {
            SegmentKind::TcpV4 | SegmentKind::TcpV6 => u16::MAX,
            SegmentKind::Udp => 8,
        }
    }
}

/// What one device is given for a batch from one attachment.
fn written(packets: impl IntoIterator<Item = Buffer>) -> Vec<Buffer> {
    let mut pool = BufferPool::new(64);
    let mut queue = Queue::default();
    let device = Arc::new(Fake);
    for packet in packets {
        let mut pooled = pool.take();
        pooled.extend_from_slice(packet.bytes());
        pooled.set_offload(packet.offload());
        queue.push(&device, 1, pooled, &mut pool);
    }
    let mut out = Vec::new();
    queue.drain(&mut pool, |chain| out.push(gather(chain)));
    out
}

fn gather(chain: &Chain<Fake>) -> Buffer {
    let mut whole = chain.head.clone();
    chain.rest.iter().for_each(|part| whole.extend_from_slice(part.bytes()));
    whole
}

/// Segment size, zero for none, and payload of each packet.
fn sizes(packets: Vec<Buffer>) -> Vec<(u16, usize)> {
    let size = |packet: &Buffer| packet.offload().segments.map_or(0, |segments| segments.size);
    let payload = |packet: &Buffer| {
        let header = if packet.bytes()[9] == 6 { 20 } else { 8 };
        packet.len() - 20 - header
    };
    packets.iter().map(|packet| (size(packet), payload(packet))).collect()
}

fn datagram(length: usize) -> Vec<u8> {
    udp(at("10.0.0.5:1"), at("10.0.0.9:2"), &vec![7; length])
}

fn fragmentable(seq: u32) -> Vec<u8> {
    tcp(at("10.0.0.5:1"), at("10.0.0.9:2"), ACK, seq, 1, &[7; 100])
}

fn stream(flags: u8, seq: u32, length: usize) -> Vec<u8> {
    let packet = tcp(at("10.0.0.5:1"), at("10.0.0.9:2"), flags, seq, 1, &vec![7; length]);
    dont_fragment(packet)
}
