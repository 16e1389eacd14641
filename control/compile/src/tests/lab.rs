//! Labs made by hand; what the check guarantees holds in them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use model::lab::{
    AclAction, AclEntry, Destination, FlowLogInterval, GroupRule, Instance, Interface, InterfaceRef,
    Internet, Lab, NetworkAcl, Nitro, Peer, PrefixList, RelatedIcmp, Route, RouteTable, SecurityGroup,
    Settings, SourceDestCheck, Subnet, Target, Tracking, Traffic, Vpc,
};

pub(super) const EVERY: RangeInclusive<u16> = 0..=u16::MAX;

/// Maps objects by their names.
pub(super) fn named<T, const N: usize>(objects: [(&str, T); N]) -> BTreeMap<String, T> {
    objects.into_iter().map(|(name, object)| (name.to_owned(), object)).collect()
}

pub(super) fn route(to: &str, target: Target) -> Route {
    Route {
        id: format!("rtb-main/{to}"),
        destination: Destination::Cidr(to.parse().expect("a block")),
        target,
    }
}

/// A route to prefix list `name`, whose id is `id`.
pub(super) fn list_route(name: &str, id: &str, target: Target) -> Route {
    Route { id: format!("rtb-main/{id}"), destination: Destination::PrefixList(name.into()), target }
}

pub(super) fn list(name: &str, id: &str, entries: &[&str]) -> PrefixList {
    let entries = entries.iter().map(|entry| entry.parse().expect("a block")).collect();
    PrefixList { name: name.into(), id: id.into(), entries, max_entries: 10 }
}

pub(super) fn eth(instance: &str, device: &str) -> InterfaceRef {
    InterfaceRef { instance: instance.into(), device: device.into() }
}

pub(super) fn rule(id: &str, traffic: Traffic, peer: Peer) -> GroupRule {
    GroupRule { id: id.into(), traffic, peer }
}

pub(super) fn block(net: &str) -> Peer {
    Peer::Cidr(net.parse().expect("a block"))
}

fn interface(device: &str, id: &str, subnet: &str, address: &str) -> Interface {
    Interface {
        device: device.into(),
        id: id.into(),
        subnet: subnet.into(),
        private_ips: vec![address.parse().expect("an address")],
        public_ips: BTreeMap::new(),
        ipv6_addresses: vec![],
        security_groups: vec!["web".into()],
        source_dest_check: SourceDestCheck::On,
        mtu: 9001,
    }
}

fn instance(name: &str, interfaces: Vec<Interface>) -> Instance {
    Instance {
        name: name.into(),
        id: format!("i-{name}"),
        namespace: format!("lab-{name}"),
        interfaces,
        run: vec![],
    }
}

fn subnet(name: &str, cidr: &str) -> Subnet {
    Subnet {
        name: name.into(),
        id: format!("subnet-{name}"),
        cidr: cidr.parse().expect("a block"),
        ipv6_cidr: None,
        az: "us-east-1a".into(),
        az_id: "use1-az1".into(),
        route_table: "main".into(),
        network_acl: "default".into(),
    }
}

fn settings() -> Settings {
    Settings {
        tcp_established: 432_000,
        udp_stream: 180,
        udp_timeout: 30,
        icmp: 30,
        related_icmp: RelatedIcmp::Accept,
        tracking: Tracking::Aws,
        nat_idle_timeout: 350,
        sessions: 1_000_000,
        flow_log_interval: FlowLogInterval::Aws,
        nitro: Nitro::On,
    }
}

fn default_acl() -> NetworkAcl {
    let entry = AclEntry {
        number: 100,
        action: AclAction::Allow,
        traffic: Traffic::All,
        cidr: "0.0.0.0/0".parse().expect("a block"),
    };
    NetworkAcl {
        name: "default".into(),
        id: "acl-default".into(),
        ingress: vec![entry.clone()],
        egress: vec![entry],
    }
}

/// One VPC `app`: subnets `a` and `b`, instances `web` (in `a`) and `fw` (in both), group `web`, main table `main`.
pub(super) fn lab() -> Lab {
    let local = route("10.0.0.0/16", Target::Local);
    let main = RouteTable { name: "main".into(), id: "rtb-main".into(), main: true, routes: vec![local] };
    let group = |name: &str| SecurityGroup {
        name: name.into(),
        id: format!("sg-{name}"),
        ingress: vec![],
        egress: vec![],
    };
    let fw =
        vec![interface("eth0", "eni-fw0", "a", "10.0.1.20"), interface("eth1", "eni-fw1", "b", "10.0.2.20")];
    let app = Vpc {
        name: "app".into(),
        id: "vpc-app".into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        cidrs: vec!["10.0.0.0/16".parse().expect("a block")],
        ipv6_cidrs: vec![],
        internet_gateway: None,
        egress_only_internet_gateway: None,
        nat_gateways: BTreeMap::new(),
        subnets: named([("a", subnet("a", "10.0.1.0/24")), ("b", subnet("b", "10.0.2.0/24"))]),
        route_tables: named([("main", main)]),
        security_groups: named([("default", group("default")), ("web", group("web"))]),
        network_acls: named([("default", default_acl())]),
        instances: named([
            ("fw", instance("fw", fw)),
            ("web", instance("web", vec![interface("eth0", "eni-web", "a", "10.0.1.10")])),
        ]),
        flow_logs: vec![],
    };
    Lab {
        name: "lab".into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        vpcs: named([("app", app)]),
        peerings: BTreeMap::new(),
        internet: Internet { mtu: 1500, public_pool: vec![], hosts: BTreeMap::new() },
        prefix_lists: BTreeMap::new(),
        settings: settings(),
    }
}
