//! Every source port that a sender's kernel may choose, in as few walks as rules can tell apart.
//!
//! Nothing matches source ports, but a reply's destination port is the source port of what it answers, and network ACLs judge
//! replies by it (NA-10, NA-11). Between two numbers at which some rule begins or ends, all ports fare alike.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use model::lab::{Lab, Traffic};
use snapshot::NameIx;

use super::packet::Packet;
use super::question::Question;
use super::walk::{self, Outcome, Walk};
use crate::error::Error;
use crate::world::World;

/// Linux takes source ports from here (`net.ipv4.ip_local_port_range`).
pub(crate) const EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;

/// The source ports that fare alike, with the walk of the first.
#[derive(Clone, Debug)]
pub(crate) struct Share<'a> {
    /// Ascending, neighbours joined; empty when the question leaves no port open.
    pub(crate) ports: Vec<RangeInclusive<u16>>,
    pub(crate) walk: Walk<'a>,
}

/// Answers a question for every source port it leaves open. Shares come worst first: what is said of the whole is said of them.
///
/// # Errors
///
/// As [`Packet::of`].
pub(crate) fn spread<'a>(world: &'a World, question: &Question) -> Result<Vec<Share<'a>>, Error> {
    let first = Packet::of(world.lab(), question, question.source_port.unwrap_or(*EPHEMERAL.start()))?;
    if question.source_port.is_some() || !first.has_source_port() {
        return Ok(vec![Share { ports: Vec::new(), walk: walk::walk(world, first)? }]);
    }
    let mut shares: Vec<(Key, Share<'a>)> = Vec::new();
    for ports in world.ephemeral_pieces() {
        let packet = Packet::of(world.lab(), question, *ports.start())?;
        let walk = walk::walk(world, packet)?;
        let key = Key::of(&walk);
        match shares.iter_mut().find(|(known, _)| *known == key) {
            Some((_, share)) => join(&mut share.ports, ports.clone()),
            None => shares.push((key, Share { ports: vec![ports.clone()], walk })),
        }
    }
    shares.sort_by_key(|(key, _)| std::cmp::Reverse(key.0));
    Ok(shares.into_iter().map(|(_, share)| share).collect())
}

/// `32768-39999, 50000`.
pub(crate) fn listed(ports: &[RangeInclusive<u16>]) -> String {
    let text = |ports: &RangeInclusive<u16>| match (ports.start(), ports.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    ports.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// What makes two answers the same: how it ends, and what ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(Outcome, Option<NameIx>);

impl Key {
    fn of(walk: &Walk<'_>) -> Self {
        let outcome = walk.outcome();
        let ended_by = match outcome {
            Outcome::Delivered => None,
            Outcome::Dropped(_) => walk.forward.last_decider(),
            Outcome::ReplyDropped(_) => walk.reply.as_ref().and_then(|leg| leg.last_decider()),
        };
        Self(outcome, ended_by)
    }
}

/// The ephemeral range, cut wherever some rule or entry of the lab begins or ends.
pub(crate) fn pieces(lab: &Lab) -> Vec<RangeInclusive<u16>> {
    let (first, last) = (*EPHEMERAL.start(), *EPHEMERAL.end());
    let mut starts: BTreeSet<u16> = BTreeSet::from([first]);
    for traffic in all_traffic(lab) {
        if let Traffic::Tcp(ports) | Traffic::Udp(ports) = traffic {
            let edges = [Some(*ports.start()), ports.end().checked_add(1)];
            starts.extend(edges.into_iter().flatten().filter(|edge| EPHEMERAL.contains(edge)));
        }
    }
    let next = starts.iter().skip(1).map(|start| start - 1).chain([last]);
    starts.iter().zip(next).map(|(from, to)| *from..=to).collect()
}

fn all_traffic(lab: &Lab) -> impl Iterator<Item = &Traffic> {
    lab.vpcs.values().flat_map(|vpc| {
        let groups = vpc.security_groups.values().flat_map(|g| g.ingress.iter().chain(&g.egress));
        let acls = vpc.network_acls.values().flat_map(|a| a.ingress.iter().chain(&a.egress));
        groups.map(|rule| &rule.traffic).chain(acls.map(|entry| &entry.traffic))
    })
}

/// Adds ports that are above all that are there.
fn join(ports: &mut Vec<RangeInclusive<u16>>, more: RangeInclusive<u16>) {
    match ports.last_mut() {
        Some(last) if last.end().checked_add(1) == Some(*more.start()) => *last = *last.start()..=*more.end(),
        Some(_) | None => ports.push(more),
    }
}
