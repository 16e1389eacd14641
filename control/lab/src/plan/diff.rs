//! What has to change from one plan to the next.

use std::collections::BTreeMap;
use std::mem::swap;

use ipnet::IpNet;

use super::{Device, Forwarding, Namespace, Plan, Route, Rule};

/// What has to change from one plan of a lab to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Name of the lab.
    pub lab: String,
    /// Files under `/etc` of every namespace.
    pub etc: Replaced<BTreeMap<String, String>>,
    /// Namespaces that stay and whose files under `/etc` differ.
    pub etc_stale: Vec<String>,
    /// Namespaces to make. A name may also be in `removed`, if another instance takes it over.
    pub added: Vec<Namespace>,
    /// Namespaces to take down.
    pub removed: Vec<Namespace>,
    /// Namespaces that stay and differ.
    pub changed: Vec<NamespaceChange>,
}

/// What has to change inside one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceChange {
    /// Name of the namespace.
    pub name: String,
    /// Devices to make. A name may also be in `devices_removed`, if another interface takes it over.
    pub devices_added: Vec<Device>,
    /// Devices to delete, with their routes.
    pub devices_removed: Vec<Device>,
    /// Devices that stay and differ.
    pub devices_changed: Vec<DeviceChange>,
    /// Routes to make.
    pub routes_added: Vec<Route>,
    /// Routes to delete.
    pub routes_removed: Vec<Route>,
    /// Routes of the same table and destination with another device or source.
    pub routes_replaced: Vec<Replaced<Route>>,
    /// Rules to make.
    pub rules_added: Vec<Rule>,
    /// Rules to delete.
    pub rules_removed: Vec<Rule>,
    /// Whether the kernel forwards, if that differs.
    pub forwarding: Option<Replaced<Forwarding>>,
}

/// What has to change on one device; whatever is not named here is not touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChange {
    /// Name of the device.
    pub name: String,
    /// IP packet bytes, if they differ.
    pub mtu: Option<Replaced<u16>>,
    /// Addresses to add.
    pub addresses_added: Vec<IpNet>,
    /// Addresses to delete.
    pub addresses_removed: Vec<IpNet>,
}

/// A value before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced<T> {
    /// Before.
    pub old: T,
    /// After.
    pub new: T,
}

impl Plan {
    /// What turns a lab as `old` describes it into one as `new` describes it.
    #[must_use]
    pub fn diff(old: &Self, new: &Self) -> Changes {
        let kept = |n: &&Namespace| old.same_instance(n).is_some();
        let (kept, added): (Vec<&Namespace>, Vec<&Namespace>) = new.namespaces.values().partition(kept);
        let removed = old.namespaces.values().filter(|n| new.same_instance(n).is_none());
        let change = |n: &&Namespace| NamespaceChange::between(old.same_instance(n)?, n);
        let stale = if old.etc == new.etc { &[] } else { kept.as_slice() };
        Changes {
            lab: new.lab.clone(),
            etc: Replaced { old: old.etc.clone(), new: new.etc.clone() },
            etc_stale: stale.iter().map(|n| n.name.clone()).collect(),
            added: added.into_iter().cloned().collect(),
            removed: removed.cloned().collect(),
            changed: kept.iter().filter_map(change).collect(),
        }
    }

    /// The namespace here that serves the same instance.
    fn same_instance(&self, other: &Namespace) -> Option<&Namespace> {
        self.namespaces.get(&other.name).filter(|n| n.instance_id == other.instance_id)
    }
}

impl Changes {
    /// Whether nothing has to change in the kernel or under `/etc`. Supervised programs do not count.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.etc_stale.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
    }

    /// `eni-` ids of the interfaces and `host-` ids of the hosts whose devices go away.
    pub fn removed_interfaces(&self) -> impl Iterator<Item = &str> {
        let with_namespace = self.removed.iter().flat_map(|n| &n.devices);
        let alone = self.changed.iter().flat_map(|n| &n.devices_removed);
        with_namespace.chain(alone).map(|device| device.interface.as_str())
    }
}

