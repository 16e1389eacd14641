//! What a packet looks like where it arrives, by the oracle's word.

use std::net::IpAddr;

use oracle::{StepKind, Verdict};
use wire::{FiveTuple, icmp_query_reply};

use crate::craft::{Body, Shape, icmp_type_in};

/// Bytes that an IPv6 header has more than an IPv4 header (RFC 791 section 3.1, RFC 8200 section 3).
const GROWTH: usize = 20;

/// The packet that arrives where `verdict` says when one like `sent` is sent.
pub(crate) fn arrived(sent: &Shape, verdict: &Verdict) -> Shape {
    let gateways = verdict.trail.iter().filter(|step| step.kind == StepKind::NatGateway).count();
    let mut shape = translated(sent, verdict.tuple, verdict.about);
    // AD-27.
    shape.ttl = sent.ttl.saturating_sub(gateways as u8);
    shape
}

fn translated(sent: &Shape, tuple: FiveTuple, about: Option<FiveTuple>) -> Shape {
    let body = match &sent.body {
        Body::Tcp { flags, seq, ack, .. } => {
            Body::Tcp { ports: (tuple.src_port, tuple.dst_port), flags: *flags, seq: *seq, ack: *ack }
        }
        Body::Udp(..) => Body::Udp(tuple.src_port, tuple.dst_port),
        Body::Query(icmp_type, _, sequence) => {
            let icmp_type = icmp_type_in(*icmp_type, tuple.proto);
            Body::Query(icmp_type, identifier(icmp_type, tuple), *sequence)
        }
        Body::Icmp { about: Some(quoted), field, .. } => {
            let [icmp_type, code] = tuple.dst_port.to_be_bytes();
            let about = about.map(|about| quote(quoted, about));
            Body::Icmp { icmp_type, code, field: *field, about }
        }
        Body::Icmp { icmp_type, code, field, about: None } => {
            let icmp_type = icmp_type_in(*icmp_type, tuple.proto);
            let is_query = icmp_query_reply(tuple.proto, icmp_type).is_some();
            let id = u32::from(identifier(icmp_type, tuple)) << 16;
            let field = if is_query { id | (*field & 0xffff) } else { *field };
            Body::Icmp { icmp_type, code: *code, field, about: None }
        }
        Body::Other(protocol) => Body::Other(*protocol),
    };
    let size = match (sent.src, tuple.src) {
        (IpAddr::V4(_), IpAddr::V6(_)) => sent.size.map(|size| size + GROWTH),
        (IpAddr::V6(_), IpAddr::V4(_)) => sent.size.map(|size| size - GROWTH),
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => sent.size,
    };
    let from_v6 = sent.src.is_ipv6();
    let dont_fragment = tuple.src.is_ipv4() && (sent.dont_fragment || from_v6);
    Shape { src: tuple.src, dst: tuple.dst, body, size, dont_fragment, ttl: sent.ttl, mss: sent.mss }
}

/// The quoted packet under another tuple, as much of it as anyone reads.
fn quote(quoted: &[u8], about: FiveTuple) -> Vec<u8> {
    let known = Shape::of(quoted).map(|shape| translated(&shape, about, None));
    known.map_or_else(|| quoted.to_vec(), |shape| shape.bytes())
}

/// The identifier stands at the asker's side of the tuple.
fn identifier(icmp_type: u8, tuple: FiveTuple) -> u16 {
    match icmp_query_reply(tuple.proto, icmp_type) {
        Some((_, true)) => tuple.dst_port,
        Some((_, false)) | None => tuple.src_port,
    }
}
