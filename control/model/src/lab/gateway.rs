//! Internet gateways, egress-only internet gateways and NAT gateways.

use std::net::Ipv4Addr;

use super::Lab;

/// The internet gateway of a VPC; there is at most one (IG-01).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGateway {
    /// `igw-` id.
    pub id: String,
    /// Name of its edge route table, which routes what comes in (RT-20, RT-21); its routes lead to interfaces or are local.
    pub route_table: Option<String>,
}

/// The egress-only internet gateway of a VPC; there is at most one (EI-07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressOnlyInternetGateway {
    /// `eigw-` id.
    pub id: String,
}

/// A NAT gateway: one network interface in one subnet, without security groups (NG-01, NG-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatGateway {
    /// Key in the lab file.
    pub name: String,
    /// `nat-` id.
    pub id: String,
    /// `eni-` id of its network interface, which flow logs show.
    pub interface_id: String,
    /// Subnet name.
    pub subnet: String,
    /// Whether it reaches the internet.
    pub connectivity: Connectivity,
    /// Its addresses, the primary one first; one to eight (NG-07).
    pub addresses: Vec<NatAddress>,
}

/// One address of a NAT gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatAddress {
    /// What translated packets have as their source inside the VPC.
    pub private_ip: Ipv4Addr,
    /// What the internet gateway makes of it; every address of a public NAT gateway has one, no address of a private one.
    pub public_ip: Option<Ipv4Addr>,
}

/// Whether a NAT gateway reaches the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Only what its own route table leads to without an internet gateway (NG-03, IG-05).
    Private,
    /// By public addresses that the internet gateway maps (NG-02).
    Public,
}

impl Lab {
    /// The NAT gateway with this `nat-` id.
    #[must_use]
    pub fn nat_gateway_by_id(&self, id: &str) -> Option<&NatGateway> {
        self.vpcs.values().flat_map(|vpc| vpc.nat_gateways.values()).find(|gateway| gateway.id == id)
    }
}

impl NatGateway {
    /// Whether `address` is one of its private addresses.
    #[must_use]
    pub fn owns(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|own| own.private_ip == address)
    }
}
