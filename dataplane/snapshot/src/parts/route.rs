//! Route tables.

use std::net::IpAddr;

use tables::Lpm;

use crate::{InterfaceIx, NameIx, PeeringIx};

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Drops (RT-15).
    Blackhole,
    /// The egress-only internet gateway of the VPC.
    EgressOnlyInternetGateway,
    /// A network interface of the same VPC, perhaps that of a NAT gateway.
    Interface(InterfaceIx),
    /// The internet gateway of the VPC.
    InternetGateway,
    /// The VPC's own addresses.
    Local,
    /// A peering connection of the VPC.
    Peering(PeeringIx),
}

/// One effective route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub name: NameIx,
    /// Where it leads.
    pub target: Target,
}

/// A route table: one trie per family.
#[derive(Clone, Debug)]
pub struct RouteTable {
    /// Its name.
    pub name: NameIx,
    pub(crate) routes: Vec<Route>,
    pub(crate) v4: Lpm<u32>,
    pub(crate) v6: Lpm<u128>,
}

impl RouteTable {
    /// The route with the longest prefix that contains `destination` (RT-05).
    #[must_use]
    pub fn lookup(&self, destination: IpAddr) -> Option<&Route> {
        let ix = match destination {
            IpAddr::V4(a) => self.v4.lookup(a.to_bits()),
            IpAddr::V6(a) => self.v6.lookup(a.to_bits()),
        }?;
        self.routes.get(ix as usize)
    }
}
