//! One packet of a scenario: what it is, and whether it went as expected.

use std::net::IpAddr;

use model::lab::Interface;
use wire::tcp_flag::{ACK, SYN};

use super::file::{Arrived, Arriving, Icmp, OneOrMany, Send, Told};
use super::outcome::Expected;
use super::play::Stage;
use super::trail;
use crate::craft::{self, Body, Shape};
use crate::{Heard, trial};

/// A packet that the file has a name for.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) from: String,
    pub(super) packet: Vec<u8>,
    pub(super) shape: Shape,
    /// Who received it, and how it looked there.
    pub(super) arrived: Option<(String, Shape)>,
}

/// A packet and its sender.
pub(super) struct Post {
    pub(super) from: String,
    pub(super) shape: Shape,
}

/// Source port of what names none.
const SOURCE_PORT: u16 = 40_000;

/// Identifier of ICMP queries that name none.
const IDENTIFIER: u16 = 7;

impl Stage {
    pub(super) fn send(&mut self, send: &Send) -> Result<(), String> {
        let Post { from, mut shape } = self.compose(send)?;
        let expected = send.expect.as_ref().ok_or("a packet has an expected fate: `expect`")?;
        for _ in 0..send.count.unwrap_or(1) {
            self.hosts.number(&mut shape);
            let mut packet = shape.bytes();
            packet.truncate(send.cut.unwrap_or(usize::MAX));
            let parts = parts(send, &packet);
            let (mut arrived, mut released) = (None, Vec::new());
            for (n, part) in parts.iter().enumerate() {
                let expected = fate_of(expected, n)?;
                let heard = self.hand_over(&from, part)?;
                // Of fragments, the receiver puts together what was sent.
                let whole = parts.len() == 1;
                let seen = || {
                    if whole { self.arrival(&heard) } else { Some((self.receiver(&heard)?, shape.clone())) }
                };
                arrived = arrived.or_else(seen);
                if let Some((_, seen)) = &arrived {
                    self.hosts.receive(seen);
                }
                self.check(&heard, expected, send, &from, &shape)?;
                released.extend(heard.released.iter().map(|heard| Expected::of(&heard.sent.fate).words()));
            }
            same("released", &send.released.clone().unwrap_or_default(), &released)?;
            if let Some(name) = &send.name {
                let known = Known { from: from.clone(), packet, shape: shape.clone(), arrived };
                self.known.insert(name.clone(), known);
            }
            forget_numbers(&mut shape);
        }
        Ok(())
    }

    /// What the file describes, not numbered yet.
    pub(super) fn compose(&self, send: &Send) -> Result<Post, String> {
        let Post { from, mut shape } = self.base(send)?;
        shape.size = send.size.or(shape.size);
        shape.dont_fragment = send.df.unwrap_or(shape.dont_fragment);
        shape.ttl = send.ttl.unwrap_or(shape.ttl);
        shape.mss = send.mss.or(shape.mss);
        if let Body::Tcp { flags, seq, ack, .. } = &mut shape.body {
            if let Some(names) = &send.flags {
                *flags = read_flags(names)?;
            }
            *seq = send.seq.unwrap_or(*seq);
            *ack = send.ack.unwrap_or(*ack);
        }
        let from = send.from.as_ref().map_or(Ok(from), |name| self.interface(name))?;
        Ok(Post { from, shape })
    }

    /// An earlier packet of the file, its answer, an error about it, or something new.
    fn base(&self, send: &Send) -> Result<Post, String> {
        if let Some(name) = &send.forward {
            let (from, shape) = self.known(name)?.arrived(name)?;
            return Ok(Post { from, shape });
        }
        if let Some(name) = &send.again {
            let known = self.known(name)?;
            return Ok(Post { from: known.from.clone(), shape: later(&known.shape) });
        }
        if let Some(name) = &send.reply_to {
            let (from, shape) = self.known(name)?.arrived(name)?;
            return Ok(Post { from, shape: reply(&shape) });
        }
        if let Some(name) = &send.error_about {
            return self.error(send, name);
        }
        self.fresh(send)
    }

