//! TCP, UDP and ICMP headers.

use super::{Family, Fragment, Malformed, Transport, be16, quoted};
use crate::tuple::{icmp_is_error, icmp_query_reply, proto};

/// A TCP header without options (RFC 9293 section 3.1).
const TCP_MIN: usize = 20;
/// The UDP header (RFC 768).
const UDP_HEADER: usize = 8;
/// Type, code and checksum: all that an unknown ICMP message is sure to have (RFC 4443 section 2.1).
const ICMP_MIN: usize = 4;
/// Header of ICMP queries and errors: identifier and sequence, or the field before the quoted packet.
const ICMP_HEADER: usize = 8;

/// A transport header and the ports of [`crate::FiveTuple`].
pub(super) struct Read {
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    pub(super) transport: Transport,
}

/// Reads the transport header at the start of `payload`, the bytes after the IP header.
///
/// Inlined, because handing a [`Read`] back through memory costs as much as reading the header.
#[inline]
pub(super) fn read(
    family: Family,
    protocol: u8,
    payload: &[u8],
    fragment: Option<Fragment>,
) -> Result<Read, Malformed> {
    if fragment.is_some_and(|fragment| fragment.offset > 0) {
        return Ok(Read { src_port: 0, dst_port: 0, transport: Transport::Later });
    }
    match protocol {
        proto::TCP => tcp(payload),
        proto::UDP => udp(payload, fragment),
        proto::ICMP | proto::ICMPV6 => icmp(family, protocol, payload),
        _ => Ok(Read { src_port: 0, dst_port: 0, transport: Transport::Other }),
    }
}

/// Returns the ports that stand for an ICMP message, as the documentation of [`crate::FiveTuple`] says.
/// `None` when the message is a query or reply too short for its identifier.
pub(super) fn icmp_ports(protocol: u8, message: &[u8]) -> Option<(u16, u16)> {
    let &[icmp_type, code, ..] = message else { return None };
    let Some((query, is_reply)) = icmp_query_reply(protocol, icmp_type) else {
        return Some((0, be16(icmp_type, code)));
    };
    let &[_, _, _, _, high, low, ..] = message else { return None };
    let (asker, answerer) = (be16(high, low), be16(query, 0));
    Some(if is_reply { (answerer, asker) } else { (asker, answerer) })
}

#[inline]
fn tcp(payload: &[u8]) -> Result<Read, Malformed> {
    let header: &[u8; TCP_MIN] = payload.first_chunk().ok_or(Malformed)?;
    let header_length = usize::from(header[12] >> 4) * 4;
    if header_length < TCP_MIN || header_length > payload.len() {
        return Err(Malformed);
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l, _, flags, ..] = *header;
    Ok(Read {
        src_port: be16(a, b),
        dst_port: be16(c, d),
        transport: Transport::Tcp {
            flags,
            seq: u32::from_be_bytes([e, f, g, h]),
            ack: u32::from_be_bytes([i, j, k, l]),
            payload: (payload.len() - header_length) as u32,
        },
    })
}

/// Bytes between the UDP length and the end of the IP payload are allowed: UDP options live there (RFC 9868).
#[inline]
fn udp(payload: &[u8], fragment: Option<Fragment>) -> Result<Read, Malformed> {
    let &[a, b, c, d, high, low, ..] = payload else { return Err(Malformed) };
    let length = usize::from(be16(high, low));
    let cut = payload.len() < UDP_HEADER || (fragment.is_none() && length > payload.len());
    if cut || length < UDP_HEADER {
        return Err(Malformed);
    }
    Ok(Read { src_port: be16(a, b), dst_port: be16(c, d), transport: Transport::Udp })
}

/// ICMP and ICMPv6 are told apart by protocol number alone; one inside the other's network layer, which no host
/// accepts, has a type and a code but is never an error about something.
fn icmp(family: Family, protocol: u8, message: &[u8]) -> Result<Read, Malformed> {
    let &[icmp_type, code, ..] = message else { return Err(Malformed) };
    let is_error = icmp_is_error(protocol, icmp_type);
    let is_long = is_error || icmp_query_reply(protocol, icmp_type).is_some();
    if message.len() < if is_long { ICMP_HEADER } else { ICMP_MIN } {
        return Err(Malformed);
    }
    let (src_port, dst_port) = icmp_ports(protocol, message).ok_or(Malformed)?;
    let is_native = protocol == family.icmp();
    let about = message.get(ICMP_HEADER..).filter(|_| is_error && is_native);
    let about = about.and_then(|quote| quoted::tuple(family, quote));
    Ok(Read { src_port, dst_port, transport: Transport::Icmp { icmp_type, code, about } })
}

impl Family {
    /// The protocol number of this family's ICMP.
    const fn icmp(self) -> u8 {
        match self {
            Self::V4 => proto::ICMP,
            Self::V6 => proto::ICMPV6,
        }
    }
}
