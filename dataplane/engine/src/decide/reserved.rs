//! Addresses that a VPC never forwards to an interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use snapshot::Vpc;

use crate::DropReason;

/// Why a packet for `destination` is not forwarded at all, if so: multicast and broadcast (AD-20), the implicit router
/// (AD-28) and the resolver (AD-06), link-local and service addresses (AD-09..11).
pub(super) fn reserved(destination: IpAddr, vpc: &Vpc) -> Option<DropReason> {
    let many = match destination {
        IpAddr::V4(a) => a.is_multicast() || a == Ipv4Addr::BROADCAST || vpc.is_broadcast(a),
        IpAddr::V6(a) => a.is_multicast(),
    };
    if many {
        return Some(DropReason::BroadcastOrMulticast);
    }
    let service = match destination {
        IpAddr::V4(a) => a.is_link_local() || a.is_loopback() || a.is_unspecified(),
        IpAddr::V6(a) => {
            a.is_unicast_link_local() || a.is_loopback() || a.is_unspecified() || in_service_range(a)
        }
    };
    (service || vpc.is_platform(destination)).then_some(DropReason::ReservedAddress)
}

/// `fd00:ec2::/32` (AD-11).
const fn in_service_range(address: Ipv6Addr) -> bool {
    let s = address.segments();
    s[0] == 0xfd00 && s[1] == 0x0ec2
}
