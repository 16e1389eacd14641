//! Whether a packet is the traffic that a rule or entry speaks of.

use model::lab::Traffic;
use wire::{FiveTuple, Parsed, Transport, icmp_query_reply, proto};

/// Whether `traffic` covers a packet with this tuple and, for ICMP, this type and code (SG-04, NA-09, NA-10).
pub(crate) fn covers(traffic: &Traffic, tuple: FiveTuple, icmp: Option<(u8, u8)>) -> bool {
    match traffic {
        Traffic::All => true,
        Traffic::Icmp(t, c) => tuple.proto == proto::ICMP && icmp_covers(*t, *c, icmp),
        Traffic::Icmpv6(t, c) => tuple.proto == proto::ICMPV6 && icmp_covers(*t, *c, icmp),
        Traffic::Number(number) => tuple.proto == *number,
        Traffic::Tcp(ports) => tuple.proto == proto::TCP && ports.contains(&tuple.dst_port),
        Traffic::Udp(ports) => tuple.proto == proto::UDP && ports.contains(&tuple.dst_port),
    }
}

/// Whether `traffic` covers every port of `protocol`, by itself.
pub(crate) fn covers_all_ports(traffic: &Traffic, protocol: u8) -> bool {
    match traffic {
        Traffic::All => true,
        Traffic::Tcp(ports) => protocol == proto::TCP && *ports == (0..=u16::MAX),
        Traffic::Udp(ports) => protocol == proto::UDP && *ports == (0..=u16::MAX),
        Traffic::Icmp(..) | Traffic::Icmpv6(..) | Traffic::Number(_) => false,
    }
}

/// ICMP type and code of a packet.
///
/// A later fragment has no ICMP header; its tuple, taken from the first fragment, still tells.
pub(crate) fn icmp_of(parsed: &Parsed) -> Option<(u8, u8)> {
    match parsed.transport {
        Transport::Icmp { icmp_type, code, .. } => Some((icmp_type, code)),
        Transport::Later if parsed.tuple.is_icmp() => Some(icmp_in_ports(parsed.tuple)),
        Transport::Later | Transport::Other | Transport::Tcp { .. } | Transport::Udp => None,
    }
}

fn icmp_covers(wanted_type: Option<u8>, wanted_code: Option<u8>, icmp: Option<(u8, u8)>) -> bool {
    let type_fits = wanted_type.is_none_or(|wanted| icmp.is_some_and(|(t, _)| t == wanted));
    let code_fits = wanted_code.is_none_or(|wanted| icmp.is_some_and(|(_, c)| c == wanted));
    type_fits && code_fits
}

/// Reads type and code out of a tuple, the way [`FiveTuple`] documents that they got in.
fn icmp_in_ports(tuple: FiveTuple) -> (u8, u8) {
    let query_in = |port: u16| {
        let [icmp_type, low] = port.to_be_bytes();
        let is_query = low == 0 && icmp_query_reply(tuple.proto, icmp_type) == Some((icmp_type, false));
        is_query.then_some(icmp_type)
    };
    let reply_to = |query| (0..=u8::MAX).find(|t| icmp_query_reply(tuple.proto, *t) == Some((query, true)));
    let query = query_in(tuple.dst_port);
    let reply = query_in(tuple.src_port).and_then(reply_to);
    let [icmp_type, code] = tuple.dst_port.to_be_bytes();
    query.or(reply).map_or((icmp_type, code), |known| (known, 0))
}
