//! Devices, addresses, routes and rules inside one namespace.

use std::io;
use std::sync::Arc;

use ::io::{Netns, Tun, TunOptions};

use super::{OpenedDevice, Options};
use crate::error::{Collector, Error, Errors, NamespaceAction};
use crate::netlink::{LinkIndex, Netlink};
use crate::plan::{Device, DeviceChange, NamespaceChange, Route, Rule};
use crate::sysctl;

const LOOPBACK: &str = "lo";

/// One open namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'a> {
    pub(super) namespace: &'a str,
    pub(super) netns: &'a Netns,
}

/// A netlink socket of the namespace in which the calling thread is, with the words for its failures.
struct Link<'a> {
    namespace: &'a str,
    netlink: Netlink,
}

pub(super) fn open(namespace: &str) -> Result<Netns, Error> {
    Netns::open(namespace).map_err(|source| entering(namespace, source))
}

/// Finds devices of somebody else with the names of those to be made.
pub(super) fn check_devices(lab: &str, change: &NamespaceChange) -> Result<(), Errors> {
    let netns = open(&change.name)?;
    Inside { namespace: &change.name, netns: &netns }.run(|| {
        let link = Link::open(&change.name)?;
        let mut failures = Collector::default();
        let ours = |name: &str| change.devices_removed.iter().any(|d| d.name == name);
        for Device { name, .. } in change.devices_added.iter().filter(|d| !ours(&d.name)) {
            if failures.take(link.find(name)).flatten().is_some() {
                let (lab, namespace) = (lab.to_owned(), change.name.clone());
                failures.push(Error::DeviceClash { lab, namespace, device: name.clone() });
            }
        }
        failures.finish(())
    })
}

/// Deletes devices that are still there, in a namespace that may be gone.
pub(super) fn delete_devices(namespace: &str, devices: &[&Device]) -> Result<(), Errors> {
    if devices.is_empty() {
        return Ok(());
    }
    let netns = match Netns::open(namespace) {
        Ok(netns) => netns,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(entering(namespace, source).into()),
    };
    Inside { namespace, netns: &netns }.run(|| {
        let link = Link::open(namespace)?;
        let mut failures = Collector::default();
        for device in devices {
            failures.take(link.delete_device(&device.name));
        }
        failures.finish(())
    })
}

/// Takes back what [`Inside::extend`] did or began to do; the devices that it opened are closed already.
pub(super) fn undo(change: &NamespaceChange) -> Result<(), Errors> {
    let mut back = change.clone().reversed();
    // The devices that the change was to delete are still there.
    back.devices_added.clear();
    let netns = open(&change.name)?;
    let added: Vec<&Device> = change.devices_added.iter().collect();
    let mut failures = Collector::default();
    failures.take_all(delete_devices(&change.name, &added));
    let inside = Inside { namespace: &change.name, netns: &netns };
    failures.take_all(inside.run(|| Link::open(&change.name)?.adapt(&back)));
    failures.finish(())
}

impl Inside<'_> {
    /// Runs `work` on a thread in the namespace.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T, Errors> + Send) -> Result<T, Errors> {
        self.netns.run(|| Ok(work())).map_err(|source| entering(self.namespace, source))?
    }

    /// Does everything of the change except deleting devices.
    pub(super) fn extend(
        &self,
        change: &NamespaceChange,
        options: Options,
    ) -> Result<Vec<OpenedDevice>, Errors> {
        let taken_over = |d: &&Device| change.devices_added.iter().any(|added| added.name == d.name);
        delete_devices(
            self.namespace,
            &change.devices_removed.iter().filter(taken_over).collect::<Vec<_>>(),
        )?;
        let mut failures = Collector::default();
        let opened = change.devices_added.iter().filter_map(|d| failures.take(self.open_device(d, options)));
        let opened: Vec<OpenedDevice> = opened.collect();
        let opened = failures.finish(opened)?;
        self.run(|| Link::open(self.namespace)?.adapt(change))?;
        Ok(opened)
    }

    fn open_device(&self, device: &Device, options: Options) -> Result<OpenedDevice, Error> {
        let Options { tx_queue_length: txqueuelen, offload, opener, queues } = options;
        let options = TunOptions { mtu: device.mtu, txqueuelen, offload, opener, queues };
        let tun = Tun::open(self.netns, &device.name, options).map_err(|source| Error::Tun {
            namespace: self.namespace.to_owned(),
            device: device.name.clone(),
            source,
        })?;
        Ok(OpenedDevice {
            interface: device.interface.clone(),
            namespace: self.namespace.to_owned(),
            device: device.name.clone(),
            tun: Arc::new(tun),
        })
    }
}

impl<'a> Link<'a> {
    fn open(namespace: &'a str) -> Result<Self, Error> {
        let netlink = Netlink::open();
        let action = || "open a netlink socket".to_owned();
        let netlink = netlink.map_err(|source| failed(namespace, action(), source))?;
        Ok(Self { namespace, netlink })
    }

