//! Public IPv4 addresses of interfaces and NAT gateways (IG-02, IG-03, IG-13, NG-02).
//!
//! A public address is a mapping that the internet gateway holds. Addresses that are written come first, then each `auto` gets
//! the lowest free one of the pool, in order of VPC, instance and device, NAT gateways last.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::interface::{self, Keys};
use super::internet::{HostAddresses, is_public4, not_public};
use super::vpc_blocks::VpcBlocks;
use super::{nat_gateway, text};
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::lab::{Interface, Internet, Vpc};
use crate::spot::Spot;

/// The word for "any of the pool".
const AUTO: &str = "auto";

/// Who wants a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holder<'a> {
    /// A private address of an interface, by instance and device.
    Interface(&'a str, &'a str, Ipv4Addr),
    /// An address of a NAT gateway, by place in its list.
    NatGateway(&'a str, usize),
}

/// One wish.
struct Wish<'a> {
    vpc: &'a str,
    holder: Holder<'a>,
    text: &'a Text,
}

impl<'a> Wish<'a> {
    fn gets(&self, public: Ipv4Addr) -> Given<'a> {
        Given { vpc: self.vpc, holder: self.holder, public }
    }
}

/// A wish's place and the address that it got.
pub(super) struct Given<'a> {
    vpc: &'a str,
    holder: Holder<'a>,
    public: Ipv4Addr,
}

/// An address for every wish that can be granted.
pub(super) fn assign<'a>(
    draft: &'a draft::Lab,
    vpcs: &BTreeMap<String, Vpc>,
    internet: &Internet,
    hosts: &HostAddresses,
    found: &mut Findings,
) -> Vec<Given<'a>> {
    let (auto, written): (Vec<_>, Vec<_>) =
        wishes(draft, vpcs, found).into_iter().partition(|wish| wish.text.value == AUTO);
    let blocks = VpcBlocks::of(vpcs);
    let mut claims = Claims { taken: hosts.clone(), blocks: &blocks };
    let mut given: Vec<Given<'a>> = written
        .into_iter()
        .filter_map(|wish| claims.claim(wish.text, found).map(|public| wish.gets(public)))
        .collect();
    let mut pool = internet.public_pool.iter().flat_map(Ipv4Net::hosts);
    for wish in auto {
        match pool.find(|address| !claims.taken.contains_key(&IpAddr::V4(*address))) {
            Some(public) => given.push(wish.gets(public)),
            None => exhausted(&internet.public_pool, wish.text, found),
        }
    }
    given
}

/// Puts the addresses where they belong.
pub(super) fn hand_over(given: Vec<Given<'_>>, vpcs: &mut BTreeMap<String, Vpc>) {
    for Given { vpc, holder, public } in given {
        let Some(vpc) = vpcs.get_mut(vpc) else { continue };
        match holder {
            Holder::Interface(instance, device, private) => {
                let instance = vpc.instances.get_mut(instance);
                let interface = instance.and_then(|i| i.interfaces.iter_mut().find(|e| e.device == device));
                if let Some(interface) = interface {
                    interface.public_ips.insert(private, public);
                }
            }
            Holder::NatGateway(name, n) => {
                let gateway = vpc.nat_gateways.get_mut(name);
                if let Some(address) = gateway.and_then(|gateway| gateway.addresses.get_mut(n)) {
                    address.public_ip = Some(public);
                }
            }
        }
    }
}

/// All wishes in order of VPC and holder.
fn wishes<'a>(draft: &'a draft::Lab, vpcs: &BTreeMap<String, Vpc>, found: &mut Findings) -> Vec<Wish<'a>> {
    let mut wishes = Vec::new();
    for (name, body) in draft.vpcs.objects() {
        let Some(vpc) = vpcs.get(&name.value) else { continue };
        let own = wishes_of(body, vpc, found);
        attached(body, &own, found);
        wishes.extend(own.into_iter().map(|(holder, text)| Wish { vpc: name.value.as_str(), holder, text }));
    }
    wishes.sort_by_key(|wish| (wish.vpc, wish.holder));
    wishes
}

fn exhausted(pool: &[Ipv4Net], at: &Text, found: &mut Findings) {
    let (message, help) = match pool {
        [] => (
            "there is no pool of public addresses",
            "write `public_pool` under `internet`, or an address here",
        ),
        _ => ("the pool of public addresses is used up", "add a block to `internet.public_pool`"),
    };
    found.push(Finding::new(Code::PublicPoolExhausted, at.spot, message).help(help));
}

