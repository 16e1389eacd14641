//! What differs inside one VPC.

use std::collections::BTreeMap;

use model::lab::{FlowLog, Instance, Interface, NetworkAcl, RouteTable, SecurityGroup, Subnet, Vpc};

use super::{Lines, Pair, gateway, pairs, words};

pub(super) fn compare(lines: &mut Lines, old: &Vpc, new: &Vpc) {
    let vpc = &new.name;
    lines.changed(format!("VPC {vpc}: IPv4 CIDR"), &old.cidrs, &new.cidrs, |c| words::list(c));
    lines.changed(format!("VPC {vpc}: IPv6 CIDR"), &old.ipv6_cidrs, &new.ipv6_cidrs, |c| words::list(c));
    gateway::of_vpc(lines, vpc, old, new);
    for pair in pairs(&old.subnets, &new.subnets, |subnet: &Subnet| subnet.id.as_str()) {
        match pair {
            Pair::Added(subnet) => lines.added(format!("subnet {vpc}.{} ({})", subnet.name, subnet.id)),
            Pair::Removed(subnet) => lines.removed(format!("subnet {vpc}.{} ({})", subnet.name, subnet.id)),
            Pair::Both(old, new) => compare_subnets(lines, vpc, old, new),
        }
    }
    for pair in pairs(&old.route_tables, &new.route_tables, |table: &RouteTable| table.id.as_str()) {
        match pair {
            Pair::Added(table) => lines.added(format!("route table {vpc}.{} ({})", table.name, table.id)),
            Pair::Removed(table) => lines.removed(format!("route table {vpc}.{} ({})", table.name, table.id)),
            Pair::Both(old, new) => compare_route_tables(lines, vpc, old, new),
        }
    }
    for pair in pairs(&old.security_groups, &new.security_groups, |group: &SecurityGroup| group.id.as_str()) {
        match pair {
            Pair::Added(group) => lines.added(format!("security group {vpc}.{} ({})", group.name, group.id)),
            Pair::Removed(group) => {
                lines.removed(format!("security group {vpc}.{} ({})", group.name, group.id));
            }
            Pair::Both(old, new) => compare_groups(lines, vpc, old, new),
        }
    }
    for pair in pairs(&old.network_acls, &new.network_acls, |acl: &NetworkAcl| acl.id.as_str()) {
        match pair {
            Pair::Added(acl) => lines.added(format!("network ACL {vpc}.{} ({})", acl.name, acl.id)),
            Pair::Removed(acl) => lines.removed(format!("network ACL {vpc}.{} ({})", acl.name, acl.id)),
            Pair::Both(old, new) => compare_acls(lines, vpc, old, new),
        }
    }
    for pair in pairs(&old.instances, &new.instances, |instance: &Instance| instance.id.as_str()) {
        match pair {
            Pair::Added(instance) => lines.added(format!("instance {} ({})", instance.name, instance.id)),
            Pair::Removed(instance) => lines.removed(format!("instance {} ({})", instance.name, instance.id)),
            Pair::Both(old, new) => compare_instances(lines, old, new),
        }
    }
    compare_flow_logs(lines, vpc, &old.flow_logs, &new.flow_logs);
}

fn compare_subnets(lines: &mut Lines, vpc: &str, old: &Subnet, new: &Subnet) {
    let subnet = format!("subnet {vpc}.{}", new.name);
    lines.changed(format!("{subnet}: IPv4 CIDR"), &old.cidr, &new.cidr, ToString::to_string);
    lines.changed(format!("{subnet}: IPv6 CIDR"), &old.ipv6_cidr, &new.ipv6_cidr, |cidr| {
        words::list(cidr.as_slice())
    });
    lines.changed(format!("{subnet}: availability zone"), &old.az, &new.az, String::clone);
    lines.changed(format!("{subnet}: availability zone id"), &old.az_id, &new.az_id, String::clone);
    lines.changed(format!("{subnet}: route table"), &old.route_table, &new.route_table, String::clone);
    lines.changed(format!("{subnet}: network ACL"), &old.network_acl, &new.network_acl, String::clone);
}

fn compare_route_tables(lines: &mut Lines, vpc: &str, old: &RouteTable, new: &RouteTable) {
    let table = format!("route table {vpc}.{}", new.name);
    lines.changed(format!("{table}: main"), &old.main, &new.main, bool::to_string);
    lines.elements(&format!("{table}: route"), &old.routes, &new.routes, words::route);
}

fn compare_groups(lines: &mut Lines, vpc: &str, old: &SecurityGroup, new: &SecurityGroup) {
    let group = format!("security group {vpc}.{}", new.name);
    lines.elements(&format!("{group}: ingress rule"), &old.ingress, &new.ingress, words::group_rule);
    lines.elements(&format!("{group}: egress rule"), &old.egress, &new.egress, words::group_rule);
}

fn compare_acls(lines: &mut Lines, vpc: &str, old: &NetworkAcl, new: &NetworkAcl) {
    let acl = format!("network ACL {vpc}.{}", new.name);
    lines.elements(&format!("{acl}: ingress entry"), &old.ingress, &new.ingress, words::acl_entry);
    lines.elements(&format!("{acl}: egress entry"), &old.egress, &new.egress, words::acl_entry);
}

fn compare_instances(lines: &mut Lines, old: &Instance, new: &Instance) {
    let by_device = |instance: &Instance| -> BTreeMap<String, Interface> {
        instance.interfaces.iter().map(|e| (e.device.clone(), e.clone())).collect()
    };
    let name = &new.name;
    for pair in pairs(&by_device(old), &by_device(new), |e: &Interface| e.id.as_str()) {
        match pair {
            Pair::Added(e) => lines.added(format!("network interface {name}.{} ({})", e.device, e.id)),
            Pair::Removed(e) => lines.removed(format!("network interface {name}.{} ({})", e.device, e.id)),
            Pair::Both(old, new) => compare_interfaces(lines, name, old, new),
        }
    }
    lines.elements(&format!("instance {name}: program"), &old.run, &new.run, String::clone);
}

fn compare_interfaces(lines: &mut Lines, instance: &str, old: &Interface, new: &Interface) {
    let interface = format!("network interface {instance}.{}", new.device);
    lines.changed(format!("{interface}: subnet"), &old.subnet, &new.subnet, String::clone);
    lines.changed(format!("{interface}: private IPv4 addresses"), &old.private_ips, &new.private_ips, |a| {
        words::list(a)
    });
    lines.changed(
        format!("{interface}: public addresses"),
        &old.public_ips,
        &new.public_ips,
        words::public_ips,
    );
    lines.changed(format!("{interface}: IPv6 addresses"), &old.ipv6_addresses, &new.ipv6_addresses, |a| {
        words::list(a)
    });
    lines.changed(format!("{interface}: security groups"), &old.security_groups, &new.security_groups, |g| {
        words::list(g)
    });
    let (before, after) = (&old.source_dest_check, &new.source_dest_check);
    lines.changed(format!("{interface}: source/destination check"), before, after, words::check);
    lines.changed(format!("{interface}: MTU"), &old.mtu, &new.mtu, u16::to_string);
}

/// A flow log cannot be changed, only deleted and created (FL-05); but for its interfaces, which nobody writes down.
fn compare_flow_logs(lines: &mut Lines, vpc: &str, old: &[FlowLog], new: &[FlowLog]) {
    lines.elements(&format!("flow log {vpc}:"), old, new, words::flow_log);
}
