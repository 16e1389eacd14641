//! Which device belongs to which interface or host.

use std::sync::Arc;

use snapshot::Attachment;

/// Devices by what they are attached to; any worker may write to any of them.
#[derive(Debug)]
pub(crate) struct Devices<T> {
    interfaces: Vec<Option<Arc<T>>>,
    hosts: Vec<Option<Arc<T>>>,
}

impl<T> Clone for Devices<T> {
    fn clone(&self) -> Self {
        Self { interfaces: self.interfaces.clone(), hosts: self.hosts.clone() }
    }
}

impl<T> Default for Devices<T> {
    fn default() -> Self {
        Self { interfaces: Vec::new(), hosts: Vec::new() }
    }
}

impl<T> Devices<T> {
    /// The device of an interface or a host; the internet as one has none.
    #[inline]
    pub(crate) fn get(&self, at: Attachment) -> Option<&Arc<T>> {
        let slot = match (at.as_interface(), at.as_host()) {
            (Some(interface), _) => self.interfaces.get(interface.at()),
            (None, Some(host)) => self.hosts.get(host.at()),
            (None, None) => None,
        };
        slot?.as_ref()
    }

    /// Puts a device in its slot, or empties the slot.
    pub(crate) fn set(&mut self, at: Attachment, device: Option<&Arc<T>>) {
        let (slots, slot) = match (at.as_interface(), at.as_host()) {
            (Some(interface), _) => (&mut self.interfaces, interface.at()),
            (None, Some(host)) => (&mut self.hosts, host.at()),
            (None, None) => return,
        };
        if slots.len() <= slot {
            slots.resize(slot + 1, None);
        }
        slots[slot] = device.cloned();
    }
}

#[cfg(test)]
mod tests {
    use snapshot::{HostIx, InterfaceIx};

    use super::*;

    #[test]
    fn interfaces_and_hosts_of_one_number_have_devices_of_their_own() {
        let (interface, host) = (Attachment::interface(InterfaceIx(3)), Attachment::host(HostIx(3)));
        let mut devices = Devices::default();
        devices.set(interface, Some(&Arc::new("eth0")));
        devices.set(host, Some(&Arc::new("laptop")));
        let at = |devices: &Devices<_>, at| devices.get(at).map(|device| **device);
        assert_eq!((at(&devices, interface), at(&devices, host)), (Some("eth0"), Some("laptop")));
        devices.set(host, None);
        assert_eq!((at(&devices, interface), at(&devices, host)), (Some("eth0"), None));
        assert_eq!(at(&devices, Attachment::host(HostIx(4))), None);
    }

    #[test]
    fn the_internet_as_one_has_no_device() {
        let mut devices = Devices::default();
        devices.set(Attachment::INTERNET, Some(&Arc::new("anything")));
        assert!(devices.get(Attachment::INTERNET).is_none());
    }
}
