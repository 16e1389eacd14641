//! A packet of a question, with its headers as the data plane would read them, and its reply.

use std::net::IpAddr;

use engine::Facts;
use engine::decide::Rewrite;
use model::lab::{Lab, SourceDestCheck};
use snapshot::{Attachment, InterfaceIx, Snapshot};
use wire::{FiveTuple, Parsed, Transport, icmp_query_reply, proto, tcp_flag};

use super::question::{Question, Traffic};
use crate::error::Error;
use crate::place::{self, End, Family, Place, Port};

/// One packet and where it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// Who sends it.
    pub(crate) at: End<'a>,
    /// Its headers.
    pub(crate) parsed: Parsed,
}

/// What [`Parsed::length`] says: a small packet, which every path takes.
const LENGTH: u32 = 84;

/// The echo identifier, which no rule looks at.
const ECHO_ID: u16 = 1;

impl<'a> Packet<'a> {
    /// The packet that `question` asks about, with this source port where it has one.
    ///
    /// # Errors
    ///
    /// Names that nothing carries, and families that do not fit.
    pub(crate) fn of(lab: &'a Lab, question: &Question, source_port: u16) -> Result<Self, Error> {
        let (from, to) = (place::find(lab, &question.from)?, place::find(lab, &question.to)?);
        let family = family(question, from, to)?;
        let destination = destination(from, to, family)?;
        let at = sender(lab, question, from, destination)?;
        let source = match (question.source_address, from) {
            (Some(address), _) => address,
            (None, Place::Address(address)) => own_address(&at, address),
            (None, Place::Host(_) | Place::Instance(..) | Place::Port(_)) => at
                .address(family)
                .ok_or_else(|| Error::Usage(format!("{} has no {} address", at.name(), family.word())))?,
        };
        Ok(Self { at, parsed: headers(source, destination, question.traffic, source_port) })
    }

    /// A packet with this tuple, when it is known from a record.
    pub(crate) fn with_tuple(at: End<'a>, tuple: FiveTuple) -> Self {
        let transport = match tuple.proto {
            proto::TCP => tcp(tcp_flag::SYN),
            proto::UDP => Transport::Udp,
            proto::ICMP | proto::ICMPV6 => {
                let (icmp_type, code) = icmp_of(tuple);
                Transport::Icmp { icmp_type, code, about: None }
            }
            _ => Transport::Other,
        };
        Self { at, parsed: parsed(tuple, transport) }
    }

    /// What the other side answers from `at`; none for what is not answered.
    pub(crate) fn reply(&self, at: End<'a>) -> Option<Self> {
        let transport = match self.parsed.transport {
            Transport::Icmp { icmp_type, code, .. } => {
                let (query, is_reply) = icmp_query_reply(self.parsed.tuple.proto, icmp_type)?;
                if is_reply {
                    return None;
                }
                Transport::Icmp { icmp_type: reply_type(self.parsed.tuple.proto, query)?, code, about: None }
            }
            Transport::Tcp { .. } => tcp(tcp_flag::SYN | tcp_flag::ACK),
            other @ (Transport::Later | Transport::Other | Transport::Udp) => other,
        };
        Some(Self { at, parsed: parsed(self.parsed.tuple.reversed(), transport) })
    }

    /// The packet after gateways have changed it.
    pub(crate) fn rewritten(&self, rewrite: &Rewrite) -> Self {
        let tuple = rewrite.apply(self.parsed.tuple);
        let transport = match self.parsed.transport {
            // An echo has another number in the other family (NG-20).
            Transport::Icmp { .. } if rewrite.proto.is_some() => {
                let (icmp_type, code) = icmp_of(tuple);
                Transport::Icmp { icmp_type, code, about: None }
            }
            other @ (Transport::Icmp { .. }
            | Transport::Later
            | Transport::Other
            | Transport::Tcp { .. }
            | Transport::Udp) => other,
        };
        Self { at: self.at, parsed: parsed(tuple, transport) }
    }

    /// What the data plane decides upon.
    ///
    /// # Errors
    ///
    /// A checked interface without an index: a bug of ours.
    pub(crate) fn facts(&self, snapshot: &Snapshot) -> Result<Facts, Error> {
        let Some(port) = self.at.port() else { return Ok(Facts::of(Attachment::INTERNET, &self.parsed)) };
        let id = &port.interface.id;
        let ix: InterfaceIx = snapshot
            .interface_by_id(id)
            .ok_or_else(|| Error::Bug(format!("interface {id} is in the lab and not in its tables")))?;
        Ok(Facts::of(Attachment::interface(ix), &self.parsed))
    }

