//! Expectations with the places and names of one lab.

use std::net::IpAddr;

use model::lab::{Lab, Peering, PeeringState, Vpc};
use model::suggest;

use super::file::{Check, Mistake};
use super::tree::At;
use crate::error::Error;
use crate::explain::packet::Packet;
use crate::explain::question::{Question, Traffic};
use crate::explain::spread::EPHEMERAL;
use crate::place::{self, End};
use crate::words;
use crate::world::World;

/// One probe to make.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) check: &'a Check,
    pub(crate) question: Question,
    /// The packet, with a source port that the sender's kernel will replace.
    pub(crate) packet: Packet<'a>,
    /// The interface or host that owns the destination, where a listener can be.
    pub(crate) target: Option<Target<'a>>,
}

/// Where a probe shall arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Who has the address.
    pub(crate) end: End<'a>,
    /// The address under which it has it: its own, where the packet has a public one.
    pub(crate) address: IpAddr,
}

/// Finds the places of all expectations.
///
/// # Errors
///
/// Every name that the lab does not have, by place.
pub(crate) fn plan<'a>(world: &'a World, checks: &'a [Check]) -> Result<Vec<Job<'a>>, Vec<Mistake>> {
    let (mut jobs, mut mistakes) = (Vec::new(), Vec::new());
    let owners = words::owners(world.lab());
    for check in checks {
        mistakes.extend(check.by.as_ref().and_then(|by| unknown_decider(world, &owners, by)));
        match job(world, check) {
            Ok(job) => jobs.push(job),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.sort_by_key(|mistake| mistake.spot);
    if mistakes.is_empty() { Ok(jobs) } else { Err(mistakes) }
}

impl Job<'_> {
    /// `tcp 5432`, `icmp type 8`.
    pub(crate) fn traffic(&self) -> String {
        self.packet.selector()
    }

    /// Port to listen on; none for what every instance answers by itself.
    pub(crate) const fn listens(&self) -> Option<u16> {
        match self.check.traffic {
            Traffic::Tcp(port) | Traffic::Udp(port) => Some(port),
            Traffic::Number(_) => Some(0),
            Traffic::Echo | Traffic::Icmp(..) | Traffic::Icmpv6(..) => None,
        }
    }
}

fn job<'a>(world: &'a World, check: &'a Check) -> Result<Job<'a>, Mistake> {
    let question = Question {
        from: check.from.value.clone(),
        to: check.to.value.clone(),
        traffic: check.traffic,
        source_port: None,
        source_address: None,
        family: None,
    };
    for name in [&check.from, &check.to] {
        place::find(world.lab(), &name.value).map_err(|error| said(name, &error))?;
    }
    let packet = Packet::of(world.lab(), &question, *EPHEMERAL.start());
    let packet = packet.map_err(|error| said(&check.from, &error))?;
    let target = target(world.lab(), packet.at, packet.parsed.tuple.dst);
    Ok(Job { check, question, packet, target })
}

/// Who has an address, as the sender sees the world: a neighbour in its VPC or in a peer's, a host, or whoever is mapped to it;
/// behind 64:ff9b::/96 that is whoever has the IPv4 address (NG-20).
fn target<'a>(lab: &'a Lab, from: End<'a>, address: IpAddr) -> Option<Target<'a>> {
    let address = place::embedded(address).map_or(address, IpAddr::V4);
    let neighbour = from.port().and_then(|port| {
        let owners = place::owners(lab, address);
        let own = owners.iter().find(|owner| owner.vpc.name == port.vpc.name);
        own.or_else(|| owners.iter().find(|owner| are_peers(lab, port.vpc, owner.vpc))).copied()
    });
    let host = || lab.internet.host_of(address).map(End::Host);
    let own = neighbour.map(End::Port).or_else(host).map(|end| Target { end, address });
    own.or_else(|| {
        place::ports(lab).find_map(|port| {
            let address = port.private_of(address)?;
            Some(Target { end: End::Port(port), address })
        })
    })
}

fn are_peers(lab: &Lab, one: &Vpc, other: &Vpc) -> bool {
    let active = |peering: &&Peering| peering.state == PeeringState::Active;
    lab.peerings.values().filter(active).any(|peering| peering.joins(&one.name, &other.name))
}

fn said(at: &At<String>, error: &Error) -> Mistake {
    Mistake { spot: at.spot, message: error.to_string() }
}

fn unknown_decider(world: &World, owners: &[(String, String)], by: &At<String>) -> Option<Mistake> {
    let known = world.catalogue.get(&by.value).is_some()
        || owners.iter().any(|(path, id)| *path == by.value || *id == by.value);
    if known {
        return None;
    }
    let paths = owners.iter().map(|(path, _)| path.as_str());
    let help = match suggest::nearest(&by.value, paths.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it could be {}", suggest::listed(paths)),
    };
    Some(Mistake {
        spot: by.spot,
        message: format!("nothing in lab {} is called `{}`: {help}", world.lab().name, by.value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::file;

    /// Name and address of the target of one row.
    fn target_of(name: &str, text: &str, row: &str) -> Option<(String, String)> {
        let world = World::of(name, text).expect("the example is right");
        let checks = file::parse(row).expect("a row in order");
        let jobs = plan(&world, &checks).expect("everything is there");
        jobs[0].target.map(|target| (target.end.name(), target.address.to_string()))
    }

    #[test]
    fn a_listener_is_in_a_peer_that_an_active_connection_joins() {
        const PEERING: &str = include_str!("../../../../examples/peering.yaml");
        let to = |to: &str, text: &str| {
            target_of("p.yaml", text, &format!("- {{ from: web-1, to: {to}, tcp: 80, expect: allowed }}\n"))
        };
        let app = Some(("app-1.eth0".to_owned(), "10.2.1.10".to_owned()));
        assert_eq!(to("app-1", PEERING), app);
        assert_eq!(to("db-1", PEERING), None);
        let deleted = PEERING.replace("accepter: app, state: active", "accepter: app, state: deleted");
        assert_eq!(to("app-1", &deleted), None);
    }

    /// Rules: NG-20
    #[test]
    fn behind_nat64_listens_who_has_the_ipv4_address() {
        let row = "- { from: job-1, to: \"64:ff9b::cb00:7132\", tcp: 80, expect: allowed }\n";
        let target = target_of("n.yaml", include_str!("../../../../examples/nat64.yaml"), row);
        assert_eq!(target, Some(("old".to_owned(), "203.0.113.50".to_owned())));
    }
}
