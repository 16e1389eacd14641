//! The blocks of all VPCs, for addresses that must lie outside every one of them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::text;
use crate::draft;
use crate::findings::Findings;
use crate::lab::Vpc;

/// Blocks with the name of one VPC that has them.
#[derive(Debug, Default)]
pub(super) struct VpcBlocks<'a> {
    nets: BTreeMap<IpNet, &'a str>,
}

impl<'a> VpcBlocks<'a> {
    pub(super) fn of(vpcs: &'a BTreeMap<String, Vpc>) -> Self {
        let v4 = |vpc: &'a Vpc| vpc.cidrs.iter().map(|net| (IpNet::V4(*net), vpc.name.as_str()));
        let v6 = |vpc: &'a Vpc| vpc.ipv6_cidrs.iter().map(|net| (IpNet::V6(*net), vpc.name.as_str()));
        Self { nets: vpcs.values().flat_map(|vpc| v4(vpc).chain(v6(vpc))).collect() }
    }

    /// The smallest block around `address`, and whose it is.
    pub(super) fn around(&self, address: IpAddr) -> Option<(IpNet, &'a str)> {
        // The sizes that a VPC block may have (AD-01, AD-04).
        let lengths = if address.is_ipv4() { 16..=28 } else { 44..=60 };
        lengths.rev().find_map(|length| {
            let net = IpNet::new(address, length).ok()?.trunc();
            self.nets.get(&net).map(|vpc| (net, *vpc))
        })
    }

    /// A block that shares addresses with `net`, and whose it is.
    pub(super) fn touching(&self, net: IpNet) -> Option<(IpNet, &'a str)> {
        let inside = self.nets.iter().find(|(own, _)| net.contains(*own)).map(|(own, vpc)| (*own, *vpc));
        inside.or_else(|| self.around(net.network()).filter(|(own, _)| own.contains(&net)))
    }
}

/// The readable blocks of one VPC as written, both families.
pub(super) fn written(draft: &draft::Vpc) -> Vec<IpNet> {
    let mut unheard = Findings::default();
    let v4: Vec<Ipv4Net> = draft.cidr.items().filter_map(|text| text::block4(text, &mut unheard)).collect();
    let v6: Vec<Ipv6Net> =
        draft.ipv6_cidr.each().filter_map(|text| text::block6(text, &mut unheard)).collect();
    v4.into_iter().map(IpNet::V4).chain(v6.into_iter().map(IpNet::V6)).collect()
}
