//! NAT gateways of two worlds give the same connection other sources: which of one stands for which of the other.
//!
//! A leased port must lead answers to the worker that leased it (NG-07 leaves the choice free), so it depends on the number
//! of workers. Packets are written for the world with one worker and translated for the others.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::lab::{NatGateway, Vpc};
use oracle::Lease;
use wire::{Buffer, FiveTuple, Parsed, Translation};

use crate::World;

/// One end of a connection, a NAT gateway's, by private addresses and seen from the other end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    /// `nat-` id: VPCs may have equal addresses.
    gateway: String,
    address: IpAddr,
    port: u16,
    far_address: IpAddr,
    far_port: u16,
    proto: u8,
}

/// The sources that a world uses in place of those of the first one.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases {
    /// From the first world's ends to this one's addresses and ports.
    own: BTreeMap<End, (IpAddr, u16)>,
    /// Ends that this world uses.
    used: BTreeMap<End, End>,
    /// Whether some connection ever got another source, and whether that was another address.
    differ: bool,
    moved: bool,
}

impl Aliases {
    /// Takes note of connections that one packet began in the first world and in this one.
    pub(super) fn learn(&mut self, world: &World, first: &[Lease], own: &[Lease]) {
        for (first, own) in first.iter().zip(own) {
            let (wanted, got) = (End::of(world, first), End::of(world, own));
            let source = (got.address, got.port);
            self.differ |= (wanted.address, wanted.port) != source;
            self.moved |= wanted.address != got.address;
            if let Some(before) = self.used.insert(got, wanted.clone()) {
                self.own.remove(&before);
            }
            self.own.insert(wanted, source);
        }
    }

    /// Whether some connection ever got another source.
    pub(super) const fn differ(&self) -> bool {
        self.differ
    }

    /// Whether some connection ever got another address.
    pub(super) const fn moved(&self) -> bool {
        self.moved
    }

    /// The packet that stands in this world for one of the first world, from this VPC or from the internet.
    pub(super) fn translate(&mut self, world: &World, from: Option<&str>, packet: &[u8]) -> Vec<u8> {
        let known = wire::parse(packet).ok().filter(|_| !self.own.is_empty());
        let Some(parsed) = known else { return packet.to_vec() };
        let (tuple, about) = self.tuples(world, from, &parsed);
        if tuple == parsed.tuple && about == parsed.about() {
            return packet.to_vec();
        }
        let mut buffer = Buffer::copy_of(packet);
        let change = Translation { tuple, about, hops: 0, mss: None };
        let translated = wire::translate(&mut buffer, &parsed, &change);
        translated.expect("a packet whose ends change can be translated");
        buffer.bytes().to_vec()
    }

    fn tuples(
        &mut self,
        world: &World,
        from: Option<&str>,
        parsed: &Parsed,
    ) -> (FiveTuple, Option<FiveTuple>) {
        let Some(about) = parsed.about() else { return (self.tuple(world, from, parsed.tuple), None) };
        let changed = self.tuple(world, from, about);
        let mut tuple = parsed.tuple;
        let ends = [(about.src, changed.src), (about.dst, changed.dst)];
        let change = |address: IpAddr| ends.iter().find(|(old, _)| *old == address).map_or(address, |e| e.1);
        (tuple.src, tuple.dst) = (change(tuple.src), change(tuple.dst));
        (tuple, Some(changed))
    }

    fn tuple(&mut self, world: &World, from: Option<&str>, tuple: FiveTuple) -> FiveTuple {
        let mut changed = tuple;
        if let Some((address, port)) = self.source(world, from, tuple) {
            (changed.src, changed.src_port) = (address, port);
        }
        if let Some((address, port)) = self.source(world, from, tuple.reversed()) {
            (changed.dst, changed.dst_port) = (address, port);
        }
        changed
    }

    /// What stands for the source of a tuple, if that is a NAT gateway's.
    fn source(&mut self, world: &World, from: Option<&str>, tuple: FiveTuple) -> Option<(IpAddr, u16)> {
        let gateway = gateway_at(world, from, tuple.src)?;
        let inside = inside(world, tuple);
        let is_public = inside.src != tuple.src;
        let (address, port) = self.end(End::near(gateway.id.clone(), &inside))?;
        let public =
            |private| gateway.addresses.iter().find(|own| IpAddr::V4(own.private_ip) == private)?.public_ip;
        let shown = if is_public { public(address).map_or(address, IpAddr::V4) } else { address };
        Some((shown, port))
    }

    /// What stands for an end of the first world; for one that nobody leased there, nothing that is leased here.
    fn end(&mut self, end: End) -> Option<(IpAddr, u16)> {
        if let Some(own) = self.own.get(&end) {
            return Some(*own);
        }
        self.used.get(&end)?;
        let free = |port: &u16| {
            let other = End { port: *port, ..end.clone() };
            !self.used.contains_key(&other) && !self.own.contains_key(&other)
        };
        let port = (1_024..=u16::MAX).rev().find(free)?;
        let source = (end.address, port);
        self.used.insert(End { port, ..end.clone() }, end.clone());
        self.own.insert(end, source);
        Some(source)
    }
}

impl End {
    fn of(world: &World, lease: &Lease) -> Self {
        Self::near(lease.gateway.clone(), &inside(world, lease.outer))
    }

    const fn near(gateway: String, tuple: &FiveTuple) -> Self {
        let FiveTuple { src: address, src_port: port, dst: far_address, dst_port: far_port, proto } = *tuple;
        Self { gateway, address, port, far_address, far_port, proto }
    }
}

/// The NAT gateway that a packet from this VPC, or from the internet, finds under an address: by a public one, in the VPC, in
/// one that it peers with.
fn gateway_at<'w>(world: &'w World, from: Option<&str>, address: IpAddr) -> Option<&'w NatGateway> {
    let IpAddr::V4(address) = address else { return None };
    let lab = world.valid().lab();
    let of = |vpc: &'w Vpc| vpc.nat_gateways.values().find(|gateway| gateway.owns(address));
    let mut all = lab.vpcs.values().flat_map(|vpc| vpc.nat_gateways.values());
    let public = all.find(|gateway| gateway.addresses.iter().any(|own| own.public_ip == Some(address)));
    let mut peers = lab.peerings.values().filter_map(|peering| peering.other_side(from?));
    let near = || from.and_then(|own| of(lab.vpcs.get(own)?));
    public.or_else(near).or_else(|| peers.find_map(|peer| of(lab.vpcs.get(peer)?)))
}

/// The tuple with private addresses only.
fn inside(world: &World, tuple: FiveTuple) -> FiveTuple {
    let private = |address| world.snapshot().private_of(address);
    FiveTuple { src: private(tuple.src), dst: private(tuple.dst), ..tuple }
}
