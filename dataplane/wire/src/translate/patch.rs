//! A translation of TCP or UDP over IPv4, worked out once for all packets that change alike.

use std::net::{IpAddr, Ipv4Addr};

use super::Translation;
use super::transport::{TCP_CHECKSUM, UDP_CHECKSUM};
use crate::checksum::Delta;
use crate::parse::be16;
use crate::{Buffer, FiveTuple, Parsed, Transport, proto, tcp_flag};

/// The fixed part of an IPv4 header, and where its fields are (RFC 791 section 3.1).
const HEADER: usize = 20;
const TTL: usize = 8;
const CHECKSUM: usize = 10;
const ADDRESSES: usize = 12;

/// What becomes of ordinary packets of a flow: the sums of what changes are computed with it, not for each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Both addresses, source first.
    addresses: Edit<u64>,
    /// Both ports, source first.
    ports: Edit<u32>,
    /// What addresses and TTL add to the checksum of the IPv4 header.
    header: Delta,
    /// What addresses add to the pseudo-header.
    pseudo_header: Delta,
    /// What addresses and ports add to the checksum of the segment.
    segment: Delta,
    hops: u8,
    clamps_mss: bool,
}

/// Two fields side by side, of which one or both become others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit<T> {
    /// Bits that change.
    mask: T,
    old: T,
    new: T,
}

impl Patch {
    /// The patch that makes packets with the tuple `before` what `to` says; none unless they are TCP or UDP over IPv4
    /// before and afterwards.
    ///
    /// It is good for every packet whose ends that change are those of `before`.
    #[must_use]
    pub fn of(before: &FiveTuple, to: &Translation) -> Option<Self> {
        let after = &to.tuple;
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (before.src, before.dst) else { return None };
        let (IpAddr::V4(new_src), IpAddr::V4(new_dst)) = (after.src, after.dst) else { return None };
        if before.proto != after.proto || !matches!(before.proto, proto::TCP | proto::UDP) {
            return None;
        }
        let pseudo_header = Delta::NONE
            .replace32(src.to_bits(), new_src.to_bits())
            .replace32(dst.to_bits(), new_dst.to_bits());
        Some(Self {
            addresses: Edit::of_addresses([src, dst], [new_src, new_dst]),
            ports: Edit::of_ports([before.src_port, before.dst_port], [after.src_port, after.dst_port]),
            header: pseudo_header.replace16(u16::from(to.hops) << 8, 0),
            pseudo_header,
            segment: pseudo_header
                .replace16(before.src_port, after.src_port)
                .replace16(before.dst_port, after.dst_port),
            hops: to.hops,
            clamps_mss: to.mss.is_some(),
        })
    }

    /// Applies it to a packet that was read as `parsed`; false, and nothing changes, when [`super::translate`] has to do it: a
    /// fragment, a SYN whose MSS may be too large, a packet without time to live, another one than the patch was made for.
    #[inline]
    #[must_use]
    pub fn apply(&self, buffer: &mut Buffer, parsed: &Parsed) -> bool {
        let field = match parsed.transport {
            Transport::Tcp { flags, .. } if !self.clamps_mss || flags & tcp_flag::SYN == 0 => TCP_CHECKSUM,
            Transport::Udp => UDP_CHECKSUM,
            Transport::Icmp { .. } | Transport::Later | Transport::Other | Transport::Tcp { .. } => {
                return false;
            }
        };
        let partial = buffer.offload().checksum;
        let is_own = partial
            .is_none_or(|place| place.start == parsed.transport_offset && usize::from(place.offset) == field);
        if !is_own || parsed.fragment.is_some() || parsed.ttl <= self.hops {
            return false;
        }
        let packet = buffer.bytes_mut();
        let Some((header, segment)) = packet.split_at_mut_checked(usize::from(parsed.transport_offset))
        else {
            return false;
        };
        let (Some(header), Some(segment)) = (header.first_chunk_mut(), segment.get_mut(..field + 2)) else {
            return false;
        };
        self.edit(header, segment, field, partial.is_some())
    }

    #[inline(always)]
    fn edit(&self, header: &mut [u8; HEADER], segment: &mut [u8], field: usize, partial: bool) -> bool {
        let [.., a, b, c, d, e, f, g, h] = *header;
        let Some(addresses) = self.addresses.apply(u64::from_be_bytes([a, b, c, d, e, f, g, h])) else {
            return false;
        };
        let Some(ports) = segment.first_chunk_mut() else { return false };
        let Some(new_ports) = self.ports.apply(u32::from_be_bytes(*ports)) else { return false };
        *ports = new_ports.to_be_bytes();
        header[ADDRESSES..].copy_from_slice(&addresses.to_be_bytes());
        header[TTL] -= self.hops;
        let sum = self.header.apply(be16(header[CHECKSUM], header[CHECKSUM + 1]));
        header[CHECKSUM..CHECKSUM + 2].copy_from_slice(&sum.to_be_bytes());
        let sum = be16(segment[field], segment[field + 1]);
        let sum = match (partial, field) {
            (true, _) => self.pseudo_header.apply_partial(sum),
            (false, UDP_CHECKSUM) => self.segment.apply_udp(sum),
            (false, _) => self.segment.apply(sum),
        };
        segment[field..field + 2].copy_from_slice(&sum.to_be_bytes());
        true
    }
}

impl Edit<u64> {
    fn of_addresses(old: [Ipv4Addr; 2], new: [Ipv4Addr; 2]) -> Self {
        let join = |[src, dst]: [u32; 2]| u64::from(src) << 32 | u64::from(dst);
        let changed = |n: usize| if old[n] == new[n] { 0 } else { u32::MAX };
        let mask = join([changed(0), changed(1)]);
        let [old, new] = [old, new].map(|ends| join(ends.map(Ipv4Addr::to_bits)) & mask);
        Self { mask, old, new }
    }

    #[inline]
    const fn apply(self, now: u64) -> Option<u64> {
        if now & self.mask == self.old { Some(now & !self.mask | self.new) } else { None }
    }
}

impl Edit<u32> {
    fn of_ports(old: [u16; 2], new: [u16; 2]) -> Self {
        let join = |[src, dst]: [u16; 2]| u32::from(src) << 16 | u32::from(dst);
        let changed = |n: usize| if old[n] == new[n] { 0 } else { u16::MAX };
        let mask = join([changed(0), changed(1)]);
        Self { mask, old: join(old) & mask, new: join(new) & mask }
    }

    #[inline]
    const fn apply(self, now: u32) -> Option<u32> {
        if now & self.mask == self.old { Some(now & !self.mask | self.new) } else { None }
    }
}
