//! What must arrive of a packet, byte by byte, by the oracle's word.

use std::net::IpAddr;

use oracle::{StepKind, Verdict};
use wire::{FiveTuple, Parsed, Transport, tcp_flag, testing};

use crate::craft::{icmp_type_in, mss_of};

/// Bytes that an IPv6 header (40) has more than an IPv4 header (20), and those of an IPv6 fragment header.
const GROWTH: usize = 20;
const FRAGMENT_HEADER: usize = 8;

/// The longest ICMPv6 error (RFC 4443 section 2.4 (c)).
const LONGEST_ERROR_V6: usize = 1280;

/// Whether `pieces`, what was delivered of `packet`, are what `verdict` makes of it. Without gateways nothing changes, not even
/// the TTL (AD-26); fragments that are made on the way hold all of it.
pub(super) fn check(
    packet: &[u8],
    parsed: &Parsed,
    verdict: &Verdict,
    pieces: &[&[u8]],
) -> Result<(), String> {
    match pieces {
        [] => Ok(()),
        [one] => check_one(packet, parsed, verdict, one),
        _ => {
            pieces.iter().try_for_each(|piece| testing::verify(piece))?;
            if parsed.fragment.is_some() {
                return Ok(());
            }
            let whole = testing::reassemble(pieces).ok_or("its fragments do not make one packet")?;
            check_one(packet, parsed, verdict, &whole)
        }
    }
}

fn check_one(packet: &[u8], parsed: &Parsed, verdict: &Verdict, arrived: &[u8]) -> Result<(), String> {
    let hops = verdict.trail.iter().filter(|step| step.kind == StepKind::NatGateway).count();
    if hops == 0 && verdict.tuple == parsed.tuple && verdict.about == parsed.about() {
        return match arrived == packet {
            true => Ok(()),
            false => Err(format!("{} bytes were sent, these arrived: {arrived:02x?}", packet.len())),
        };
    }
    testing::verify(arrived)?;
    let got = wire::parse(arrived).map_err(|_| "it does not parse")?;
    let fields = [
        ("tuple", shown(verdict.tuple, &got), shown(got.tuple, &got)),
        ("quoted tuple", format!("{:?}", shown_quote(verdict, &got)), format!("{:?}", got.about())),
        ("TTL", parsed.ttl.saturating_sub(hops as u8).to_string(), got.ttl.to_string()),
        ("length", length(parsed, verdict, packet.len()).to_string(), arrived.len().to_string()),
        ("transport", transport(parsed, verdict), transport_of(&got)),
        ("MSS", format!("{:?}", clamped(packet, parsed, verdict)), format!("{:?}", mss_of(arrived))),
    ];
    for (what, expected, found) in fields {
        if expected != found {
            return Err(format!("its {what} should be {expected} and is {found}"));
        }
    }
    check_payload(packet, parsed, arrived, &got)?;
    check_sum_of_fragment(packet, parsed, arrived, &got)
}

/// A later fragment shows no quote.
fn shown_quote(verdict: &Verdict, got: &Parsed) -> Option<FiveTuple> {
    verdict.about.filter(|_| got.transport != Transport::Later)
}

/// A later fragment does not show its ports.
fn shown(tuple: FiveTuple, got: &Parsed) -> String {
    let hidden = got.transport == Transport::Later;
    let tuple = if hidden { FiveTuple { src_port: 0, dst_port: 0, ..tuple } } else { tuple };
    format!("{tuple:?}")
}

/// NAT64 gives a packet another header, without options and extensions, and does so with the packet that an ICMP error quotes.
fn length(parsed: &Parsed, verdict: &Verdict, sent: usize) -> usize {
    let payload = sent - usize::from(parsed.transport_offset);
    let fragment = if parsed.fragment.is_some() { FRAGMENT_HEADER } else { 0 };
    match (parsed.tuple.src, verdict.tuple.src, verdict.about) {
        (IpAddr::V4(_), IpAddr::V6(_), Some(_)) => (40 + payload + GROWTH).min(LONGEST_ERROR_V6),
        (IpAddr::V4(_), IpAddr::V6(_), None) => 40 + payload + fragment,
        (IpAddr::V6(_), IpAddr::V4(_), Some(_)) => 20 + payload - GROWTH,
        (IpAddr::V6(_), IpAddr::V4(_), None) => 20 + payload,
        (IpAddr::V4(_), IpAddr::V4(_), _) | (IpAddr::V6(_), IpAddr::V6(_), _) => sent,
    }
}

/// What the transport header must say beyond ports.
fn transport(parsed: &Parsed, verdict: &Verdict) -> String {
    match (parsed.transport, parsed.fragment) {
        // What was borrowed from the first fragment is not in a later one.
        (_, Some(fragment)) if fragment.offset > 0 => format!("{:?}", Transport::Later),
        (Transport::Icmp { icmp_type, code, about: None }, _) => {
            format!("{:?}", (icmp_type_in(icmp_type, verdict.tuple.proto), code))
        }
        (Transport::Icmp { .. }, _) => {
            let [icmp_type, code] = verdict.tuple.dst_port.to_be_bytes();
            format!("{:?}", (icmp_type, code))
        }
        (transport, _) => format!("{transport:?}"),
    }
}

