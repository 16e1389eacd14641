//! Network interfaces.

use model::lab::{Instance, Interface, InterfaceRef, NatGateway, SourceDestCheck, Vpc};
use snapshot::Check;
use snapshot::spec::InterfaceSpec;

pub(crate) fn interfaces(vpc: &Vpc) -> Vec<InterfaceSpec> {
    vpc.instances
        .values()
        .flat_map(|instance| instance.interfaces.iter().map(|device| interface(vpc, instance, device)))
        .chain(vpc.nat_gateways.values().map(|gateway| of_nat_gateway(vpc, gateway)))
        .collect()
}

/// The `eni-` id of the interface that `at` names; none if it is not in this VPC.
pub(crate) fn id_of<'a>(vpc: &'a Vpc, at: &InterfaceRef) -> Option<&'a str> {
    let instance = vpc.instances.get(&at.instance)?;
    let interface = instance.interfaces.iter().find(|interface| interface.device == at.device)?;
    Some(&interface.id)
}

fn interface(vpc: &Vpc, instance: &Instance, interface: &Interface) -> InterfaceSpec {
    let group_id = |name: &String| vpc.security_groups[name].id.clone();
    InterfaceSpec {
        id: interface.id.clone(),
        name: format!("{}.{}", instance.name, interface.device),
        instance: Some(instance.id.clone()),
        subnet: vpc.subnets[&interface.subnet].id.clone(),
        ipv4: interface.private_ips.clone(),
        public: interface.public_ips.iter().map(|(private, public)| (*private, *public)).collect(),
        ipv6: interface.ipv6_addresses.clone(),
        nat_gateway: None,
        groups: interface.security_groups.iter().map(group_id).collect(),
        check: match interface.source_dest_check {
            SourceDestCheck::Off => Check::Off,
            SourceDestCheck::On => Check::On,
        },
        mtu: interface.mtu,
    }
}

/// Bytes of an IP packet that a NAT gateway takes (MT-02).
const NAT_GATEWAY_MTU: u16 = 8500;

/// The interface of a NAT gateway: no instance, no groups, no check (NG-01, NG-05, AD-24).
fn of_nat_gateway(vpc: &Vpc, gateway: &NatGateway) -> InterfaceSpec {
    let publics =
        gateway.addresses.iter().filter_map(|address| Some((address.private_ip, address.public_ip?)));
    InterfaceSpec {
        id: gateway.interface_id.clone(),
        name: format!("{}.{}", vpc.name, gateway.name),
        instance: None,
        subnet: vpc.subnets[&gateway.subnet].id.clone(),
        ipv4: gateway.addresses.iter().map(|address| address.private_ip).collect(),
        public: publics.collect(),
        ipv6: Vec::new(),
        nat_gateway: Some(gateway.id.clone()),
        groups: Vec::new(),
        check: Check::Off,
        mtu: NAT_GATEWAY_MTU,
    }
}
