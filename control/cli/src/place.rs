//! From what people call a place to the place: instances, interfaces and hosts by name, id or address.

use std::net::{IpAddr, Ipv4Addr};

use model::lab::{Host, Instance, Interface, InterfaceRef, Lab, Vpc};
use model::suggest;

use crate::error::Error;

/// One interface with all that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    pub(crate) vpc: &'a Vpc,
    pub(crate) instance: &'a Instance,
    pub(crate) interface: &'a Interface,
}

/// Where a packet begins or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End<'a> {
    /// A host on the internet.
    Host(&'a Host),
    /// An interface.
    Port(Port<'a>),
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// Any address.
    Address(IpAddr),
    /// A host on the internet.
    Host(&'a Host),
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

    /// The address that it is reached at from the internet: its own in IPv6, a mapped one in IPv4 (IG-02, IG-08).
    pub(crate) fn public_address(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => {
                let mapped = |own: &Ipv4Addr| self.interface.public_ips.get(own);
                self.interface.private_ips.iter().find_map(mapped).map(|public| IpAddr::V4(*public))
            }
            Family::V6 => self.address(family),
        }
    }

    /// Its own address behind one that it is reached at from the internet.
    pub(crate) fn private_of(&self, public: IpAddr) -> Option<IpAddr> {
        let mapped = self.interface.public_ips.iter().find(|(_, mapped)| IpAddr::V4(**mapped) == public);
        let own = self.interface.ipv6_addresses.iter().find(|own| IpAddr::V6(**own) == public);
        mapped.map(|(own, _)| IpAddr::V4(*own)).or_else(|| own.map(|own| IpAddr::V6(*own)))
    }

    /// All its addresses, primary first.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let v4 = self.interface.private_ips.iter().map(|a| IpAddr::V4(*a));
        v4.chain(self.interface.ipv6_addresses.iter().map(|a| IpAddr::V6(*a))).collect()
    }
}

impl<'a> End<'a> {
    /// `INSTANCE.DEVICE`, or the name of the host.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Host(host) => host.name.clone(),
            Self::Port(port) => port.name(),
        }
    }

    /// The interface, unless this is a host.
    pub(crate) const fn port(&self) -> Option<Port<'a>> {
        match self {
            Self::Host(_) => None,
            Self::Port(port) => Some(*port),
        }
    }

    /// The instance or host whose namespace it is in.
    pub(crate) fn machine(&self) -> &'a str {
        match self {
            Self::Host(host) => &host.name,
            Self::Port(port) => &port.instance.name,
        }
    }

    /// Its `eni-` or `host-` id.
    pub(crate) fn id(&self) -> &'a str {
        match self {
            Self::Host(host) => &host.id,
            Self::Port(port) => &port.interface.id,
        }
    }

    /// Its first address of one family.
    pub(crate) fn address(&self, family: Family) -> Option<IpAddr> {
        match self {
            Self::Host(host) => host_address(host, family),
            Self::Port(port) => port.address(family),
        }
    }
}

/// The first address of a host.
pub(crate) fn host_address(host: &Host, family: Family) -> Option<IpAddr> {
    host.ips.iter().copied().find(|address| Family::of(*address) == family)
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

/// The interface or host with this `eni-` or `host-` id.
pub(crate) fn end_by_id<'a>(lab: &'a Lab, id: &str) -> Option<End<'a>> {
    let host = || lab.internet.hosts.values().find(|host| host.id == id).map(End::Host);
    port_by_id(lab, id).map(End::Port).or_else(host)
}

/// The interfaces that own `address`; several when VPCs have equal blocks.
pub(crate) fn owners(lab: &Lab, address: IpAddr) -> Vec<Port<'_>> {
    ports(lab).filter(|port| port.interface.owns(address)).collect()
}

/// The interface that has this public address.
pub(crate) fn behind(lab: &Lab, public: IpAddr) -> Option<Port<'_>> {
    let IpAddr::V4(public) = public else { return None };
    ports(lab).find(|port| port.interface.public_ips.values().any(|mapped| *mapped == public))
}

/// The IPv4 address that one of 64:ff9b::/96 stands for (RFC 6052 section 2.1).
pub(crate) fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

/// What the internet gateway of a VPC makes of a private address (IG-03).
pub(crate) fn public_of(vpc: &Vpc, private: Ipv4Addr) -> Option<Ipv4Addr> {
    mappings(vpc).find(|(own, _)| *own == private).map(|(_, public)| public)
}

/// What the internet gateway of a VPC makes of a public address.
pub(crate) fn private_of(vpc: &Vpc, public: Ipv4Addr) -> Option<Ipv4Addr> {
    mappings(vpc).find(|(_, mapped)| *mapped == public).map(|(own, _)| own)
}

/// Private and public addresses of a VPC, pair by pair.
fn mappings(vpc: &Vpc) -> impl Iterator<Item = (Ipv4Addr, Ipv4Addr)> {
    let interfaces = vpc.instances.values().flat_map(|instance| &instance.interfaces);
    let of_interfaces = interfaces.flat_map(|e| e.public_ips.iter().map(|(own, public)| (*own, *public)));
    let addresses = vpc.nat_gateways.values().flat_map(|gateway| &gateway.addresses);
    of_interfaces.chain(addresses.filter_map(|a| Some((a.private_ip, a.public_ip?))))
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
    let host = lab.internet.hosts.values().find(|host| host.name == text || host.id == text);
    if let Some(host) = host {
        return Ok(Place::Host(host));
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
        Place::Host(_) => {
            return Err(Error::Usage(format!("{text} is a host on the internet, and no interface of a VPC")));
        }
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
        false => {
            let hosts = lab.internet.hosts.keys().cloned();
            instances(lab).map(|(_, instance)| instance.name.clone()).chain(hosts).collect()
        }
    };
    let what = if with_device { "interface" } else { "instance or host" };
    let names = names.iter().map(String::as_str);
    let help = match suggest::nearest(text, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it could be {}", suggest::listed(names)),
    };
    Error::Usage(format!("lab {} has no {what} `{text}`: {help}", lab.name))
}
