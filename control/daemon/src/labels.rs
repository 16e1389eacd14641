//! What people call the things that the data plane numbers.

use runtime::{Attachment, HostIx, InterfaceIx, NameIx, Names, Snapshot};

/// `INSTANCE.DEVICE` of every interface and the name of every host that this run has had: records may be about one that is gone.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    interfaces: Vec<Option<String>>,
    hosts: Vec<Option<String>>,
}

impl Labels {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let mut labels = Self::default();
        labels.learn(snapshot);
        labels
    }

    /// Takes the labels of a new snapshot. An index is never given to another interface.
    pub(crate) fn learn(&mut self, snapshot: &Snapshot) {
        let names = snapshot.names();
        for (ix, interface) in snapshot.interfaces() {
            learn(&mut self.interfaces, ix.at(), names, interface.name);
        }
        for (ix, host) in snapshot.internet().hosts() {
            learn(&mut self.hosts, ix.at(), names, host.name);
        }
    }

    pub(crate) fn interface(&self, ix: InterfaceIx) -> String {
        let known = self.interfaces.get(ix.at()).and_then(Option::as_ref);
        known.cloned().unwrap_or_else(|| format!("interface number {}", ix.at()))
    }

    pub(crate) fn attachment(&self, attachment: Attachment) -> String {
        match (attachment.as_interface(), attachment.as_host()) {
            (Some(ix), _) => self.interface(ix),
            (None, Some(ix)) => self.host(ix),
            (None, None) => "internet".to_owned(),
        }
    }

    fn host(&self, ix: HostIx) -> String {
        let known = self.hosts.get(ix.at()).and_then(Option::as_ref);
        known.cloned().unwrap_or_else(|| format!("host number {}", ix.at()))
    }
}

fn learn(labels: &mut Vec<Option<String>>, at: usize, names: &Names, name: NameIx) {
    if labels.len() <= at {
        labels.resize(at + 1, None);
    }
    labels[at] = Some(names.get(name).label.to_string());
}
