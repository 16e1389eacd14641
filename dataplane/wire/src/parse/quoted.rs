//! The packet quoted by an ICMP error.
//!
//! Read leniently: a quote may end anywhere after the ports (RFC 792 asks for 8 bytes of the transport header),
//! so its length fields are not compared with what is there.

use std::net::IpAddr;

use super::{Family, Fragment, be16, ipv4, ipv6, transport::icmp_ports};
use crate::FiveTuple;
use crate::tuple::{icmp_is_error, proto};

/// Returns the tuple of the quoted packet as its sender sent it.
///
/// `None` when the quote is too short or of another family, when it is a later fragment, and when it is itself
/// an ICMP error, about which nobody may complain (RFC 1122 section 3.2.2).
pub(super) fn tuple(family: Family, quote: &[u8]) -> Option<FiveTuple> {
    let quoted = locate(family == Family::V4, quote)?;
    let (src_port, dst_port) = ports(quoted.proto, quote.get(quoted.offset..)?)?;
    Some(FiveTuple { src: quoted.src, dst: quoted.dst, src_port, dst_port, proto: quoted.proto })
}

/// What the IP header of a quote says.
pub(crate) struct Quoted {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// After all extension headers.
    pub(crate) proto: u8,
    /// Where the transport header starts, within the quote.
    pub(crate) offset: usize,
    /// Where it stands among the fragments of its datagram, if it is the first of several.
    pub(crate) fragment: Option<Fragment>,
}

/// Reads the IP header of a quote; `None` when it is cut short, of another family, or of a later fragment.
pub(crate) fn locate(is_v4: bool, quote: &[u8]) -> Option<Quoted> {
    if is_v4 { read_ipv4(quote) } else { read_ipv6(quote) }
}

fn read_ipv4(quote: &[u8]) -> Option<Quoted> {
    let header: &[u8; ipv4::MIN_HEADER] = quote.first_chunk()?;
    if header[0] >> 4 != 4 || ipv4::fragment_offset(header) > 0 {
        return None;
    }
    let offset = ipv4::header_length(header).ok()?;
    quote.get(offset..)?;
    let (src, dst) = ipv4::addresses(header);
    let fragment = ipv4::first_fragment(header);
    Some(Quoted { src, dst, proto: header[9], offset, fragment })
}

fn read_ipv6(quote: &[u8]) -> Option<Quoted> {
    let header: &[u8; ipv6::HEADER] = quote.first_chunk()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let chain = ipv6::walk(quote, header[6]).ok()?;
    if chain.fragment.is_some_and(|fragment| fragment.offset > 0) {
        return None;
    }
    quote.get(chain.offset..)?;
    let (src, dst) = ipv6::addresses(header);
    Some(Quoted { src, dst, proto: chain.proto, offset: chain.offset, fragment: chain.fragment })
}

fn ports(protocol: u8, payload: &[u8]) -> Option<(u16, u16)> {
    match protocol {
        proto::TCP | proto::UDP => {
            let &[a, b, c, d, ..] = payload else { return None };
            Some((be16(a, b), be16(c, d)))
        }
        proto::ICMP | proto::ICMPV6 => {
            let &[icmp_type, ..] = payload else { return None };
            if icmp_is_error(protocol, icmp_type) { None } else { icmp_ports(protocol, payload) }
        }
        _ => Some((0, 0)),
    }
}
