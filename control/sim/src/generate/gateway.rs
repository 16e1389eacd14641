//! Random gateways, public addresses, peering connections and hosts on the internet.

use std::net::{IpAddr, Ipv4Addr};

use super::lab::{Lab, Table, Vpc};
use crate::Draw;

/// The gateways of one VPC.
#[derive(Clone, Debug, Default)]
pub(super) struct Gateways {
    pub(super) internet: bool,
    /// The table of the internet gateway.
    pub(super) edge: Option<Table>,
    pub(super) egress_only: bool,
    pub(super) nat: Vec<NatGateway>,
}

/// A NAT gateway; a public one has a public address for each private one.
#[derive(Clone, Debug)]
pub(super) struct NatGateway {
    pub(super) name: String,
    /// Position in the VPC's list.
    pub(super) subnet: usize,
    pub(super) addresses: Vec<(String, Option<String>)>,
}

/// A peering connection between two VPCs by their positions.
#[derive(Clone, Debug)]
pub(super) struct Peering {
    pub(super) name: String,
    pub(super) requester: usize,
    pub(super) accepter: usize,
    pub(super) state: &'static str,
}

/// A host on the internet.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) ips: Vec<&'static str>,
}

/// Addresses of hosts, by host.
const HOSTS: &[&[&str]] =
    &[&["203.0.113.5", "2001:db8::5"], &["203.0.113.200", "192.0.2.9"], &["8.8.8.8", "2001:db8:1::7"]];

/// What a connection may be while the blocks of its VPCs do not overlap, and what it may be in any case (PC-05).
const STATES: &[&str] = &["active", "active", "active", "active", "pending-acceptance", "deleted"];
const ENDED: &[&str] = &["failed", "rejected", "deleted", "expired"];

/// Most NAT gateways that a generated VPC gets: each subnet has room for as many, with [`NAT_ADDRESSES`] each.
pub(super) const NAT_GATEWAYS: usize = 3;
const NAT_ADDRESSES: usize = 2;
/// The first host number that a subnet gives to anyone.
const FIRST_HOST: usize = 4;

/// Opens a lab of VPCs to each other and to the outside.
pub(super) fn join(lab: &mut Lab, draw: &mut Draw) {
    lab.mtu = *draw.pick(&[1_500, 1_500, 1_280, 9_001]);
    let hosts = HOSTS.iter().take(draw.between(1, HOSTS.len())).zip(0..);
    lab.hosts = hosts.map(|(ips, n)| Host { name: format!("h{n}"), ips: ips.to_vec() }).collect();
    for n in 0..lab.vpcs.len() {
        let vpc = &mut lab.vpcs[n];
        vpc.gateways.internet = draw.chance(80);
        vpc.gateways.egress_only = vpc.v6.is_some() && draw.chance(60);
        for _ in 0..*draw.pick(&[0, 1, 1, 2]) {
            add_nat_gateway(lab, n, draw);
        }
        publish_some(lab, n, draw);
    }
    let pairs = (0..lab.vpcs.len()).flat_map(|low| (0..low).map(move |high| (low, high)));
    for (one, other) in pairs.collect::<Vec<_>>() {
        if draw.chance(65) {
            let (requester, accepter) = if draw.chance(50) { (one, other) } else { (other, one) };
            let name = format!("p{requester}-{accepter}");
            let state = *draw.pick(if may_peer(&lab.vpcs[one], &lab.vpcs[other]) { STATES } else { ENDED });
            lab.peerings.push(Peering { name, requester, accepter, state });
        }
    }
}