impl NamespaceChange {
    /// What turns `old` into `new`; nothing if they differ in nothing that the kernel knows.
    pub(crate) fn between(old: &Namespace, new: &Namespace) -> Option<Self> {
        let change = Self {
            name: new.name.clone(),
            devices_added: without(&new.devices, &old.devices, same_device),
            devices_removed: without(&old.devices, &new.devices, same_device),
            devices_changed: pairs(&old.devices, &new.devices, same_device)
                .filter_map(|(old, new)| DeviceChange::between(old, new))
                .collect(),
            routes_added: without(&new.routes, &old.routes, same_route),
            routes_removed: without(&old.routes, &new.routes, same_route),
            routes_replaced: pairs(&old.routes, &new.routes, same_route)
                .filter_map(|(old, new)| Replaced::between(old, new))
                .collect(),
            rules_added: without(&new.rules, &old.rules, Rule::eq),
            rules_removed: without(&old.rules, &new.rules, Rule::eq),
            forwarding: Replaced::between(&old.forwarding, &new.forwarding),
        };
        (!change.is_empty()).then_some(change)
    }

    /// What takes this change back.
    pub(crate) fn reversed(mut self) -> Self {
        swap(&mut self.devices_added, &mut self.devices_removed);
        swap(&mut self.routes_added, &mut self.routes_removed);
        swap(&mut self.rules_added, &mut self.rules_removed);
        self.devices_changed = self.devices_changed.into_iter().map(DeviceChange::reversed).collect();
        self.routes_replaced = self.routes_replaced.into_iter().map(Replaced::reversed).collect();
        self.forwarding = self.forwarding.map(Replaced::reversed);
        self
    }

    const fn is_empty(&self) -> bool {
        self.devices_added.is_empty()
            && self.devices_removed.is_empty()
            && self.devices_changed.is_empty()
            && self.routes_added.is_empty()
            && self.routes_removed.is_empty()
            && self.routes_replaced.is_empty()
            && self.rules_added.is_empty()
            && self.rules_removed.is_empty()
            && self.forwarding.is_none()
    }
}

impl DeviceChange {
    fn between(old: &Device, new: &Device) -> Option<Self> {
        let change = Self {
            name: new.name.clone(),
            mtu: Replaced::between(&old.mtu, &new.mtu),
            addresses_added: without(&new.addresses, &old.addresses, IpNet::eq),
            addresses_removed: without(&old.addresses, &new.addresses, IpNet::eq),
        };
        let differs = change.mtu.is_some()
            || !change.addresses_added.is_empty()
            || !change.addresses_removed.is_empty();
        differs.then_some(change)
    }

    fn reversed(mut self) -> Self {
        swap(&mut self.addresses_added, &mut self.addresses_removed);
        self.mtu = self.mtu.map(Replaced::reversed);
        self
    }
}

impl<T: Clone + PartialEq> Replaced<T> {
    fn between(old: &T, new: &T) -> Option<Self> {
        (old != new).then(|| Self { old: old.clone(), new: new.clone() })
    }

    fn reversed(self) -> Self {
        Self { old: self.new, new: self.old }
    }
}

fn same_device(a: &Device, b: &Device) -> bool {
    a.name == b.name && a.interface == b.interface
}

fn same_route(a: &Route, b: &Route) -> bool {
    a.key() == b.key()
}

fn without<T: Clone>(these: &[T], those: &[T], same: fn(&T, &T) -> bool) -> Vec<T> {
    these.iter().filter(|a| !those.iter().any(|b| same(a, b))).cloned().collect()
}

fn pairs<'a, T>(
    old: &'a [T],
    new: &'a [T],
    same: fn(&T, &T) -> bool,
) -> impl Iterator<Item = (&'a T, &'a T)> {
    new.iter().filter_map(move |n| Some((old.iter().find(|o| same(o, n))?, n)))
}
