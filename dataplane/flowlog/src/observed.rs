//! What records need to know of an interface, kept for as long as a window needs it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use engine::Direction;
use snapshot::spec::{InterfaceSpec, LabSpec, SubnetSpec, VpcSpec};
use snapshot::{InterfaceIx, Snapshot};
use wire::FiveTuple;

use crate::Origin;

/// An interface as one snapshot describes it. Windows hold it, so their records outlive the interface and its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// `eni-` id.
    pub(crate) id: String,
    /// What records print about it.
    pub(crate) origin: Arc<Origin>,
    primary: Option<Ipv4Addr>,
    ipv6: Vec<Ipv6Addr>,
}

/// All interfaces of a snapshot by `eni-` id.
pub(crate) type Directory = BTreeMap<String, (InterfaceIx, Arc<Observed>)>;

/// Describes every interface of `snapshot`.
pub(crate) fn directory(snapshot: &Snapshot) -> Directory {
    let lab = Lab::new(snapshot.spec());
    snapshot
        .interfaces()
        .filter_map(|(ix, interface)| {
            let observed = lab.observe(&snapshot.names().get(interface.name).id)?;
            Some((observed.id.clone(), (ix, Arc::new(observed))))
        })
        .collect()
}

impl Observed {
    /// An interface without addresses.
    #[cfg(test)]
    pub(crate) fn new(id: &str, origin: Origin) -> Self {
        Self { id: id.to_owned(), origin: Arc::new(origin), primary: None, ipv6: Vec::new() }
    }

    /// Source and destination as the record shows them: the interface's own side is its primary private IPv4 address,
    /// or its IPv6 address, whatever the packet carried (FL-30, FL-31, FL-32).
    pub(crate) fn shown(&self, direction: Direction, tuple: &FiveTuple) -> (Option<IpAddr>, Option<IpAddr>) {
        match direction {
            Direction::Egress => (self.own(tuple.src), Some(tuple.dst)),
            Direction::Ingress => (Some(tuple.src), self.own(tuple.dst)),
        }
    }

    /// The address that stands for this interface where a packet carries `address`.
    fn own(&self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(_) => self.primary.map(IpAddr::V4),
            IpAddr::V6(v6) if self.ipv6.contains(&v6) => Some(address),
            IpAddr::V6(_) => self.ipv6.first().copied().map(IpAddr::V6),
        }
    }
}

/// A specification with its objects by id.
struct Lab<'s> {
    interfaces: BTreeMap<&'s str, &'s InterfaceSpec>,
    subnets: BTreeMap<&'s str, &'s SubnetSpec>,
    vpcs: BTreeMap<&'s str, &'s VpcSpec>,
}

impl<'s> Lab<'s> {
    fn new(spec: &'s LabSpec) -> Self {
        Self {
            interfaces: spec
                .interfaces
                .iter()
                .map(|interface| (interface.id.as_str(), &**interface))
                .collect(),
            subnets: spec.subnets.iter().map(|subnet| (subnet.id.as_str(), &**subnet)).collect(),
            vpcs: spec.vpcs.iter().map(|vpc| (vpc.id.as_str(), &**vpc)).collect(),
        }
    }

    fn observe(&self, id: &str) -> Option<Observed> {
        let interface = self.interfaces.get(id)?;
        let subnet = self.subnets.get(interface.subnet.as_str())?;
        let vpc = self.vpcs.get(subnet.vpc.as_str())?;
        Some(Observed {
            id: id.to_owned(),
            origin: Arc::new(origin(interface, subnet, vpc)),
            primary: interface.ipv4.first().copied(),
            ipv6: interface.ipv6.clone(),
        })
    }
}

fn origin(interface: &InterfaceSpec, subnet: &SubnetSpec, vpc: &VpcSpec) -> Origin {
    Origin {
        account_id: Some(vpc.account.clone()),
        az_id: Some(subnet.az_id.clone()),
        instance_id: interface.instance.clone(),
        interface_id: Some(interface.id.clone()),
        region: Some(vpc.region.clone()),
        resource_id: None,
        sublocation_id: None,
        sublocation_type: None,
        subnet_id: Some(subnet.id.clone()),
        vpc_id: Some(vpc.id.clone()),
    }
}
