//! The steering program, run by the kernel: its arithmetic, and the queues that packets of a device come through.

mod support;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use proptest::prelude::*;
use support::{Namespace, udp_payload};
use vpclab_io::pool::BufferPool;
use vpclab_io::steering::Program;
use vpclab_io::{Opener, Queues, Tun, TunOptions};
use wire::testing::{at, echo_reply, echo_request, fragments, icmp, icmp_error, ip, other, tcp, udp};

const SEEDS: [u64; 3] = [0, 0x5eed_0123_4567_89ab, u64::MAX];
const WORKERS: [u16; 5] = [1, 2, 3, 4, 8];

#[test]
fn the_program_computes_the_hash_that_is_documented() {
    let programs: Vec<_> = SEEDS
        .into_iter()
        .flat_map(|seed| WORKERS.map(|workers| (seed, workers)))
        .map(|(seed, workers)| (seed, workers, Program::load(workers, seed).expect("the program is taken")))
        .collect();
    proptest!(|(flow in flow(), options in 0..11_usize)| {
        for (packet, ends) in flow.packets(options) {
            for (seed, workers, program) in &programs {
                let queue = program.run(&packet).expect("it runs");
                let expected = ends.map_or(0, |ends| ends.owner(*seed, *workers));
                prop_assert_eq!(queue, u32::from(expected), "{} workers, seed {:x}: {:02x?}", workers, seed, packet);
            }
        }
    });
}

#[test]
fn a_packet_cut_short_behind_its_ip_header_is_no_trouble() {
    let program = Program::load(8, 7).expect("the program is taken");
    let packets = [
        (40, tcp(at("[fd00::1]:4000"), at("[fd00::2]:443"), 2, 0, 0, &[])),
        (20, with_options(udp(at("10.0.0.1:1"), at("10.0.0.2:2"), &[]), 5)),
        (20, echo_request(ip("10.0.0.1"), ip("10.0.0.2"), 7, 1, &[])),
    ];
    for (header, whole) in packets {
        let owner = program.run(&whole).expect("it runs");
        let cut = |length: usize| program.run(&whole[..length]).expect("it runs");
        assert_eq!(cut(header), 0);
        assert!((header..whole.len()).map(cut).all(|queue| queue == 0 || queue == owner));
    }
}

#[test]
fn packets_come_through_the_queue_that_the_program_says_whoever_writes() {
    let namespace = Namespace::new();
    let queues = Queues::PerWorker { workers: 4, seed: SEEDS[1] };
    let tun = namespace.device_with("eth0", 0, TunOptions { mtu: 1500, queues, ..TunOptions::default() });
    assert!(tun.queues() == 4 && tun.refusal().is_none(), "{tun:?}");
    let program = Program::load(4, SEEDS[1]).expect("the program is taken");
    let sockets: Vec<_> = (0..32).map(|_| namespace.socket()).collect();
    let mut arrived = [0; 4];
    for round in 0..5_u16 {
        sockets.iter().for_each(|socket| send(socket, &round.to_be_bytes()));
        for queue in 0..4 {
            for packet in waiting(&tun, queue) {
                assert_eq!(program.run(&packet).expect("it runs"), u32::from(queue), "round {round}");
                assert_eq!(udp_payload(&packet), round.to_be_bytes());
                arrived[usize::from(queue)] += 1;
                // The kernel alone would send the flow through that queue from now on.
                let (from, to) = ends_of(&packet);
                let answer = &mut wire::Buffer::copy_of(&udp(to, from, b"answer"));
                tun.write((queue + 1 + round) % 4, answer).expect("write");
            }
        }
    }
    assert_eq!(arrived.iter().sum::<u32>(), 32 * 5);
    assert!(arrived.iter().all(|packets| *packets > 0), "{arrived:?}");
}

#[test]
fn fragments_come_through_queue_0() {
    let namespace = Namespace::new();
    let queues = Queues::PerWorker { workers: 4, seed: SEEDS[1] };
    let tun = namespace.device_with("eth0", 0, TunOptions { mtu: 1500, queues, ..TunOptions::default() });
    assert_eq!(tun.queues(), 4);
    let sockets: Vec<_> = (0..8).map(|_| namespace.socket()).collect();
    sockets.iter().for_each(|socket| send(socket, &[0; 4_000]));
    let count: Vec<_> = (0..4).map(|queue| waiting(&tun, queue).len()).collect();
    assert_eq!(count, [8 * 3, 0, 0, 0]);
}

#[test]
fn a_device_with_several_queues_is_not_queued_for() {
    let namespace = Namespace::new();
    let queues = Queues::PerWorker { workers: 2, seed: 0 };
    let _tun = namespace.device_with("eth0", 0, TunOptions { queues, ..TunOptions::default() });
    let shown = namespace.ip(&["link", "show", "dev", "eth0"]);
    assert!(shown.contains("qdisc noqueue") && shown.contains("qlen 10000"), "{shown}");
}

#[test]
fn one_worker_and_the_portable_opener_have_one_queue_and_nothing_is_said_against_more() {
    let namespace = Namespace::new();
    let open = |name: &str, workers, opener| {
        let queues = Queues::PerWorker { workers, seed: 1 };
        Tun::open(&namespace.handle, name, TunOptions { opener, queues, ..TunOptions::default() })
            .expect("open")
    };
    let mut devices = vec![open("eth0", 1, Opener::Direct)];
    devices
        .extend(support::openers().into_iter().filter(|o| *o != Opener::Direct).map(|o| open("eth1", 4, o)));
    for tun in devices {
        assert_eq!((tun.queues(), tun.refusal().is_none()), (1, true), "{tun:?}");
    }
}

