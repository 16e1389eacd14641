//! A small lab and the events about it.

use engine::{Action, Direction, Event, TapEvent, Time};
use snapshot::spec::{
    AclSpec, FlowLogSpec, GroupSpec, InterfaceSpec, InternetSpec, LabSpec, RouteTableSpec, SubnetSpec,
    TrafficFilter, VpcSpec,
};
use snapshot::{Builder, Check, InterfaceIx, RelatedIcmp, Settings, Snapshot};
use wire::{FiveTuple, proto};

use crate::{FlowLogs, Format};

/// The interface of most of AWS's examples.
pub(super) const ENI: &str = "eni-1235b8ca123456789";
/// Its instance in AWS's version 3 examples.
pub(super) const INSTANCE: &str = "i-01234567890123456";

/// A lab that changes.
pub(super) struct World {
    builder: Builder,
    spec: LabSpec,
    pub(super) snapshot: Snapshot,
}

impl World {
    /// A lab with these interfaces and flow logs.
    pub(super) fn new(interfaces: Vec<InterfaceSpec>, flow_logs: Vec<FlowLogSpec>) -> Self {
        let spec = lab(interfaces, flow_logs);
        let mut builder = Builder::default();
        let snapshot = builder.build(spec.clone()).expect("no dangling reference");
        Self { builder, spec, snapshot }
    }

    /// Publishes an edited lab.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut LabSpec)) {
        edit(&mut self.spec);
        self.snapshot = self.builder.build(self.spec.clone()).expect("no dangling reference");
    }

    pub(super) fn ix(&self, eni: &str) -> InterfaceIx {
        self.snapshot.interface_by_id(eni).expect("the interface exists")
    }
}

pub(super) fn interface(id: &str, addresses: &[&str]) -> InterfaceSpec {
    InterfaceSpec {
        id: id.into(),
        name: id.into(),
        instance: None,
        subnet: "subnet-aaaaaaaa012345678".into(),
        ipv4: addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        public: vec![],
        ipv6: addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        nat_gateway: None,
        groups: vec!["sg-1".into()],
        check: Check::On,
        mtu: 9001,
    }
}

/// A flow log of all traffic in the default format with windows of 60 seconds.
pub(super) fn flow_log(interfaces: &[&str]) -> FlowLogSpec {
    FlowLogSpec {
        id: "fl-1".into(),
        interfaces: interfaces.iter().map(|&id| id.into()).collect(),
        traffic: TrafficFilter::All,
        interval: 60,
        format: Format::DEFAULT.to_string(),
        file: "logs/all.log".into(),
    }
}

pub(super) fn secs(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

/// A tuple from `(address, port)` pairs.
pub(super) fn tuple(protocol: u8, src: (&str, u16), dst: (&str, u16)) -> FiveTuple {
    FiveTuple {
        src: src.0.parse().expect("an address"),
        dst: dst.0.parse().expect("an address"),
        src_port: src.1,
        dst_port: dst.1,
        proto: protocol,
    }
}

/// An accepted TCP packet of 40 bytes that reaches `interface` at a second.
pub(crate) fn packet(interface: InterfaceIx, at: u64) -> TapEvent {
    TapEvent {
        interface,
        direction: Direction::Ingress,
        action: Action::Accept,
        traffic_path: None,
        tuple: tuple(proto::TCP, ("10.0.9.9", 4000), ("10.0.0.1", 22)),
        packets: 1,
        bytes: 40,
        first: secs(at),
        last: secs(at),
        tcp_flags: 0,
    }
}

/// Gives events to worker 0.
pub(super) fn feed(logs: &mut FlowLogs, events: impl IntoIterator<Item = TapEvent>) {
    for event in events {
        logs.handle_event(0, &Event::Tap(event));
    }
}

/// Lets worker 0 report past a second.
pub(super) fn flush(logs: &mut FlowLogs, at: u64) -> Vec<String> {
    logs.handle_event(0, &Event::Flushed(secs(at)));
    texts(logs)
}

/// All lines that are ready.
pub(super) fn texts(logs: &mut FlowLogs) -> Vec<String> {
    std::iter::from_fn(|| logs.poll_line()).map(|line| line.text).collect()
}

fn lab(interfaces: Vec<InterfaceSpec>, flow_logs: Vec<FlowLogSpec>) -> LabSpec {
    LabSpec {
        name: "lab".into(),
        acls: vec![
            AclSpec { id: "acl-1".into(), name: "a.acl".into(), ingress: vec![], egress: vec![] }.into(),
        ],
        flow_logs: flow_logs.into_iter().map(Into::into).collect(),
        groups: vec![
            GroupSpec { id: "sg-1".into(), name: "a.group".into(), ingress: vec![], egress: vec![] }.into(),
        ],
        interfaces: interfaces.into_iter().map(Into::into).collect(),
        internet: InternetSpec { mtu: 1500, hosts: vec![] },
        nat_gateways: vec![],
        peerings: vec![],
        route_tables: vec![
            RouteTableSpec { id: "rtb-1".into(), name: "a.main".into(), routes: vec![] }.into(),
        ],
        settings: settings(),
        subnets: vec![
            SubnetSpec {
                id: "subnet-aaaaaaaa012345678".into(),
                name: "a.subnet".into(),
                vpc: "vpc-abcdefab012345678".into(),
                cidr: "10.0.0.0/24".parse().expect("a block"),
                ipv6_cidr: None,
                network_acl: "acl-1".into(),
                route_table: "rtb-1".into(),
                az: "ap-southeast-2a".into(),
                az_id: "apse2-az3".into(),
            }
            .into(),
        ],
        vpcs: vec![
            VpcSpec {
                id: "vpc-abcdefab012345678".into(),
                name: "a".into(),
                account: "123456789010".into(),
                region: "ap-southeast-2".into(),
                cidrs: vec!["10.0.0.0/16".parse().expect("a block")],
                ipv6_cidrs: vec![],
                internet_gateway: None,
                egress_only_internet_gateway: None,
            }
            .into(),
        ],
    }
}

const fn settings() -> Settings {
    Settings {
        tcp_established: 432_000,
        udp_stream: 180,
        udp_timeout: 30,
        icmp: 30,
        nat_idle_timeout: 350,
        related_icmp: RelatedIcmp::Accept,
        track_all: false,
        tap_interval: 60,
    }
}
