//! Interfaces, subnets and VPCs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::InternetGateway;
use crate::hash::HashMap;
use crate::{
    AclIx, Generation, InterfaceIx, LabelIx, NameIx, NatGatewayIx, ProgramIx, RouteTableIx, SubnetIx, VpcIx,
};

/// Source/destination check of an interface (AD-23, AD-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The interface forwards for others.
    Off,
    /// Foreign sources and destinations are dropped.
    On,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: NameIx,
    /// Its VPC.
    pub vpc: VpcIx,
    /// Its subnet.
    pub subnet: SubnetIx,
    /// Rules of its groups.
    pub program: ProgramIx,
    /// Groups that it carries, ascending.
    pub labels: Vec<LabelIx>,
    /// IPv4 addresses, primary first.
    pub ipv4: Vec<Ipv4Addr>,
    /// Private IPv4 addresses that the internet gateway maps, each with its public one (IG-03).
    pub public: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// The NAT gateway whose interface this is.
    pub nat_gateway: Option<NatGatewayIx>,
    /// Source/destination check.
    pub check: Check,
    /// IP packet bytes.
    pub mtu: u16,
    /// The generation in which it came into the lab, the last time that it did.
    pub appeared: Generation,
}

impl Interface {
    /// Whether `address` is one of its own.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.ipv4.contains(&a),
            IpAddr::V6(a) => self.ipv6.contains(&a),
        }
    }
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its name.
    pub name: NameIx,
    /// Its VPC.
    pub vpc: VpcIx,
    /// ACL in force.
    pub acl: AclIx,
    /// Route table in force.
    pub route_table: RouteTableIx,
    /// IPv4 block.
    pub cidr: ipnet::Ipv4Net,
    /// IPv6 block.
    pub ipv6_cidr: Option<ipnet::Ipv6Net>,
    /// The implicit router, base + 1 (AD-05).
    pub router: Ipv4Addr,
    /// The implicit router, base + 1 (AD-07).
    pub ipv6_router: Option<Ipv6Addr>,
}

impl Subnet {
    /// Whether `address` lies in this subnet.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.cidr.contains(&a),
            IpAddr::V6(a) => self.ipv6_cidr.is_some_and(|net| net.contains(&a)),
        }
    }

    /// The router's address in the family of `like`.
    #[must_use]
    pub fn router_for(&self, like: IpAddr) -> Option<IpAddr> {
        match like {
            IpAddr::V4(_) => Some(self.router.into()),
            IpAddr::V6(_) => self.ipv6_router.map(Into::into),
        }
    }
}

/// A VPC's blocks, gateways and address map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its name.
    pub name: NameIx,
    /// The internet gateway.
    pub internet_gateway: Option<InternetGateway>,
    /// Name of the egress-only internet gateway.
    pub egress_only_internet_gateway: Option<NameIx>,
    /// IPv4 blocks.
    pub cidrs: Vec<ipnet::Ipv4Net>,
    /// IPv6 blocks.
    pub ipv6_cidrs: Vec<ipnet::Ipv6Net>,
    pub(crate) owners: HashMap<IpAddr, InterfaceIx>,
    /// Public by private address (IG-03).
    pub(crate) publics: HashMap<Ipv4Addr, Ipv4Addr>,
    /// IPv6 blocks of its subnets, ascending.
    pub(crate) ipv6_subnets: Vec<(ipnet::Ipv6Net, SubnetIx)>,
    /// The routers of all its subnets and its resolver, ascending (AD-05..07).
    pub(crate) routers: Vec<IpAddr>,
    /// The last IPv4 addresses of all its subnets, ascending (AD-20).
    pub(crate) broadcasts: Vec<Ipv4Addr>,
}

impl Vpc {
    /// The interface that owns `address`.
    #[must_use]
    pub fn owner_of(&self, address: IpAddr) -> Option<InterfaceIx> {
        self.owners.get(&address).copied()
    }

    /// The subnet whose IPv6 block holds `address` (EI-08).
    #[must_use]
    pub fn ipv6_subnet_of(&self, address: Ipv6Addr) -> Option<SubnetIx> {
        let after = self.ipv6_subnets.partition_point(|(net, _)| net.network() <= address);
        let (net, subnet) = self.ipv6_subnets.get(after.checked_sub(1)?)?;
        net.contains(&address).then_some(*subnet)
    }

    /// Whether some block holds `address` (PC-11).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => self.cidrs.iter().any(|net| net.contains(&a)),
            IpAddr::V6(a) => self.ipv6_cidrs.iter().any(|net| net.contains(&a)),
        }
    }

    /// The public address that the internet gateway maps a private one to (IG-03, IG-04).
    #[must_use]
    pub fn public_of(&self, private: Ipv4Addr) -> Option<Ipv4Addr> {
        self.publics.get(&private).copied()
    }

    /// Whether `address` is the broadcast address of one of the subnets.
    #[must_use]
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        self.broadcasts.binary_search(&address).is_ok()
    }

    /// Whether `address` is the implicit router of one of the subnets, or the resolver at base + 2 of the primary block.
    #[must_use]
    pub fn is_platform(&self, address: IpAddr) -> bool {
        self.routers.binary_search(&address).is_ok()
    }
}
