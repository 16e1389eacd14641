//! Random senders and destinations.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lab::{Interface, Lab, Vpc};
use crate::Draw;

/// Who sends, from which address and to which.
pub(super) type Goal = (String, IpAddr, IpAddr);

/// Destinations that a VPC forwards to nobody, or that lie outside it.
const ODD_V4: &[&str] = &[
    "169.254.169.254",
    "169.254.169.253",
    "224.0.0.1",
    "255.255.255.255",
    "203.0.113.5",
    "203.0.113.200",
    "198.51.100.7",
    "192.0.2.9",
    "8.8.8.8",
    "10.0.1.99",
    "10.0.200.9",
    "10.0.0.2",
    "10.0.1.255",
    "10.0.1.1",
    "10.0.2.1",
    "172.31.2.1",
    "127.0.0.1",
    "0.0.0.0",
];
const ODD_V6: &[&str] = &[
    "ff02::1",
    "fe80::1",
    "fd00:ec2::254",
    "2001:db8::5",
    "2001:db8:1::7",
    "2600:1f18:aaaa:1001::1",
    "2600:1f18:aaaa:1002::99",
    "2600:1f18:bbbb::1",
];

/// An interface sends, mostly from an address of its own.
pub(super) fn from_interface(lab: &Lab, draw: &mut Draw) -> Goal {
    let interfaces: Vec<_> = lab.interfaces().collect();
    let (vpc, from, sender) = draw.pick(&interfaces);
    let v6 = !sender.v6.is_empty() && draw.chance(30);
    let own = if v6 { &sender.v6 } else { &sender.v4 };
    let foreign = if draw.chance(30) { of_another(lab, vpc, v6, draw) } else { None };
    let src = match draw.chance(6) {
        true => foreign.unwrap_or_else(|| stranger(vpc, v6, draw)),
        false => draw.pick(own).clone(),
    };
    let joined = !lab.hosts.is_empty() && draw.chance(70);
    let far = if joined { far_away(lab, vpc, v6, draw) } else { None };
    // What comes back of a packet to one's own public address may look like the answer to it.
    let own = |far: &String| *far == src || sender.public.iter().any(|(_, public)| public == far);
    let dst = far.filter(|far| !own(far)).unwrap_or_else(|| destination(vpc, v6, &src, draw));
    (from.clone(), address(&src), address(&dst))
}

/// A host on the internet sends, mostly from an address of its own, to what the lab shows there.
pub(super) fn from_host(lab: &Lab, draw: &mut Draw) -> Goal {
    let host = draw.pick(&lab.hosts);
    let own = if draw.chance(96) { *draw.pick(&host.ips) } else { *draw.pick(ODD_V4) };
    let src = address(own);
    let shown: Vec<_> = match src {
        IpAddr::V4(_) => lab.publics().map(|(_, public)| public.to_owned()).collect(),
        IpAddr::V6(_) => lab.interfaces().flat_map(|(_, _, interface)| interface.v6.clone()).collect(),
    };
    let odd = *draw.pick(if src.is_ipv6() { ODD_V6 } else { ODD_V4 });
    let others = lab.hosts.iter().flat_map(|host| &host.ips).map(|ip| (*ip).to_owned());
    let others: Vec<_> = others.filter(|ip| address(ip).is_ipv6() == src.is_ipv6() && *ip != own).collect();
    let dst = match draw.below(100) {
        0..=79 if !shown.is_empty() => draw.pick(&shown).clone(),
        80..=89 if !others.is_empty() => draw.pick(&others).clone(),
        _ => odd.to_owned(),
    };
    (host.name.clone(), src, address(&dst))
}

/// Anything but the source: what a host sends to itself reaches no device.
fn destination(vpc: &Vpc, v6: bool, src: &str, draw: &mut Draw) -> String {
    let odd = *draw.pick(if v6 { ODD_V6 } else { ODD_V4 });
    let other = stranger(vpc, v6, draw);
    if other == src || draw.chance(15) { odd.to_owned() } else { other }
}

/// Hosts, public addresses, other VPCs, NAT gateways, and what NAT64 makes of IPv4 addresses.
fn far_away(lab: &Lab, vpc: &Vpc, v6: bool, draw: &mut Draw) -> Option<String> {
    let hosts = || lab.hosts.iter().flat_map(|host| host.ips.iter().map(|ip| (*ip).to_owned()));
    let publics = || lab.publics().map(|(_, public)| public.to_owned());
    let elsewhere = || lab.interfaces().filter(|(other, ..)| other.name != vpc.name);
    let nat = || vpc.gateways.nat.iter().flat_map(|nat| nat.addresses.iter().map(|(own, _)| own.clone()));
    let of_peers =
        |v6: bool| elsewhere().flat_map(move |(_, _, e)| if v6 { e.v6.clone() } else { e.v4.clone() });
    let v4_only = |all: Vec<String>| all.into_iter().filter(|text| !text.contains(':')).collect::<Vec<_>>();
    let choice: Vec<String> = match (v6, draw.below(100)) {
        (false, 0..=49) => v4_only(hosts().collect()),
        (false, 50..=61) => publics().collect(),
        (false, 62..=93) => of_peers(false).collect(),
        (false, _) => nat().collect(),
        (true, 0..=29) => hosts().filter(|text| text.contains(':')).collect(),
        (true, 30..=59) => of_peers(true).collect(),
        (true, _) => {
            let own = vpc.interfaces().flat_map(|(_, interface)| interface.v4.clone());
            let odd = ODD_V4.iter().map(|text| (*text).to_owned()).take(8);
            let all: Vec<_> = hosts()
                .chain(hosts())
                .chain(odd)
                .chain(publics())
                .chain(of_peers(false))
                .chain(own)
                .collect();
            v4_only(all).iter().filter_map(|text| Some(nat64(text.parse().ok()?))).collect()
        }
    };
    (!choice.is_empty()).then(|| draw.pick(&choice).clone())
}

/// RFC 6052 section 2.
fn nat64(address: Ipv4Addr) -> String {
    let prefix = 0x0064_ff9b_u128 << 96;
    Ipv6Addr::from_bits(prefix | u128::from(address.to_bits())).to_string()
}

/// An address of an interface of another VPC.
fn of_another(lab: &Lab, vpc: &Vpc, v6: bool, draw: &mut Draw) -> Option<String> {
    let others: Vec<_> = lab.vpcs.iter().filter(|other| other.name != vpc.name).collect();
    let all = others.iter().flat_map(|other| other.interfaces());
    let all: Vec<_> = all.flat_map(|(_, e)| if v6 { e.v6.clone() } else { e.v4.clone() }).collect();
    (!all.is_empty()).then(|| draw.pick(&all).clone())
}

/// An address of any interface of the VPC.
fn stranger(vpc: &Vpc, v6: bool, draw: &mut Draw) -> String {
    let of = |interface: &Interface| if v6 { interface.v6.clone() } else { interface.v4.clone() };
    let all: Vec<_> = vpc.interfaces().flat_map(|(_, interface)| of(interface)).collect();
    draw.pick(&all).clone()
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("generated addresses are addresses")
}
