//! Ports and checksums of transport headers.

use super::{Translation, Untranslatable, icmp, mss};
use crate::checksum::Delta;
use crate::parse::be16;
use crate::{FiveTuple, Offload, Parsed, Transport, tcp_flag};

/// Where the checksum is in a TCP header (RFC 9293 section 3.1).
pub(super) const TCP_CHECKSUM: usize = 16;
/// Where it is in a UDP header (RFC 768).
pub(super) const UDP_CHECKSUM: usize = 6;

/// How checksums of a segment change.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// What the pseudo-header adds.
    pub(super) pseudo_header: Delta,
    /// Where in the segment a checksum is partial.
    partial_at: Option<usize>,
}

impl Sums {
    /// Of a packet whose pseudo-header changes by `pseudo_header`.
    #[inline]
    pub(super) fn of(offload: Offload, parsed: &Parsed, pseudo_header: Delta) -> Self {
        let partial_at = offload.checksum.and_then(|place| {
            let field = usize::from(place.start) + usize::from(place.offset);
            field.checked_sub(usize::from(parsed.transport_offset))
        });
        Self { pseudo_header, partial_at }
    }

    /// The same segment, but with another change of the pseudo-header.
    pub(super) const fn with(self, pseudo_header: Delta) -> Self {
        Self { pseudo_header, ..self }
    }

    /// The checksum at `field` of the segment, when `whole` is all that changes.
    #[inline]
    pub(super) fn after(self, field: usize, checksum: u16, whole: Delta) -> u16 {
        if self.is_partial(field) {
            self.pseudo_header.apply_partial(checksum)
        } else {
            whole.apply(checksum)
        }
    }

    /// As [`Self::after`], of UDP.
    #[inline]
    fn after_udp(self, checksum: u16, whole: Delta) -> u16 {
        if self.is_partial(UDP_CHECKSUM) {
            self.pseudo_header.apply_partial(checksum)
        } else {
            whole.apply_udp(checksum)
        }
    }

    /// Whether the checksum at `field` of the segment is partial.
    #[inline]
    pub(super) fn is_partial(self, field: usize) -> bool {
        self.partial_at == Some(field)
    }
}

/// Rewrites a segment within one family.
#[inline]
pub(super) fn rewrite(
    segment: &mut [u8],
    parsed: &Parsed,
    to: &Translation,
    sums: Sums,
) -> Result<(), Untranslatable> {
    if to.tuple.proto != parsed.tuple.proto {
        return Err(Untranslatable::Mismatch);
    }
    match parsed.transport {
        Transport::Tcp { flags, .. } => tcp(segment, flags, to, sums),
        Transport::Udp => udp(segment, to, sums),
        Transport::Icmp { .. } => icmp::rewrite(segment, to, sums),
        Transport::Later => Ok(()),
        Transport::Other => match ports(&to.tuple) == ports(&parsed.tuple) {
            true => Ok(()),
            false => Err(Untranslatable::Mismatch),
        },
    }
}

/// Gives a TCP segment other ports, and a SYN a lower MSS.
#[inline]
pub(super) fn tcp(segment: &mut [u8], flags: u8, to: &Translation, sums: Sums) -> Result<(), Untranslatable> {
    let header: &mut [u8; 20] = segment.first_chunk_mut().ok_or(Untranslatable::Mismatch)?;
    let [a, b, c, d, ..] = *header;
    let whole = sums.pseudo_header.replace32(u32::from_be_bytes([a, b, c, d]), ports(&to.tuple));
    let checksum = sums.after(TCP_CHECKSUM, be16(header[16], header[17]), whole);
    header[..4].copy_from_slice(&ports(&to.tuple).to_be_bytes());
    header[16..18].copy_from_slice(&checksum.to_be_bytes());
    if flags & tcp_flag::SYN != 0
        && let Some(most) = to.mss
    {
        mss::clamp(segment, most, sums.is_partial(TCP_CHECKSUM));
    }
    Ok(())
}

/// Gives a UDP datagram other ports.
#[inline]
pub(super) fn udp(segment: &mut [u8], to: &Translation, sums: Sums) -> Result<(), Untranslatable> {
    let header: &mut [u8; 8] = segment.first_chunk_mut().ok_or(Untranslatable::Mismatch)?;
    let [a, b, c, d, _, _, high, low] = *header;
    let whole = sums.pseudo_header.replace32(u32::from_be_bytes([a, b, c, d]), ports(&to.tuple));
    let checksum = sums.after_udp(be16(high, low), whole);
    header[..4].copy_from_slice(&ports(&to.tuple).to_be_bytes());
    header[6..].copy_from_slice(&checksum.to_be_bytes());
    Ok(())
}

/// Both ports as a header has them.
#[inline]
const fn ports(tuple: &FiveTuple) -> u32 {
    (tuple.src_port as u32) << 16 | tuple.dst_port as u32
}
