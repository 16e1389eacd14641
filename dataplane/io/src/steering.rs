//! The steering program: the kernel puts a packet on the queue of the worker that owns it.
//!
//! Left to itself, the kernel takes for a flow the queue through which the last packet to it was written, and so reorders a
//! flow whose answers several workers write. With a program, the packet's own bytes alone decide: all packets of a
//! flow from one device come through one queue, in order.
//!
//! The program computes the hash that `engine::Steering` documents, for unfragmented TCP, UDP, echo requests and replies,
//! in IPv4 with or without options and in IPv6 without extension headers. Everything else comes through queue 0: fragments, ICMP
//! errors, other protocols, what is cut short. It does not know the lab's public addresses either: packets to one come through
//! one queue for each flow, but not always the owner's. What another worker than the owner has read is handed over, as on a device
//! with one queue.

mod assembler;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::sys_bpf;
pub(crate) use assembler::Insn;
use assembler::{Op, Register, Size, either, give_up, require, when};

/// A steering program in the kernel. A device that it is attached to keeps it.
#[derive(Debug)]
pub struct Program {
    file: OwnedFd,
}

impl Program {
    /// Loads the program for `workers` workers, at least one, and the run's hash seed.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_BPF`, `Unsupported` or `InvalidInput` from a kernel without eBPF; what the kernel says
    /// against the program is part of the error.
    pub fn load(workers: u16, seed: u64) -> io::Result<Self> {
        let file = sys_bpf::load_socket_filter(&program(workers, seed))?;
        Ok(Self { file })
    }

    /// Loads the program that puts every packet on queue 0.
    pub(crate) fn load_first_queue() -> io::Result<Self> {
        let file = sys_bpf::load_socket_filter(&give_up())?;
        Ok(Self { file })
    }

    /// Lets the program choose the queue of every packet that leaves through the device of this descriptor.
    pub(crate) fn attach(&self, device: &impl AsFd) -> io::Result<()> {
        sys_bpf::set_steering(device, &self.file)
    }

    /// The number of the queue for an IP packet, from the program itself: the kernel runs it once.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for bytes too short for an IP header; else what the kernel answers.
    pub fn run(&self, packet: &[u8]) -> io::Result<u32> {
        let kind = if packet.first().is_some_and(|first| first >> 4 == 6) { IPV6 } else { IPV4 };
        // The kernel takes this header for the device's own, and the program does not see it.
        let frame = [&[0; 12][..], &kind, packet].concat();
        sys_bpf::run(&self.file, &frame)
    }
}

/// Both ports, the source's in the upper half of 32 bits.
const PORTS: Register = Register::Seventh;

/// Where the transport header begins, until the ports are known; then the hash of one end in the making.
const STATE: Register = Register::Eighth;

/// The protocol, and what the ends add to it.
const SUM: Register = Register::Ninth;

fn program(workers: u16, seed: u64) -> Vec<Insn> {
    let version = [Insn::load(Size::Byte, 0), Insn::by(Op::ShiftRight, Register::Result, 4)];
    [
        vec![Insn::with(Op::Set, Register::Context, Register::Scratch)],
        version.to_vec(),
        when(Register::Result, 4, &ipv4(workers, seed)),
        when(Register::Result, 6, &ipv6(workers, seed)),
        give_up().to_vec(),
    ]
    .concat()
}

fn ipv4(workers: u16, seed: u64) -> Vec<Insn> {
    const MORE_OR_OFFSET: i32 = 0x3fff;
    [
        vec![Insn::load(Size::Half, 6), Insn::by(Op::And, Register::Result, MORE_OR_OFFSET)],
        require(Register::Result, &[0]),
        vec![
            Insn::load(Size::Byte, 0),
            Insn::by(Op::And, Register::Result, 0xf),
            Insn::by(Op::ShiftLeft, Register::Result, 2),
            Insn::with(Op::Set, STATE, Register::Result),
            Insn::load(Size::Byte, 9),
            Insn::with(Op::Set, SUM, Register::Result),
        ],
        ports(Echo { protocol: 1, request: 8, reply: 0 }),
        ipv4_end(seed, 12, &source_port()),
        ipv4_end(seed, 16, &destination_port()),
        owner(workers),
    ]
    .concat()
}

