//! Random packets that continue, answer, forward and complain about earlier ones.

use std::collections::VecDeque;
use std::ops::Range;

use wire::tcp_flag::{ACK, ECE, FIN, PSH, RST, SYN, URG};

use super::goal;
use super::lab::Lab;
use super::rules::PORTS;
use crate::Draw;
use crate::craft::{self, Body, Shape};

/// What was sent of late, and what is to be sent next.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    queue: VecDeque<(String, Vec<u8>)>,
    recent: VecDeque<Recent>,
    /// Packets that went through a NAT gateway: rare enough to be kept longer.
    translated: VecDeque<Recent>,
    /// Packets refused for their size since the last pause.
    pub(super) too_big: u32,
}

/// A packet that was sent whole.
#[derive(Clone, Debug)]
struct Recent {
    from: String,
    shape: Shape,
    /// Who received it, and how it looked there.
    arrived: Option<(String, Shape)>,
}

/// Enough for several conversations at once, few enough that they get on.
const RECENT: usize = 10;

/// As many of those that went through a NAT gateway.
const TRANSLATED: usize = 6;

/// The lowest port of a NAT gateway (NG-05).
const FIRST_LEASE: u16 = 1_024;

/// Lengths around every MTU of generated interfaces.
const SIZES: &[usize] = &[1_280, 1_281, 1_400, 1_500, 1_501, 3_000, 9_001, 9_002];

impl Traffic {
    /// The next packet that is ready.
    pub(super) fn queued(&mut self) -> Option<(String, Vec<u8>)> {
        self.queue.pop_front()
    }

    /// Tells where the packet given last went, and what arrived there.
    pub(super) fn learn(&mut self, receiver: &str, packet: &[u8]) {
        let Some(last) = self.recent.back_mut().filter(|last| last.arrived.is_none()) else { return };
        let Some(shape) = Shape::of(packet) else { return };
        // Only NAT gateways take one off the TTL (AD-26).
        let is_translated = shape.ttl != last.shape.ttl;
        last.arrived = Some((receiver.to_owned(), shape));
        if is_translated {
            self.translated.push_back(last.clone());
            if self.translated.len() > TRANSLATED {
                self.translated.pop_front();
            }
        }
    }

    /// Makes at least one packet ready.
    pub(super) fn compose(&mut self, lab: &Lab, draw: &mut Draw) {
        let known =
            if !self.translated.is_empty() && draw.chance(40) { &self.translated } else { &self.recent };
        let known = (!known.is_empty()).then(|| known[draw.below(known.len())].clone());
        match (draw.below(100), known) {
            (0..=34, Some(Recent { arrived: Some((to, shape)), .. })) => {
                self.push(lab, to, answer(&shape, draw), draw);
            }
            (35..=54, Some(Recent { from, shape, .. })) => self.push(lab, from, more(&shape, draw), draw),
            (55..=61, Some(Recent { arrived: Some((to, shape)), .. })) => {
                let error = complaint(&shape, &self.recent, draw);
                self.push(lab, to, error, draw);
            }
            (62..=67, Some(Recent { arrived: Some((to, shape)), .. })) => self.push(lab, to, shape, draw),
            (68..=69, Some(Recent { from, shape, .. })) => {
                let mut packet = shape.bytes();
                packet.truncate(draw.below(packet.len()));
                self.queue.push_back((from, packet));
            }
            _ => {
                let (from, shape) = fresh(lab, draw);
                self.push(lab, from, shape, draw);
            }
        }
    }

    /// Sends it whole, or now and then in fragments; not to a NAT gateway with several addresses, since a later fragment
    /// does not show which of them stands for which in a world with other leases.
    fn push(&mut self, lab: &Lab, from: String, shape: Shape, draw: &mut Draw) {
        let packet = shape.bytes();
        let header = if shape.src.is_ipv4() { 20 } else { 40 };
        let payload = packet.len() - header;
        if draw.chance(6) && payload > 16 && !lab.is_one_of_several(shape.dst) {
            let id = draw.below(4) as u32;
            for range in cuts(payload, draw) {
                self.queue.push_back((from.clone(), craft::fragment(&packet, id, range)));
            }
            return;
        }
        self.queue.push_back((from.clone(), packet));
        self.recent.push_back(Recent { from, shape, arrived: None });
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }
}

/// Two or three parts, mostly in order, sometimes without the first one or with one that overlaps it. The first one
/// holds any transport header.
fn cuts(payload: usize, draw: &mut Draw) -> Vec<Range<usize>> {
    let first = draw.between(3, (payload / 8).max(3)).min(8) * 8;
    if first >= payload {
        return std::iter::once(0..payload).collect();
    }
    let middle = first + 8;
    let mut parts = if middle < payload {
        vec![0..first, first..middle, middle..payload]
    } else {
        vec![0..first, first..payload]
    };
    match draw.below(10) {
        0..=1 => parts.rotate_left(1),
        2 => {
            parts.remove(0);
        }
        3 => parts.push(8..first.max(16)),
        _ => {}
    }
    parts
}

/// The first packet of something.
fn fresh(lab: &Lab, draw: &mut Draw) -> (String, Shape) {
    let (from, src, dst) = if !lab.hosts.is_empty() && draw.chance(20) {
        goal::from_host(lab, draw)
    } else {
        goal::from_interface(lab, draw)
    };
    let mut shape = Shape::new(src, dst, body(src.is_ipv6(), draw));
    if let Body::Tcp { flags, .. } = &mut shape.body
        && !lab.hosts.is_empty()
        && draw.chance(60)
    {
        // A NAT gateway takes nothing else for a beginning.
        *flags = SYN;
    }
    if let Body::Tcp { ports: (_, to), .. } | Body::Udp(_, to) = &mut shape.body
        && lab.is_nat_address(dst)
    {
        // Else it may be its own answer: the first port that is leased, at the gateway that leases it.
        *to = (*to).min(FIRST_LEASE - 1);
    }
    (from, vary(shape, draw))
}

