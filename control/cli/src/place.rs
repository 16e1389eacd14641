//! From what people call a place to the place: instances and interfaces by name, id or address.

use std::net::IpAddr;

use model::lab::{Instance, Interface, InterfaceRef, Lab, Vpc};
use model::suggest;

use crate::error::Error;

/// One interface with all that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    pub(crate) vpc: &'a Vpc,
    pub(crate) instance: &'a Instance,
    pub(crate) interface: &'a Interface,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// Any address.
    Address(IpAddr),
    /// An instance, whichever of its interfaces.
    Instance(&'a Vpc, &'a Instance),
    /// One interface.
    Port(Port<'a>),
}

impl Port<'_> {
    /// `INSTANCE.DEVICE`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.instance.name, self.interface.device)
    }

    pub(crate) fn reference(&self) -> InterfaceRef {
        InterfaceRef { instance: self.instance.name.clone(), device: self.interface.device.clone() }
    }

    /// Its first address of one family.
    pub(crate) fn address(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.interface.private_ips.first().map(|a| IpAddr::V4(*a)),
            Family::V6 => self.interface.ipv6_addresses.first().map(|a| IpAddr::V6(*a)),
        }
    }

    /// All its addresses, primary first.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let v4 = self.interface.private_ips.iter().map(|a| IpAddr::V4(*a));
        v4.chain(self.interface.ipv6_addresses.iter().map(|a| IpAddr::V6(*a))).collect()
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// All interfaces, in order of VPC, instance and device.
pub(crate) fn ports(lab: &Lab) -> impl Iterator<Item = Port<'_>> {
    instances(lab).flat_map(|(vpc, instance)| ports_of(vpc, instance))
}

/// All instances, in order of VPC and name.
pub(crate) fn instances(lab: &Lab) -> impl Iterator<Item = (&Vpc, &Instance)> {
    lab.vpcs.values().flat_map(|vpc| vpc.instances.values().map(move |instance| (vpc, instance)))
}

/// The interfaces of one instance.
pub(crate) fn ports_of<'a>(vpc: &'a Vpc, instance: &'a Instance) -> impl Iterator<Item = Port<'a>> {
    instance.interfaces.iter().map(move |interface| Port { vpc, instance, interface })
}

/// The interface with this `eni-` id.
pub(crate) fn port_by_id<'a>(lab: &'a Lab, id: &str) -> Option<Port<'a>> {
    ports(lab).find(|port| port.interface.id == id)
}

/// The interfaces that own `address`; several when VPCs have equal blocks.
pub(crate) fn owners(lab: &Lab, address: IpAddr) -> Vec<Port<'_>> {
    ports(lab).filter(|port| port.interface.owns(address)).collect()
}

/// What `text` stands for.
///
/// # Errors
///
/// A name that nothing carries, with the nearest one that something does.
pub(crate) fn find<'a>(lab: &'a Lab, text: &str) -> Result<Place<'a>, Error> {
    if let Ok(address) = text.parse() {
        return Ok(Place::Address(address));
    }
    if let Some((vpc, instance)) = instances(lab).find(|(_, i)| i.name == text || i.id == text) {
        return Ok(Place::Instance(vpc, instance));
    }
    let port = ports(lab).find(|port| port.interface.id == text || port.name() == text);
    port.map(Place::Port).ok_or_else(|| unknown(lab, text))
}

/// The interface that `text` stands for: an interface, an instance with only one, or an address that one interface owns.
///
/// # Errors
///
/// As [`find`], and if it stands for none or several.
pub(crate) fn find_port<'a>(lab: &'a Lab, text: &str) -> Result<Port<'a>, Error> {
    let candidates: Vec<Port<'a>> = match find(lab, text)? {
        Place::Address(address) => owners(lab, address),
        Place::Instance(vpc, instance) => ports_of(vpc, instance).collect(),
        Place::Port(port) => vec![port],
    };
    match candidates[..] {
        [port] => Ok(port),
        [] => Err(Error::Usage(format!("no interface of lab {} has the address {text}", lab.name))),
        _ => Err(ambiguous(text, &candidates)),
    }
}

/// Says that `text` stands for several interfaces.
pub(crate) fn ambiguous(text: &str, candidates: &[Port<'_>]) -> Error {
    let names: Vec<String> = candidates.iter().map(Port::name).collect();
    let listed = suggest::listed(names.iter().map(String::as_str));
    Error::Usage(format!("{text} stands for several interfaces: name one of {listed}"))
}

fn unknown(lab: &Lab, text: &str) -> Error {
    let with_device = text.contains('.');
    let names: Vec<String> = match with_device {
        true => ports(lab).map(|port| port.name()).collect(),
        false => instances(lab).map(|(_, instance)| instance.name.clone()).collect(),
    };
    let what = if with_device { "interface" } else { "instance" };
    let names = names.iter().map(String::as_str);
    let help = match suggest::nearest(text, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it could be {}", suggest::listed(names)),
    };
    Error::Usage(format!("lab {} has no {what} `{text}`: {help}", lab.name))
}
