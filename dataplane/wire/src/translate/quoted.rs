//! The packet that an ICMP error quotes, as far as it is there.

use std::net::IpAddr;

use super::Untranslatable;
use super::icmp::{self, CHECKSUM, IDENTIFIER, Patch};
use super::transport::{TCP_CHECKSUM, UDP_CHECKSUM};
use crate::checksum::Delta;
use crate::parse::locate;
use crate::tuple::{FiveTuple, proto};

/// Rewrites a quote within one family; returns `outer` with what that changes in the message around it.
pub(super) fn rewrite(quote: &mut [u8], about: &FiveTuple, outer: Delta) -> Result<Delta, Untranslatable> {
    let found = locate(about.src.is_ipv4(), quote).ok_or(Untranslatable::Mismatch)?;
    if found.proto != about.proto || about.src.is_ipv4() != about.dst.is_ipv4() {
        return Err(Untranslatable::Mismatch);
    }
    let identifier = match quote.get(found.offset..) {
        Some(&[icmp_type, code, ..]) if about.is_icmp() => icmp::identifier(about, icmp_type, code)?,
        Some(_) if about.is_icmp() => return Err(Untranslatable::Mismatch),
        Some(_) | None => None,
    };
    let addresses = Delta::NONE.replace_address(found.src, about.src).replace_address(found.dst, about.dst);
    let mut patch = Patch { bytes: quote, delta: outer };
    network(&mut patch, about, addresses);
    let pseudo_header = icmp::covered(about, addresses);
    let ports = [(0, about.src_port), (2, about.dst_port)];
    let identifier = identifier.map(|identifier| (IDENTIFIER, identifier));
    let words = if about.has_ports() { &ports[..] } else { identifier.as_slice() };
    transport(&mut patch, found.offset, about.proto, words, pseudo_header);
    Ok(patch.delta)
}

fn network(patch: &mut Patch<'_>, about: &FiveTuple, addresses: Delta) {
    match (about.src, about.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            patch.update(10, |checksum| addresses.apply(checksum));
            patch.words(12, &src.octets());
            patch.words(16, &dst.octets());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            patch.words(8, &src.octets());
            patch.words(24, &dst.octets());
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {}
    }
}

/// Rewrites words of the transport header at `at`, and its checksum if that is there: it covers them and the
/// pseudo-header, which changes by `pseudo_header`.
pub(super) fn transport(
    patch: &mut Patch<'_>,
    at: usize,
    protocol: u8,
    words: &[(usize, u16)],
    pseudo_header: Delta,
) {
    let mut own = pseudo_header;
    for &(offset, new) in words {
        patch.update(at + offset, |old| {
            own = own.replace16(old, new);
            new
        });
    }
    match protocol {
        proto::TCP => patch.update(at + TCP_CHECKSUM, |checksum| own.apply(checksum)),
        proto::UDP => patch.update(at + UDP_CHECKSUM, |checksum| own.apply_udp(checksum)),
        proto::ICMP | proto::ICMPV6 => patch.update(at + CHECKSUM, |checksum| own.apply(checksum)),
        _ => {}
    }
}