fn body(v6_family: bool, draw: &mut Draw) -> Body {
    match draw.below(100) {
        0..=44 => {
            let flags =
                *draw.pick(&[SYN, SYN, SYN, SYN, ACK, SYN | ACK, FIN | ACK, RST, SYN | ECE, SYN | FIN, 0]);
            let seq = *draw.pick(&[0, 1_000, u32::MAX - 2]);
            Body::Tcp { ports: ports(draw), flags, seq, ack: draw.below(3) as u32 }
        }
        45..=66 => {
            let (from, to) = ports(draw);
            Body::Udp(from, to)
        }
        67..=84 => {
            let types: &[u8] = if v6_family { &[128, 128, 129] } else { &[8, 8, 8, 0, 13] };
            Body::Query(*draw.pick(types), draw.below(2) as u16, 1)
        }
        85..=92 => {
            // With a code of its own a query keeps its identifier, here the upper half of `field`.
            let v4 = [(3, 3), (3, 4), (5, 1), (11, 0), (8, 1), (0, 2)];
            let v6 = [(1, 4), (2, 0), (135, 0), (128, 1), (129, 2)];
            let (icmp_type, code) = if v6_family { *draw.pick(&v6) } else { *draw.pick(&v4) };
            Body::Icmp { icmp_type, code, field: (draw.below(2) as u32) << 16, about: None }
        }
        _ => Body::Other(*draw.pick(&[47, 50, 132])),
    }
}

fn ports(draw: &mut Draw) -> (u16, u16) {
    (*draw.pick(&[40_000, 40_000, 40_001, 80]), *draw.pick(PORTS))
}

/// Another size, sometimes past the MTU, and another TTL.
fn vary(mut shape: Shape, draw: &mut Draw) -> Shape {
    shape.size = match draw.below(100) {
        0..=9 => Some(*draw.pick(SIZES)),
        10..=39 => Some(draw.between(60, 200)),
        _ => None,
    };
    shape.dont_fragment = draw.chance(50);
    shape.ttl = *draw.pick(&[64, 64, 255, 3, 2, 1]);
    let is_syn = matches!(shape.body, Body::Tcp { flags, .. } if flags & SYN != 0);
    shape.mss = (is_syn && draw.chance(40)).then(|| *draw.pick(&[536, 1_220, 1_460, 8_961]));
    shape
}

/// What the receiver of a packet may send back.
fn answer(asked: &Shape, draw: &mut Draw) -> Shape {
    let mut body = asked.body.reversed();
    if let (Body::Tcp { flags: asked_flags, ack: asked_ack, .. }, Body::Tcp { flags, seq, ack, .. }) =
        (&asked.body, &mut body)
    {
        *flags = reply_flags(*asked_flags, draw);
        (*seq, *ack) = (disturbed(*asked_ack, draw), disturbed(after(asked), draw));
    }
    vary(Shape::new(asked.dst, asked.src, body), draw)
}

/// What the sender of a packet may send next.
fn more(sent: &Shape, draw: &mut Draw) -> Shape {
    let mut next = vary(sent.clone(), draw);
    if let Body::Tcp { ports, ack, .. } = sent.body {
        let flags = *draw.pick(&[ACK, ACK, ACK | PSH, FIN | ACK, FIN | ACK, RST, SYN, ACK | URG]);
        next.body = Body::Tcp { ports, flags, seq: after(sent), ack: disturbed(ack, draw) };
    }
    next
}

/// An ICMP error from the receiver about a packet, now and then to somebody else than its sender.
fn complaint(about: &Shape, recent: &VecDeque<Recent>, draw: &mut Draw) -> Shape {
    let v6 = about.src.is_ipv6();
    let types: &[(u8, u8)] =
        if v6 { &[(1, 4), (1, 1), (2, 0), (3, 0)] } else { &[(3, 3), (3, 4), (3, 13), (11, 0)] };
    let (icmp_type, code) = *draw.pick(types);
    let quoted = about.bytes();
    let others = recent.iter().map(|recent| recent.shape.src).filter(|other| other.is_ipv6() == v6);
    let others: Vec<_> = others.filter(|other| *other != about.dst).collect();
    let astray = !others.is_empty() && draw.chance(15);
    let to = if astray { *draw.pick(&others) } else { about.src };
    Shape::new(about.dst, to, Body::Icmp { icmp_type, code, field: 1_280, about: Some(quoted) })
}

fn reply_flags(asked: u8, draw: &mut Draw) -> u8 {
    if draw.chance(15) {
        return *draw.pick(&[RST, RST | ACK, SYN, FIN, 0]);
    }
    match (asked & SYN != 0, asked & ACK != 0, asked & FIN != 0) {
        (true, false, _) => SYN | ACK,
        (_, _, true) => *draw.pick(&[ACK, FIN | ACK, FIN | ACK]),
        _ => *draw.pick(&[ACK, ACK, ACK | PSH, FIN | ACK]),
    }
}

/// The sequence number after a segment (RFC 9293 section 3.4).
fn after(segment: &Shape) -> u32 {
    let Body::Tcp { flags, seq, .. } = segment.body else { return 0 };
    let marks = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
    seq.wrapping_add(segment.payload() as u32).wrapping_add(marks)
}

/// Mostly the number itself.
fn disturbed(number: u32, draw: &mut Draw) -> u32 {
    match draw.below(20) {
        0 => number.wrapping_sub(1),
        1 => number.wrapping_add(1 << 31),
        _ => number,
    }
}