    fn error(&self, send: &Send, name: &str) -> Result<Post, String> {
        let known = self.known(name)?;
        let Some(Icmp::Kind(icmp_type, code)) = send.icmp else {
            return Err("an error has `icmp: [TYPE, CODE]`".to_owned());
        };
        let (from, seen) = known.arrived(name)?;
        // What arrived as it was sent is quoted as it was sent.
        let same = (seen.src, seen.dst) == (known.shape.src, known.shape.dst);
        let about = Some(if same { known.packet.clone() } else { seen.bytes() });
        let dst = send.to.as_ref().map_or(Ok(seen.src), |to| self.address(to, false))?;
        let src = send.source.as_ref().map_or(Ok(seen.dst), |from| self.address(from, false))?;
        Ok(Post { from, shape: Shape::new(src, dst, Body::Icmp { icmp_type, code, field: 0, about }) })
    }

    fn fresh(&self, send: &Send) -> Result<Post, String> {
        let from = self.interface(send.from.as_deref().ok_or("a new packet has a sender: `from`")?)?;
        let to = send.to.as_deref().ok_or("a new packet has a destination: `to`")?;
        let v6 = send.ipv6.unwrap_or(false) || to.parse::<IpAddr>().is_ok_and(|to| to.is_ipv6());
        let dst = self.address(to, v6)?;
        let src = match &send.source {
            Some(source) => source.parse().map_err(|_| format!("`{source}` is no address"))?,
            None => self.address(&from, v6)?,
        };
        Ok(Post { from, shape: Shape::new(src, dst, body(send, v6)?) })
    }

    fn known(&self, name: &str) -> Result<&Known, String> {
        self.known.get(name).ok_or_else(|| format!("no step before this one is called `{name}`"))
    }

    /// The full name of an interface, of which the device may be left out for the first one, or of a host.
    pub(super) fn interface(&self, name: &str) -> Result<String, String> {
        let first = format!("{name}.");
        let mut all = self.trial.ports();
        let found = all.find(|known| *known == name || known.starts_with(&first));
        found.map(str::to_owned).ok_or_else(|| format!("the lab has no interface `{name}`"))
    }

    /// An address as written, or the first one of an interface.
    fn address(&self, text: &str, v6: bool) -> Result<IpAddr, String> {
        if let Ok(address) = text.parse() {
            return Ok(address);
        }
        let name = self.interface(text)?;
        if let Some(host) = self.trial.world().valid().lab().internet.hosts.get(&name) {
            let own = host.ips.iter().find(|ip| ip.is_ipv6() == v6).copied();
            return own.ok_or_else(|| format!("`{name}` has no such address"));
        }
        let interface = self.lookup(&name).ok_or_else(|| format!("`{name}` is gone"))?;
        let first = if v6 {
            interface.ipv6_addresses.first().copied().map(IpAddr::V6)
        } else {
            interface.private_ips.first().copied().map(IpAddr::V4)
        };
        first.ok_or_else(|| format!("`{name}` has no such address"))
    }

    fn lookup(&self, name: &str) -> Option<&Interface> {
        let (instance, device) = name.split_once('.')?;
        let mut vpcs = self.trial.world().valid().lab().vpcs.values();
        let instance = vpcs.find_map(|vpc| vpc.instances.get(instance))?;
        instance.interfaces.iter().find(|interface| interface.device == device)
    }

    fn receiver(&self, heard: &Heard) -> Option<String> {
        self.trial.receiver(&heard.sent.fate).map(str::to_owned)
    }

    fn check(
        &self,
        heard: &Heard,
        expected: Expected,
        send: &Send,
        from: &str,
        shape: &Shape,
    ) -> Result<(), String> {
        let got = Expected::of(&heard.sent.fate);
        if got != expected {
            let why = heard.verdict.as_ref().map(|verdict| &verdict.trail);
            return Err(format!("expected `{}`, got `{}`: {why:#?}", expected.words(), got.words()));
        }
        if let Some(receiver) = self.receiver(heard) {
            self.check_receiver(&receiver, send, from, shape)?;
            let (pieces, expected) = (heard.sent.deliveries.len(), send.pieces.unwrap_or(1));
            same("pieces", &expected, &pieces)?;
        }
        if let Some(arrives) = &send.arrives {
            let (_, seen) = self.arrival(heard).ok_or("what arrives is no whole packet")?;
            check_arrived(arrives, &seen)?;
        }
        self.check_reasons(heard, send)?;
        self.check_told(heard, send.told.as_ref(), from)
    }