    /// Whether its source port is one that the sender's kernel chose.
    pub(crate) const fn has_source_port(&self) -> bool {
        self.parsed.tuple.has_ports()
    }

    /// `tcp 5432`, `icmp type 8`, `protocol 47`: what rules match on.
    pub(crate) fn selector(&self) -> String {
        let tuple = self.parsed.tuple;
        match (tuple.proto, self.parsed.transport) {
            (proto::TCP, _) => format!("tcp {}", tuple.dst_port),
            (proto::UDP, _) => format!("udp {}", tuple.dst_port),
            (proto::ICMP, Transport::Icmp { icmp_type, .. }) => format!("icmp type {icmp_type}"),
            (proto::ICMPV6, Transport::Icmp { icmp_type, .. }) => format!("icmpv6 type {icmp_type}"),
            (number, _) => format!("protocol {number}"),
        }
    }
}

/// Whether a receiver may receive for others, so that who answers is not known.
pub(crate) fn forwards(at: &End<'_>, destination: IpAddr) -> bool {
    let Some(port) = at.port() else { return false };
    port.interface.source_dest_check == SourceDestCheck::Off && !port.interface.owns(destination)
}

/// ICMP type and code of a tuple, the way [`FiveTuple`] documents that they got in.
pub(crate) fn icmp_of(tuple: FiveTuple) -> (u8, u8) {
    let query_in = |port: u16| {
        let [icmp_type, low] = port.to_be_bytes();
        let is_query = low == 0 && icmp_query_reply(tuple.proto, icmp_type) == Some((icmp_type, false));
        is_query.then_some(icmp_type)
    };
    let reply = || query_in(tuple.src_port).and_then(|query| reply_type(tuple.proto, query));
    let [icmp_type, code] = tuple.dst_port.to_be_bytes();
    query_in(tuple.dst_port).or_else(reply).map_or((icmp_type, code), |known| (known, 0))
}

fn family(question: &Question, from: Place<'_>, to: Place<'_>) -> Result<Family, Error> {
    let of_place = |place: Place<'_>| match place {
        Place::Address(address) => Some(Family::of(address)),
        Place::Host(_) | Place::Instance(..) | Place::Port(_) => None,
    };
    let said = [
        of_place(from),
        of_place(to),
        question.source_address.map(Family::of),
        question.traffic.family(),
        question.family,
    ];
    let mut said = said.into_iter().flatten();
    let family = said.next().unwrap_or_else(|| common_family(from, to));
    match said.all(|other| other == family) {
        true => Ok(family),
        false => Err(Error::Usage("the question mixes IPv4 and IPv6".to_owned())),
    }
}

/// IPv4, unless one of the two is a host without it.
fn common_family(from: Place<'_>, to: Place<'_>) -> Family {
    let has_none = |place: &Place<'_>| match place {
        Place::Host(host) => place::host_address(host, Family::V4).is_none(),
        Place::Address(_) | Place::Instance(..) | Place::Port(_) => false,
    };
    if [from, to].iter().any(has_none) { Family::V6 } else { Family::V4 }
}

/// What a name leads to: from the internet, the address that an instance has there.
fn destination(from: Place<'_>, to: Place<'_>, family: Family) -> Result<IpAddr, Error> {
    let (outside, which) = match (from, family) {
        (Place::Host(_), Family::V4) => (true, "public IPv4"),
        (Place::Host(_), Family::V6) => (true, "IPv6"),
        (Place::Address(_) | Place::Instance(..) | Place::Port(_), _) => (false, family.word()),
    };
    let of_port = |port: Port<'_>| if outside { port.public_address(family) } else { port.address(family) };
    let (address, name) = match to {
        Place::Address(address) => return Ok(address),
        Place::Host(host) => (place::host_address(host, family), host.name.clone()),
        Place::Instance(vpc, instance) => {
            (place::ports_of(vpc, instance).find_map(of_port), instance.name.clone())
        }
        Place::Port(port) => (of_port(port), port.name()),
    };
    address.ok_or_else(|| Error::Usage(format!("{name} has no {which} address")))
}