    /// Everything of the change except making and deleting devices, in an order in which each step finds what it needs: an
    /// address before the routes with that source, and the old address only after nothing refers to it any more.
    fn adapt(&self, change: &NamespaceChange) -> Result<(), Errors> {
        let mut failures = Collector::default();
        if let Some(forwarding) = &change.forwarding {
            failures.take_all(sysctl::set_forwarding(self.namespace, forwarding.new));
        }
        failures.take(self.set_up(LOOPBACK));
        for device in &change.devices_added {
            failures.take_all(self.start_device(device));
        }
        for device in &change.devices_changed {
            failures.take_all(self.extend_device(device));
        }
        for route in change.routes_added.iter().chain(change.routes_replaced.iter().map(|r| &r.new)) {
            failures.take(self.set_route(route));
        }
        for rule in &change.rules_added {
            failures.take(self.add_rule(rule));
        }
        for rule in &change.rules_removed {
            failures.take(self.delete_rule(rule));
        }
        for route in &change.routes_removed {
            failures.take(self.delete_route(route));
        }
        for device in &change.devices_changed {
            failures.take_all(self.shrink_device(device));
        }
        failures.finish(())
    }

    fn start_device(&self, device: &Device) -> Result<(), Errors> {
        let mut failures = Collector::default();
        for address in &device.addresses {
            failures.take(self.on(&device.name, format!("add address {address}"), |netlink, link| {
                netlink.add_address(link, *address)
            }));
        }
        failures.take(self.set_up(&device.name));
        failures.finish(())
    }

    fn extend_device(&self, change: &DeviceChange) -> Result<(), Errors> {
        let mut failures = Collector::default();
        if let Some(mtu) = &change.mtu {
            let what = format!("set the MTU to {}", mtu.new);
            failures.take(self.on(&change.name, what, |netlink, link| netlink.set_mtu(link, mtu.new)));
        }
        for address in &change.addresses_added {
            failures.take(self.on(&change.name, format!("add address {address}"), |netlink, link| {
                netlink.add_address(link, *address)
            }));
        }
        failures.finish(())
    }

    fn shrink_device(&self, change: &DeviceChange) -> Result<(), Errors> {
        let mut failures = Collector::default();
        for address in &change.addresses_removed {
            failures.take(self.on(&change.name, format!("delete address {address}"), |netlink, link| {
                fine_if_gone(netlink.delete_address(link, *address))
            }));
        }
        failures.finish(())
    }

    fn set_up(&self, device: &str) -> Result<(), Error> {
        self.on(device, "bring the link up".to_owned(), Netlink::set_up)
    }

    fn set_route(&self, route: &Route) -> Result<(), Error> {
        self.on(&route.device, format!("add {}", words(route)), |netlink, link| {
            netlink.set_route(link, route)
        })
    }

    /// The kernel has deleted the route itself if its device or source address is gone.
    fn delete_route(&self, route: &Route) -> Result<(), Error> {
        let Some(link) = self.find(&route.device)? else { return Ok(()) };
        let deleted = fine_if_gone(self.netlink.delete_route(link, route));
        deleted.map_err(|source| failed(self.namespace, format!("delete {}", words(route)), source))
    }

    fn add_rule(&self, rule: &Rule) -> Result<(), Error> {
        let added = match self.netlink.add_rule(rule) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        let action = || format!("add rule from {} lookup {}", rule.from, rule.table);
        added.map_err(|source| failed(self.namespace, action(), source))
    }

    fn delete_rule(&self, rule: &Rule) -> Result<(), Error> {
        let action = || format!("delete rule from {} lookup {}", rule.from, rule.table);
        let deleted = fine_if_gone(self.netlink.delete_rule(rule));
        deleted.map_err(|source| failed(self.namespace, action(), source))
    }

    fn delete_device(&self, device: &str) -> Result<(), Error> {
        let Some(link) = self.find(device)? else { return Ok(()) };
        let deleted = fine_if_gone(self.netlink.delete(link));
        deleted.map_err(|source| failed(self.namespace, format!("delete device {device}"), source))
    }

    fn find(&self, device: &str) -> Result<Option<LinkIndex>, Error> {
        let found = self.netlink.find(device);
        found.map_err(|source| failed(self.namespace, format!("look for device {device}"), source))
    }

    fn on(
        &self,
        device: &str,
        what: String,
        work: impl FnOnce(&Netlink, LinkIndex) -> io::Result<()>,
    ) -> Result<(), Error> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such device");
        let done = self.find(device)?.ok_or_else(missing).and_then(|link| work(&self.netlink, link));
        done.map_err(|source| failed(self.namespace, format!("{what} on {device}"), source))
    }
}

fn words(route: &Route) -> String {
    format!("route {} src {} table {}", route.destination, route.source, route.table)
}

/// How the kernel says that an address, a route, a rule or a device is not there.
fn fine_if_gone(result: io::Result<()>) -> io::Result<()> {
    use nix::errno::Errno;
    let gone = [Errno::EADDRNOTAVAIL, Errno::ENODEV, Errno::ENOENT, Errno::ESRCH].map(|errno| errno as i32);
    match result {
        Err(error) if error.raw_os_error().is_some_and(|code| gone.contains(&code)) => Ok(()),
        other => other,
    }
}

fn failed(namespace: &str, action: String, source: io::Error) -> Error {
    Error::Netlink { action, namespace: namespace.to_owned(), source }
}

fn entering(namespace: &str, source: io::Error) -> Error {
    Error::Namespace { action: NamespaceAction::Enter, namespace: namespace.to_owned(), source }
}