    fn check_receiver(&self, got: &str, send: &Send, from: &str, shape: &Shape) -> Result<(), String> {
        let expected = match &send.received_by {
            Some(name) => self.interface(name)?,
            None => self.owner(from, shape.dst).ok_or("nobody owns the destination: say `received_by`")?,
        };
        same("received_by", &expected, &got.to_owned())
    }

    /// The host that owns an address, or the interface in the VPC of `from`.
    fn owner(&self, from: &str, address: IpAddr) -> Option<String> {
        let lab = self.trial.world().valid().lab();
        if let Some(host) = lab.internet.host_of(address) {
            return Some(host.name.clone());
        }
        let (instance, _) = from.split_once('.')?;
        let mut vpcs = lab.vpcs.values();
        let vpc = vpcs.find(|vpc| vpc.instances.contains_key(instance))?;
        vpc.owner_of(address).map(|(instance, interface)| format!("{}.{}", instance.name, interface.device))
    }

    fn check_reasons(&self, heard: &Heard, send: &Send) -> Result<(), String> {
        let lab = self.trial.world().valid().lab();
        let steps = heard.verdict.iter().flat_map(|verdict| &verdict.trail);
        let trail: Vec<_> = steps.map(|step| trail::words(lab, step)).collect();
        match &send.by {
            Some(OneOrMany::Many(all)) => same("by", all, &trail)?,
            Some(OneOrMany::One(last)) => same("by", &Some(last), &trail.last())?,
            None => {}
        }
        let records = heard.verdict.iter().flat_map(|verdict| &verdict.records);
        let records: Vec<_> = records.map(|record| trail::record(lab, record)).collect();
        send.records.as_ref().map_or(Ok(()), |expected| same("records", expected, &records))
    }

    /// The sender of a packet that is too large hears of it, and nobody else hears anything.
    fn check_told(&self, heard: &Heard, told: Option<&Told>, from: &str) -> Result<(), String> {
        let refused = heard.told.as_ref().and_then(oracle::Verdict::reason);
        match (told, &heard.sent.errors[..]) {
            (None, []) if heard.told.is_none() => Ok(()),
            (Some(Told::Refused(expected)), []) if refused.is_some() => {
                let got =
                    refused.and_then(trial::drop_reason).map(|reason| Expected::Dropped(reason).words());
                same("told", &Some(expected), &got.as_ref())
            }
            (Some(Told::Arrives(expected)), [error]) => {
                let to = self.trial.name_at(error.to).unwrap_or("?");
                let receiver = self.interface(expected.received_by.as_deref().unwrap_or(from))?;
                same("told: received_by", &receiver.as_str(), &to)?;
                check_error(expected, &error.packet)
            }
            (_, errors) => Err(format!("expected to be told {told:?}, got {} answers", errors.len())),
        }
    }
}

impl Known {
    fn arrived(&self, name: &str) -> Result<(String, Shape), String> {
        self.arrived.clone().ok_or_else(|| format!("nobody received `{name}`"))
    }
}

fn check_arrived(expected: &Arrived, seen: &Shape) -> Result<(), String> {
    let ports = match seen.body {
        Body::Tcp { ports: (from, to), .. } | Body::Udp(from, to) => Some((from, to)),
        Body::Icmp { .. } | Body::Other(_) | Body::Query(..) => None,
    };
    check_end("from", expected.from.as_deref(), seen.src, ports.map(|(from, _)| from))?;
    check_end("to", expected.to.as_deref(), seen.dst, ports.map(|(_, to)| to))?;
    expected.ttl.map_or(Ok(()), |ttl| same("arrives: ttl", &ttl, &seen.ttl))?;
    expected.mss.map_or(Ok(()), |mss| same("arrives: mss", &Some(mss), &seen.mss))?;
    expected.size.map_or(Ok(()), |size| same("arrives: size", &Some(size), &seen.size))
}

