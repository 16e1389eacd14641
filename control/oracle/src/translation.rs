//! What a NAT gateway remembers of one connection.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use model::lab::{Lab, NatGateway};
use wire::{FiveTuple, Parsed};

use crate::flow::{Flow, TCP_CLOSED_S};
use crate::verdict::Direction;

/// Connections of one NAT address to one destination, port and protocol (NG-06).
const MOST: usize = 55_000;
/// The lowest source port that a NAT gateway uses (NG-05).
const LOWEST_PORT: u16 = 1024;

/// One connection through a NAT gateway.
#[derive(Clone, Debug)]
pub(crate) struct Translation {
    /// `nat-` id.
    pub(crate) gateway: String,
    /// The tuple of the client's packets as they reach the gateway.
    pub(crate) inner: FiveTuple,
    /// The tuple of the same packets as the gateway sends them on.
    pub(crate) outer: FiveTuple,
    /// Name of the peering connection that they leave by, if they do: replies come back over it (NG-18).
    pub(crate) peering: Option<String>,
    flow: Flow,
}

impl Translation {
    pub(crate) fn new(gateway: &str, inner: FiveTuple, outer: FiveTuple) -> Self {
        let flow = Flow::new(gateway, outer, Direction::Egress);
        Self { gateway: gateway.to_owned(), inner, outer, peering: None, flow }
    }

    /// Takes note of a packet; egress leads away from the client.
    pub(crate) fn observe(&mut self, direction: Direction, parsed: &Parsed, now_ns: u64) {
        self.flow.observe(direction, parsed.transport, now_ns);
    }

    /// Whether its idle time has not yet run out: one for all protocols (NG-10, NG-11), and a short one after its end (NG-30).
    /// It is gone with its gateway and with the address that it was given.
    pub(crate) fn is_live(&self, lab: &Lab, now_ns: u64) -> bool {
        let gateway = lab.nat_gateway_by_id(&self.gateway);
        let IpAddr::V4(own) = self.outer.src else { return false };
        let seconds = if self.flow.is_closed() { TCP_CLOSED_S } else { lab.settings.nat_idle_timeout };
        gateway.is_some_and(|gateway| gateway.owns(own)) && self.flow.idle_less_than(seconds, now_ns)
    }

    /// Whether it takes a port of `address` that a new connection with `outer` cannot have too (NG-06, NG-09).
    fn competes(&self, gateway: &NatGateway, address: Ipv4Addr, outer: FiveTuple) -> bool {
        self.gateway == gateway.id
            && self.outer.src == IpAddr::V4(address)
            && self.outer.dst == outer.dst
            && self.outer.dst_port == outer.dst_port
            && self.outer.proto == outer.proto
    }
}

/// The ports of one address that are in use for the destination of `outer`.
fn taken(
    translations: &[Translation],
    gateway: &NatGateway,
    address: Ipv4Addr,
    outer: FiveTuple,
) -> BTreeSet<u16> {
    let mine = translations.iter().filter(|t| t.competes(gateway, address, outer));
    mine.map(|t| t.outer.src_port).collect()
}

/// `wanted` from the first address with room and its lowest free port.
pub(crate) fn lowest(
    translations: &[Translation],
    gateway: &NatGateway,
    wanted: FiveTuple,
) -> Option<FiveTuple> {
    gateway.addresses.iter().find_map(|address| {
        let used = taken(translations, gateway, address.private_ip, wanted);
        let free = (LOWEST_PORT..=u16::MAX).find(|port| !used.contains(port))?;
        let outer = FiveTuple { src: address.private_ip.into(), src_port: free, ..wanted };
        (used.len() < MOST).then_some(outer)
    })
}

/// Whether the gateway can make `outer` of a new connection that is `wanted` but for its source.
pub(crate) fn is_possible(
    translations: &[Translation],
    gateway: &NatGateway,
    wanted: FiveTuple,
    outer: FiveTuple,
) -> bool {
    let IpAddr::V4(address) = outer.src else { return false };
    let used = taken(translations, gateway, address, wanted);
    FiveTuple { src: wanted.src, src_port: wanted.src_port, ..outer } == wanted
        && gateway.owns(address)
        && outer.src_port >= LOWEST_PORT
        && used.len() < MOST
        && !used.contains(&outer.src_port)
}

#[cfg(test)]
mod tests {
    use model::lab::{Connectivity, NatAddress};

    use super::*;

    const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 5);
    const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 6);

    fn gateway(addresses: &[Ipv4Addr]) -> NatGateway {
        let address = |private_ip: &Ipv4Addr| NatAddress { private_ip: *private_ip, public_ip: None };
        NatGateway {
            name: "nat".into(),
            id: "nat-1".into(),
            interface_id: "eni-1".into(),
            subnet: "s".into(),
            connectivity: Connectivity::Private,
            addresses: addresses.iter().map(address).collect(),
        }
    }

    fn to(port: u16) -> FiveTuple {
        let (src, dst) = (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(203, 0, 113, 50).into());
        FiveTuple { src, dst, src_port: 0, dst_port: port, proto: 6 }
    }

    /// As many connections as one address may have to one destination.
    fn full() -> Vec<Translation> {
        let outer = |port| FiveTuple { src: FIRST.into(), src_port: port, ..to(443) };
        (LOWEST_PORT..).take(MOST).map(|port| Translation::new("nat-1", outer(port), outer(port))).collect()
    }

    /// Rules: NG-06, NG-08
    #[test]
    fn an_address_has_55000_connections_to_one_destination() {
        let (full, gateway) = (full(), gateway(&[FIRST]));
        assert_eq!(full.len(), 55_000);
        assert_eq!(lowest(&full, &gateway, to(443)), None);
        let from = |port| FiveTuple { src: FIRST.into(), src_port: port, ..to(443) };
        assert!(!is_possible(&full, &gateway, to(443), from(65_000)), "a free port, but one too many");
        let (_, but_one) = full.split_first().expect("55,000");
        assert_eq!(lowest(but_one, &gateway, to(443)), Some(from(LOWEST_PORT)));
        assert!(is_possible(but_one, &gateway, to(443), from(65_000)));
        assert!(!is_possible(but_one, &gateway, to(444), from(65_000)), "another destination");
    }

    /// Rules: NG-06
    #[test]
    fn another_port_protocol_or_destination_has_as_many_again() {
        let (full, gateway) = (full(), gateway(&[FIRST]));
        let elsewhere = FiveTuple { dst: Ipv4Addr::new(203, 0, 113, 51).into(), ..to(443) };
        for other in [to(444), FiveTuple { proto: 17, ..to(443) }, elsewhere] {
            let first = FiveTuple { src: FIRST.into(), src_port: LOWEST_PORT, ..other };
            assert_eq!(lowest(&full, &gateway, other), Some(first));
        }
    }

    /// Rules: NG-07
    #[test]
    fn a_second_address_has_as_many_again() {
        let second = FiveTuple { src: SECOND.into(), src_port: LOWEST_PORT, ..to(443) };
        assert_eq!(lowest(&full(), &gateway(&[FIRST, SECOND]), to(443)), Some(second));
    }
}
