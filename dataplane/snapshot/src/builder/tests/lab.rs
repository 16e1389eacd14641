//! Specifications made by hand.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::spec::{
    AclEntrySpec, AclSpec, GroupRuleSpec, GroupSpec, InterfaceSpec, InternetSpec, LabSpec, PeerSpec,
    RouteSpec, RouteTableSpec, Shared, SubnetSpec, TargetSpec, TrafficSpec, VpcSpec,
};
use crate::{AclAction, Check, RelatedIcmp, Settings};

pub(super) const EVERY_PORT: RangeInclusive<u16> = 0..=u16::MAX;

/// Protocol and selectors.
pub(super) type Traffic = (Option<u8>, RangeInclusive<u16>);

pub(super) fn tcp(ports: RangeInclusive<u16>) -> Traffic {
    (Some(6), ports)
}

pub(super) fn udp(ports: RangeInclusive<u16>) -> Traffic {
    (Some(17), ports)
}

pub(super) fn addr(text: &str) -> IpAddr {
    text.parse().expect("a literal address")
}

fn traffic((protocol, selectors): Traffic) -> TrafficSpec {
    TrafficSpec { protocol, selectors }
}

pub(super) fn rule(id: &str, matches: Traffic, net: &str) -> GroupRuleSpec {
    let peer = PeerSpec::Cidr(net.parse().expect("a literal block"));
    GroupRuleSpec { id: id.into(), traffic: traffic(matches), peer }
}

pub(super) fn peer_group(id: &str, matches: Traffic, group: &str) -> GroupRuleSpec {
    GroupRuleSpec { id: id.into(), traffic: traffic(matches), peer: PeerSpec::Group(group.into()) }
}

pub(super) fn group(id: &str, ingress: Vec<GroupRuleSpec>, egress: Vec<GroupRuleSpec>) -> Shared<GroupSpec> {
    GroupSpec { id: id.into(), name: format!("app.{id}"), ingress, egress }.into()
}

pub(super) fn entry(number: u16, action: AclAction, matches: Traffic, net: &str) -> AclEntrySpec {
    AclEntrySpec { number, action, traffic: traffic(matches), cidr: net.parse().expect("a literal block") }
}

/// A route of table `rtb-main`.
pub(super) fn route(net: &str, target: TargetSpec) -> RouteSpec {
    RouteSpec { id: format!("rtb-main/{net}"), prefix: net.parse().expect("a literal block"), target }
}

/// An interface in `subnet-a`.
pub(super) fn interface(id: &str, ipv4: &str, groups: &[&str]) -> Shared<InterfaceSpec> {
    InterfaceSpec {
        id: id.into(),
        name: format!("{id}.eth0"),
        instance: None,
        subnet: "subnet-a".into(),
        ipv4: vec![ipv4.parse().expect("a literal address")],
        public: vec![],
        ipv6: vec![],
        nat_gateway: None,
        groups: groups.iter().map(ToString::to_string).collect(),
        check: Check::On,
        mtu: 9001,
    }
    .into()
}

pub(in crate::builder) fn subnet(id: &str, vpc: &str, third_byte: u8) -> Shared<SubnetSpec> {
    SubnetSpec {
        id: id.into(),
        name: format!("app.{id}"),
        vpc: vpc.into(),
        cidr: format!("10.0.{third_byte}.0/24").parse().expect("a block"),
        ipv6_cidr: Some(format!("2001:db8:0:{third_byte:x}::/64").parse().expect("a block")),
        network_acl: "acl-main".into(),
        route_table: "rtb-main".into(),
        az: "us-east-1a".into(),
        az_id: "use1-az1".into(),
    }
    .into()
}

pub(in crate::builder) fn vpc(id: &str) -> Shared<VpcSpec> {
    VpcSpec {
        id: id.into(),
        name: id.trim_start_matches("vpc-").into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        cidrs: vec!["10.0.0.0/16".parse().expect("a literal block")],
        ipv6_cidrs: vec![],
        internet_gateway: None,
        egress_only_internet_gateway: None,
    }
    .into()
}

pub(super) fn settings() -> Settings {
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

/// A VPC with one subnet, two groups and an interface in each.
pub(in crate::builder) fn lab() -> LabSpec {
    let local = route("10.0.0.0/16", TargetSpec::Local);
    LabSpec {
        name: "lab".into(),
        acls: vec![
            AclSpec { id: "acl-main".into(), name: "app.main".into(), ingress: vec![], egress: vec![] }
                .into(),
        ],
        flow_logs: vec![],
        groups: vec![
            group("sg-web", vec![rule("sgr-web-443", tcp(443..=443), "0.0.0.0/0")], vec![]),
            group("sg-db", vec![peer_group("sgr-db-5432", tcp(5432..=5432), "sg-web")], vec![]),
        ],
        interfaces: vec![
            interface("eni-web", "10.0.1.10", &["sg-web"]),
            interface("eni-db", "10.0.1.20", &["sg-db"]),
        ],
        internet: InternetSpec { mtu: 1500, hosts: vec![] },
        nat_gateways: vec![],
        peerings: vec![],
        route_tables: vec![
            RouteTableSpec { id: "rtb-main".into(), name: "app.main".into(), routes: vec![local] }.into(),
        ],
        settings: settings(),
        subnets: vec![subnet("subnet-a", "vpc-app", 1)],
        vpcs: vec![vpc("vpc-app")],
    }
}
