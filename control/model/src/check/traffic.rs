//! Protocol, ports and ICMP types of group rules and ACL entries (SG-03, SG-04, NA-09).

use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::missing;
use crate::draft::{Field, Loose};
use crate::findings::{Code, Finding, Findings};
use crate::lab::Traffic;
use crate::spot::{At, Spot};

/// The keys of a rule that say which traffic it matches.
pub(super) struct Rule<'a> {
    pub(super) spot: Spot,
    /// What the rule is called in messages.
    pub(super) what: &'static str,
    pub(super) proto: &'a Field<At<Loose>>,
    pub(super) ports: &'a Field<At<Loose>>,
    pub(super) icmp_type: &'a Field<At<i64>>,
    pub(super) icmp_code: &'a Field<At<i64>>,
}

/// Which traffic the rule matches.
pub(super) fn traffic(rule: &Rule<'_>, found: &mut Findings) -> Option<Traffic> {
    if rule.proto.is_absent() {
        missing(found, rule.spot, rule.what, "proto", "tcp, udp, icmp, icmpv6, all, or a protocol number");
    }
    let proto = rule.proto.get()?;
    match proto.value.0.as_str() {
        "all" | "-1" => portless(rule, "all protocols", Traffic::All, found),
        "tcp" | "6" => Some(Traffic::Tcp(ports(rule, found)?)),
        "udp" | "17" => Some(Traffic::Udp(ports(rule, found)?)),
        "icmp" | "1" => icmp(rule, found).map(|(t, c)| Traffic::Icmp(t, c)),
        "icmpv6" | "58" => icmp(rule, found).map(|(t, c)| Traffic::Icmpv6(t, c)),
        other => match number_as_written(other) {
            Some(number) => portless(rule, &format!("protocol {number}"), Traffic::Number(number), found),
            None => unknown(proto, found),
        },
    }
}

/// Whether the traffic can occur between addresses of the block's family (AD-29).
pub(super) fn fits(traffic: &Traffic, net: IpNet, spot: Spot, found: &mut Findings) -> bool {
    let (mismatch, help) = match (traffic, net) {
        (Traffic::Icmp(..), IpNet::V6(_)) => ("icmp", "over IPv6 it is `proto: icmpv6`"),
        (Traffic::Icmpv6(..), IpNet::V4(_)) => ("icmpv6", "over IPv4 it is `proto: icmp`"),
        (Traffic::All | Traffic::Number(_) | Traffic::Tcp(_) | Traffic::Udp(_), _)
        | (Traffic::Icmp(..), IpNet::V4(_))
        | (Traffic::Icmpv6(..), IpNet::V6(_)) => return true,
    };
    let message = format!("{mismatch} never comes from or goes to {net}, so this never matches");
    found.push(Finding::new(Code::FamilyMismatch, spot, message).help(help));
    false
}

/// A short form for ids and messages, such as `tcp/443-443`; it must never change.
pub(super) fn text(traffic: &Traffic) -> String {
    let part = |p: Option<u8>| p.map_or_else(|| "-1".to_owned(), |n| n.to_string());
    match traffic {
        Traffic::All => "all".to_owned(),
        Traffic::Icmp(t, c) => format!("icmp/{}/{}", part(*t), part(*c)),
        Traffic::Icmpv6(t, c) => format!("icmpv6/{}/{}", part(*t), part(*c)),
        Traffic::Number(n) => format!("{n}"),
        Traffic::Tcp(ports) => format!("tcp/{}-{}", ports.start(), ports.end()),
        Traffic::Udp(ports) => format!("udp/{}-{}", ports.start(), ports.end()),
    }
}

/// A protocol number without sign or leading zeros: each has one spelling, so none slips past the names of 1, 6, 17 and 58.
fn number_as_written(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number: &u8| number.to_string() == text)
}

fn unknown(proto: &At<Loose>, found: &mut Findings) -> Option<Traffic> {
    let written = &proto.value.0;
    let plain = written.parse::<u8>().ok().map(|number| number.to_string());
    let near = crate::suggest::nearest(written, ["tcp", "udp", "icmp", "icmpv6", "all"]);
    let near = plain.as_deref().or(near);
    let help = near.map_or_else(
        || "tcp, udp, icmp, icmpv6, all, or a number from 0 to 255".to_owned(),
        |n| format!("did you mean `{n}`?"),
    );
    found.push(
        Finding::new(Code::ProtocolUnknown, proto.spot, format!("`{written}` is no protocol")).help(help),
    );
    None
}

