//! A super-packet in the making.

use std::sync::Arc;

use wire::tcp_flag::PSH;
use wire::{Buffer, Offload, PartialChecksum, SegmentKind, Segments, checksum};

use super::segment::{Fit, IPV4, Push, Segment, TCP_FLAGS, addresses, checksum_offset, pseudo_header};
use crate::pool::BufferPool;
use crate::tun::MAX_PARTS;

/// Where a chain leaves.
pub(super) trait Device {
    /// The most segments that one write may stand for.
    fn segments(&self, kind: SegmentKind) -> u16;
}

/// Neighbours of one flow that leave in one write, or one packet alone.
#[derive(Debug)]
pub(super) struct Chain<D> {
    pub(super) device: Arc<D>,
    pub(super) from: u32,
    /// Headers, and the payload that was copied.
    pub(super) head: Buffer,
    /// Payload of later packets that was not copied.
    pub(super) rest: Vec<Buffer>,
    /// What the first packet was; none for a packet that belongs to no flow we know.
    first: Option<Segment>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open(Sum),
}

/// What has been joined so far.
#[derive(Clone, Copy, Debug)]
struct Sum {
    /// Payload bytes of each segment but the last.
    size: usize,
    payload: usize,
    is_verified: bool,
}

/// How a chain stands to a packet that leaves through some device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Neither may overtake the other.
    Ordered,
    /// Of another flow or device.
    Unrelated,
}

impl<D: Device> Chain<D> {
    pub(super) fn new(
        device: Arc<D>,
        from: u32,
        head: Buffer,
        first: Option<Segment>,
        rest: Vec<Buffer>,
    ) -> Self {
        let state = match first {
            Some(Segment { fit: Fit::Joins { size }, payload, push: Push::Clear, .. })
                if payload.is_multiple_of(size) =>
            {
                State::Open(Sum { size, payload, is_verified: false })
            }
            Some(_) | None => State::Closed,
        };
        Self { device, from, head, rest, first, state }
    }

    /// Whether a packet of this flow must leave after the chain. What belongs to no known flow, such as a fragment,
    /// may belong to any.
    pub(super) fn relation(&self, device: &Arc<D>, packet: &Buffer, segment: &Segment) -> Relation {
        let same_device = Arc::ptr_eq(&self.device, device);
        let same_flow = self.first.is_none_or(|first| {
            first.ports == segment.ports
                && first.kind == segment.kind
                && first.network == segment.network
                && self.head.bytes().get(..first.network).map(addresses)
                    == packet.bytes().get(..segment.network).map(addresses)
        });
        if same_device && same_flow { Relation::Ordered } else { Relation::Unrelated }
    }

    /// Joins the packet to the chain.
    ///
    /// # Errors
    ///
    /// The packet, when it does not continue the chain.
    pub(super) fn join(
        &mut self,
        from: u32,
        packet: Buffer,
        next: &Segment,
        pool: &mut BufferPool,
    ) -> Result<(), Buffer> {
        let (State::Open(sum), Some(first), Fit::Joins { size }) = (self.state, self.first, next.fit) else {
            return Err(packet);
        };
        let fits = from == self.from
            && (size == sum.size || (size < sum.size && packet.offload().segments.is_none()))
            && self.has_room(&sum, &first, next)
            && self.continues(&sum, &first, &packet, next);
        if !fits || !next.is_intact(&packet) {
            return Err(packet);
        }
        if !sum.is_verified && !first.is_intact(&self.head) {
            self.state = State::Closed;
            return Err(packet);
        }
        self.append(packet, next, pool);
        let sum = Sum { payload: sum.payload + next.payload, is_verified: true, ..sum };
        self.finish_headers(&first, sum, next.push);
        let ends = next.push == Push::Set || !sum.payload.is_multiple_of(sum.size);
        self.state = if ends { State::Closed } else { State::Open(sum) };
        Ok(())
    }

    fn has_room(&self, sum: &Sum, first: &Segment, next: &Segment) -> bool {
        let payload = sum.payload + next.payload;
        let segments = payload.div_ceil(sum.size);
        first.headers + payload <= LONGEST
            && segments <= usize::from(self.device.segments(first.kind))
            && self.rest.len() + 1 < MAX_PARTS
    }

