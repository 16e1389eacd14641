//! What people call the things that the data plane numbers.

use runtime::{Attachment, InterfaceIx, Snapshot};

/// `INSTANCE.DEVICE` of every interface that this run has had: records may be about one that is gone.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    interfaces: Vec<Option<String>>,
}

impl Labels {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let mut labels = Self::default();
        labels.learn(snapshot);
        labels
    }

    /// Takes the labels of a new snapshot. An index is never given to another interface.
    pub(crate) fn learn(&mut self, snapshot: &Snapshot) {
        for (ix, interface) in snapshot.interfaces() {
            if self.interfaces.len() <= ix.at() {
                self.interfaces.resize(ix.at() + 1, None);
            }
            let label = snapshot.names().get(interface.name).label.to_string();
            self.interfaces[ix.at()] = Some(label);
        }
    }

    pub(crate) fn interface(&self, ix: InterfaceIx) -> String {
        let known = self.interfaces.get(ix.at()).and_then(Option::as_ref);
        known.cloned().unwrap_or_else(|| format!("interface number {}", ix.at()))
    }

    pub(crate) fn attachment(&self, attachment: Attachment) -> String {
        attachment.as_interface().map_or_else(|| "internet".to_owned(), |ix| self.interface(ix))
    }
}
