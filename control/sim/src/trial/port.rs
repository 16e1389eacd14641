//! Who may send: interfaces and hosts, by their names.

use std::collections::BTreeMap;

use model::lab::InterfaceRef;
use snapshot::{Attachment, InterfaceIx};

use crate::World;

/// An interface or a host as a sender.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) at: Attachment,
    pub(super) owner: Owner,
}

/// Whose port it is.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    Host,
    /// VPC and interface.
    Interface(String, InterfaceRef),
}

/// All that the lab has or had.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    by_name: BTreeMap<String, Port>,
    ids: BTreeMap<InterfaceIx, String>,
}

impl Port {
    /// The VPC that its packets come from; none is the internet.
    pub(super) fn vpc(&self) -> Option<&str> {
        match &self.owner {
            Owner::Host => None,
            Owner::Interface(vpc, _) => Some(vpc),
        }
    }

    /// Where its packets enter: the internet is one.
    pub(super) const fn entrance(&self) -> Attachment {
        match self.owner {
            Owner::Host => Attachment::INTERNET,
            Owner::Interface(..) => self.at,
        }
    }
}

impl Ports {
    pub(super) fn get(&self, name: &str) -> Option<&Port> {
        self.by_name.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(super) fn at(&self, at: Attachment) -> Option<(&str, &Port)> {
        self.by_name.iter().find(|(_, port)| port.at == at).map(|(name, port)| (name.as_str(), port))
    }

    /// Ids of all interfaces, those of NAT gateways included.
    pub(super) const fn ids(&self) -> &BTreeMap<InterfaceIx, String> {
        &self.ids
    }

    /// Takes note of everything in the world's lab.
    pub(super) fn learn(&mut self, world: &World) {
        let lab = world.valid().lab();
        for vpc in lab.vpcs.values() {
            for instance in vpc.instances.values() {
                for interface in &instance.interfaces {
                    let named =
                        InterfaceRef { instance: instance.name.clone(), device: interface.device.clone() };
                    let name = format!("{}.{}", named.instance, named.device);
                    let at = Attachment::interface(self.interface(world, &interface.id));
                    let owner = Owner::Interface(vpc.name.clone(), named);
                    self.by_name.insert(name, Port { at, owner });
                }
            }
            for gateway in vpc.nat_gateways.values() {
                self.interface(world, &gateway.interface_id);
            }
        }
        for host in lab.internet.hosts.keys() {
            let ix = world.host(host).expect("a host of the lab is in its snapshot");
            self.by_name.insert(host.clone(), Port { at: Attachment::host(ix), owner: Owner::Host });
        }
    }

    fn interface(&mut self, world: &World, id: &str) -> InterfaceIx {
        let ix = world.snapshot().interface_by_id(id).expect("an interface of the lab is in its snapshot");
        self.ids.insert(ix, id.to_owned());
        ix
    }
}
