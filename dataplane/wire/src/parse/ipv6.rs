//! The IPv6 header and its extension headers (RFC 8200 sections 3 and 4).

use std::net::{IpAddr, Ipv6Addr};

use super::{Family, Fragment, MAX_DATAGRAM, Malformed, Parsed, be16, transport};
use crate::FiveTuple;

/// The fixed header.
pub(super) const HEADER: usize = 40;

/// Extension headers walked before a packet counts as malformed; RFC 8200 section 4.1 recommends an order in
/// which each of the six kinds occurs once and destination options twice.
const MAX_EXTENSIONS: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

const FRAGMENT_HEADER: usize = 8;

/// Where a chain of extension headers ends.
pub(super) struct Chain {
    /// Protocol of what follows the chain. For a later fragment whose fragment header announces another
    /// extension header, that header's number: what it holds is in the first fragment.
    pub(super) proto: u8,
    /// Offset in the packet of what follows the chain.
    pub(super) offset: usize,
    /// The fragment header, unless it is atomic.
    pub(super) fragment: Option<Fragment>,
    /// Offset just after the fragment header, where the fragment's part of the datagram starts.
    part: usize,
}

pub(super) fn parse(packet: &[u8]) -> Result<Parsed, Malformed> {
    let header: &[u8; HEADER] = packet.first_chunk().ok_or(Malformed)?;
    // Zero with a jumbo payload option (RFC 2675) would be a length we do not carry: its chain then ends
    // outside the 40 bytes and is refused below.
    let length = HEADER + usize::from(be16(header[4], header[5]));
    let packet = packet.get(..length).ok_or(Malformed)?;
    let chain = walk(packet, header[6])?;
    check_fragment(&chain, length)?;
    let payload = packet.get(chain.offset..).ok_or(Malformed)?;
    let read = transport::read(Family::V6, chain.proto, payload, chain.fragment)?;
    let (src, dst) = addresses(header);
    Ok(Parsed {
        tuple: FiveTuple { src, dst, src_port: read.src_port, dst_port: read.dst_port, proto: chain.proto },
        length: length as u32,
        packets: 1,
        wire_bytes: length as u32,
        longest: length as u32,
        // At most 40 + 8 * 2048: see MAX_EXTENSIONS.
        transport_offset: chain.offset as u16,
        ttl: header[7],
        dont_fragment: true,
        fragment: chain.fragment,
        transport: read.transport,
    })
}

/// Walks the extension headers of `packet`, the first of which is of kind `first`.
///
/// Stops at a later fragment's fragment header, for what follows is the middle of something. Fails where a
/// header is cut off, at the ninth, and at a second fragment header.
pub(super) fn walk(packet: &[u8], first: u8) -> Result<Chain, Malformed> {
    let mut chain = Chain { proto: first, offset: HEADER, fragment: None, part: 0 };
    let mut walked = 0;
    while is_extension(chain.proto) {
        if walked == MAX_EXTENSIONS {
            return Err(Malformed);
        }
        walked += 1;
        chain.step(packet)?;
        if chain.fragment.is_some_and(|fragment| fragment.offset > 0) {
            break;
        }
    }
    Ok(chain)
}

/// Whether the extension headers of `packet` say nothing that is lost without them: no routing header with segments
/// left, no authentication, and nothing in the fragmentable part of a datagram in fragments (RFC 7915 section 5.1).
pub(crate) fn can_leave_out_extensions(packet: &[u8]) -> bool {
    let Some(&first) = packet.get(6) else { return false };
    let mut chain = Chain { proto: first, offset: HEADER, fragment: None, part: 0 };
    while is_extension(chain.proto) && chain.fragment.is_none() {
        let is_needed = match chain.proto {
            ROUTING => packet.get(chain.offset + 3) != Some(&0),
            proto => proto == AUTHENTICATION,
        };
        if is_needed || chain.step(packet).is_err() {
            return false;
        }
    }
    chain.fragment.is_none() || chain.offset == packet.len()
}

pub(super) fn addresses(header: &[u8; HEADER]) -> (IpAddr, IpAddr) {
    let address = |at: usize| Ipv6Addr::from_octets(std::array::from_fn(|byte| header[at + byte]));
    (address(8).into(), address(24).into())
}

impl Chain {
    /// Moves past the extension header at the chain's end.
    fn step(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        let rest = packet.get(self.offset..).ok_or(Malformed)?;
        let &[next, extent, ..] = rest else { return Err(Malformed) };
        let length = match self.proto {
            FRAGMENT => FRAGMENT_HEADER,
            // RFC 4302 section 2.2: words of 4 bytes, minus 2.
            AUTHENTICATION => (usize::from(extent) + 2) * 4,
            _ => (usize::from(extent) + 1) * 8,
        };
        let header = rest.get(..length).ok_or(Malformed)?;
        self.offset += length;
        if self.proto == FRAGMENT {
            self.enter_fragment(header)?;
        }
        self.proto = next;
        Ok(())
    }

    fn enter_fragment(&mut self, header: &[u8]) -> Result<(), Malformed> {
        let &[_, _, high, low, a, b, c, d] = header else { return Err(Malformed) };
        if self.part != 0 {
            return Err(Malformed);
        }
        self.part = self.offset;
        let word = be16(high, low);
        let fragment = Fragment {
            id: u32::from_be_bytes([a, b, c, d]),
            offset: u32::from(word & !7),
            more: word & 1 != 0,
        };
        if fragment.offset > 0 || fragment.more {
            self.fragment = Some(fragment);
        }
        Ok(())
    }
}

const fn is_extension(proto: u8) -> bool {
    matches!(proto, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS)
}

/// RFC 8200 section 4.5: all but the last are multiples of 8 bytes, and the reassembled payload length, which
/// counts the headers before the fragment header, fits in its field.
fn check_fragment(chain: &Chain, length: usize) -> Result<(), Malformed> {
    let Some(fragment) = chain.fragment else { return Ok(()) };
    let part = length - chain.part;
    let unfragmentable = chain.part - FRAGMENT_HEADER - HEADER;
    let unaligned = fragment.more && !part.is_multiple_of(8);
    let too_long = unfragmentable + fragment.offset as usize + part > MAX_DATAGRAM;
    if unaligned || too_long { Err(Malformed) } else { Ok(()) }
}
