//! From a checked lab to its plan.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::Valid;
use model::lab::{Host, Instance, Interface, Lab, SourceDestCheck, Subnet, Vpc};

use super::{
    Device, FIRST_DEVICE_TABLE, Forwarding, HOST_DEVICE, MAIN_TABLE, Namespace, Plan, Route, Rule, files,
};

/// Prefix length of an IPv6 address whose subnet has no IPv6 block.
const IPV6_PREFIX_LENGTH: u8 = 64;

impl Plan {
    /// What the lab needs.
    #[must_use]
    pub fn of(valid: &Valid) -> Self {
        Self::of_lab(valid.lab())
    }

    pub(crate) fn of_lab(lab: &Lab) -> Self {
        let instances = lab.vpcs.values().flat_map(|vpc| vpc.instances.values().map(move |i| (vpc, i)));
        let of_instances = instances.map(|(vpc, i)| (i.namespace.clone(), namespace(vpc, i)));
        let hosts = lab.internet.hosts.values();
        let of_hosts = hosts.map(|host| (host.namespace.clone(), host_namespace(host, lab.internet.mtu)));
        let namespaces = of_instances.chain(of_hosts).collect();
        Self { lab: lab.name.clone(), etc: files::of(lab), namespaces }
    }
}

fn namespace(vpc: &Vpc, instance: &Instance) -> Namespace {
    let devices: Vec<Device> =
        instance.interfaces.iter().map(|e| device(e, &vpc.subnets[&e.subnet])).collect();
    Namespace {
        name: instance.namespace.clone(),
        instance: instance.name.clone(),
        instance_id: instance.id.clone(),
        routes: routes(&devices),
        rules: rules(&devices),
        forwarding: forwarding(&instance.interfaces),
        programs: instance.run.clone(),
        devices,
    }
}

/// A host has its addresses and nothing else in common with anybody: whatever it sends leaves by its device.
fn host_namespace(host: &Host, mtu: u16) -> Namespace {
    let addresses: Vec<IpNet> = host.ips.iter().map(|ip| IpNet::from(*ip)).collect();
    let v4 = addresses.iter().find(|net| net.addr().is_ipv4());
    let v6 = addresses.iter().find(|net| net.addr().is_ipv6());
    let default = |net: &IpNet| Route {
        table: MAIN_TABLE,
        destination: default_of(net),
        device: HOST_DEVICE.to_owned(),
        source: net.addr(),
    };
    Namespace {
        name: host.namespace.clone(),
        instance: host.name.clone(),
        instance_id: host.id.clone(),
        routes: v4.into_iter().chain(v6).map(default).collect(),
        rules: Vec::new(),
        forwarding: Forwarding::Off,
        programs: host.run.clone(),
        devices: vec![Device { name: HOST_DEVICE.to_owned(), interface: host.id.clone(), mtu, addresses }],
    }
}

fn device(interface: &Interface, subnet: &Subnet) -> Device {
    let length = subnet.ipv6_cidr.map_or(IPV6_PREFIX_LENGTH, |cidr| cidr.prefix_len());
    let v4 = interface.private_ips.iter().map(|a| IpNet::V4(in_subnet_of(*a, subnet.cidr)));
    let v6 = interface.ipv6_addresses.iter().map(|a| IpNet::V6(with_length(*a, length)));
    Device {
        name: interface.device.clone(),
        interface: interface.id.clone(),
        mtu: interface.mtu,
        addresses: v4.chain(v6).collect(),
    }
}

fn in_subnet_of(address: Ipv4Addr, cidr: Ipv4Net) -> Ipv4Net {
    Ipv4Net::new_assert(address, cidr.prefix_len())
}

fn with_length(address: Ipv6Addr, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(address, length)
}

/// The main table, in which the first device wins, then one table per device if there are several.
fn routes(devices: &[Device]) -> Vec<Route> {
    let main = devices.iter().flat_map(|d| device_routes(d, MAIN_TABLE));
    let own = tables_of(devices).flat_map(|(d, table)| device_routes(d, table));
    let mut seen = BTreeSet::new();
    main.chain(own).filter(|route| seen.insert(route.key())).collect()
}

/// Own subnet and default route of each family that the device has.
fn device_routes(device: &Device, table: u32) -> Vec<Route> {
    let v4 = device.addresses.iter().find(|net| net.addr().is_ipv4());
    let v6 = device.addresses.iter().find(|net| net.addr().is_ipv6());
    let destinations = |net: &IpNet| [net.trunc(), default_of(net)].map(|to| (to, net.addr()));
    let route = |(destination, source)| Route { table, destination, device: device.name.clone(), source };
    v4.into_iter().chain(v6).flat_map(destinations).map(route).collect()
}

fn default_of(net: &IpNet) -> IpNet {
    match net {
        IpNet::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpNet::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}

/// A reply has to leave by the interface that owns its source address, or the source check drops it (AD-23).
fn rules(devices: &[Device]) -> Vec<Rule> {
    let own = |(device, table): (&Device, u32)| -> Vec<Rule> {
        let from: Vec<IpAddr> = device.addresses.iter().map(IpNet::addr).collect();
        from.into_iter().map(|from| Rule { from, table }).collect()
    };
    tables_of(devices).flat_map(own).collect()
}

/// Each device with its own table; one device alone needs none.
fn tables_of(devices: &[Device]) -> impl Iterator<Item = (&Device, u32)> {
    let several = if devices.len() > 1 { devices } else { &[] };
    several.iter().zip(FIRST_DEVICE_TABLE..)
}

fn forwarding(interfaces: &[Interface]) -> Forwarding {
    match interfaces.iter().any(|e| e.source_dest_check == SourceDestCheck::Off) {
        true => Forwarding::On,
        false => Forwarding::Off,
    }
}
