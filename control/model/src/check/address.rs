//! Hands out addresses (AD-05..07).
//!
//! Addresses that are written come first. Then each interface that asks for any gets the lowest free one of its subnet, in order of
//! instance and device name, NAT gateways last, so that one lab file always gives the same addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::interface::Wish;
use crate::findings::{Code, Finding, Findings};
use crate::lab::Subnet;
use crate::spot::Spot;

/// Addresses of one interface.
pub(super) type Addresses = (Vec<Ipv4Addr>, Vec<Ipv6Addr>);

/// What somebody asks of a subnet.
pub(super) struct Request<'a> {
    pub(super) owner: Owner<'a>,
    pub(super) subnet: &'a str,
    pub(super) v4: &'a Wish<Ipv4Addr>,
    pub(super) v6: &'a Wish<Ipv6Addr>,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// By instance and device.
    Interface(&'a str, &'a str),
    NatGateway(&'a str),
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(instance, device) => write!(f, "`{instance}.{device}`"),
            Self::NatGateway(name) => write!(f, "NAT gateway `{name}`"),
        }
    }
}

/// Addresses for each request; an interface that could not get what it asks for has been reported and gets fewer.
pub(super) fn allocate(
    subnets: &BTreeMap<String, Subnet>,
    requests: &[Request<'_>],
    found: &mut Findings,
) -> Vec<Addresses> {
    let mut pools: BTreeMap<&str, (Pool, Option<Pool>)> =
        subnets.values().map(|s| (s.name.as_str(), (Pool::v4(s), Pool::v6(s)))).collect();
    let mut given: Vec<Addresses> =
        requests.iter().map(|request| written(request, &mut pools, found)).collect();
    for (request, (v4, v6)) in requests.iter().zip(&mut given) {
        let Some((pool4, pool6)) = pools.get_mut(request.subnet) else { continue };
        if let Wish::Any(spot) = request.v4 {
            v4.extend(pool4.lowest_free(*spot, request.owner, found).map(to_v4));
        }
        if let (Wish::Any(spot), Some(pool6)) = (request.v6, pool6) {
            v6.extend(pool6.lowest_free(*spot, request.owner, found).map(Ipv6Addr::from_bits));
        }
    }
    given
}

fn written<'a>(
    request: &Request<'a>,
    pools: &mut BTreeMap<&str, (Pool, Option<Pool>)>,
    found: &mut Findings,
) -> Addresses {
    let (mut v4, mut v6) = Addresses::default();
    let Some((pool4, pool6)) = pools.get_mut(request.subnet) else { return (v4, v6) };
    if let Wish::These(addresses) = request.v4 {
        v4.extend(
            addresses.iter().filter(|(a, spot)| pool4.claim(from_v4(*a), *spot, found)).map(|(a, _)| *a),
        );
    }
    match (request.v6, pool6) {
        (Wish::Nothing, _) | (Wish::Any(_), Some(_)) => {}
        (Wish::These(addresses), Some(pool)) => {
            v6.extend(
                addresses.iter().filter(|(a, spot)| pool.claim(a.to_bits(), *spot, found)).map(|(a, _)| *a),
            );
        }
        (Wish::Any(spot), None) => without_ipv6(request, *spot, found),
        (Wish::These(addresses), None) => {
            for (_, spot) in addresses {
                without_ipv6(request, *spot, found);
            }
        }
    }
    (v4, v6)
}

fn without_ipv6(request: &Request<'_>, spot: Spot, found: &mut Findings) {
    let message = format!("subnet `{}` has no IPv6 block", request.subnet);
    found.push(Finding::new(Code::SubnetWithoutIpv6, spot, message).help("give the subnet an `ipv6_cidr`"));
}

/// The addresses of one family of one subnet, as numbers.
struct Pool {
    subnet: String,
    first: u128,
    last: u128,
    taken: BTreeMap<u128, Spot>,
    /// No address below it is free.
    next: u128,
    show: fn(u128) -> String,
}

impl Pool {
    fn v4(subnet: &Subnet) -> Self {
        let show = |bits| to_v4(bits).to_string();
        Self::new(&subnet.name, from_v4(subnet.cidr.network()), from_v4(subnet.cidr.broadcast()), show)
    }

    fn v6(subnet: &Subnet) -> Option<Self> {
        let net = subnet.ipv6_cidr?;
        let show = |bits| Ipv6Addr::from_bits(bits).to_string();
        Some(Self::new(&subnet.name, net.network().to_bits(), net.broadcast().to_bits(), show))
    }

    fn new(subnet: &str, first: u128, last: u128, show: fn(u128) -> String) -> Self {
        Self { subnet: subnet.to_owned(), first, last, taken: BTreeMap::new(), next: first + RESERVED, show }
    }

    /// Takes `address` if it may be had.
    fn claim(&mut self, address: u128, spot: Spot, found: &mut Findings) -> bool {
        let shown = (self.show)(address);
        let subnet = &self.subnet;
        if address < self.first || address > self.last {
            let (first, last) = ((self.show)(self.first), (self.show)(self.last));
            let message = format!("{shown} is not in subnet `{subnet}`");
            found.push(
                Finding::new(Code::AddressOutsideSubnet, spot, message)
                    .help(format!("the subnet runs from {first} to {last}")),
            );
            return false;
        }
        if let Some(what) = self.reserved(address) {
            let message = format!("{shown} is reserved in subnet `{subnet}`: it is {what}");
            let help = format!("the lowest usable address is {}", (self.show)(self.first + RESERVED));
            found.push(Finding::new(Code::AddressReserved, spot, message).help(help));
            return false;
        }
        if let Some(first) = self.taken.get(&address) {
            found.push(
                Finding::new(Code::AddressTaken, spot, format!("{shown} is taken"))
                    .also(*first, "by this interface"),
            );
            return false;
        }
        self.taken.insert(address, spot);
        true
    }

    /// Why nobody may have `address` (AD-05, AD-07).
    fn reserved(&self, address: u128) -> Option<&'static str> {
        match address - self.first {
            0 => Some("the network address"),
            1 => Some("the router"),
            2 => Some("kept for DNS"),
            3 => Some("kept for future use"),
            _ if address == self.last => Some("the last address"),
            _ => None,
        }
    }

    fn lowest_free(&mut self, spot: Spot, owner: Owner<'_>, found: &mut Findings) -> Option<u128> {
        while self.taken.contains_key(&self.next) {
            self.next += 1;
        }
        if self.next >= self.last {
            let message = format!("subnet `{}` has no address left for {owner}", self.subnet);
            found.push(
                Finding::new(Code::SubnetExhausted, spot, message)
                    .help("five addresses of every subnet are reserved; take a larger block"),
            );
            return None;
        }
        self.taken.insert(self.next, spot);
        Some(self.next)
    }
}

/// Addresses at the start of a subnet that nobody may have.
const RESERVED: u128 = 4;

fn from_v4(address: Ipv4Addr) -> u128 {
    u128::from(address.to_bits())
}

fn to_v4(bits: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(bits as u32)
}
