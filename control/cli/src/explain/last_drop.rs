//! The newest dropped packet of a running lab, explained.
//!
//! A record says what was dropped, not what went before. A reply looks like any other packet, so both readings are tried, the
//! packet as the first of its flow and as the answer to a flow the other way, and the one that ends as the record says is taken.

use std::net::IpAddr;

use daemon::protocol::DropRow;
use engine::Verdict;
use model::lab::Lab;

use super::packet::Packet;
use super::walk::{self, Leg, Walk};
use crate::error::Error;
use crate::place::{self, End};
use crate::records;
use crate::world::World;

/// How a record was read.
pub(crate) enum Reading<'a> {
    /// As the first packet of its flow.
    First(Walk<'a>),
    /// As the reply of a flow that its destination began.
    Reply(Walk<'a>),
    /// Neither ends as the record says; the packet as the first of its flow.
    Unlike(Walk<'a>),
}

/// Where packets of hosts enter, in a record.
const INTERNET: &str = "internet";

/// The newest record, of one interface if one is named.
pub(crate) fn newest<'a>(drops: &'a [DropRow], interface: Option<&str>) -> Option<&'a DropRow> {
    drops.iter().rev().find(|row| interface.is_none_or(|name| row.from == name))
}

/// Explains a record from the lab as it is now.
///
/// # Errors
///
/// A record without readable headers, or of an interface that is gone.
pub(crate) fn read<'a>(world: &'a World, row: &DropRow) -> Result<Reading<'a>, Error> {
    let tuple = records::tuple(row)
        .ok_or_else(|| Error::Refused(format!("{}: its headers could not be read", sentence(row))))?;
    let sender = sender(world.lab(), &row.from, tuple.src)?;
    let first = walk::walk(world, Packet::with_tuple(sender, tuple))?;
    let reply = match asker(world.lab(), sender, tuple.dst) {
        Some(asker) => Some(walk::walk(world, Packet::with_tuple(asker, tuple.reversed()))?),
        None => None,
    };
    let reply = reply.filter(|walk| walk.reply.as_ref().is_some_and(|leg| ends_like(world, leg, row)));
    Ok(match (ends_like(world, &first.forward, row), reply) {
        (true, None) => Reading::First(first),
        (false, Some(walk)) => Reading::Reply(walk),
        // A tuple can be both; what decided on the way tells.
        (true, Some(walk)) if decided_like(world, &first.forward, row) => {
            drop(walk);
            Reading::First(first)
        }
        (true, Some(walk)) => Reading::Reply(walk),
        (false, None) => Reading::Unlike(first),
    })
}

/// The record in a line: `web-1.eth0 sent 10.0.1.10:40000 > 10.0.2.10:5432 tcp, 60 bytes: ENI_SG_RULES_MISMATCH`.
pub(crate) fn sentence(row: &DropRow) -> String {
    let packet =
        records::tuple(row).map_or_else(|| "what is no packet".to_owned(), |tuple| tuple.to_string());
    format!("{} sent {packet}, {} bytes: {}", row.from, row.length, row.reason)
}

/// Who sent it: what comes from the internet is its source's.
fn sender<'a>(lab: &'a Lab, from: &str, source: IpAddr) -> Result<End<'a>, Error> {
    match lab.internet.host_of(source).filter(|_| from == INTERNET) {
        Some(host) => Ok(End::Host(host)),
        None => place::find_port(lab, from).map(End::Port),
    }
}

/// Who would have sent the packet that this one answers.
fn asker<'a>(lab: &'a Lab, sender: End<'a>, address: IpAddr) -> Option<End<'a>> {
    let vpc = sender.port().map(|port| &port.vpc.name);
    let neighbour = place::owners(lab, address).into_iter().find(|owner| Some(&owner.vpc.name) == vpc);
    neighbour.map(End::Port).or_else(|| lab.internet.host_of(address).map(End::Host))
}