/// A further NAT gateway, if there is room for it.
pub(super) fn add_nat_gateway(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let vpc = &lab.vpcs[n];
    let free = |slot: &usize| vpc.gateways.nat.iter().all(|known| known.name != format!("n{slot}"));
    let Some(slot) = (0..NAT_GATEWAYS).find(free) else { return };
    let (subnet, is_public) = (draw.below(vpc.subnets.len()), vpc.gateways.internet && draw.chance(80));
    let first = FIRST_HOST + slot * NAT_ADDRESSES;
    let hosts = first..first + draw.between(1, NAT_ADDRESSES);
    let addresses: Vec<_> = hosts.map(|host| (vpc.v4_of(subnet, host), None)).collect();
    lab.vpcs[n].gateways.nat.push(NatGateway { name: format!("n{slot}"), subnet, addresses });
    if is_public {
        let publics = lab.free_publics();
        let gateway = lab.vpcs[n].gateways.nat.last_mut().into_iter().flat_map(|nat| &mut nat.addresses);
        gateway.zip(publics).for_each(|((_, public), free)| *public = Some(free));
    }
}

/// Gives about half of the interfaces behind an internet gateway a public address or two.
fn publish_some(lab: &mut Lab, n: usize, draw: &mut Draw) {
    let positions = lab.vpcs[n].instances.iter().enumerate();
    let positions = positions.flat_map(|(i, instance)| (0..instance.interfaces.len()).map(move |e| (i, e)));
    for (instance, interface) in positions.collect::<Vec<_>>() {
        if lab.vpcs[n].gateways.internet && draw.chance(45) {
            publish(lab, n, instance, interface, draw);
        }
    }
}

/// Gives a public address to some of an interface's addresses.
pub(super) fn publish(lab: &mut Lab, n: usize, instance: usize, interface: usize, draw: &mut Draw) {
    let publics = lab.free_publics();
    let interface = &mut lab.vpcs[n].instances[instance].interfaces[interface];
    let chosen = draw.some(&interface.v4, 75).into_iter();
    let fresh = chosen.filter(|private| interface.public.iter().all(|(known, _)| known != private));
    let fresh: Vec<_> = fresh.zip(publics).collect();
    interface.public.extend(fresh);
}

/// PC-05.
fn may_peer(one: &Vpc, other: &Vpc) -> bool {
    one.v4 != other.v4 && !(one.second && other.second)
}

impl Lab {
    /// Whether two VPCs may be joined.
    pub(super) fn is_possible(&self, peering: &Peering) -> bool {
        may_peer(&self.vpcs[peering.requester], &self.vpcs[peering.accepter])
    }

    /// Public addresses that the lab uses, each with the private one behind it.
    pub(super) fn publics(&self) -> impl Iterator<Item = (&str, &str)> {
        let interfaces = self.interfaces().flat_map(|(_, _, interface)| &interface.public);
        let gateways = self.vpcs.iter().flat_map(|vpc| &vpc.gateways.nat).flat_map(|nat| &nat.addresses);
        let of_gateways =
            gateways.filter_map(|(private, public)| Some((private.as_str(), public.as_deref()?)));
        interfaces.map(|(private, public)| (private.as_str(), public.as_str())).chain(of_gateways)
    }

    /// Whether a NAT gateway is reached by this address, inside or on the internet, perhaps through NAT64 (RFC 6052 section 2).
    pub(super) fn is_nat_address(&self, address: IpAddr) -> bool {
        let embedded = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv4Addr::from_bits(address.to_bits() as u32).into(),
        };
        self.nat_with(embedded).is_some()
    }

    /// Whether it is one of several of a NAT gateway.
    pub(super) fn is_one_of_several(&self, address: IpAddr) -> bool {
        self.nat_with(address).is_some_and(|gateway| gateway.addresses.len() > 1)
    }

    fn nat_with(&self, address: IpAddr) -> Option<&NatGateway> {
        let text = address.to_string();
        let is =
            |(private, public): &(String, Option<String>)| *private == text || public.as_ref() == Some(&text);
        let mut gateways = self.vpcs.iter().flat_map(|vpc| &vpc.gateways.nat);
        gateways.find(|gateway| gateway.addresses.iter().any(is))
    }

    fn free_publics(&self) -> Vec<String> {
        let all = (10..250).map(|host| format!("198.51.100.{host}"));
        let taken = |address: &String| self.publics().any(|(_, known)| known == address);
        all.filter(|address| !taken(address)).take(4).collect()
    }
}