/// An address, or an address with a port.
fn check_end(what: &str, expected: Option<&str>, address: IpAddr, port: Option<u16>) -> Result<(), String> {
    let Some(expected) = expected else { return Ok(()) };
    let got = match (expected.parse::<std::net::SocketAddr>(), port) {
        (Ok(_), Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
        _ => address.to_string(),
    };
    same(&format!("arrives: {what}"), &expected, &got.as_str())
}

fn check_error(expected: &Arriving, packet: &[u8]) -> Result<(), String> {
    let parsed = wire::parse(packet).map_err(|_| "the answer is malformed")?;
    let got = match parsed.transport {
        wire::Transport::Icmp { icmp_type, code, .. } => Some((icmp_type, code)),
        wire::Transport::Tcp { flags, .. } if flags & wire::tcp_flag::RST != 0 => None,
        wire::Transport::Later
        | wire::Transport::Other
        | wire::Transport::Tcp { .. }
        | wire::Transport::Udp => return Err("the answer is neither an ICMP error nor a reset".to_owned()),
    };
    same("told: icmp", &expected.icmp, &got)?;
    same("told: from", &expected.from, &parsed.tuple.src.to_string())?;
    if let Some(mtu) = expected.mtu {
        let at = usize::from(parsed.transport_offset) + 6;
        same("told: mtu", &mtu, &u16::from_be_bytes([packet[at], packet[at + 1]]))?;
    }
    wire::testing::verify(packet)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, got: &T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected {expected:#?}, got {got:#?}")) }
}

/// The packet, or the fragments that the file cuts it into.
fn parts(send: &Send, packet: &[u8]) -> Vec<Vec<u8>> {
    match &send.fragments {
        None => vec![packet.to_vec()],
        Some(cut) => {
            cut.pieces.iter().map(|(from, to)| craft::fragment(packet, cut.id, *from..*to)).collect()
        }
    }
}

/// The fate of the `n`th packet: one word stands for all.
fn fate_of(expected: &OneOrMany<String>, n: usize) -> Result<Expected, String> {
    let text = match expected {
        OneOrMany::One(one) => one,
        OneOrMany::Many(many) => many.get(n).ok_or("there are more packets than fates")?,
    };
    Expected::read(text)
}

fn body(send: &Send, v6: bool) -> Result<Body, String> {
    let source = send.source_port.unwrap_or(SOURCE_PORT);
    match (send.tcp, send.udp, &send.icmp, send.protocol) {
        (Some(port), None, None, None) => Ok(Body::Tcp { ports: (source, port), flags: SYN, seq: 0, ack: 0 }),
        (None, Some(port), None, None) => Ok(Body::Udp(source, port)),
        (None, None, Some(Icmp::Kind(icmp_type, code)), None) => {
            Ok(Body::Icmp { icmp_type: *icmp_type, code: *code, field: 0, about: None })
        }
        (None, None, Some(Icmp::Word(word)), None) => {
            let id = send.id.unwrap_or(IDENTIFIER);
            query(word, v6)
                .map(|icmp_type| Body::Query(icmp_type, id, 1))
                .ok_or_else(|| format!("`{word}` is no query"))
        }
        (None, None, None, Some(protocol)) => Ok(Body::Other(protocol)),
        _ => Err("a new packet has one of `tcp`, `udp`, `icmp` and `protocol`".to_owned()),
    }
}

fn query(word: &str, v6: bool) -> Option<u8> {
    match (word, v6) {
        ("echo", false) => Some(8),
        ("echo", true) => Some(128),
        ("echo-reply", false) => Some(0),
        ("echo-reply", true) => Some(129),
        ("timestamp", false) => Some(13),
        _ => None,
    }
}

/// The next packet in the same direction: a TCP segment with nothing but ACK unless the file says otherwise.
fn later(sent: &Shape) -> Shape {
    let mut shape = sent.clone();
    if let Body::Tcp { flags, .. } = &mut shape.body {
        *flags = ACK;
    }
    forget_numbers(&mut shape);
    shape
}

/// A packet in the other direction of the same flow.
fn reply(sent: &Shape) -> Shape {
    Shape::new(sent.dst, sent.src, sent.body.reversed())
}

/// The hosts number the next segment anew.
fn forget_numbers(shape: &mut Shape) {
    if let Body::Tcp { seq, ack, .. } = &mut shape.body {
        (*seq, *ack) = (0, 0);
    }
}

fn read_flags(names: &[String]) -> Result<u8, String> {
    let bits = names.iter().map(|name| craft::flag(name).ok_or_else(|| format!("`{name}` is no TCP flag")));
    bits.sum::<Result<u8, _>>()
}
