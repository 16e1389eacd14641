//! Interfaces, subnets and the address maps of VPCs: small parts, made anew each time and kept when equal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::BuildError;
use super::group::GroupSets;
use super::pass::{Pass, put};
use super::references::Known;
use crate::hash::HashMap;
use crate::snapshot::Slot;
use crate::spec::{InterfaceSpec, SubnetSpec};
use crate::{Interface, InterfaceIx, Kind, Subnet, Vpc, VpcIx};

/// Who owns which address, and the routers' addresses, of one VPC.
#[derive(Default)]
struct Addresses {
    owners: HashMap<IpAddr, InterfaceIx>,
    routers: Vec<IpAddr>,
    broadcasts: Vec<Ipv4Addr>,
}

impl<'a> Pass<'a> {
    /// Makes the interfaces, and collects the sets of groups that they carry.
    pub(super) fn interfaces(
        &mut self,
        known: &Known<'a>,
    ) -> Result<(Vec<Slot<Interface>>, GroupSets<'a>), BuildError> {
        let (mut slots, mut sets) = (Vec::new(), GroupSets::new());
        for spec in &self.spec.interfaces {
            let at = self.indices.interface(&spec.id).at();
            let mut now = self.interface(spec, known.subnet(&spec.id, &spec.subnet)?);
            sets.entry(now.program).or_insert_with(|| sorted_groups(spec));
            let before = self.part_before(|snapshot| &snapshot.interfaces, at);
            if let Some((_, before)) = before {
                now.appeared = before.appeared;
            }
            put(&mut slots, at, self.settle(before, now));
        }
        Ok((slots, sets))
    }

    fn interface(&mut self, spec: &InterfaceSpec, subnet: &SubnetSpec) -> Interface {
        let mut labels: Vec<_> = spec.groups.iter().map(|id| self.indices.group(id)).collect();
        labels.sort_unstable();
        labels.dedup();
        Interface {
            name: self.name(Kind::Interface, &spec.id, &spec.name, None),
            vpc: self.indices.vpc(&subnet.vpc),
            subnet: self.indices.subnet(&subnet.id),
            program: self.indices.program(&labels),
            labels,
            ipv4: spec.ipv4.clone(),
            ipv6: spec.ipv6.clone(),
            check: spec.check,
            mtu: spec.mtu,
            appeared: self.generation,
        }
    }

    /// Makes the subnets.
    pub(super) fn subnets(&mut self) -> Vec<Slot<Subnet>> {
        let mut slots = Vec::new();
        for spec in &self.spec.subnets {
            let at = self.indices.subnet(&spec.id).at();
            let now = self.subnet(spec);
            let before = self.part_before(|snapshot| &snapshot.subnets, at);
            put(&mut slots, at, self.settle(before, now));
        }
        slots
    }

    fn subnet(&mut self, spec: &SubnetSpec) -> Subnet {
        Subnet {
            name: self.name(Kind::Subnet, &spec.id, &spec.name, None),
            vpc: self.indices.vpc(&spec.vpc),
            acl: self.indices.acl(&spec.network_acl),
            route_table: self.indices.route_table(&spec.route_table),
            cidr: spec.cidr,
            ipv6_cidr: spec.ipv6_cidr,
            router: Ipv4Addr::from_bits(spec.cidr.network().to_bits().saturating_add(1)),
            ipv6_router: spec
                .ipv6_cidr
                .map(|net| Ipv6Addr::from_bits(net.network().to_bits().saturating_add(1))),
        }
    }

    /// Makes the address maps from the finished interfaces and subnets.
    pub(super) fn vpcs(
        &mut self,
        interfaces: &[Slot<Interface>],
        subnets: &[Slot<Subnet>],
    ) -> Vec<Slot<Vpc>> {
        let mut addresses = addresses(interfaces, subnets);
        let mut slots = Vec::new();
        for spec in &self.spec.vpcs {
            let ix = self.indices.vpc(&spec.id);
            let Addresses { owners, mut routers, mut broadcasts } = addresses.remove(&ix).unwrap_or_default();
            routers.extend(spec.cidrs.first().map(|primary| IpAddr::V4(resolver(*primary))));
            routers.sort_unstable();
            routers.dedup();
            broadcasts.sort_unstable();
            let name = self.name(Kind::Vpc, &spec.id, &spec.name, None);
            let now = Vpc { name, owners, routers, broadcasts };
            let before = self.part_before(|snapshot| &snapshot.vpcs, ix.at());
            put(&mut slots, ix.at(), self.settle(before, now));
        }
        slots
    }
}

/// The groups of an interface, each once, by ascending id.
fn sorted_groups(spec: &InterfaceSpec) -> Vec<&str> {
    let mut ids: Vec<_> = spec.groups.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Base + 2 of the primary block (AD-06).
fn resolver(primary: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(primary.network().to_bits().saturating_add(2))
}

fn addresses(interfaces: &[Slot<Interface>], subnets: &[Slot<Subnet>]) -> HashMap<VpcIx, Addresses> {
    let mut by_vpc: HashMap<VpcIx, Addresses> = HashMap::default();
    for (slot, ix) in interfaces.iter().zip(0..) {
        let Some((_, interface)) = slot else { continue };
        let owners = &mut by_vpc.entry(interface.vpc).or_default().owners;
        let v4 = interface.ipv4.iter().copied().map(IpAddr::V4);
        let v6 = interface.ipv6.iter().copied().map(IpAddr::V6);
        owners.extend(v4.chain(v6).map(|address| (address, InterfaceIx(ix))));
    }
    for (_, subnet) in subnets.iter().flatten() {
        let addresses = by_vpc.entry(subnet.vpc).or_default();
        addresses.routers.push(subnet.router.into());
        addresses.routers.extend(subnet.ipv6_router.map(IpAddr::V6));
        addresses.broadcasts.push(subnet.cidr.broadcast());
    }
    by_vpc
}
