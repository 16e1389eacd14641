//! Doing in software what a device left undone: cutting super-packets, summing partial checksums.

#[cfg(test)]
mod tests;

use crate::{Buffer, Offload, Parsed, PartialChecksum, Segments, Transport, checksum, tcp_flag};

/// Cuts `packet`, read as `parsed`, into the packets that it stands for, each with right lengths and whole checksums.
///
/// IPv4 identifications count up, sequence numbers too; FIN and PSH go to the last packet, CWR to the first alone
/// (RFC 3168 section 6.1.2). A UDP datagram without a checksum stays without.
///
/// A packet that stands for itself comes back as one copy with its checksum complete. Empty when `offload` does not fit
/// the packet, so that nothing right can be sent: a fragment, another transport, a size of zero.
#[must_use]
pub fn segment(packet: &[u8], parsed: &Parsed, offload: Offload) -> Vec<Buffer> {
    let Some(packet) = packet.get(..parsed.length as usize) else { return Vec::new() };
    let Some(segments) = offload.segments else {
        let mut whole = Buffer::copy_of(packet);
        whole.set_offload(offload);
        complete_checksum(&mut whole);
        return vec![whole];
    };
    cut(packet, parsed, segments).unwrap_or_default()
}

/// Completes a checksum that was left to the device, if one was, and says so in [`Buffer::offload`].
///
/// A sum of zero is written as all ones, as UDP asks for and TCP allows. A super-packet is left as it is, since each of
/// its segments has a checksum of its own: see [`segment()`].
pub fn complete_checksum(packet: &mut Buffer) {
    let offload = packet.offload();
    let (None, Some(place)) = (offload.segments, offload.checksum) else { return };
    fill_in(packet.bytes_mut(), place);
    packet.set_offload(Offload { checksum: None, ..offload });
}

/// Replaces the partial sum at `place` by the checksum; nothing when it lies outside the packet.
fn fill_in(packet: &mut [u8], place: PartialChecksum) {
    let field = usize::from(place.start) + usize::from(place.offset);
    let Some(covered) = packet.get(usize::from(place.start)..) else { return };
    let checksum = checksum::finish_udp(checksum::sum(covered));
    if let Some(field) = packet.get_mut(field..field + 2) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
}

fn cut(packet: &[u8], parsed: &Parsed, segments: Segments) -> Option<Vec<Buffer>> {
    let template = Template::new(packet, parsed)?;
    let payload = packet.get(template.headers.len()..)?;
    let count = payload.len().div_ceil(usize::from(segments.size).max(1));
    if segments.size == 0 || count == 0 {
        return None;
    }
    let parts = payload.chunks(usize::from(segments.size)).enumerate();
    Some(parts.map(|(index, part)| template.fill(index, index + 1 == count, segments.size, part)).collect())
}

/// The headers of a super-packet, from which those of its segments are made.
struct Template<'a> {
    headers: &'a [u8],
    parsed: &'a Parsed,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp { seq: u32, flags: u8 },
    Udp { has_checksum: bool },
}

impl<'a> Template<'a> {
    fn new(packet: &'a [u8], parsed: &'a Parsed) -> Option<Self> {
        let at = usize::from(parsed.transport_offset);
        let kind = match parsed.transport {
            Transport::Tcp { seq, flags, .. } => Kind::Tcp { seq, flags },
            Transport::Udp => {
                let checksum = packet.get(at + UDP_CHECKSUM..at + UDP_CHECKSUM + 2)?;
                Kind::Udp { has_checksum: checksum != [0, 0] }
            }
            Transport::Icmp { .. } | Transport::Later | Transport::Other => return None,
        };
        if parsed.fragment.is_some() {
            return None;
        }
        let headers = parsed.length.checked_sub(parsed.payload()?)?;
        Some(Self { headers: packet.get(..headers as usize)?, parsed, kind })
    }

    /// Segment number `index`, which carries `part`; all but the last have `size` bytes.
    fn fill(&self, index: usize, last: bool, size: u16, part: &[u8]) -> Buffer {
        let mut segment = Buffer::with_capacity(self.headers.len() + part.len());
        segment.extend_from_slice(self.headers);
        segment.extend_from_slice(part);
        let (network, transport) =
            segment.bytes_mut().split_at_mut(usize::from(self.parsed.transport_offset));
        self.fill_network(network, transport.len(), index);
        match self.kind {
            Kind::Tcp { seq, flags } => {
                let seq = seq.wrapping_add(index as u32 * u32::from(size));
                transport[TCP_SEQ..TCP_SEQ + 4].copy_from_slice(&seq.to_be_bytes());
                transport[TCP_FLAGS] = flags_of(flags, index == 0, last);
                self.fill_checksum(transport, TCP_CHECKSUM);
            }
            Kind::Udp { has_checksum } => {
                let length = (transport.len() as u16).to_be_bytes(); // it fits where the whole did
                transport[UDP_LENGTH..UDP_LENGTH + 2].copy_from_slice(&length);
                if has_checksum {
                    self.fill_checksum(transport, UDP_CHECKSUM);
                }
            }
        }
        segment
    }

    fn fill_network(&self, header: &mut [u8], after: usize, index: usize) {
        if self.parsed.tuple.src.is_ipv4() {
            let length = (header.len() + after) as u16;
            let id = u16::from_be_bytes([header[4], header[5]]).wrapping_add(index as u16);
            header[2..4].copy_from_slice(&length.to_be_bytes());
            header[4..6].copy_from_slice(&id.to_be_bytes());
            header[10..12].fill(0);
            let checksum = checksum::finish(checksum::sum(header));
            header[10..12].copy_from_slice(&checksum.to_be_bytes());
        } else {
            // Extension headers count as payload (RFC 8200 section 3).
            let length = (header.len() - IPV6_HEADER + after) as u16;
            header[4..6].copy_from_slice(&length.to_be_bytes());
        }
    }

    fn fill_checksum(&self, transport: &mut [u8], field: usize) {
        let tuple = &self.parsed.tuple;
        transport[field..field + 2].fill(0);
        let length = transport.len() as u32; // of one IP packet
        let pseudo_header = checksum::pseudo_header(tuple.src, tuple.dst, tuple.proto, length);
        let sum = checksum::combine(&[pseudo_header, checksum::sum(transport)]);
        let checksum = checksum::finish_udp(sum);
        transport[field..field + 2].copy_from_slice(&checksum.to_be_bytes());
    }
}

const fn flags_of(flags: u8, first: bool, last: bool) -> u8 {
    let only_first = if first { 0 } else { tcp_flag::CWR };
    let only_last = if last { 0 } else { tcp_flag::FIN | tcp_flag::PSH };
    flags & !only_first & !only_last
}

const IPV6_HEADER: usize = 40;
const TCP_SEQ: usize = 4;
const TCP_FLAGS: usize = 13;
const TCP_CHECKSUM: usize = 16;
const UDP_LENGTH: usize = 4;
const UDP_CHECKSUM: usize = 6;