fn ipv6(workers: u16, seed: u64) -> Vec<Insn> {
    [
        vec![
            Insn::load(Size::Byte, 6),
            Insn::with(Op::Set, SUM, Register::Result),
            Insn::by(Op::Set, STATE, 40),
        ],
        ports(Echo { protocol: 58, request: 128, reply: 129 }),
        ipv6_end(seed, 8, &source_port()),
        ipv6_end(seed, 24, &destination_port()),
        owner(workers),
    ]
    .concat()
}

/// What an IP version's ICMP calls an echo.
#[derive(Clone, Copy)]
struct Echo {
    protocol: i32,
    request: i32,
    reply: i32,
}

/// The ports of TCP and UDP. Those of an echo are twice the same: its identifier and the request's type, joined as in `engine`.
fn ports(echo: Echo) -> Vec<Insn> {
    let of_echo = [
        vec![Insn::load_from(STATE, Size::Byte, 0)],
        require(Register::Result, &[echo.request, echo.reply]),
        vec![
            Insn::load_from(STATE, Size::Half, 4),
            Insn::by(Op::Xor, Register::Result, echo.request << 8),
            Insn::with(Op::Set, PORTS, Register::Result),
            Insn::by(Op::ShiftLeft, PORTS, 16),
            Insn::with(Op::Or, PORTS, Register::Result),
        ],
    ];
    let of_others = [
        require(SUM, &[TCP, UDP]),
        vec![Insn::load_from(STATE, Size::Word, 0), Insn::with(Op::Set, PORTS, Register::Result)],
    ];
    either(SUM, echo.protocol, &of_echo.concat(), &of_others.concat())
}

fn source_port() -> [Insn; 2] {
    [Insn::with(Op::Set, Register::Result, PORTS), Insn::by(Op::ShiftRight, Register::Result, 16)]
}

fn destination_port() -> [Insn; 2] {
    [Insn::with(Op::Set, Register::Result, PORTS), Insn::by(Op::And, Register::Result, 0xffff)]
}

/// Adds `mix(seed ^ (address << 16 | port))`.
fn ipv4_end(seed: u64, address: i32, port: &[Insn]) -> Vec<Insn> {
    let shifted = [Insn::load(Size::Word, address), Insn::by(Op::ShiftLeft, Register::Result, 16)];
    [&Insn::constant(STATE, seed)[..], &shifted, &[stir()], port, &[stir()], &mix(), &[add()]].concat()
}

/// Adds `mix(mix(mix(seed ^ high) ^ low) ^ port)`.
fn ipv6_end(seed: u64, address: i32, port: &[Insn]) -> Vec<Insn> {
    let half = |at| {
        let upper = [Insn::load(Size::Word, at), Insn::by(Op::ShiftLeft, Register::Result, 32)];
        [&upper[..], &[stir(), Insn::load(Size::Word, at + 4), stir()], &mix()].concat()
    };
    let seed = Insn::constant(STATE, seed);
    [&seed[..], &half(address), &half(address + 8), port, &[stir()], &mix(), &[add()]].concat()
}

const fn stir() -> Insn {
    Insn::with(Op::Xor, STATE, Register::Result)
}

const fn add() -> Insn {
    Insn::with(Op::Add, SUM, STATE)
}

/// Ends with `(mix(sum) >> 32) * workers >> 32`.
fn owner(workers: u16) -> Vec<Insn> {
    let scaled = [
        Insn::with(Op::Set, Register::Result, STATE),
        Insn::by(Op::ShiftRight, Register::Result, 32),
        Insn::by(Op::Mul, Register::Result, i32::from(workers)),
        Insn::by(Op::ShiftRight, Register::Result, 32),
        Insn::exit(),
    ];
    [&[Insn::with(Op::Set, STATE, SUM)], &mix()[..], &scaled].concat()
}

/// The state becomes `mix` of it.
fn mix() -> Vec<Insn> {
    let round = |multiplier| {
        let [low, high] = Insn::constant(Register::Scratch, multiplier);
        [
            low,
            high,
            Insn::with(Op::Mul, STATE, Register::Scratch),
            Insn::with(Op::Set, Register::Scratch, STATE),
            Insn::by(Op::ShiftRight, Register::Scratch, 32),
            Insn::with(Op::Xor, STATE, Register::Scratch),
        ]
    };
    [round(0x9e37_79b9_7f4a_7c15), round(0xd6e8_feb8_6659_fd93)].concat()
}

const TCP: i32 = 6;
const UDP: i32 = 17;

/// Ethernet's numbers of the two protocols.
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
