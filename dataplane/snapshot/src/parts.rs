//! The parts of a snapshot and the questions that they answer.

mod acl;
mod gateway;
mod group;
mod place;
mod route;
mod settings;

use std::net::IpAddr;

use tables::Prefix;

use crate::LabelIx;

pub use acl::{Acl, AclAction, AclMatch};
pub(crate) use acl::{AclRules, AclSide};
pub use gateway::{
    Connectivity, Host, Internet, InternetGateway, NatGateway, Peering, PeeringReach, PeeringStatus,
};
pub(crate) use group::GroupSide;
pub use group::{GroupMatch, GroupProgram, Width};
pub use place::{Check, Interface, Subnet, Vpc};
pub use route::{Route, RouteTable, Target};
pub use settings::{RelatedIcmp, Settings};

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// IANA protocol number.
    pub protocol: u8,
    /// Destination port, or `type << 8 | code` for ICMP, else 0.
    pub selector: u16,
    /// The other side: the source for ingress, the destination for egress.
    pub peer: IpAddr,
    /// Groups of the other side, when they may be matched (SG-08).
    pub labels: &'a [LabelIx],
}

/// A classifier for each family.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByFamily<T4, T6> {
    pub(crate) v4: T4,
    pub(crate) v6: T6,
}

pub(crate) fn v4_prefix(net: ipnet::Ipv4Net) -> Prefix<u32> {
    Prefix { bits: net.network().to_bits(), len: net.prefix_len() }
}

pub(crate) fn v6_prefix(net: ipnet::Ipv6Net) -> Prefix<u128> {
    Prefix { bits: net.network().to_bits(), len: net.prefix_len() }
}
