//! IPv4 behind IPv6 addresses of 64:ff9b::/96 (NG-20, RFC 6052, RFC 7915).

use std::net::{Ipv4Addr, Ipv6Addr};

use wire::{icmp_query_over, proto};

/// The IPv4 address inside an address of 64:ff9b::/96 (RFC 6052 section 2).
pub(super) const fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const PREFIX: u128 = 0x0064_ff9b << 96;
    let bits = address.to_bits();
    // The low 32 bits are the address.
    if bits >> 32 == PREFIX >> 32 { Some(Ipv4Addr::from_bits(bits as u32)) } else { None }
}

/// The address of 64:ff9b::/96 that stands for an IPv4 address.
pub(super) const fn embed(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(0x0064_ff9b << 96 | address.to_bits() as u128)
}

/// The protocol that carries the same over IPv4.
pub(super) const fn over_ipv4(protocol: u8) -> u8 {
    match protocol {
        proto::ICMPV6 => proto::ICMP,
        other => other,
    }
}

/// The port on the answerer's side over `protocol`: of an ICMP query, its type.
pub(super) fn far_port(port: u16, protocol: u8) -> u16 {
    match protocol {
        proto::ICMP | proto::ICMPV6 => query_word(port, protocol),
        _ => port,
    }
}

/// A type in front of anything, as it is over `protocol`.
pub(super) fn query_word(word: u16, protocol: u8) -> u16 {
    let [icmp_type, low] = word.to_be_bytes();
    u16::from_be_bytes([icmp_query_over(protocol, icmp_type).unwrap_or(icmp_type), low])
}

#[cfg(test)]
mod tests {
    use wire::icmp_error_over;

    use super::*;

    /// Rules: NG-20
    #[test]
    fn an_address_behind_the_prefix_is_the_one_inside() {
        let v4 = Ipv4Addr::new(203, 0, 113, 50);
        assert_eq!(embed(v4), "64:ff9b::203.0.113.50".parse::<Ipv6Addr>().expect("an address"));
        assert_eq!(embedded(embed(v4)), Some(v4));
        for other in ["64:ff9b:1::203.0.113.50", "64:ff9b::1:cb00:7132", "::203.0.113.50"] {
            assert_eq!(embedded(other.parse().expect("an address")), None, "{other}");
        }
    }

    /// Rules: NG-20, NG-29
    #[test]
    fn errors_have_the_counterparts_of_rfc_7915() {
        let v6 = |icmp_type, code| icmp_error_over(proto::ICMPV6, proto::ICMP, icmp_type, code);
        let v4 = |icmp_type, code| icmp_error_over(proto::ICMP, proto::ICMPV6, icmp_type, code);
        for code in [0, 1, 5, 6, 7, 8, 11, 12] {
            assert_eq!(v6(3, code), Some((1, 0)), "unreachable {code}");
        }
        for code in [9, 10, 13, 15] {
            assert_eq!(v6(3, code), Some((1, 1)), "prohibited {code}");
        }
        let there = [(v6(3, 2), (4, 1)), (v6(3, 3), (1, 4)), (v6(3, 4), (2, 0)), (v6(11, 1), (3, 1))];
        let back = [
            (v4(1, 1), (3, 10)),
            (v4(1, 4), (3, 3)),
            (v4(2, 0), (3, 4)),
            (v4(3, 1), (11, 1)),
            (v4(4, 1), (3, 2)),
        ];
        for (said, wanted) in there.into_iter().chain(back) {
            assert_eq!(said, Some(wanted));
        }
        for code in [0, 2, 3] {
            assert_eq!(v4(1, code), Some((3, 1)), "unreachable {code}");
        }
        assert_eq!([v6(3, 14), v6(4, 0), v6(12, 0), v4(1, 5), v4(4, 0), v4(128, 0)], [None; 6]);
        assert_eq!(
            icmp_error_over(proto::ICMP, proto::ICMP, 12, 1),
            Some((12, 1)),
            "the same family keeps it"
        );
    }
}