fn transport_of(got: &Parsed) -> String {
    if let Transport::Icmp { icmp_type, code, .. } = got.transport {
        return format!("{:?}", (icmp_type, code));
    }
    format!("{:?}", got.transport)
}

/// What a SYN may announce (MT-08); in other segments the option says nothing.
fn clamped(packet: &[u8], parsed: &Parsed, verdict: &Verdict) -> Option<u16> {
    let announced = mss_of(packet)?;
    let is_syn = matches!(parsed.transport, Transport::Tcp { flags, .. } if flags & tcp_flag::SYN != 0);
    Some(verdict.mss.filter(|_| is_syn).map_or(announced, |most| announced.min(most)))
}

/// All behind the ports and checksums is as it was; of an ICMP error, what the quoted packet's header is followed by.
fn check_payload(packet: &[u8], parsed: &Parsed, arrived: &[u8], got: &Parsed) -> Result<(), String> {
    if got.is_about_another() {
        return Ok(());
    }
    let body = |packet: &[u8], parsed: &Parsed| {
        let headers = match parsed.transport {
            Transport::Tcp { .. } => 24,
            Transport::Icmp { .. } | Transport::Udp => 8,
            Transport::Later | Transport::Other => 0,
        };
        packet.get(usize::from(parsed.transport_offset) + headers..).unwrap_or_default().to_vec()
    };
    let sent = wire::parse(packet).map_err(|_| "it did not parse")?;
    match body(packet, &sent) == body(arrived, got) || parsed.is_about_another() {
        true => Ok(()),
        false => Err("its payload is another".to_owned()),
    }
}

/// The checksum of a first fragment covers what is not there: it must have changed by the difference (RFC 1624).
fn check_sum_of_fragment(packet: &[u8], parsed: &Parsed, arrived: &[u8], got: &Parsed) -> Result<(), String> {
    let place = match parsed.transport {
        Transport::Tcp { .. } => 16,
        Transport::Udp => 6,
        Transport::Icmp { .. } | Transport::Later | Transport::Other => return Ok(()),
    };
    if parsed.fragment.is_none() {
        return Ok(());
    }
    let rest = |packet: &[u8], parsed: &Parsed| {
        let at = usize::from(parsed.transport_offset) + place;
        let sum = u32::from(!u16::from_be_bytes([packet[at], packet[at + 1]]));
        let FiveTuple { src, dst, src_port, dst_port, .. } = parsed.tuple;
        let words = words(src) + words(dst) + u32::from(src_port) + u32::from(dst_port);
        (sum + 0xffff * 64 - words) % 0xffff
    };
    match rest(packet, parsed) == rest(arrived, got) {
        true => Ok(()),
        false => Err("the checksum in its first fragment did not change with its ends".to_owned()),
    }
}

/// Sum of an address's 16-bit words.
fn words(address: IpAddr) -> u32 {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum()
}

#[cfg(test)]
mod tests {
    use oracle::{Outcome, Step};
    use wire::testing::{at, tcp, udp};
    use wire::{Buffer, Translation};

    use super::*;

    /// What a NAT gateway makes of a datagram, and the verdict that says so.
    fn translated(packet: &[u8]) -> (Parsed, Verdict, Vec<u8>) {
        let parsed = wire::parse(packet).expect("a packet");
        let tuple =
            FiveTuple { src: "198.51.100.10".parse().expect("an address"), src_port: 1_024, ..parsed.tuple };
        let mut buffer = Buffer::copy_of(packet);
        let change = Translation { tuple, about: None, hops: 1, mss: Some(1_460) };
        wire::translate(&mut buffer, &parsed, &change).expect("a packet that can be translated");
        let gateway = "nat-1".to_owned();
        let step = Step { kind: StepKind::NatGateway, any_of: vec![gateway.clone()], decided_by: gateway };
        let verdict = Verdict {
            outcome: Outcome::DeliveredToHost { host: "laptop".to_owned() },
            tuple,
            about: None,
            mss: Some(1_460),
            answer: None,
            leases: Vec::new(),
            trail: vec![step],
            records: Vec::new(),
        };
        (parsed, verdict, buffer.bytes().to_vec())
    }

    /// Rules: AD-27, NG-02
    #[test]
    fn every_byte_that_a_gateway_leaves_wrong_is_found() {
        let packets = [
            udp(at("10.0.2.10:40000"), at("203.0.113.50:53"), &[7; 40]),
            tcp(at("10.0.2.10:40000"), at("203.0.113.50:443"), 2, 5, 0, &[7; 40]),
        ];
        for packet in packets {
            let (parsed, verdict, arrived) = translated(&packet);
            assert_eq!(check(&packet, &parsed, &verdict, &[&arrived]), Ok(()));
            assert!(check(&packet, &parsed, &verdict, &[&packet]).is_err(), "as it was");
            // Type of service, identification and flags are nobody's business here, but the header's sum covers them.
            for at in 0..arrived.len() {
                let mut wrong = arrived.clone();
                wrong[at] ^= 1;
                assert!(check(&packet, &parsed, &verdict, &[&wrong]).is_err(), "byte {at}");
            }
        }
    }
}
