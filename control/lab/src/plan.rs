//! What a lab needs of the kernel, as plain data: which namespaces, devices, addresses, routes and files exist.
//!
//! Nothing here touches the system. [`Plan::of`] derives a plan from a checked lab, [`Plan::diff`] says what has to change from
//! one plan to the next. A plan is stored as JSON beside the running lab, so that whatever a killed daemon left behind is known.
//!
//! A TUN device carries IP packets without a link layer: there is no neighbour to resolve, so every route is just
//! `DESTINATION dev DEVICE src ADDRESS` and needs no gateway. Addresses and routes are set directly instead of by DHCP (AD-17).

mod build;
mod diff;
mod files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::diff::{Changes, DeviceChange, NamespaceChange, Replaced};

/// Number of the kernel's main routing table.
pub const MAIN_TABLE: u32 = 254;

/// First of the tables that serve one device each; device `n` of an instance has table `FIRST_DEVICE_TABLE + n`.
///
/// Past the 256 tables that `/etc/iproute2/rt_tables` names.
pub const FIRST_DEVICE_TABLE: u32 = 1000;

/// Device of a host on the internet.
pub const HOST_DEVICE: &str = "eth0";

/// Everything that one lab needs of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the lab.
    pub lab: String,
    /// Files that programs in every namespace see under `/etc`, by file name.
    pub etc: BTreeMap<String, String>,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
}

/// The network namespace of one instance, or of one host on the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// `LAB-INSTANCE`, as `ip netns` shows it.
    pub name: String,
    /// Name of the instance or host.
    pub instance: String,
    /// `i-` or `host-` id: a namespace is never handed from one instance to another.
    pub instance_id: String,
    /// Devices in the order of the instance's interfaces.
    pub devices: Vec<Device>,
    /// Routes, at most one per table and destination.
    pub routes: Vec<Route>,
    /// Rules that select a table by source address.
    pub rules: Vec<Rule>,
    /// Whether the kernel forwards packets between the devices.
    pub forwarding: Forwarding,
    /// Programs kept running in the namespace, each a shell command line.
    pub programs: Vec<String>,
}

/// One TUN device: the guest's end of a network interface, or a host's way into the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Name in the namespace, such as `eth0`.
    pub name: String,
    /// `eni-` id of the interface, or the host's id.
    pub interface: String,
    /// IP packet bytes.
    pub mtu: u16,
    /// Addresses with the prefix length of their subnet, the primary one of each family first.
    pub addresses: Vec<IpNet>,
}

/// `DESTINATION dev DEVICE src SOURCE table TABLE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// Routing table.
    pub table: u32,
    /// Destination block, host bits zero.
    pub destination: IpNet,
    /// Device that packets leave by.
    pub device: String,
    /// Source address of packets that the instance sends without choosing one.
    pub source: IpAddr,
}

/// `from FROM lookup TABLE priority TABLE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// One of the instance's own addresses.
    pub from: IpAddr,
    /// Table that serves packets with this source; its number is also the rule's priority.
    pub table: u32,
}

/// Whether a namespace forwards packets that are not for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarding {
    /// It drops them, as a host does.
    Off,
    /// It forwards them, as an instance with an unchecked interface does (AD-24).
    On,
}

impl Plan {
    /// The plan of a lab that needs nothing.
    #[must_use]
    pub fn empty(lab: &str) -> Self {
        Self { lab: lab.to_owned(), ..Self::default() }
    }

    /// This plan and those namespaces that the changes add whose names pass `which`.
    pub(crate) fn with_added(&self, changes: &Changes, which: impl Fn(&str) -> bool) -> Self {
        let mut plan = self.clone();
        let added = changes.added.iter().filter(|namespace| which(&namespace.name));
        plan.namespaces.extend(added.map(|namespace| (namespace.name.clone(), namespace.clone())));
        plan
    }
}

impl Namespace {
    /// The same instance before anything was made for it.
    pub(crate) fn bare(&self) -> Self {
        Self {
            devices: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            forwarding: Forwarding::Off,
            programs: Vec::new(),
            ..self.clone()
        }
    }
}

impl Route {
    /// What identifies a route to the kernel.
    pub(crate) fn key(&self) -> (u32, IpNet) {
        (self.table, self.destination)
    }
}
