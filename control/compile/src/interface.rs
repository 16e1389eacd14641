//! Network interfaces.

use model::lab::{Instance, Interface, InterfaceRef, SourceDestCheck, Vpc};
use snapshot::Check;
use snapshot::spec::InterfaceSpec;

pub(crate) fn interfaces(vpc: &Vpc) -> Vec<InterfaceSpec> {
    vpc.instances
        .values()
        .flat_map(|instance| instance.interfaces.iter().map(|device| interface(vpc, instance, device)))
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
        ipv6: interface.ipv6_addresses.clone(),
        groups: interface.security_groups.iter().map(group_id).collect(),
        check: match interface.source_dest_check {
            SourceDestCheck::Off => Check::Off,
            SourceDestCheck::On => Check::On,
        },
        mtu: interface.mtu,
    }
}
