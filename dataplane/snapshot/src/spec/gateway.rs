//! Gateways, peering connections and the internet.

use std::net::IpAddr;

use crate::{Connectivity, PeeringReach, PeeringStatus};

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGatewaySpec {
    /// `igw-` id.
    pub id: String,
    /// `rtb-` id of the table that routes what comes in (RT-21).
    pub route_table: Option<String>,
}

/// A NAT gateway. Its addresses and its subnet are those of its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatGatewaySpec {
    /// `nat-` id.
    pub id: String,
    /// Name in the lab file, `VPC.GATEWAY`.
    pub name: String,
    /// `eni-` id.
    pub interface: String,
    /// Whether it reaches the internet.
    pub connectivity: Connectivity,
}

/// A peering connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeeringSpec {
    /// `pcx-` id.
    pub id: String,
    /// Name in the lab file.
    pub name: String,
    /// `vpc-` id of the side that asked.
    pub requester: String,
    /// `vpc-` id of the side that was asked.
    pub accepter: String,
    /// Whether it carries packets.
    pub status: PeeringStatus,
    /// Whether it stays in one region.
    pub reach: PeeringReach,
    /// IP packet bytes (PC-15).
    pub mtu: u16,
}

/// The network outside every VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetSpec {
    /// IP packet bytes (MT-02).
    pub mtu: u16,
    /// Hosts.
    pub hosts: Vec<HostSpec>,
}

/// A host on the internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSpec {
    /// `host-` id.
    pub id: String,
    /// Name in the lab file.
    pub name: String,
    /// Its addresses, which nobody else has.
    pub addresses: Vec<IpAddr>,
}
