//! What a packet of the other family will be, before a byte of it changes.

use super::network::Network;
use super::{Translation, Untranslatable, kind};
use crate::{Offload, Parsed, PartialChecksum, SegmentKind, Segments, Transport};

/// Longest IPv4 packet that may be fragmented: as IPv6 it has 1280 bytes, which every link carries (RFC 7915 section 5.1).
const MAX_FRAGMENTABLE: u32 = 1260;

/// What is read of the packet afterwards, and what is then left to do.
pub(super) struct Plan {
    pub(super) said: Parsed,
    pub(super) offload: Offload,
}

impl Plan {
    pub(super) fn new(
        parsed: &Parsed,
        to: &Translation,
        network: &Network,
        offload: Offload,
    ) -> Result<Self, Untranslatable> {
        let is_v4 = to.tuple.src.is_ipv4();
        let header = network.header_length(is_v4);
        let offload = moved(offload, parsed.transport_offset, header, is_v4)?;
        let length = u32::from(header) + network.payload as u32;
        let whole = Parsed {
            tuple: to.tuple,
            length,
            packets: 1,
            wire_bytes: length,
            longest: length,
            transport_offset: header,
            ttl: to.ttl(parsed),
            dont_fragment: true,
            fragment: network.fragment_of(is_v4),
            transport: transport(parsed.transport, to.tuple.proto)?,
        };
        let said = offload.segments.map_or(whole, |segments| whole.cut(segments.size));
        let dont_fragment = !is_v4 || said.fragment.is_none() && said.longest > MAX_FRAGMENTABLE;
        Ok(Self { said: Parsed { dont_fragment, ..said }, offload })
    }
}

fn transport(transport: Transport, protocol: u8) -> Result<Transport, Untranslatable> {
    match transport {
        Transport::Icmp { icmp_type, code, .. } => {
            Ok(Transport::Icmp { icmp_type: kind::query(icmp_type, protocol)?, code, about: None })
        }
        same @ (Transport::Later | Transport::Other | Transport::Tcp { .. } | Transport::Udp) => Ok(same),
    }
}

/// What is left to do, when the header before it has `new` bytes instead of `old`.
///
/// Segments of TCP shrink as the header grows, so that they fit where they did. Those of UDP are datagrams, which
/// nobody may cut elsewhere.
fn moved(offload: Offload, old: u16, new: u16, is_v4: bool) -> Result<Offload, Untranslatable> {
    let place = |place: PartialChecksum| {
        let start = place.start.checked_sub(old).and_then(|start| start.checked_add(new));
        start.map(|start| PartialChecksum { start, ..place }).ok_or(Untranslatable::Mismatch)
    };
    let cut = |segments: Segments| {
        let headers = segments.headers.saturating_sub(old).saturating_add(new);
        let (kind, growth) = match (segments.kind, is_v4) {
            (SegmentKind::TcpV4 | SegmentKind::TcpV6, true) => (SegmentKind::TcpV4, 0),
            (SegmentKind::TcpV4 | SegmentKind::TcpV6, false) => (SegmentKind::TcpV6, new.saturating_sub(old)),
            (SegmentKind::Udp, _) => (SegmentKind::Udp, 0),
        };
        let size = segments.size.checked_sub(growth).filter(|size| *size > 0);
        size.map(|size| Segments { kind, size, headers, ..segments }).ok_or(Untranslatable::Length)
    };
    Ok(Offload {
        checksum: offload.checksum.map(place).transpose()?,
        segments: offload.segments.map(cut).transpose()?,
    })
}
