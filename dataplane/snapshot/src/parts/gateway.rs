//! NAT gateways, peering connections and the internet.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv6Net;
use tables::Lpm;

use crate::hash::HashMap;
use crate::{HostIx, InterfaceIx, NameIx, RouteTableIx, VpcIx};

/// An internet gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternetGateway {
    /// Its name.
    pub name: NameIx,
    /// The table that routes what comes in (RT-21).
    pub route_table: Option<RouteTableIx>,
}

/// A NAT gateway. Its addresses, subnet and VPC are those of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatGateway {
    /// Its name.
    pub name: NameIx,
    /// Its network interface (NG-01).
    pub interface: InterfaceIx,
    /// Whether it reaches the internet.
    pub connectivity: Connectivity,
}

/// Whether a NAT gateway reaches the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Not by an internet gateway (NG-03, IG-05).
    Private,
    /// By the public addresses of its interface (NG-02).
    Public,
}

/// A peering connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peering {
    /// Its name.
    pub name: NameIx,
    /// The side that asked.
    pub requester: VpcIx,
    /// The side that was asked.
    pub accepter: VpcIx,
    /// Whether it carries packets.
    pub status: PeeringStatus,
    /// Whether it stays in one region, which `traffic-path` shows (FL-44).
    pub reach: PeeringReach,
    /// IP packet bytes (PC-15).
    pub mtu: u16,
}

impl Peering {
    /// The VPC on the other side of `vpc`; none for a VPC that it does not join.
    #[must_use]
    pub fn other_side(&self, vpc: VpcIx) -> Option<VpcIx> {
        match vpc {
            v if v == self.requester => Some(self.accepter),
            v if v == self.accepter => Some(self.requester),
            _ => None,
        }
    }
}

/// Whether a peering connection carries packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringStatus {
    /// It does.
    Active,
    /// Routes over it are blackholes (RT-15, RT-16).
    Inactive,
}

/// How far a peering connection reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeeringReach {
    /// Two regions.
    InterRegion,
    /// One region.
    IntraRegion,
}

/// The network outside every VPC, and what of the lab is reached over it.
#[derive(Clone, Debug)]
pub struct Internet {
    /// IP packet bytes (MT-02).
    pub mtu: u16,
    /// By index; a place is empty once its host is gone.
    pub(crate) hosts: Vec<Option<Host>>,
    pub(crate) v4: Lpm<u32>,
    pub(crate) v6: Lpm<u128>,
    /// Public address to VPC and private address (IG-02).
    pub(crate) publics: HashMap<Ipv4Addr, (VpcIx, Ipv4Addr)>,
    /// IPv6 blocks of the VPCs that have a gateway of either kind.
    pub(crate) reached: Vec<(Ipv6Net, VpcIx)>,
    pub(crate) blocks: Lpm<u128>,
}

/// The tries say no more than what they are made of.
impl PartialEq for Internet {
    fn eq(&self, other: &Self) -> bool {
        let own = (self.mtu, &self.hosts, &self.publics, &self.reached);
        own == (other.mtu, &other.hosts, &other.publics, &other.reached)
    }
}

/// A host on the internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: NameIx,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

impl Internet {
    /// The hosts in index order.
    pub fn hosts(&self) -> impl Iterator<Item = (HostIx, &Host)> {
        self.hosts.iter().zip(0..).filter_map(|(host, ix)| Some((HostIx(ix), host.as_ref()?)))
    }

    /// A host; none once it was removed.
    #[must_use]
    pub fn host(&self, ix: HostIx) -> Option<&Host> {
        self.hosts.get(ix.at())?.as_ref()
    }

    /// The host that `destination` leads to.
    #[must_use]
    pub fn host_for(&self, destination: IpAddr) -> Option<HostIx> {
        match destination {
            IpAddr::V4(a) => self.v4.lookup(a.to_bits()),
            IpAddr::V6(a) => self.v6.lookup(a.to_bits()),
        }
        .map(HostIx)
    }

    /// The VPC and the private address behind a public one (IG-02, IG-06).
    #[must_use]
    pub fn private_of(&self, public: Ipv4Addr) -> Option<(VpcIx, Ipv4Addr)> {
        self.publics.get(&public).copied()
    }

    /// The VPC that an IPv6 address is reached in (IG-08, EI-08).
    #[must_use]
    pub fn vpc_of(&self, destination: IpAddr) -> Option<VpcIx> {
        match destination {
            IpAddr::V4(_) => None,
            IpAddr::V6(a) => self.blocks.lookup(a.to_bits()).map(VpcIx),
        }
    }
}
