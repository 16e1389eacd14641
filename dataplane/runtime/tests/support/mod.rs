//! A lab for tests that need one and do not care what is in it.

use snapshot::spec::{InternetSpec, LabSpec};
use snapshot::{Builder, RelatedIcmp, Settings, Snapshot};

/// One without anything.
pub(crate) fn empty_lab() -> Snapshot {
    let settings = Settings {
        tcp_established: 350,
        udp_stream: 180,
        udp_timeout: 30,
        icmp: 30,
        related_icmp: RelatedIcmp::Accept,
        track_all: false,
        nat_idle_timeout: 350,
        tap_interval: 60,
    };
    let lab = LabSpec {
        name: "empty".into(),
        acls: vec![],
        flow_logs: vec![],
        groups: vec![],
        interfaces: vec![],
        internet: InternetSpec { mtu: 1500, hosts: vec![] },
        nat_gateways: vec![],
        peerings: vec![],
        route_tables: vec![],
        settings,
        subnets: vec![],
        vpcs: vec![],
    };
    Builder::default().build(lab).expect("nothing refers to anything")
}
