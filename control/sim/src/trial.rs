//! The same packets through several worlds and past the oracle.

mod complaint;
mod examine;
mod fragments;
mod ledger;
mod opinion;

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{Counters, DropReason, Time};
use flowlog::Line;
use model::Valid;
use model::lab::InterfaceRef;
use oracle::{Oracle, Verdict};
use snapshot::InterfaceIx;

use crate::{Sent, World};
use fragments::Fragments;
use ledger::Ledger;

pub use complaint::Complaint;
pub use ledger::Recorded;
pub(crate) use opinion::drop_reason;

/// Worlds of one lab that differ in nothing but their number of workers, and the oracle beside them.
///
/// Every input goes to all of them, and every output is compared: fates, deliveries, counters, flows and flow-log lines
/// between the worlds; fate, reason, ids and records with the oracle. [`Complaint`] says what did not agree; nothing of
/// the trial means anything after one.
#[derive(Debug)]
pub struct Trial {
    worlds: Vec<World>,
    oracle: Oracle,
    ports: BTreeMap<String, Port>,
    fragments: Fragments,
    ledger: Ledger,
    dropped: BTreeMap<DropReason, u64>,
}

/// An interface as a sender.
#[derive(Clone, Debug)]
struct Port {
    ix: InterfaceIx,
    id: String,
    vpc: String,
    at: InterfaceRef,
}

/// What became of a packet, and why.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What all worlds did.
    pub sent: Sent,
    /// What the oracle said; none of packets that no policy sees: malformed ones and fragments that are kept or refused
    /// before their flow is known.
    pub verdict: Option<Verdict>,
    /// What it said about the ICMP error that tells the sender of an oversize packet.
    pub told: Option<Verdict>,
    /// The fragments that had waited for this one.
    pub released: Vec<Self>,
}

impl Trial {
    /// Numbers of workers that a trial compares.
    pub const WORKERS: [u16; 4] = [1, 2, 3, 8];

    /// A trial of `valid`.
    #[must_use]
    pub fn new(valid: &Valid) -> Self {
        let worlds: Vec<_> =
            Self::WORKERS.iter().map(|workers| World::new(valid.clone(), *workers)).collect();
        let mut trial = Self {
            worlds,
            oracle: Oracle::new(),
            ports: BTreeMap::new(),
            fragments: Fragments::default(),
            ledger: Ledger::default(),
            dropped: BTreeMap::new(),
        };
        trial.learn_ports();
        trial
    }

    /// The world with one worker.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.worlds[0]
    }

    /// Lets `INSTANCE.DEVICE` send a packet. An interface that is gone still can, once.
    ///
    /// # Errors
    ///
    /// What did not agree.
    ///
    /// # Panics
    ///
    /// When the lab never had that interface.
    pub fn send(&mut self, from: &str, packet: &[u8]) -> Result<Heard, Complaint> {
        let port =
            self.ports.get(from).unwrap_or_else(|| panic!("the lab has no interface `{from}`")).clone();
        let sent = self.in_all(|world| world.send(port.ix, packet), "fate of a packet")?;
        let heard = self.examine(&port, packet, sent)?;
        self.audit()?;
        Ok(heard)
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn advance(&mut self, by: Duration) -> Result<(), Complaint> {
        self.in_all(|world| world.advance(by), "passage of time")?;
        let late = self.fragments.expire(self.now());
        *self.dropped.entry(DropReason::FragmentTimeout).or_default() += late;
        self.audit()
    }

    /// Puts another lab in force.
    pub fn apply(&mut self, valid: &Valid) {
        for world in &mut self.worlds {
            world.apply(valid.clone());
        }
        self.learn_ports();
    }

    /// Flow-log lines since the last call.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn take_lines(&mut self) -> Result<Vec<Line>, Complaint> {
        self.in_all(World::take_lines, "flow-log lines")
    }

    /// Ends the trial as a shutdown does, and compares all that flow logs counted with what the oracle says they must.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn finish(&mut self) -> Result<Vec<Line>, Complaint> {
        self.in_all(|world| world.finish(), "shutdown")?;
        let ids = self.ports.values().map(|port| (port.ix, port.id.clone())).collect();
        for world in &mut self.worlds {
            let events: Vec<_> = world.take_events().into_iter().map(|(_, event)| event).collect();
            self.ledger.compare(&ids, &events, world.engines().len())?;
        }
        self.take_lines()
    }

    /// What flow logs must have counted by now.
    pub fn recorded(&self) -> impl Iterator<Item = Recorded> {
        self.ledger.totals()
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.world().now()
    }

    /// What [`crate::World::counters`] says in every world.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.world().counters()
    }

    /// Names of all interfaces that the lab has or had.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.ports.keys().map(String::as_str)
    }

    /// The name of an interface.
    #[must_use]
    pub fn name_of(&self, ix: InterfaceIx) -> &str {
        self.ports.iter().find(|(_, port)| port.ix == ix).map_or("?", |(name, _)| name)
    }

    /// Does the same in every world and returns the common answer.
    fn in_all<T: PartialEq + std::fmt::Debug>(
        &mut self,
        mut act: impl FnMut(&mut World) -> T,
        what: &'static str,
    ) -> Result<T, Complaint> {
        let mut worlds = self.worlds.iter_mut();
        let first = act(worlds.next().expect("a trial has worlds"));
        for world in worlds {
            let other = act(world);
            if other != first {
                let (one, many) = (format!("{first:#?}"), format!("{other:#?}"));
                return Err(Complaint::Divided { what, workers: world.engines().len(), one, many });
            }
        }
        Ok(first)
    }

    fn learn_ports(&mut self) {
        let lab = self.worlds[0].valid().lab();
        for vpc in lab.vpcs.values() {
            for instance in vpc.instances.values() {
                for interface in &instance.interfaces {
                    let ix = self.worlds[0].snapshot().interface_by_id(&interface.id);
                    let ix = ix.expect("an interface of the lab is in its snapshot");
                    let at =
                        InterfaceRef { instance: instance.name.clone(), device: interface.device.clone() };
                    let name = format!("{}.{}", at.instance, at.device);
                    self.ports.insert(name, Port { ix, id: interface.id.clone(), vpc: vpc.name.clone(), at });
                }
            }
        }
    }

    /// Compares counters and flows between worlds, and the counters with what was seen.
    fn audit(&mut self) -> Result<(), Complaint> {
        let counters = self.in_all(|world| world.counters(), "counters")?;
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
