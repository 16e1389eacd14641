//! ICMP errors with the packet that they quote, built anew: both headers change their length.

use super::kind::{self, Kind};
use super::network::{self, Network};
use super::{Translation, Untranslatable, check_protocol, counterpart, pseudo_header};
use crate::parse::{be16, locate};
use crate::translate::icmp::{self, HEADER, IDENTIFIER, Patch};
use crate::translate::{halves, quoted};
use crate::tuple::{FiveTuple, proto};
use crate::{Buffer, Parsed, Transport, checksum, parse};

/// The longest ICMPv6 error (RFC 4443 section 2.4 (c)), without IPv6 and ICMPv6 header.
const MAX_QUOTE_V6: usize = 1280 - 40 - HEADER;
/// The longest IPv4 packet that may be fragmented, see [`super::plan`].
const MAX_FRAGMENTABLE: usize = 1260;

#[cold]
pub(super) fn translate(
    buffer: &mut Buffer,
    parsed: &Parsed,
    to: &Translation,
) -> Result<Parsed, Untranslatable> {
    check_protocol(parsed, &to.tuple)?;
    let about = to.about.ok_or(Untranslatable::Mismatch)?;
    let (header, message) = halves(buffer, parsed)?;
    network::check_left_out(header)?;
    let message = message_of(message, parsed, &to.tuple, &about)?;
    let network = Network::of(header, &message, None, to.ttl(parsed));
    let packet = packet(&network, &to.tuple, &message)?;
    let said = parse(&packet).map_err(|_| Untranslatable::Mismatch)?;
    let is_right = said.tuple == to.tuple
        && matches!(said.transport, Transport::Icmp { about, .. } if about == to.about);
    if !is_right {
        return Err(Untranslatable::Mismatch);
    }
    buffer.clear();
    buffer.extend_from_slice(&packet);
    Ok(said)
}

/// The message with header, quote and checksum.
fn message_of(
    message: &[u8],
    parsed: &Parsed,
    tuple: &FiveTuple,
    about: &FiveTuple,
) -> Result<Vec<u8>, Untranslatable> {
    let Some((&[icmp_type, code, _, _, a, b, c, d], quote)) = message.split_first_chunk::<HEADER>() else {
        return Err(Untranslatable::Mismatch);
    };
    let old = Kind { icmp_type, code, field: u32::from_be_bytes([a, b, c, d]) };
    let is_v4 = parsed.tuple.src.is_ipv4();
    let kind = if is_v4 { old.to_v6(quote) } else { old.to_v4() };
    let kind = kind.ok_or(Untranslatable::NoCounterpart)?;
    let quote = old.quoted(is_v4).and_then(|length| quote.get(..length)).unwrap_or(quote);
    let mut quote = quote_of(quote, about)?;
    if is_v4 {
        quote.truncate(MAX_QUOTE_V6);
    }
    let header = [&[kind.icmp_type, kind.code, 0, 0], &kind.field.to_be_bytes()[..]].concat();
    let mut message = [header, quote].concat();
    let sum = match is_v4 {
        true => checksum::transport(tuple.src, tuple.dst, proto::ICMPV6, &message),
        false => checksum::finish(checksum::sum(&message)),
    };
    message[icmp::CHECKSUM..icmp::CHECKSUM + 2].copy_from_slice(&sum.to_be_bytes());
    Ok(message)
}

/// The quoted packet in the other family, as the sender of `about` sent it.
fn quote_of(quote: &[u8], about: &FiveTuple) -> Result<Vec<u8>, Untranslatable> {
    let to_v4 = about.src.is_ipv4();
    let found = locate(!to_v4, quote).ok_or(Untranslatable::Mismatch)?;
    let (header, segment) = quote.split_at_checked(found.offset).ok_or(Untranslatable::Mismatch)?;
    let old = FiveTuple { src: found.src, dst: found.dst, proto: found.proto, ..*about };
    if counterpart(&old)? != about.proto {
        return Err(Untranslatable::Mismatch);
    }
    let payload = announced(header);
    let network = Network::of(header, segment, found.fragment, ttl(header)).with_payload(payload);
    let may_be_split = usize::from(network.header_length(true)) + payload <= MAX_FRAGMENTABLE;
    let new_header = network.header(about, !may_be_split)?;
    let mut quote = [new_header.as_bytes(), segment].concat();
    let words = words(segment, about)?;
    let mut patch = Patch { bytes: &mut quote, delta: checksum::Delta::NONE };
    let at = new_header.as_bytes().len();
    quoted::transport(&mut patch, at, about.proto, &words, pseudo_header(&old, about, payload));
    Ok(quote)
}

/// The words of a quoted transport header that change, by their offsets.
fn words(segment: &[u8], about: &FiveTuple) -> Result<[(usize, u16); 2], Untranslatable> {
    if about.has_ports() {
        return Ok([(0, about.src_port), (2, about.dst_port)]);
    }
    let &[icmp_type, code, ..] = segment else { return Err(Untranslatable::Mismatch) };
    let icmp_type = kind::query(icmp_type, about.proto)?;
    let identifier = icmp::identifier(about, icmp_type, code)?.ok_or(Untranslatable::NoCounterpart)?;
    Ok([(0, be16(icmp_type, code)), (IDENTIFIER, identifier)])
}

/// Bytes after the headers that the quoted packet had, whether or not they are in the quote.
fn announced(header: &[u8]) -> usize {
    let (length, before) = match header {
        [first, _, high, low, ..] if first >> 4 == 4 => (be16(*high, *low), 0),
        [_, _, _, _, high, low, ..] => (be16(*high, *low), 40),
        _ => (0, 0),
    };
    (usize::from(length) + before).saturating_sub(header.len())
}

fn ttl(header: &[u8]) -> u8 {
    let at = if header.first().is_some_and(|first| first >> 4 == 4) { 8 } else { 7 };
    header.get(at).copied().unwrap_or_default()
}

fn packet(network: &Network, tuple: &FiveTuple, message: &[u8]) -> Result<Vec<u8>, Untranslatable> {
    let is_v4 = tuple.src.is_ipv4();
    let length = usize::from(network.header_length(is_v4)) + message.len();
    let header = network.header(tuple, length > MAX_FRAGMENTABLE)?;
    Ok([header.as_bytes(), message].concat())
}
