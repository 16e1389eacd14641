//! The network outside every VPC.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::Ipv4Net;

/// One flat network outside every VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internet {
    /// IP packet bytes, 1280 to 9001, that pass an internet gateway (MT-02).
    pub mtu: u16,
    /// Blocks that `public_ip: auto` takes from; none of them touches a VPC.
    pub public_pool: Vec<Ipv4Net>,
    /// Hosts by name.
    pub hosts: BTreeMap<String, Host>,
}

/// A host on the internet: a network namespace of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Key in the lab file; no instance has the same.
    pub name: String,
    /// `host-` id.
    pub id: String,
    /// Namespace name, `LAB-HOST`.
    pub namespace: String,
    /// Its addresses, at least one; globally routable, outside every VPC, and nobody else's.
    pub ips: Vec<IpAddr>,
    /// DNS names besides its own.
    pub names: Vec<String>,
    /// Supervised programs.
    pub run: Vec<String>,
}

impl Internet {
    /// The host that owns `address`.
    #[must_use]
    pub fn host_of(&self, address: IpAddr) -> Option<&Host> {
        self.hosts.values().find(|host| host.ips.contains(&address))
    }
}
