//! Hosts on the internet.

use model::lab::{Host, Lab};
use serde::Serialize;

use crate::output::{Row, joined};

#[derive(Serialize)]
pub(super) struct HostRow {
    host: String,
    id: String,
    namespace: String,
    addresses: Vec<String>,
    names: Vec<String>,
    run: Vec<String>,
}

impl Row for HostRow {
    const COLUMNS: &'static [&'static str] = &["host", "namespace", "addresses", "names", "run", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.host.clone(),
            self.namespace.clone(),
            joined(&self.addresses),
            joined(&self.names),
            super::programs(&self.run),
            self.id.clone(),
        ]
    }
}

/// By name.
pub(super) fn rows(lab: &Lab) -> Vec<HostRow> {
    lab.internet.hosts.values().map(row).collect()
}

fn row(host: &Host) -> HostRow {
    HostRow {
        host: host.name.clone(),
        id: host.id.clone(),
        namespace: host.namespace.clone(),
        addresses: host.ips.iter().map(ToString::to_string).collect(),
        names: host.names.clone(),
        run: host.run.clone(),
    }
}