fn ends_like(world: &World, leg: &Leg<'_>, row: &DropRow) -> bool {
    let Verdict::Drop { reason, gate } = leg.decision.verdict else { return false };
    let gate = gate.map(|(ix, direction)| {
        let name = world.snapshot.interface(ix).map(|i| world.snapshot.names().get(i.name).label.to_string());
        let direction = match direction {
            engine::Direction::Egress => "egress",
            engine::Direction::Ingress => "ingress",
        };
        (name.unwrap_or_default(), direction.to_owned())
    });
    reason.code() == row.reason && gate == row.gate
}

fn decided_like(world: &World, leg: &Leg<'_>, row: &DropRow) -> bool {
    let ids: Vec<&str> = leg.decision.why.iter().map(|name| world.id(*name)).collect();
    ids == row.decided_by
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::walk::Outcome;

    const TWO_TIER: &str = include_str!("../../../../examples/two-tier.yaml");

    fn echo(source: &str, destination: &str, (src_port, dst_port): (u16, u16), reason: &str) -> DropRow {
        DropRow {
            at: 1,
            from: if source == "10.0.2.10" { "db-1.eth0" } else { "web-1.eth0" }.to_owned(),
            source: source.to_owned(),
            destination: destination.to_owned(),
            protocol: wire::proto::ICMP,
            source_port: src_port,
            destination_port: dst_port,
            length: 84,
            reason: reason.to_owned(),
            sentence: String::new(),
            gate: None,
            decided_by: Vec::new(),
        }
    }

    fn world() -> World {
        World::of("two-tier.yaml", TWO_TIER).expect("the example is right")
    }

    /// Rules: SG-01
    #[test]
    fn a_dropped_request_is_read_as_the_first_of_its_flow() {
        let (world, row) = (world(), echo("10.0.1.10", "10.0.2.10", (7, 8 << 8), "ENI_SG_RULES_MISMATCH"));
        let row = DropRow { gate: Some(("db-1.eth0".to_owned(), "ingress".to_owned())), ..row };
        let Reading::First(walk) = read(&world, &row).expect("readable") else { panic!("it is a request") };
        assert!(matches!(walk.outcome(), Outcome::Dropped(_)));
    }

    /// Rules: NA-11, SG-13
    #[test]
    fn a_dropped_reply_is_read_with_the_request_that_it_answers() {
        let (world, row) = (world(), echo("10.0.2.10", "10.0.1.20", (8 << 8, 7), "SUBNET_ACL_RESTRICTION"));
        let row = DropRow { gate: Some(("db-1.eth0".to_owned(), "egress".to_owned())), ..row };
        let Reading::Reply(walk) = read(&world, &row).expect("readable") else { panic!("it is a reply") };
        assert_eq!(walk.forward.packet.at.name(), "app-1.eth0");
        assert!(matches!(walk.outcome(), Outcome::ReplyDropped(_)));
    }

    #[test]
    fn a_record_that_the_lab_no_longer_explains_is_said_to_be_so() {
        let (world, row) = (world(), echo("10.0.1.10", "10.0.1.20", (7, 8 << 8), "SUBNET_ACL_RESTRICTION"));
        assert!(matches!(read(&world, &row).expect("readable"), Reading::Unlike(_)));
        let unreadable = DropRow { source: String::new(), ..row };
        assert!(read(&world, &unreadable).is_err());
    }

    #[test]
    fn the_newest_record_of_an_interface_is_taken() {
        let rows = [("10.0.1.10", 1), ("10.0.2.10", 2), ("10.0.1.10", 3), ("10.0.2.10", 4)]
            .map(|(source, at)| DropRow { at, ..echo(source, "10.0.1.20", (1, 2), "MALFORMED") });
        assert_eq!(newest(&rows, None).map(|row| row.at), Some(4));
        assert_eq!(newest(&rows, Some("web-1.eth0")).map(|row| row.at), Some(3));
        assert_eq!(newest(&rows, Some("app-1.eth0")), None);
    }
}
