//! An answer for people.

use owo_colors::OwoColorize as _;

use super::report::{Hop, LegReport, PacketReport, Report, SourcePorts};
use crate::error::Error;
use crate::output::Out;

/// Writes the whole answer.
///
/// # Errors
///
/// [`Error::Output`].
pub(crate) fn write(out: Out<'_>, report: &Report) -> Result<(), Error> {
    writeln!(out, "{}", packet(&report.forward.packet))?;
    leg(out, "request", &report.forward)?;
    if let Some(reply) = &report.reply {
        leg(out, "reply", reply)?;
    }
    writeln!(out, "{}", verdict(report.verdict))?;
    if let Some(ports) = &report.source_ports {
        source_ports(out, ports)?;
    }
    if let Some(hint) = &report.hint {
        writeln!(out, "{} {hint}", "hint:".bold())?;
    }
    for note in &report.notes {
        writeln!(out, "{} {note}", "note:".bold())?;
    }
    Ok(())
}

/// `tcp 10.0.1.10 -> 10.0.2.10 port 5432`.
pub(crate) fn packet(packet: &PacketReport) -> String {
    let PacketReport { source, destination, .. } = packet;
    let what = match (packet.destination_port, packet.icmp_type, packet.icmp_code) {
        (Some(port), _, _) => format!(" port {port}"),
        (None, Some(icmp_type), Some(code)) => format!(" type {icmp_type} code {code}"),
        (None, _, _) => String::new(),
    };
    format!("{} {source} -> {destination}{what}", protocol(packet.protocol))
}

/// The name of a protocol, or its number.
pub(crate) fn protocol(number: u8) -> String {
    match number {
        wire::proto::ICMP => "icmp".to_owned(),
        wire::proto::ICMPV6 => "icmpv6".to_owned(),
        wire::proto::TCP => "tcp".to_owned(),
        wire::proto::UDP => "udp".to_owned(),
        other => format!("protocol {other}"),
    }
}

fn leg(out: Out<'_>, title: &str, leg: &LegReport) -> Result<(), Error> {
    let title = title.bold();
    match (leg.reason, leg.sentence) {
        (Some(reason), Some(sentence)) => writeln!(out, "\n{title}: {} {reason}", "dropped".red())
            .and_then(|()| writeln!(out, "  {sentence}"))?,
        _ => writeln!(out, "\n{title}: {}", "delivered".green())?,
    }
    let width = |text: fn(&Hop) -> usize| leg.hops.iter().map(text).max().unwrap_or_default();
    let (at, kind) = (width(|hop| hop.at.name.len()), width(|hop| hop.kind.len()));
    for hop in &leg.hops {
        let line = format!("  {:at$}  {:kind$}  {}", hop.at.name, hop.kind, action(hop.action));
        writeln!(out, "{}", format!("{line}  {}", why(hop)).trim_end())?;
    }
    Ok(())
}

/// Every action in one width.
fn action(word: &str) -> String {
    let padded = format!("{word:5}");
    match word {
        "allow" => padded.green().to_string(),
        "deny" => padded.red().to_string(),
        _ => padded,
    }
}

fn why(hop: &Hop) -> String {
    let decider = hop.decided_by.as_ref().map(|decider| decider.sentence());
    let parts: Vec<String> =
        [decider, hop.rewrite.clone(), hop.detail.clone()].into_iter().flatten().collect();
    parts.join("; ")
}

fn verdict(word: &str) -> String {
    match word {
        "delivered" => format!("\n{}", word.green().bold()),
        _ => format!("\n{}", word.red().bold()),
    }
}

fn source_ports(out: Out<'_>, ports: &SourcePorts) -> Result<(), Error> {
    let title = "source ports:".bold();
    if ports.others.is_empty() {
        writeln!(out, "{title} holds for all of {}", ports.assumed)?;
        return Ok(());
    }
    writeln!(out, "{title} holds for {} of {}", ports.holds_for, ports.assumed)?;
    for other in &ports.others {
        let reason = other.reason.map_or_else(String::new, |reason| format!(" {reason}"));
        writeln!(out, "              {}: {}{reason}", other.ports, other.verdict)?;
    }
    Ok(())
}
