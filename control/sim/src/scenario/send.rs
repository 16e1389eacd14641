//! One packet of a scenario: what it is, and that it goes.

use std::net::IpAddr;

use model::lab::Interface;
use wire::tcp_flag::{ACK, SYN};

use super::check::same;
use super::file::{Icmp, OneOrMany, Send};
use super::outcome::Expected;
use super::play::Stage;
use crate::Heard;
use crate::craft::{self, Body, Shape};

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

    pub(super) fn receiver(&self, heard: &Heard) -> Option<String> {
        self.trial.receiver(&heard.sent.fate).map(str::to_owned)
    }
}

impl Known {
    fn arrived(&self, name: &str) -> Result<(String, Shape), String> {
        self.arrived.clone().ok_or_else(|| format!("nobody received `{name}`"))
    }
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