fn send(socket: &UdpSocket, payload: &[u8]) {
    socket.send_to(payload, ("10.9.0.77", 7)).expect("send");
}

/// What waits in a queue.
fn waiting(tun: &Arc<Tun>, queue: u16) -> Vec<Vec<u8>> {
    let mut pool = BufferPool::new(1);
    std::iter::from_fn(|| {
        let mut buffer = pool.take();
        tun.read(queue, &mut buffer).expect("read")?;
        Some(buffer.bytes().to_vec())
    })
    .collect()
}

fn ends_of(packet: &[u8]) -> (SocketAddr, SocketAddr) {
    let tuple = wire::parse(packet).expect("a packet").tuple;
    (SocketAddr::new(tuple.src, tuple.src_port), SocketAddr::new(tuple.dst, tuple.dst_port))
}

/// Two ends that exchange packets of every kind.
#[derive(Clone, Copy, Debug)]
struct Flow {
    near: SocketAddr,
    far: SocketAddr,
    id: u16,
}

fn flow() -> impl Strategy<Value = Flow> {
    let v4 = (any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    let v6 = (any::<[u8; 16]>(), any::<[u8; 16]>()).prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    (prop_oneof![v4, v6], any::<(u16, u16, u16)>()).prop_map(|((near, far), (from, to, id))| Flow {
        near: SocketAddr::new(near, from),
        far: SocketAddr::new(far, to),
        id,
    })
}

impl Flow {
    /// Packets of the flow in both directions, each with what it is hashed by, if it is.
    fn packets(self, options: usize) -> Vec<(Vec<u8>, Option<Ends>)> {
        let Self { near, far, id } = self;
        let (a, b) = (near.ip(), far.ip());
        let echoes = if a.is_ipv4() { (id ^ 0x0800, 1) } else { (id ^ 0x8000, 58) };
        let ends = |protocol| Some(Ends { near, far, protocol });
        let echo = Some(Ends {
            near: SocketAddr::new(a, echoes.0),
            far: SocketAddr::new(b, echoes.0),
            protocol: echoes.1,
        });
        let whole = [
            (tcp(near, far, 2, 1, 0, &[]), ends(6)),
            (tcp(far, near, 18, 1, 2, b"a payload"), ends(6)),
            (udp(near, far, &[]), ends(17)),
            (udp(far, near, b"a payload"), ends(17)),
            (echo_request(a, b, id, 1, b"ping"), echo),
            (echo_reply(b, a, id, 1, b"ping"), echo),
        ];
        let optioned = whole.clone().into_iter().filter(|_| a.is_ipv4());
        let optioned = optioned.map(|(packet, ends)| (with_options(packet, options), ends));
        let about = udp(near, far, &[0; 40]);
        let (unreachable, unasked) = if a.is_ipv4() { (3, 5) } else { (1, 135) };
        let unhashed = [
            icmp_error(b, &about, unreachable, 0, 0),
            icmp(a, b, unasked, 0, [0; 4], &[0; 20]),
            other(a, b, 132, &[7; 20]),
            other(a, b, if a.is_ipv4() { 58 } else { 1 }, &[8; 20]),
            // Hop-by-hop options of IPv6 before what would be UDP; in IPv4 an unknown protocol.
            other(a, b, 0, &[17, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, 2, 0, 8, 0, 0]),
        ];
        let unhashed = unhashed.into_iter().chain(fragments(&about, u32::from(id), 16));
        whole.into_iter().chain(optioned).chain(unhashed.map(|packet| (packet, None))).collect()
    }
}

/// An IPv4 packet with this many words of options; checksums are nobody's business here.
fn with_options(mut packet: Vec<u8>, words: usize) -> Vec<u8> {
    const NO_OPERATION: u8 = 1;
    packet.splice(20..20, std::iter::repeat_n(NO_OPERATION, words * 4));
    packet[0] += words as u8;
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet
}

/// What is hashed, and how, as `engine::Steering` says it.
#[derive(Clone, Copy, Debug)]
struct Ends {
    near: SocketAddr,
    far: SocketAddr,
    protocol: u8,
}

impl Ends {
    fn owner(self, seed: u64, workers: u16) -> u16 {
        let sum = end(seed, self.near).wrapping_add(end(seed, self.far)).wrapping_add(self.protocol.into());
        ((u128::from(mix(sum) >> 32) * u128::from(workers)) >> 32) as u16
    }
}

fn end(seed: u64, end: SocketAddr) -> u64 {
    let port = u64::from(end.port());
    match end.ip() {
        IpAddr::V4(address) => mix(seed ^ (u64::from(address.to_bits()) << 16 | port)),
        IpAddr::V6(address) => {
            let (high, low) = ((address.to_bits() >> 64) as u64, address.to_bits() as u64);
            mix(mix(mix(seed ^ high) ^ low) ^ port)
        }
    }
}

fn mix(x: u64) -> u64 {
    let round = |x: u64, multiplier| {
        let x = x.wrapping_mul(multiplier);
        x ^ x >> 32
    };
    round(round(x, 0x9e37_79b9_7f4a_7c15), 0xd6e8_feb8_6659_fd93)
}
