//! Protocols and ports of rules.

use std::ops::RangeInclusive;

use model::lab::Traffic;
use snapshot::spec::TrafficSpec;

const EVERY: RangeInclusive<u16> = 0..=u16::MAX;
// SG-05
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Where neither ports nor types are given, or the protocol has none, every selector matches (SG-04, NA-09).
pub(crate) fn traffic(traffic: &Traffic) -> TrafficSpec {
    let (protocol, selectors) = match traffic {
        Traffic::All => (None, EVERY),
        Traffic::Icmp(icmp_type, code) => (Some(ICMP), icmp(*icmp_type, *code)),
        Traffic::Icmpv6(icmp_type, code) => (Some(ICMPV6), icmp(*icmp_type, *code)),
        Traffic::Number(number) => (Some(*number), EVERY),
        Traffic::Tcp(ports) => (Some(TCP), ports.clone()),
        Traffic::Udp(ports) => (Some(UDP), ports.clone()),
    };
    TrafficSpec { protocol, selectors }
}

/// The selectors `type << 8 | code`: one, all codes of a type, or all. A code without a type means nothing (SG-04).
fn icmp(icmp_type: Option<u8>, code: Option<u8>) -> RangeInclusive<u16> {
    let selector = |icmp_type, code| u16::from_be_bytes([icmp_type, code]);
    match (icmp_type, code) {
        (None, _) => EVERY,
        (Some(icmp_type), None) => selector(icmp_type, 0)..=selector(icmp_type, u8::MAX),
        (Some(icmp_type), Some(code)) => selector(icmp_type, code)..=selector(icmp_type, code),
    }
}