/// Which addresses are taken.
struct Claims<'a> {
    taken: HostAddresses,
    blocks: &'a VpcBlocks<'a>,
}

impl Claims<'_> {
    /// Takes a written address if it may be had.
    fn claim(&mut self, text: &Text, found: &mut Findings) -> Option<Ipv4Addr> {
        let address = text::address4(text, found)?;
        if let Some((block, vpc)) = self.blocks.around(IpAddr::V4(address)) {
            let message = format!("the public address {address} lies in {block} of VPC `{vpc}`");
            found.push(Finding::new(Code::PublicAddressInsideVpc, text.spot, message).help(
                "a public address is outside every VPC; the internet gateway maps it to the private one",
            ));
            return None;
        }
        if !is_public4(address) {
            found.push(not_public(text, &address.to_string()));
            return None;
        }
        if let Some(first) = self.taken.get(&IpAddr::V4(address)) {
            found.push(
                Finding::new(
                    Code::PublicAddressTaken,
                    text.spot,
                    format!("the public address {address} is taken"),
                )
                .help("a public address stands for one private address, or is a host's: take another one, or `auto`")
                .also(*first, "here"),
            );
            return None;
        }
        self.taken.insert(IpAddr::V4(address), text.spot);
        Some(address)
    }
}

fn wishes_of<'a>(draft: &'a draft::Vpc, vpc: &Vpc, found: &mut Findings) -> Vec<(Holder<'a>, &'a Text)> {
    let mut wishes = Vec::new();
    for (name, device, keys) in interface::each(draft) {
        let instance = vpc.instances.get(&name.value);
        if let Some(checked) = instance.and_then(|i| i.interfaces.iter().find(|e| e.device == device)) {
            wishes.extend(of_interface(&name.value, device, keys, checked, found));
        }
    }
    for (name, body) in draft.nat_gateways.objects() {
        let publics = nat_gateway::publics(body).enumerate();
        wishes.extend(publics.filter_map(|(n, text)| Some((Holder::NatGateway(&name.value, n), text?))));
    }
    wishes
}

/// `public_ip` maps to the primary address, `public_ips` to those that it names (IG-03).
fn of_interface<'a>(
    instance: &'a str,
    device: &'a str,
    keys: Keys<'a>,
    interface: &Interface,
    found: &mut Findings,
) -> Vec<(Holder<'a>, &'a Text)> {
    if let (Some(one), Some(many)) = (keys.public_ip.key(), keys.public_ips.key()) {
        found.push(
            Finding::new(Code::ConflictingKeys, many, "`public_ip` and `public_ips` exclude each other")
                .help("`public_ip` belongs to the primary address; name it in `public_ips`")
                .also(one, "here"),
        );
        return Vec::new();
    }
    let primary = keys.public_ip.get().zip(interface.private_ips.first());
    let mut wishes: Vec<_> = primary
        .map(|(text, private)| (Holder::Interface(instance, device, *private), text))
        .into_iter()
        .collect();
    for (private, public) in keys.public_ips.objects() {
        if let Some(own) = own_address(private, interface, found) {
            wishes.push((Holder::Interface(instance, device, own), public));
        }
    }
    wishes
}

fn own_address(private: &Text, interface: &Interface, found: &mut Findings) -> Option<Ipv4Addr> {
    let address = text::address4(private, found)?;
    if interface.private_ips.contains(&address) {
        return Some(address);
    }
    let own: Vec<String> = interface.private_ips.iter().map(ToString::to_string).collect();
    let message = format!("{address} is no private address of this interface");
    found.push(
        Finding::new(Code::PublicAddressUnowned, private.spot, message)
            .help(format!("`public_ips` maps private to public addresses; it has {}", own.join(", "))),
    );
    None
}

/// A public address needs an internet gateway (IG-13).
fn attached(draft: &draft::Vpc, wishes: &[(Holder<'_>, &Text)], found: &mut Findings) {
    if super::gateway::has_internet_gateway(draft) {
        return;
    }
    for (_, text) in wishes {
        found.push(not_attached(
            text.spot,
            "a public address needs an internet gateway, and this VPC has none",
        ));
    }
}

/// Says that the VPC has no internet gateway.
pub(super) fn not_attached(spot: Spot, message: &str) -> Finding {
    Finding::new(Code::GatewayNotAttached, spot, message).help("write `internet_gateway: true` in the VPC")
}
