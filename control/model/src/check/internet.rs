//! The network outside every VPC: its size, its pool and its hosts.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::interface::MTU;
use super::vpc_blocks::VpcBlocks;
use super::{Home, missing, name, text};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind, Owner};
use crate::lab::{Host, Internet};
use crate::spot::Spot;

/// Bytes of an IP packet if nothing is written (MT-02).
const DEFAULT_MTU: u16 = 1500;

/// Where each address that a host owns is written.
pub(super) type HostAddresses = BTreeMap<IpAddr, Spot>;

/// Checks the internet; a lab without one has an empty one.
pub(super) fn check(
    lab: &str,
    draft: &draft::Lab,
    home: &Home,
    blocks: &VpcBlocks<'_>,
    found: &mut Findings,
) -> (Internet, HostAddresses) {
    let empty = Internet { mtu: DEFAULT_MTU, public_pool: Vec::new(), hosts: BTreeMap::new() };
    let mut taken = HostAddresses::new();
    let Some(draft) = draft.internet.get() else { return (empty, taken) };
    let owner = Owner { account: &home.account, region: "", vpc: "" };
    let mut hosts = BTreeMap::new();
    for (name, body) in draft.hosts.objects() {
        let ips = addresses(name, body, blocks, &mut taken, found);
        if name::host(name, found) {
            let host = Host {
                name: name.value.clone(),
                id: ids::id(Kind::Host, owner, &name.value),
                namespace: format!("{lab}-{}", name.value),
                ips,
                names: names(body, found),
                run: body.run.items().map(|line| line.value.clone()).collect(),
            };
            hosts.insert(name.value.clone(), host);
        }
    }
    unique_names(draft, found);
    (Internet { mtu: mtu(draft, found), public_pool: pool(draft, blocks, found), hosts }, taken)
}

fn mtu(draft: &draft::Internet, found: &mut Findings) -> u16 {
    let Some(written) = draft.mtu.get() else { return DEFAULT_MTU };
    let (least, most) = MTU;
    match u16::try_from(written.value) {
        Ok(mtu) if (least..=most).contains(&written.value) => mtu,
        _ => {
            let message = format!("mtu is {least} to {most} bytes, not {}", written.value);
            found.push(Finding::new(Code::OutOfRange, written.spot, message));
            DEFAULT_MTU
        }
    }
}

fn pool(draft: &draft::Internet, blocks: &VpcBlocks<'_>, found: &mut Findings) -> Vec<Ipv4Net> {
    let mut pool: Vec<Ipv4Net> = Vec::new();
    for item in draft.public_pool.items() {
        let Some(net) = text::block4(item, found) else { continue };
        if let Some((block, vpc)) = blocks.touching(IpNet::V4(net)) {
            let message = format!("{net} shares addresses with {block} of VPC `{vpc}`");
            found.push(
                Finding::new(Code::PublicAddressInsideVpc, item.spot, message)
                    .help("take a block outside every VPC, such as 198.51.100.0/24"),
            );
        } else if !is_public4(net.network()) || !is_public4(net.broadcast()) {
            found.push(not_public(item, &net.to_string()));
        } else {
            pool.push(net);
        }
    }
    pool
}

fn addresses(
    name: &Text,
    draft: &draft::Host,
    blocks: &VpcBlocks<'_>,
    taken: &mut HostAddresses,
    found: &mut Findings,
) -> Vec<IpAddr> {
    let what = format!("host `{}`", name.value);
    if draft.ips.is_absent() {
        missing(found, name.spot, &what, "ips", "a list of addresses, such as `ips: [203.0.113.50]`");
    }
    if let (Some(list), Some(key)) = (draft.ips.get(), draft.ips.key())
        && list.is_empty()
    {
        found.push(
            Finding::new(Code::HostWithoutAddress, key, format!("{what} has no address"))
                .help("nobody could reach it: such as `ips: [203.0.113.50]`"),
        );
    }
    draft.ips.items().filter_map(|item| address(item, blocks, taken, found)).collect()
}

fn address(
    item: &Text,
    blocks: &VpcBlocks<'_>,
    taken: &mut HostAddresses,
    found: &mut Findings,
) -> Option<IpAddr> {
    let address = text::address(item, found)?;
    if !is_public(address) {
        found.push(not_public(item, &address.to_string()));
        return None;
    }
    if let Some((block, vpc)) = blocks.around(address) {
        let message = format!("{address} lies in {block} of VPC `{vpc}`");
        found.push(
            Finding::new(Code::PublicAddressInsideVpc, item.spot, message)
                .help("a host on the internet is outside every VPC"),
        );
        return None;
    }
    if let Some(first) = taken.get(&address) {
        found.push(
            Finding::new(Code::AddressTaken, item.spot, format!("{address} is taken")).also(*first, "here"),
        );
        return None;
    }
    taken.insert(address, item.spot);
    Some(address)
}

fn names(draft: &draft::Host, found: &mut Findings) -> Vec<String> {
    draft.names.items().filter(|item| name::domain(item, found)).map(|item| item.value.clone()).collect()
}

/// A name leads to one host only.
fn unique_names(draft: &draft::Internet, found: &mut Findings) {
    let mut first: BTreeMap<&str, Spot> = BTreeMap::new();
    for item in draft.hosts.objects().flat_map(|(_, body)| body.names.items()) {
        if let Some(spot) = first.get(item.value.as_str()) {
            let message = format!("the name `{}` is taken", item.value);
            found.push(Finding::new(Code::DuplicateItem, item.spot, message).also(*spot, "here"));
        } else {
            first.insert(&item.value, item.spot);
        }
    }
}

/// Says that `what` cannot stand on the internet.
pub(super) fn not_public(at: &Text, what: &str) -> Finding {
    Finding::new(Code::AddressNotPublic, at.spot, format!("{what} cannot be reached over the internet")).help(
        "private, shared, link-local, loopback, multicast and reserved addresses are not routed there; such as 198.51.100.20 or 2001:db8::20",
    )
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => is_public4(a),
        // Global unicast (RFC 4291 section 2.4); unique local ones do not pass an internet gateway (IG-14).
        IpAddr::V6(a) => a.segments()[0] & 0xe000 == 0x2000 && a != Ipv6Addr::UNSPECIFIED,
    }
}

/// Whether an address may stand on the internet; the blocks kept for documentation may (RFC 6890 section 2.2.2).
pub(super) fn is_public4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let shared = first == 100 && second & 0xc0 == 64;
    let reserved = first == 0 || first >= 240;
    !(shared
        || reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast())
}
