//! The way through a NAT gateway and an internet gateway, added to the lab.

use snapshot::spec::{
    AclEntrySpec, GroupRuleSpec, HostSpec, InterfaceSpec, InternetGatewaySpec, LabSpec, NatGatewaySpec,
    PeerSpec, RouteSpec, RouteTableSpec, TargetSpec, TrafficSpec,
};
use snapshot::{AclAction, Check, Connectivity};

use crate::packets::PORT;

/// The host's network.
const ABROAD: &str = "203.0.113.0/24";

pub(super) fn behind_nat_gateway(mut lab: LabSpec) -> LabSpec {
    let address = "203.0.113.10".parse().expect("an address");
    lab.internet.hosts.push(HostSpec { id: "host-1".into(), name: "h".into(), addresses: vec![address] });
    lab.vpcs[0].internet_gateway = Some(InternetGatewaySpec { id: "igw-1".into(), route_table: None });
    lab.nat_gateways.push(
        NatGatewaySpec {
            id: "nat-1".into(),
            name: "v.nat".into(),
            interface: "eni-nat".into(),
            connectivity: Connectivity::Public,
        }
        .into(),
    );
    lab.interfaces.push(interface().into());
    route_abroad(&mut lab);
    allow_abroad(&mut lab);
    lab
}

fn interface() -> InterfaceSpec {
    let private = "10.0.2.5".parse().expect("an address");
    InterfaceSpec {
        id: "eni-nat".into(),
        name: "eni-nat".into(),
        instance: None,
        subnet: "subnet-2".into(),
        ipv4: vec![private],
        public: vec![(private, "198.51.100.5".parse().expect("an address"))],
        ipv6: vec![],
        nat_gateway: Some("nat-1".into()),
        groups: vec![],
        check: Check::Off,
        mtu: 8500,
    }
}

/// The client's table leads to the NAT gateway, the gateway's own to the internet.
fn route_abroad(lab: &mut LabSpec) {
    let route = |table: &str, target| RouteSpec {
        id: format!("{table}/{ABROAD}"),
        prefix: ABROAD.parse().expect("a block"),
        target,
    };
    let mut public: RouteTableSpec = (*lab.route_tables[0]).clone();
    (public.id, public.name) = ("rtb-2".into(), "v.public".into());
    public.routes.push(route("rtb-2", TargetSpec::InternetGateway));
    lab.route_tables[0].routes.push(route("rtb-1", TargetSpec::Interface("eni-nat".into())));
    lab.route_tables.push(public.into());
    lab.subnets[1].route_table = "rtb-2".into();
}

fn allow_abroad(lab: &mut LabSpec) {
    let rule = GroupRuleSpec {
        id: "sgr-abroad".into(),
        traffic: TrafficSpec { protocol: None, selectors: PORT..=PORT },
        peer: PeerSpec::Cidr(ABROAD.parse().expect("a block")),
    };
    lab.groups[0].egress.push(rule);
    let entry = AclEntrySpec {
        number: 102,
        action: AclAction::Allow,
        traffic: TrafficSpec { protocol: None, selectors: 0..=u16::MAX },
        cidr: ABROAD.parse().expect("a block"),
    };
    lab.acls[0].ingress.push(entry.clone());
    lab.acls[0].egress.push(entry);
}
