//! The IP header of one family in place of the other's (RFC 7915 sections 4.1 and 5.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Untranslatable;
use crate::fragment::split_option;
use crate::parse::can_leave_out_extensions;
use crate::{FiveTuple, Fragment, checksum};

/// A header without options, as we write it (RFC 791 section 3.1).
const HEADER_V4: u16 = 20;
/// The fixed header (RFC 8200 section 3).
const HEADER_V6: u16 = 40;
/// A fragment header (RFC 8200 section 4.5).
const FRAGMENT_HEADER: u16 = 8;
/// Protocol number of a fragment header.
const FRAGMENT: u8 = 44;

/// The longest packet, with all headers, whatever the family.
const MAX_LENGTH: u16 = u16::MAX;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;

/// What the headers of both families say, addresses and protocol aside.
pub(super) struct Network {
    /// Type of service, or traffic class: DSCP and ECN.
    class: u8,
    ttl: u8,
    fragment: Option<Fragment>,
    /// What an IPv4 packet that may be fragmented has for its identification.
    identification: u16,
    /// Bytes after the header and a fragment header.
    pub(super) payload: usize,
}

impl Network {
    /// Of the packet or quote that begins with `header`. The TTL is that of afterwards.
    ///
    /// An identification that IPv6 does not have is made of the segment's beginning: ports, sequence numbers or the
    /// beginning of the data, so that those of a flow differ as long as these do, without a counter. Only packets of
    /// at most 1260 bytes need one (RFC 6864 section 4.1).
    pub(super) fn of(header: &[u8], segment: &[u8], fragment: Option<Fragment>, ttl: u8) -> Self {
        let class = match header {
            [first, second, ..] if first >> 4 == 6 => first << 4 | second >> 4,
            [_, class, ..] => *class,
            [] | [_] => 0,
        };
        let beginning = segment.get(..20).unwrap_or(segment);
        let identification = checksum::sum(beginning);
        Self { class, ttl, fragment, identification, payload: segment.len() }
    }

    /// The same, with another length after the headers.
    pub(super) const fn with_payload(self, payload: usize) -> Self {
        Self { payload, ..self }
    }

    /// Bytes of the header in a family, with the fragment header.
    pub(super) const fn header_length(&self, is_v4: bool) -> u16 {
        match (is_v4, self.fragment) {
            (true, _) => HEADER_V4,
            (false, None) => HEADER_V6,
            (false, Some(_)) => HEADER_V6 + FRAGMENT_HEADER,
        }
    }

    /// The fragment as a family says it: an IPv4 identification has 16 bits.
    pub(super) fn fragment_of(&self, is_v4: bool) -> Option<Fragment> {
        let mask = if is_v4 { 0xffff } else { u32::MAX };
        self.fragment.map(|fragment| Fragment { id: fragment.id & mask, ..fragment })
    }

    /// The header of a packet with these addresses and this protocol; an IPv4 one that is no fragment says whether it
    /// may become some.
    pub(super) fn header(&self, tuple: &FiveTuple, dont_fragment: bool) -> Result<Header, Untranslatable> {
        let length = usize::from(self.header_length(tuple.src.is_ipv4())) + self.payload;
        let length = u16::try_from(length).map_err(|_| Untranslatable::Length)?;
        match (tuple.src, tuple.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => self.v4(tuple.proto, [src, dst], length, dont_fragment),
            (IpAddr::V6(src), IpAddr::V6(dst)) => Ok(self.v6(tuple.proto, [src, dst], length)),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Err(Untranslatable::Mismatch),
        }
    }

    fn v4(
        &self,
        protocol: u8,
        [src, dst]: [Ipv4Addr; 2],
        length: u16,
        dont_fragment: bool,
    ) -> Result<Header, Untranslatable> {
        let (id, flags) = match self.fragment {
            Some(fragment) => (fragment.id as u16, position(fragment, length)?), // the low half (section 5.1.1)
            None if dont_fragment => (0, DONT_FRAGMENT),
            None => (self.identification, 0),
        };
        let mut header = Header::new(HEADER_V4);
        let bytes = &mut header.bytes;
        bytes[..2].copy_from_slice(&[0x45, self.class]);
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..6].copy_from_slice(&id.to_be_bytes());
        bytes[6..8].copy_from_slice(&flags.to_be_bytes());
        bytes[8..10].copy_from_slice(&[self.ttl, protocol]);
        bytes[12..16].copy_from_slice(&src.octets());
        bytes[16..20].copy_from_slice(&dst.octets());
        let sum = checksum::finish(checksum::sum(header.as_bytes()));
        header.bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        Ok(header)
    }

    fn v6(&self, protocol: u8, [src, dst]: [Ipv6Addr; 2], length: u16) -> Header {
        let mut header = Header::new(self.header_length(false));
        let bytes = &mut header.bytes;
        bytes[..2].copy_from_slice(&[0x60 | self.class >> 4, self.class << 4]);
        bytes[4..6].copy_from_slice(&(length - HEADER_V6).to_be_bytes());
        bytes[6..8].copy_from_slice(&[protocol, self.ttl]);
        bytes[8..24].copy_from_slice(&src.octets());
        bytes[24..40].copy_from_slice(&dst.octets());
        if let Some(fragment) = self.fragment {
            let position = fragment.offset as u16 | u16::from(fragment.more); // at most 65,528
            bytes[6] = FRAGMENT;
            bytes[40] = protocol;
            bytes[42..44].copy_from_slice(&position.to_be_bytes());
            bytes[44..48].copy_from_slice(&fragment.id.to_be_bytes());
        }
        header
    }
}

/// Flags and offset of a fragment of `length` bytes, whose datagram must have a length that can be said.
fn position(fragment: Fragment, length: u16) -> Result<u16, Untranslatable> {
    if fragment.offset + u32::from(length) > u32::from(MAX_LENGTH) {
        return Err(Untranslatable::Length);
    }
    Ok((fragment.offset / 8) as u16 | if fragment.more { MORE_FRAGMENTS } else { 0 })
}

/// The bytes of a header.
pub(super) struct Header {
    bytes: [u8; (HEADER_V6 + FRAGMENT_HEADER) as usize],
    length: u16,
}

impl Header {
    const fn new(length: u16) -> Self {
        Self { bytes: [0; (HEADER_V6 + FRAGMENT_HEADER) as usize], length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Options and extension headers are left out, but those that say where the packet goes next or protect it may not be.
pub(super) fn check_left_out(header: &[u8]) -> Result<(), Untranslatable> {
    let may_be = match header.first().map(|first| first >> 4) {
        Some(4) => !has_unexpired_source_route(header),
        _ => can_leave_out_extensions(header),
    };
    if may_be { Ok(()) } else { Err(Untranslatable::NoCounterpart) }
}

/// A source route of which a part is still to come (RFC 791 section 3.1).
fn has_unexpired_source_route(header: &[u8]) -> bool {
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    let mut options = header.get(usize::from(HEADER_V4)..).unwrap_or_default();
    while let Some((option, rest)) = split_option(options) {
        if let [LOOSE | STRICT, length, pointer, ..] = option
            && pointer <= length
        {
            return true;
        }
        options = rest;
    }
    false
}
