//! Whether a packet of a scenario went as the file says.

use std::net::IpAddr;

use super::file::{Arrived, Arriving, OneOrMany, Send, Told};
use super::outcome::Expected;
use super::play::Stage;
use super::trail;
use crate::craft::{Body, Shape};
use crate::{Heard, trial};

impl Stage {
    pub(super) fn check(
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

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, got: &T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected {expected:#?}, got {got:#?}")) }
}
