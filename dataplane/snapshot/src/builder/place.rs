//! Interfaces, subnets and the address maps of VPCs: small parts, made anew when something about them is not the very same
//! as before, and kept when equal nevertheless.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::BuildError;
use super::earlier::{Compared, Comparison, is_same};
use super::group::Carriers;
use super::pass::{Pass, put};
use super::references::Known;
use crate::hash::{HashMap, HashSet};
use crate::snapshot::Slot;
use crate::spec::{InterfaceSpec, SubnetSpec, VpcSpec};
use crate::{Interface, InterfaceIx, Kind, Subnet, SubnetIx, Vpc, VpcIx};

/// Who owns which address, under which public one, and the routers' addresses, of one VPC.
#[derive(Default)]
struct Addresses {
    owners: HashMap<IpAddr, InterfaceIx>,
    publics: HashMap<Ipv4Addr, Ipv4Addr>,
    ipv6_subnets: Vec<(ipnet::Ipv6Net, SubnetIx)>,
    routers: Vec<IpAddr>,
    broadcasts: Vec<Ipv4Addr>,
}

impl<'a> Pass<'a> {
    /// Makes the interfaces, and finds one for each set of groups.
    pub(super) fn interfaces(
        &mut self,
        compared: &Comparison<'a>,
        known: &Known<'a>,
    ) -> Result<(Vec<Slot<Interface>>, Carriers<'a>), BuildError> {
        let (mut slots, mut carriers) = (Vec::new(), Carriers::new());
        let changed_subnets: HashSet<_> =
            compared.subnets.changed().map(|subnet| subnet.id.as_str()).collect();
        for (spec, earlier) in compared.interfaces.pairs() {
            let at = self.indices.interface(&spec.id).at();
            let part = match self.part_before(|snapshot| &snapshot.interfaces, at) {
                Some(before) if is_same(spec, earlier) && !changed_subnets.contains(spec.subnet.as_str()) => {
                    before.clone()
                }
                before => {
                    let mut now = self.interface(spec, known.subnet(&spec.id, &spec.subnet)?);
                    if let Some((_, before)) = before {
                        now.appeared = before.appeared;
                    }
                    self.settle(before, now)
                }
            };
            let program = part.1.program.at();
            carriers.resize(carriers.len().max(program + 1), None);
            carriers[program].get_or_insert(spec);
            put(&mut slots, at, part);
        }
        Ok((slots, carriers))
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
            public: spec.public.clone(),
            ipv6: spec.ipv6.clone(),
            nat_gateway: spec.nat_gateway.as_ref().map(|id| self.indices.nat_gateway(id)),
            check: spec.check,
            mtu: spec.mtu,
            appeared: self.generation,
        }
    }

    /// Makes the subnets.
    pub(super) fn subnets(&mut self, compared: &Compared<'a, SubnetSpec>) -> Vec<Slot<Subnet>> {
        let index = |pass: &mut Self, spec: &SubnetSpec| pass.indices.subnet(&spec.id).at();
        self.keep_equal(compared, |snapshot| &snapshot.subnets, index, Self::subnet)
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

    /// Makes the address maps of the VPCs that have another block, interface or subnet than before.
    pub(super) fn vpcs(
        &mut self,
        compared: &Compared<'a, VpcSpec>,
        interfaces: &[Slot<Interface>],
        subnets: &[Slot<Subnet>],
    ) -> Vec<Slot<Vpc>> {
        let touched = self.touched_vpcs(interfaces, subnets);
        let mut addresses = None;
        let mut slots = Vec::new();
        for (spec, earlier) in compared.pairs() {
            let ix = self.indices.vpc(&spec.id);
            let part = match self.part_before(|snapshot| &snapshot.vpcs, ix.at()) {
                Some(before) if is_same(spec, earlier) && !touched.contains(&ix) => before.clone(),
                before => {
                    let addresses = addresses.get_or_insert_with(|| self::addresses(interfaces, subnets));
                    let now = self.vpc(spec, addresses.remove(&ix).unwrap_or_default());
                    self.settle(before, now)
                }
            };
            put(&mut slots, ix.at(), part);
        }
        slots
    }

    fn vpc(&mut self, spec: &VpcSpec, addresses: Addresses) -> Vpc {
        let Addresses { owners, publics, mut ipv6_subnets, mut routers, mut broadcasts } = addresses;
        ipv6_subnets.sort_unstable_by_key(|(net, _)| net.network());
        routers.extend(spec.cidrs.first().map(|primary| IpAddr::V4(resolver(*primary))));
        routers.sort_unstable();
        routers.dedup();
        broadcasts.sort_unstable();
        let egress_only = spec.egress_only_internet_gateway.as_ref();
        Vpc {
            name: self.name(Kind::Vpc, &spec.id, &spec.name, None),
            internet_gateway: spec.internet_gateway.as_ref().map(|gateway| self.internet_gateway(gateway)),
            egress_only_internet_gateway: egress_only
                .map(|id| self.name(Kind::EgressOnlyInternetGateway, id, id, None)),
            cidrs: spec.cidrs.clone(),
            ipv6_cidrs: spec.ipv6_cidrs.clone(),
            owners,
            publics,
            ipv6_subnets,
            routers,
            broadcasts,
        }
    }

    /// The VPCs whose interfaces or subnets are not all the very same as before.
    fn touched_vpcs(&self, interfaces: &[Slot<Interface>], subnets: &[Slot<Subnet>]) -> HashSet<VpcIx> {
        let mut touched = HashSet::default();
        let before = self.before.map_or((&[][..], &[][..]), |before| (&before.interfaces, &before.subnets));
        for (earlier, now) in differing(before.0, interfaces) {
            touched.extend(earlier.into_iter().chain(now).map(|interface| interface.vpc));
        }
        for (earlier, now) in differing(before.1, subnets) {
            touched.extend(earlier.into_iter().chain(now).map(|subnet| subnet.vpc));
        }
        touched
    }
}

