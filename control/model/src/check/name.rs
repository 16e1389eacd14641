//! Names: of the lab, of objects, of namespaces and devices.

use std::collections::BTreeMap;

use crate::draft::{self, Field, Named, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::Kind;
use crate::spot::Spot;

/// Bytes of a lab name: with the longest instance name it still fits every path under /run and /etc/netns.
const LAB_NAME_MAX: usize = 32;
/// Bytes of an instance name: it is a host name (RFC 1123 section 2.1, RFC 1035 section 2.3.4).
const INSTANCE_NAME_MAX: usize = 63;
/// Bytes of a domain name (RFC 1035 section 2.3.4).
const DOMAIN_NAME_MAX: usize = 253;
/// Bytes of a device name: IFNAMSIZ is 16 with the final zero.
const DEVICE_NAME_MAX: usize = 15;
/// Characters of any other name, as for security groups (SG-31).
const OBJECT_NAME_MAX: usize = 255;

/// The lab's name.
pub(super) fn lab(draft: &draft::Lab, found: &mut Findings) -> Option<String> {
    if draft.lab.is_absent() {
        super::missing(
            found,
            draft.spot,
            "the file",
            "lab",
            "the name of the lab, such as `lab: shop`; its namespaces are called shop-INSTANCE",
        );
    }
    let name = draft.lab.get()?;
    host_name(name, "a lab", LAB_NAME_MAX, found).then(|| name.value.clone())
}

/// Whether `name` can name an instance, and so a namespace and a host.
pub(super) fn instance(name: &Text, found: &mut Findings) -> bool {
    host_name(name, "an instance", INSTANCE_NAME_MAX, found)
}

/// Whether `name` can name a host on the internet, and so a namespace.
pub(super) fn host(name: &Text, found: &mut Findings) -> bool {
    host_name(name, "a host", INSTANCE_NAME_MAX, found)
}

/// Whether `name` is a domain name whose labels are host names (RFC 1035 section 2.3.1, RFC 1123 section 2.1).
pub(super) fn domain(name: &Text, found: &mut Findings) -> bool {
    let text = &name.value;
    let is_label = |label: &str| {
        (1..=INSTANCE_NAME_MAX).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let good = text.len() <= DOMAIN_NAME_MAX && text.split('.').all(is_label);
    if !good {
        found.push(
            Finding::new(Code::NameMalformed, name.spot, format!("`{text}` is no domain name"))
                .help("labels of letters, digits and `-` with dots between them, such as www.example.com"),
        );
    }
    good
}

/// Whether `name` can name any other object: it must fit into a reference.
pub(super) fn object(name: &Text, found: &mut Findings) -> bool {
    let text = &name.value;
    let good = is_object(text);
    if !good {
        found.push(
            Finding::new(Code::NameMalformed, name.spot, format!("`{text}` cannot be a name"))
                .help(format!("a name has 1 to {OBJECT_NAME_MAX} letters, digits, `-` and `_`; a `.` or `/` would make references ambiguous")),
        );
    }
    good
}

/// Whether `text` fits into a reference.
pub(crate) fn is_object(text: &str) -> bool {
    (1..=OBJECT_NAME_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether `name` can name a network device.
pub(super) fn device(name: &Text, found: &mut Findings) -> bool {
    let text = &name.value;
    let good = text.len() <= DEVICE_NAME_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        && text != "lo";
    if !good {
        found.push(
            Finding::new(Code::DeviceMalformed, name.spot, format!("`{text}` cannot be a network device"))
                .help(format!("at most {DEVICE_NAME_MAX} lower-case letters, digits, `-` and `_`, first a letter, not `lo`; such as eth0")),
        );
    }
    good
}

/// A security group may not be called like an id, unless it is one (SG-31).
pub(super) fn security_group(name: &Text, found: &mut Findings) -> bool {
    if name.value.starts_with("sg-") && !Kind::SecurityGroup.is_id(&name.value) {
        found.push(
            Finding::new(
                Code::NameReserved,
                name.spot,
                format!("`{}` starts with `sg-` but is no security-group id", name.value),
            )
            .help("AWS keeps names that start with `sg-` for ids: 17 hexadecimal digits follow"),
        );
        return false;
    }
    object(name, found)
}

/// Names of instances and of hosts on the internet are unique in the lab, because they name namespaces.
pub(super) fn unique_instances(draft: &draft::Lab, found: &mut Findings) {
    let mut first: BTreeMap<&str, (&str, Spot)> = BTreeMap::new();
    let hosts = draft.internet.get().map_or(&Field::Absent, |internet| &internet.hosts);
    for (vpc, body) in draft.vpcs.objects() {
        for entry in body.instances.entries() {
            let name = &entry.name;
            if let Some((other, spot)) = first.get(name.value.as_str()) {
                found.push(
                    Finding::new(
                        Code::DuplicateInstance,
                        name.spot,
                        format!("instance `{}` is also in VPC `{other}`", name.value),
                    )
                    .help("an instance name is unique in the lab: it names a namespace and a host")
                    .also(*spot, "the first one"),
                );
            } else {
                first.insert(&name.value, (&vpc.value, name.spot));
            }
        }
    }
    for name in hosts.entries().map(|entry| &entry.name) {
        if let Some((vpc, spot)) = first.get(name.value.as_str()) {
            let message = format!("host `{}` is also an instance in VPC `{vpc}`", name.value);
            found.push(
                Finding::new(Code::DuplicateInstance, name.spot, message)
                    .help("the name of a host is unique in the lab: it names a namespace")
                    .also(*spot, "the instance"),
            );
        }
    }
}

/// A name that is an AWS id is kept as the id, so no other object may carry it.
pub(super) fn unique_ids(draft: &draft::Lab, found: &mut Findings) {
    let mut seen = BTreeMap::new();
    take(Kind::Vpc, &draft.vpcs, &mut seen, found);
    take(Kind::PrefixList, &draft.prefix_lists, &mut seen, found);
    take(Kind::Peering, &draft.peerings, &mut seen, found);
    for (_, vpc) in draft.vpcs.objects() {
        take(Kind::Subnet, &vpc.subnets, &mut seen, found);
        take(Kind::RouteTable, &vpc.route_tables, &mut seen, found);
        take(Kind::SecurityGroup, &vpc.security_groups, &mut seen, found);
        take(Kind::Acl, &vpc.network_acls, &mut seen, found);
        take(Kind::NatGateway, &vpc.nat_gateways, &mut seen, found);
        // Those of subnets and interfaces get ids of their own whatever their names are.
        take(Kind::FlowLog, &vpc.flow_logs, &mut seen, found);
    }
}

fn take<'a, T>(
    kind: Kind,
    objects: &'a Field<Named<T>>,
    seen: &mut BTreeMap<&'a str, Spot>,
    found: &mut Findings,
) {
    for entry in objects.entries().filter(|e| kind.is_id(&e.name.value)) {
        if let Some(first) = seen.insert(&entry.name.value, entry.name.spot) {
            let message = format!("the id `{}` is taken", entry.name.value);
            found.push(
                Finding::new(Code::DuplicateId, entry.name.spot, message).also(first, "by this object"),
            );
        }
    }
}

fn host_name(name: &Text, what: &str, max: usize, found: &mut Findings) -> bool {
    let text = &name.value;
    let good = !text.is_empty()
        && text.len() <= max
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if !good {
        found.push(
            Finding::new(Code::NameMalformed, name.spot, format!("`{text}` cannot name {what}"))
                .help(format!("1 to {max} lower-case letters, digits and `-`, neither first nor last a `-`: it becomes part of a namespace name")),
        );
    }
    good
}