    /// Whether a super-packet of the chain and the packet would be cut into the very same packets.
    fn continues(&self, sum: &Sum, first: &Segment, packet: &Buffer, next: &Segment) -> bool {
        let (head, tail) = (self.head.bytes(), packet.bytes());
        let (Some(head), Some(tail)) = (head.get(..first.headers), tail.get(..next.headers)) else {
            return false;
        };
        let segments = (sum.payload / sum.size) as u16; // at most as many as bytes in a packet
        head.len() == tail.len()
            && network_continues(&head[..first.network], &tail[..first.network], segments)
            && match first.kind {
                SegmentKind::Udp => true,
                SegmentKind::TcpV4 | SegmentKind::TcpV6 => {
                    tcp_continues(&head[first.network..], &tail[first.network..], sum.payload)
                }
            }
    }

    /// Copies a short payload, links a long one.
    fn append(&mut self, mut packet: Buffer, next: &Segment, pool: &mut BufferPool) {
        let last = self.rest.last_mut().unwrap_or(&mut self.head);
        if next.payload < LINK_FROM && last.len() + next.payload <= last.capacity() {
            last.extend_from_slice(packet.bytes().get(next.headers..).unwrap_or_default());
            pool.give(packet);
        } else {
            packet.trim_front(next.headers);
            self.rest.push(packet);
        }
    }

    /// Makes the headers those of a super-packet with a partial checksum.
    fn finish_headers(&mut self, first: &Segment, sum: Sum, push: Push) {
        let total = first.headers + sum.payload;
        let Some((network, transport)) = self.head.bytes_mut().split_at_mut_checked(first.network) else {
            return;
        };
        let segment = total - first.network;
        if network.len() == IPV4 {
            network[2..4].copy_from_slice(&(total as u16).to_be_bytes());
            network[10..12].fill(0);
            let checksum = checksum::finish(checksum::sum(network));
            network[10..12].copy_from_slice(&checksum.to_be_bytes());
        } else {
            network[4..6].copy_from_slice(&(segment as u16).to_be_bytes());
        }
        if first.kind == SegmentKind::Udp {
            transport[4..6].copy_from_slice(&(segment as u16).to_be_bytes());
        }
        if push == Push::Set {
            transport[TCP_FLAGS] |= PSH;
        }
        let offset = checksum_offset(first.kind);
        let partial = pseudo_header(network, first.kind, segment);
        transport[offset..offset + 2].copy_from_slice(&partial.to_be_bytes());
        self.head.set_offload(Offload {
            checksum: Some(PartialChecksum { start: first.network as u16, offset: offset as u16 }),
            segments: Some(Segments {
                kind: first.kind,
                size: sum.size as u16,
                headers: first.headers as u16,
                ecn: false,
            }),
        });
    }
}

/// Equal but for length, checksum, and an identification that counts up or means nothing (RFC 6864 section 4.1).
fn network_continues(head: &[u8], tail: &[u8], segments: u16) -> bool {
    if head.len() != IPV4 {
        return head[..4] == tail[..4] && head[6..] == tail[6..];
    }
    let id = |header: &[u8]| u16::from_be_bytes([header[4], header[5]]);
    head[..2] == tail[..2]
        && head[6..10] == tail[6..10]
        && head[12..] == tail[12..]
        && (head[6] & DONT_FRAGMENT != 0 || id(tail) == id(head).wrapping_add(segments))
}

/// Equal but for sequence number, checksum and PSH, with options that are equal to the byte.
fn tcp_continues(head: &[u8], tail: &[u8], payload: usize) -> bool {
    let seq = |header: &[u8]| u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    head[..4] == tail[..4]
        && head[8..13] == tail[8..13]
        && head[13] | PSH == tail[13] | PSH
        && head[14..16] == tail[14..16]
        && head[18..] == tail[18..]
        && seq(tail) == seq(head).wrapping_add(payload as u32)
}

const DONT_FRAGMENT: u8 = 0x40;

/// The longest IP packet that a device takes; IPv6 could be 40 bytes longer.
const LONGEST: usize = 65_535;

/// Payload bytes from which on linking a buffer is cheaper than copying its payload.
const LINK_FROM: usize = 256;