/// What stands in the slots that do not hold the very same part.
pub(super) fn differing<'a, T>(
    before: &'a [Slot<T>],
    now: &'a [Slot<T>],
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let at = |slots: &'a [Slot<T>], ix: usize| slots.get(ix)?.as_ref().map(|(_, part)| &**part);
    (0..before.len().max(now.len())).map(move |ix| (at(before, ix), at(now, ix))).filter(|(before, now)| {
        match (before, now) {
            (Some(before), Some(now)) => !std::ptr::eq(*before, *now),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        }
    })
}

/// Base + 2 of the primary block (AD-06).
fn resolver(primary: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(primary.network().to_bits().saturating_add(2))
}

fn addresses(interfaces: &[Slot<Interface>], subnets: &[Slot<Subnet>]) -> HashMap<VpcIx, Addresses> {
    let mut by_vpc: HashMap<VpcIx, Addresses> = HashMap::default();
    for (slot, ix) in interfaces.iter().zip(0..) {
        let Some((_, interface)) = slot else { continue };
        let addresses = by_vpc.entry(interface.vpc).or_default();
        addresses.publics.extend(interface.public.iter().copied());
        let owners = &mut addresses.owners;
        let v4 = interface.ipv4.iter().copied().map(IpAddr::V4);
        let v6 = interface.ipv6.iter().copied().map(IpAddr::V6);
        owners.extend(v4.chain(v6).map(|address| (address, InterfaceIx(ix))));
    }
    for (slot, ix) in subnets.iter().zip(0..) {
        let Some((_, subnet)) = slot else { continue };
        let addresses = by_vpc.entry(subnet.vpc).or_default();
        addresses.ipv6_subnets.extend(subnet.ipv6_cidr.map(|net| (net, SubnetIx(ix))));
        addresses.routers.push(subnet.router.into());
        addresses.routers.extend(subnet.ipv6_router.map(IpAddr::V6));
        addresses.broadcasts.push(subnet.cidr.broadcast());
    }
    by_vpc
}
