//! One world and the oracle that watches it.

use std::collections::{BTreeMap, BTreeSet};

use engine::DropReason;
use engine::decide::Stateful;
use model::Valid;
use oracle::{Lease, Oracle};

use super::alias::Aliases;
use super::fragments::Fragments;
use super::ledger::Ledger;
use super::port::{Owner, Port, Ports};
use super::{Complaint, Heard};
use crate::{Fate, Sent, World};

/// One world with all that is known of what must have happened in it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) world: World,
    pub(super) oracle: Oracle,
    pub(super) fragments: Fragments,
    pub(super) ledger: Ledger,
    pub(super) aliases: Aliases,
    pub(super) dropped: BTreeMap<DropReason, u64>,
    /// Other leased addresses made another world of it.
    pub(super) diverged: bool,
    /// All addresses that NAT gateways have or had.
    pub(super) nat_addresses: BTreeSet<String>,
}

impl Watched {
    pub(super) fn new(valid: &Valid, workers: u16) -> Self {
        let mut watched = Self {
            world: World::new(valid.clone(), workers),
            oracle: Oracle::new(),
            fragments: Fragments::default(),
            ledger: Ledger::default(),
            aliases: Aliases::default(),
            dropped: BTreeMap::new(),
            diverged: false,
            nat_addresses: BTreeSet::new(),
        };
        watched.learn_addresses();
        watched
    }

    pub(super) fn apply(&mut self, valid: &Valid) {
        self.world.apply(valid.clone());
        self.oracle.forget_gone(valid);
        self.learn_addresses();
    }

    fn learn_addresses(&mut self) {
        let gateways = self.world.valid().lab().vpcs.values().flat_map(|vpc| vpc.nat_gateways.values());
        let addresses = gateways.flat_map(|gateway| &gateway.addresses);
        let all = addresses.flat_map(|address| [Some(address.private_ip), address.public_ip]).flatten();
        self.nat_addresses.extend(all.map(|address| address.to_string()));
    }

    /// Lets `port` send what stands for `packet` here.
    pub(super) fn send(&mut self, ports: &Ports, port: &Port, packet: &[u8]) -> Result<Heard, Complaint> {
        let packet = self.aliases.translate(&self.world, port.vpc(), packet);
        let sent = self.enter(port, &packet);
        let heard = self.examine(ports, port, &packet, sent)?;
        self.audit()?;
        Ok(heard)
    }

    fn enter(&mut self, port: &Port, packet: &[u8]) -> Sent {
        match (port.at.as_interface(), port.at.as_host(), &port.owner) {
            (Some(interface), _, Owner::Interface(..)) => self.world.send(interface, packet),
            (_, Some(host), Owner::Host) => self.world.send_from_host(host, packet),
            (.., owner) => panic!("{:?} is no port of {owner:?}", port.at),
        }
    }

    /// Lets waiting fragments time out that had their time.
    pub(super) fn expire_fragments(&mut self) -> Result<(), Complaint> {
        let late = self.fragments.expire(self.world.now());
        *self.dropped.entry(DropReason::FragmentTimeout).or_default() += late;
        self.audit()
    }

    /// What NAT gateways have made of their connections.
    pub(super) fn leases(&self) -> Vec<Lease> {
        let snapshot = self.world.snapshot();
        let id = |gateway| match gateway {
            Stateful::Nat(interface) => {
                let gateway = snapshot.nat_gateway(snapshot.interface(interface)?.nat_gateway?)?;
                Some(snapshot.names().get(gateway.name).id.to_string())
            }
            Stateful::EgressOnly(_) => None,
        };
        let connections = self.world.connections();
        connections
            .filter_map(|(gateway, inner, outer)| Some(Lease { gateway: id(gateway)?, inner, outer }))
            .collect()
    }

    pub(super) fn count_drop(&mut self, fate: &Fate) {
        if let Fate::Dropped(reason) = fate {
            *self.dropped.entry(*reason).or_default() += 1;
        }
    }

    /// Compares the counters with what was seen.
    fn audit(&self) -> Result<(), Complaint> {
        let counters = self.world.counters();
        let in_flight = counters.in_flight();
        if in_flight != 0 {
            return Err(Complaint::Unaccounted { in_flight });
        }
        for reason in DropReason::ALL {
            let (counted, seen) =
                (counters.dropped(*reason), self.dropped.get(reason).copied().unwrap_or_default());
            if counted != seen {
                return Err(Complaint::Miscounted { reason: *reason, counted, seen });
            }
        }
        if counters.held != self.fragments.waiting() {
            return Err(Complaint::Held { counted: counters.held, expected: self.fragments.waiting() });
        }
        Ok(())
    }
}
