//! What one interface asks for (AD-16, AD-23, MT-01, SG-29).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::quota::Quota;
use super::subnet::DEFAULT;
use super::vpc::Scope;
use super::{group, missing, reference, text};
use crate::draft::{self, Field, FlowLog, List, Named, Text};
use crate::findings::{Code, Finding, Findings};
use crate::lab::SourceDestCheck;
use crate::spot::{At, Spot};

/// The device of an instance that writes no `interfaces`.
pub(super) const ONLY: &str = "eth0";
/// Groups per interface (SG-29).
const GROUPS: Quota = Quota { unasked: 5, most: 16 };
/// Bytes of an IP packet: the least that IPv6 links carry (RFC 8200 section 5), and MT-01.
pub(super) const MTU: (u64, u64) = (1280, 9001);

/// The keys of an interface, wherever they stand.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) subnet: &'a Field<Text>,
    pub(super) security_groups: &'a Field<List<Text>>,
    pub(super) private_ip: &'a Field<Text>,
    pub(super) private_ips: &'a Field<List<Text>>,
    pub(super) public_ip: &'a Field<Text>,
    pub(super) public_ips: &'a Field<Named<Text>>,
    pub(super) ipv6: &'a Field<At<bool>>,
    pub(super) ipv6_addresses: &'a Field<List<Text>>,
    pub(super) source_dest_check: &'a Field<At<bool>>,
    pub(super) mtu: &'a Field<At<u64>>,
    pub(super) flow_logs: &'a Field<Named<FlowLog>>,
}

impl<'a> Keys<'a> {
    pub(super) const fn of_instance(draft: &'a draft::Instance) -> Self {
        let draft::Instance {
            spot: _,
            run: _,
            interfaces: _,
            subnet,
            security_groups,
            private_ip,
            private_ips,
            ..
        } = draft;
        let draft::Instance {
            public_ip,
            public_ips,
            ipv6,
            ipv6_addresses,
            source_dest_check,
            mtu,
            flow_logs,
            ..
        } = draft;
        Self {
            subnet,
            security_groups,
            private_ip,
            private_ips,
            public_ip,
            public_ips,
            ipv6,
            ipv6_addresses,
            source_dest_check,
            mtu,
            flow_logs,
        }
    }

    pub(super) const fn of_interface(draft: &'a draft::Interface) -> Self {
        let draft::Interface { spot: _, subnet, security_groups, private_ip, private_ips, public_ip, .. } =
            draft;
        let draft::Interface { public_ips, ipv6, ipv6_addresses, source_dest_check, mtu, flow_logs, .. } =
            draft;
        Self {
            subnet,
            security_groups,
            private_ip,
            private_ips,
            public_ip,
            public_ips,
            ipv6,
            ipv6_addresses,
            source_dest_check,
            mtu,
            flow_logs,
        }
    }
}

/// Every interface of a VPC as written, with its instance and device.
pub(super) fn each(draft: &draft::Vpc) -> impl Iterator<Item = (&Text, &str, Keys<'_>)> {
    draft.instances.objects().flat_map(|(name, instance)| {
        let only = instance.interfaces.is_absent().then(|| (ONLY, Keys::of_instance(instance)));
        let many = instance
            .interfaces
            .objects()
            .map(|(device, body)| (device.value.as_str(), Keys::of_interface(body)));
        only.into_iter().chain(many).map(move |(device, keys)| (name, device, keys))
    })
}

/// Addresses of one family that an interface asks for.
pub(super) enum Wish<A> {
    /// The next free one.
    Any(Spot),
    /// None at all, or none that can be read.
    Nothing,
    /// These.
    These(Vec<(A, Spot)>),
}

/// What an interface asks for.
pub(super) struct Plan<'a> {
    pub(super) instance: &'a str,
    pub(super) device: &'a str,
    /// Names a subnet of the VPC.
    pub(super) subnet: &'a Text,
    pub(super) v4: Wish<Ipv4Addr>,
    pub(super) v6: Wish<Ipv6Addr>,
    pub(super) groups: Vec<String>,
    pub(super) check: SourceDestCheck,
    pub(super) mtu: u16,
}

