//! The lab of the stages: two subnets, two interfaces, and a policy of the size that docs/figures.md calls typical.

mod nat;

use std::ops::RangeInclusive;

use engine::{Config, Engine, Frame, Time};
use flowlog::Format;
use snapshot::spec::{
    AclEntrySpec, AclSpec, FlowLogSpec, GroupRuleSpec, GroupSpec, InterfaceSpec, InternetSpec, LabSpec,
    PeerSpec, RouteSpec, RouteTableSpec, Shared, SubnetSpec, TargetSpec, TrafficFilter, TrafficSpec, VpcSpec,
};
use snapshot::{AclAction, Attachment, Builder, Check, InterfaceIx, RelatedIcmp, Settings, Snapshot};
use wire::{Buffer, proto};

use crate::packets::PORT;

/// Groups of each interface, rules of each in each direction, entries of the ACL in each direction, routes.
const SIZES: (usize, usize, u16, usize) = (5, 60, 20, 50);
/// When the stages begin.
pub(crate) const START: Time = Time(1_700_000_000_000_000_000);

/// The compiled lab.
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) client: InterfaceIx,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(lab())
    }

    /// The same lab with a host on the internet, which the client reaches through a NAT gateway in the other subnet.
    pub(crate) fn with_nat_gateway() -> Self {
        Self::of(nat::behind_nat_gateway(lab()))
    }

    /// The same lab with a flow log of all that crosses both interfaces.
    pub(crate) fn with_flow_log() -> Self {
        Self::of(LabSpec { flow_logs: vec![flow_log().into()], ..lab() })
    }

    fn of(lab: LabSpec) -> Self {
        let snapshot = Builder::default().build(lab).expect("no reference dangles");
        let client = snapshot.interface_by_id("eni-client").expect("the lab has this interface");
        Self { snapshot, client }
    }

    /// A packet as it comes from the client's device.
    pub(crate) fn frame(&self, packet: &[u8]) -> Frame {
        Frame::new(Attachment::interface(self.client), Buffer::copy_of(packet))
    }
}

/// An engine that owns everything.
pub(crate) fn engine(sessions: usize) -> Engine {
    Engine::new(&Config { worker: 0, workers: 1, seed: 7, sessions, tap_interval: 60, start: START })
}

fn lab() -> LabSpec {
    let groups: Vec<String> = (0..SIZES.0).map(|n| format!("sg-{n}")).collect();
    LabSpec {
        name: "gates".into(),
        acls: vec![acl().into()],
        flow_logs: vec![],
        groups: groups.iter().zip(0..).map(|(id, n)| group(id, n)).collect(),
        interfaces: vec![
            interface("eni-client", 1, &groups).into(),
            interface("eni-server", 2, &groups).into(),
        ],
        internet: InternetSpec { mtu: 1500, hosts: vec![] },
        nat_gateways: vec![],
        peerings: vec![],
        route_tables: vec![route_table().into()],
        settings: settings(),
        subnets: vec![subnet(1).into(), subnet(2).into()],
        vpcs: vec![vpc().into()],
    }
}

fn vpc() -> VpcSpec {
    VpcSpec {
        id: "vpc-1".into(),
        name: "v".into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        cidrs: vec!["10.0.0.0/16".parse().expect("a block")],
        ipv6_cidrs: vec!["2001:db8::/56".parse().expect("a block")],
        internet_gateway: None,
        egress_only_internet_gateway: None,
    }
}

fn subnet(n: u8) -> SubnetSpec {
    SubnetSpec {
        id: format!("subnet-{n}"),
        name: format!("v.{n}"),
        vpc: "vpc-1".into(),
        cidr: format!("10.0.{n}.0/24").parse().expect("a block"),
        ipv6_cidr: Some(format!("2001:db8:0:{n}::/64").parse().expect("a block")),
        network_acl: "acl-1".into(),
        route_table: "rtb-1".into(),
        az: "us-east-1a".into(),
        az_id: "use1-az1".into(),
    }
}

fn interface(id: &str, subnet: u8, groups: &[String]) -> InterfaceSpec {
    InterfaceSpec {
        id: id.into(),
        name: id.into(),
        instance: None,
        subnet: format!("subnet-{subnet}"),
        ipv4: vec![format!("10.0.{subnet}.10").parse().expect("an address")],
        public: vec![],
        ipv6: vec![format!("2001:db8:0:{subnet}::10").parse().expect("an address")],
        nat_gateway: None,
        groups: groups.to_vec(),
        check: Check::On,
        mtu: 9001,
    }
}

/// Rules for other ports, then those that match.
fn group(id: &str, n: usize) -> Shared<GroupSpec> {
    let rules = |direction: &str| {
        let rule = |port: u16, net: &str| GroupRuleSpec {
            id: format!("sgr-{id}-{direction}-{port}-{net}"),
            traffic: TrafficSpec { protocol: None, selectors: port..=port },
            peer: PeerSpec::Cidr(net.parse().expect("a block")),
        };
        let others = (2..SIZES.1).map(|k| rule((10_000 + n * SIZES.1 + k) as u16, "192.0.2.0/24"));
        others.chain([rule(PORT, "10.0.0.0/16"), rule(PORT, "2001:db8::/56")]).collect()
    };
    GroupSpec { id: id.into(), name: id.into(), ingress: rules("in"), egress: rules("out") }.into()
}

/// Entries that deny other ports, then those that allow.
fn acl() -> AclSpec {
    let entry = |number, action, ports: RangeInclusive<u16>, net: &str| AclEntrySpec {
        number,
        action,
        traffic: TrafficSpec { protocol: Some(proto::TCP), selectors: ports },
        cidr: net.parse().expect("a block"),
    };
    let mut entries: Vec<_> =
        (1..SIZES.2 - 1).map(|n| entry(n, AclAction::Deny, n..=n, "192.0.2.0/24")).collect();
    for (number, net) in [(100, "10.0.0.0/16"), (101, "2001:db8::/56")] {
        let mut all = entry(number, AclAction::Allow, 0..=u16::MAX, net);
        all.traffic.protocol = None;
        entries.push(all);
    }
    AclSpec { id: "acl-1".into(), name: "v.n".into(), ingress: entries.clone(), egress: entries }
}

fn route_table() -> RouteTableSpec {
    let route = |net: String, target| RouteSpec {
        id: format!("rtb-1/{net}"),
        prefix: net.parse().expect("a block"),
        target,
    };
    let others = (0..SIZES.3).map(|n| route(format!("172.16.{n}.0/24"), TargetSpec::Blackhole));
    let local = ["10.0.0.0/16", "2001:db8::/56"].map(|net| route(net.into(), TargetSpec::Local));
    RouteTableSpec { id: "rtb-1".into(), name: "v.r".into(), routes: others.chain(local).collect() }
}

fn flow_log() -> FlowLogSpec {
    FlowLogSpec {
        id: "fl-1".into(),
        interfaces: vec!["eni-client".into(), "eni-server".into()],
        traffic: TrafficFilter::All,
        interval: 60,
        format: Format::DEFAULT.to_string(),
        file: "all.log".into(),
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