fn portless(rule: &Rule<'_>, what: &str, traffic: Traffic, found: &mut Findings) -> Option<Traffic> {
    let ports = no_ports(rule, what, found);
    let icmp = no_icmp(rule, what, found);
    (ports && icmp).then_some(traffic)
}

fn no_ports(rule: &Rule<'_>, what: &str, found: &mut Findings) -> bool {
    if let Some(key) = rule.ports.key() {
        let message = format!("a rule for {what} has no ports");
        found.push(
            Finding::new(Code::PortsNotAllowed, key, message)
                .help("remove `ports`, or write `proto: tcp` or `proto: udp`"),
        );
        return false;
    }
    true
}

fn no_icmp(rule: &Rule<'_>, what: &str, found: &mut Findings) -> bool {
    let keys = [("type", rule.icmp_type.key()), ("code", rule.icmp_code.key())];
    for (name, key) in keys {
        if let Some(key) = key {
            let message = format!("a rule for {what} has no `{name}`");
            found.push(
                Finding::new(Code::IcmpTypeNotAllowed, key, message)
                    .help("only `proto: icmp` and `proto: icmpv6` have one"),
            );
        }
    }
    keys.iter().all(|(_, key)| key.is_none())
}

fn ports(rule: &Rule<'_>, found: &mut Findings) -> Option<RangeInclusive<u16>> {
    no_icmp(rule, "TCP or UDP", found);
    if rule.ports.is_absent() {
        found.push(
            Finding::new(
                Code::PortsMissing,
                rule.spot,
                format!("{} for TCP or UDP has no `ports`", rule.what),
            )
            .help("such as `ports: 443` or `ports: 8000-8999`; `ports: 0-65535` for all"),
        );
    }
    let written = rule.ports.get()?;
    let text = written.value.0.trim();
    let (first, last) = text.split_once('-').map_or((text, text), |(a, b)| (a.trim(), b.trim()));
    let (Some(first), Some(last)) = (port(first), port(last)) else {
        let message = format!("`{text}` is neither a port nor a range of ports");
        found.push(
            Finding::new(Code::PortsMalformed, written.spot, message)
                .help("such as 443 or 8000-8999; a port is 0 to 65535"),
        );
        return None;
    };
    if first > last {
        let message = format!("the range {first}-{last} ends before it starts");
        found.push(
            Finding::new(Code::PortsReversed, written.spot, message)
                .help(format!("did you mean {last}-{first}?")),
        );
        return None;
    }
    Some(first..=last)
}

fn port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Type and code; `None` is any.
fn icmp(rule: &Rule<'_>, found: &mut Findings) -> Option<(Option<u8>, Option<u8>)> {
    let ports = no_ports(rule, "ICMP", found);
    let icmp_type = number(rule.icmp_type, "type", found);
    let icmp_code = number(rule.icmp_code, "code", found);
    if let (Ok(None), Ok(Some(_)), Some(key)) = (icmp_type, icmp_code, rule.icmp_code.key()) {
        let message = "an ICMP code means nothing without a type";
        found.push(
            Finding::new(Code::IcmpCodeWithoutType, key, message)
                .help("add `type`, such as `type: 3, code: 4`, or remove `code`"),
        );
        return None;
    }
    ports.then_some((icmp_type.ok()?, icmp_code.ok()?))
}

/// A type or code; -1 is any. `Err` after having reported.
fn number(field: &Field<At<i64>>, name: &str, found: &mut Findings) -> Result<Option<u8>, ()> {
    match field.get() {
        None if field.is_broken() => Err(()),
        None => Ok(None),
        Some(written) if written.value == -1 => Ok(None),
        Some(written) => u8::try_from(written.value).map(Some).map_err(|_| {
            let message = format!("an ICMP {name} is 0 to 255, or -1 for any, not {}", written.value);
            found.push(Finding::new(Code::OutOfRange, written.spot, message));
        }),
    }
}