/// Reads one interface; `default_groups` are those of its instance.
pub(super) fn plan<'a>(
    scope: &Scope<'a>,
    instance: &'a Text,
    device: &'a str,
    spot: Spot,
    keys: Keys<'a>,
    default_groups: &'a Field<List<Text>>,
    found: &mut Findings,
) -> Option<Plan<'a>> {
    let named = if keys.security_groups.is_absent() { default_groups } else { keys.security_groups };
    let groups = groups(scope, named, found);
    let v4 = wish4(keys, spot, found);
    let v6 = wish6(keys, spot, found);
    let mtu = mtu(keys.mtu, found);
    let subnet = subnet(scope, instance, device, spot, keys, found)?;
    let check = match keys.source_dest_check.get() {
        Some(check) if !check.value => SourceDestCheck::Off,
        _ => SourceDestCheck::On,
    };
    Some(Plan { instance: &instance.value, device, subnet, v4, v6, groups, check, mtu })
}

fn subnet<'a>(
    scope: &Scope<'a>,
    instance: &Text,
    device: &str,
    spot: Spot,
    keys: Keys<'a>,
    found: &mut Findings,
) -> Option<&'a Text> {
    if keys.subnet.is_absent() {
        missing(
            found,
            spot,
            &format!("interface `{}.{device}`", instance.value),
            "subnet",
            "the name of a subnet of the same VPC",
        );
    }
    let subnet = keys.subnet.get()?;
    reference::known("subnet", subnet, &scope.draft.subnets, &[], found).then_some(subnet)
}

/// Names of the groups listed in `field`, or of the default one.
pub(super) fn groups(scope: &Scope<'_>, field: &Field<List<Text>>, found: &mut Findings) -> Vec<String> {
    let mut groups: Vec<(&str, Spot)> = Vec::new();
    for name in field.items() {
        if let Some((_, first)) = groups.iter().find(|(n, _)| *n == name.value) {
            let message = format!("security group `{}` is listed twice", name.value);
            found.push(Finding::new(Code::DuplicateItem, name.spot, message).also(*first, "the first time"));
        } else if group::is_known(scope, name, found) {
            groups.push((&name.value, name.spot));
        }
    }
    if let Some(key) = field.key() {
        GROUPS.check(groups.len(), "security groups on an interface", key, found);
    }
    if groups.is_empty() {
        return vec![DEFAULT.to_owned()];
    }
    groups.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn wish4(keys: Keys<'_>, spot: Spot, found: &mut Findings) -> Wish<Ipv4Addr> {
    if let (Some(one), Some(many)) = (keys.private_ip.key(), keys.private_ips.key()) {
        let message = "`private_ip` and `private_ips` exclude each other";
        found.push(
            Finding::new(Code::ConflictingKeys, many, message)
                .help("the first of `private_ips` is the primary address")
                .also(one, "here"),
        );
        return Wish::Nothing;
    }
    if keys.private_ip.is_broken() || keys.private_ips.is_broken() {
        return Wish::Nothing;
    }
    let texts: Vec<&Text> = keys.private_ip.get().into_iter().chain(keys.private_ips.items()).collect();
    if texts.is_empty() {
        return Wish::Any(spot);
    }
    Wish::These(texts.into_iter().filter_map(|t| text::address4(t, found).map(|a| (a, t.spot))).collect())
}

fn wish6(keys: Keys<'_>, spot: Spot, found: &mut Findings) -> Wish<Ipv6Addr> {
    let wanted = keys.ipv6.get().map(|flag| flag.value);
    let texts: Vec<&Text> = keys.ipv6_addresses.items().collect();
    if let (Some(false), false, Some(key)) = (wanted, texts.is_empty(), keys.ipv6_addresses.key()) {
        let message = "`ipv6: false` and `ipv6_addresses` exclude each other";
        let other = keys.ipv6.key().unwrap_or(key);
        found.push(Finding::new(Code::ConflictingKeys, key, message).also(other, "here"));
        return Wish::Nothing;
    }
    match wanted {
        _ if !texts.is_empty() => Wish::These(
            texts.into_iter().filter_map(|t| text::address6(t, found).map(|a| (a, t.spot))).collect(),
        ),
        Some(true) => Wish::Any(keys.ipv6.key().unwrap_or(spot)),
        _ => Wish::Nothing,
    }
}

fn mtu(field: &Field<At<u64>>, found: &mut Findings) -> u16 {
    let (least, most) = MTU;
    let written = field.get().map_or(most, |mtu| mtu.value);
    match u16::try_from(written) {
        Ok(mtu) if (least..=most).contains(&written) => mtu,
        _ => {
            let spot = field.get().map_or_else(Spot::default, |mtu| mtu.spot);
            found.push(Finding::new(
                Code::OutOfRange,
                spot,
                format!("mtu is {least} to {most} bytes, not {written}"),
            ));
            9001
        }
    }
}