/// The interface that the packet leaves by, as the routes in the instance choose it, or the host.
fn sender<'a>(
    lab: &'a Lab,
    question: &Question,
    from: Place<'a>,
    destination: IpAddr,
) -> Result<End<'a>, Error> {
    let candidates: Vec<Port<'a>> = match from {
        Place::Host(host) => return Ok(End::Host(host)),
        Place::Port(port) => return Ok(End::Port(port)),
        Place::Address(address) => {
            let owners = place::owners(lab, address);
            return match &owners[..] {
                [port] => Ok(End::Port(*port)),
                [] => outside(lab, address),
                _ => Err(place::ambiguous(&address.to_string(), &owners)),
            };
        }
        Place::Instance(vpc, instance) => place::ports_of(vpc, instance).collect(),
    };
    // A source address selects the table of its own interface; else the connected subnet wins over the default route, which
    // is the first interface's.
    let owner = question.source_address.and_then(|a| candidates.iter().find(|port| port.interface.owns(a)));
    let family = Family::of(destination);
    let usable = || candidates.iter().filter(|port| port.address(family).is_some());
    let connected = || usable().find(|port| in_subnet(port, destination));
    let chosen = owner.or_else(connected).or_else(|| usable().next()).or_else(|| candidates.first());
    chosen
        .copied()
        .map(End::Port)
        .ok_or_else(|| Error::Bug(format!("instance {} has no interface", question.from)))
}

/// A host, or the interface that has this public address.
fn outside(lab: &Lab, address: IpAddr) -> Result<End<'_>, Error> {
    let host = lab.internet.host_of(address).map(End::Host);
    host.or_else(|| place::behind(lab, address).map(End::Port)).ok_or_else(|| {
        Error::Usage(format!("no interface or host of lab {} has the address {address}", lab.name))
    })
}

/// Behind a public address stands an own one (IG-02).
fn own_address(at: &End<'_>, address: IpAddr) -> IpAddr {
    let own = at.port().filter(|port| !port.interface.owns(address));
    own.and_then(|port| port.private_of(address)).unwrap_or(address)
}

fn in_subnet(port: &Port<'_>, address: IpAddr) -> bool {
    let subnet = &port.vpc.subnets[&port.interface.subnet];
    match address {
        IpAddr::V4(a) => subnet.cidr.contains(&a),
        IpAddr::V6(a) => subnet.ipv6_cidr.is_some_and(|block| block.contains(&a)),
    }
}

fn headers(src: IpAddr, dst: IpAddr, traffic: Traffic, source_port: u16) -> Parsed {
    let family = Family::of(dst);
    let proto = traffic.protocol(family);
    let (src_port, dst_port, transport) = match traffic {
        Traffic::Tcp(port) => (source_port, port, tcp(tcp_flag::SYN)),
        Traffic::Udp(port) => (source_port, port, Transport::Udp),
        Traffic::Number(_) => (0, 0, Transport::Other),
        Traffic::Echo => icmp(proto, if family == Family::V4 { 8 } else { 128 }, 0),
        Traffic::Icmp(icmp_type, code) | Traffic::Icmpv6(icmp_type, code) => icmp(proto, icmp_type, code),
    };
    parsed(FiveTuple { src, dst, src_port, dst_port, proto }, transport)
}

/// Ports and transport of an ICMP message.
fn icmp(protocol: u8, icmp_type: u8, code: u8) -> (u16, u16, Transport) {
    let transport = Transport::Icmp { icmp_type, code, about: None };
    match icmp_query_reply(protocol, icmp_type) {
        Some((query, false)) => (ECHO_ID, u16::from(query) << 8, transport),
        Some((query, true)) => (u16::from(query) << 8, ECHO_ID, transport),
        None => (0, u16::from_be_bytes([icmp_type, code]), transport),
    }
}

const fn tcp(flags: u8) -> Transport {
    Transport::Tcp { flags, seq: 0, ack: 0, payload: 0 }
}

fn reply_type(protocol: u8, query: u8) -> Option<u8> {
    (0..=u8::MAX).find(|t| icmp_query_reply(protocol, *t) == Some((query, true)))
}

const fn parsed(tuple: FiveTuple, transport: Transport) -> Parsed {
    let transport_offset = if tuple.src.is_ipv4() { 20 } else { 40 };
    Parsed {
        tuple,
        length: LENGTH,
        packets: 1,
        wire_bytes: LENGTH,
        longest: LENGTH,
        transport_offset,
        ttl: 64,
        dont_fragment: true,
        fragment: None,
        transport,
    }
}
