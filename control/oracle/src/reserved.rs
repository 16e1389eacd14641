//! Destinations that the VPC forwards to nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use model::lab::Vpc;

/// What link-local destinations stand for: services of AD-09 and AD-10, the router's own addresses (AD-07), the blocks
/// that no route may name (AD-11).
const LINK_LOCAL_V4: (Ipv4Addr, u8) = (Ipv4Addr::new(169, 254, 0, 0), 16);
const LINK_LOCAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10);
const SERVICES_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32);

/// Multicast, the limited broadcast address, and the last address of an IPv4 subnet of the VPC (AD-05, AD-20).
pub(crate) fn is_multicast_or_broadcast(vpc: &Vpc, destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(a) => {
            a.is_multicast() || a.is_broadcast() || vpc.subnets.values().any(|s| s.cidr.broadcast() == a)
        }
        IpAddr::V6(a) => a.is_multicast(),
    }
}

/// The implicit router of any subnet (AD-28), the resolver (AD-06) and link-local services (AD-07, AD-09 to AD-11).
pub(crate) fn is_reserved(vpc: &Vpc, destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(a) => {
            is_never_sent(destination)
                || inside_v4(LINK_LOCAL_V4, a)
                || vpc.subnets.values().any(|s| nth_v4(s.cidr, 1) == a)
                || vpc.cidrs.first().is_some_and(|primary| nth_v4(*primary, 2) == a)
        }
        IpAddr::V6(a) => {
            is_never_sent(destination)
                || inside_v6(LINK_LOCAL_V6, a)
                || inside_v6(SERVICES_V6, a)
                || vpc.subnets.values().filter_map(|s| s.ipv6_cidr).any(|net| first_v6(net) == a)
        }
    }
}

/// Loopback and the unspecified address never appear outside a host (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5).
const fn is_never_sent(destination: IpAddr) -> bool {
    destination.is_loopback() || destination.is_unspecified()
}

fn inside_v4((network, length): (Ipv4Addr, u8), address: Ipv4Addr) -> bool {
    Ipv4Net::new_assert(network, length).contains(&address)
}

fn inside_v6((network, length): (Ipv6Addr, u8), address: Ipv6Addr) -> bool {
    Ipv6Net::new_assert(network, length).contains(&address)
}

fn nth_v4(net: Ipv4Net, n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(net.network().to_bits().wrapping_add(n))
}

fn first_v6(net: Ipv6Net) -> Ipv6Addr {
    Ipv6Addr::from_bits(net.network().to_bits().wrapping_add(1))
}
