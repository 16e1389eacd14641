//! The same packets through several worlds and past the oracle.

mod alias;
mod arrival;
mod complaint;
mod examine;
mod fragments;
mod ledger;
mod opinion;
mod port;
mod unison;
mod watched;

use std::time::Duration;

use engine::{Counters, Time};
use flowlog::Line;
use model::Valid;
use oracle::Verdict;
use snapshot::InterfaceIx;

use crate::{Fate, Sent, World};
use port::Ports;
use watched::Watched;

pub use complaint::Complaint;
pub use ledger::Recorded;
pub(crate) use opinion::drop_reason;

/// Worlds of one lab that differ in nothing but their number of workers, each with an oracle beside it.
///
/// Every input goes to all of them, and every output is compared: fates, deliveries, counters, flows and flow-log lines
/// between the worlds, but for the ports that NAT gateways lease; fate, reason, packet, ids and records with the oracle.
/// [`Complaint`] says what did not agree; nothing of the trial means anything after one.
#[derive(Debug)]
pub struct Trial {
    watched: Vec<Watched>,
    ports: Ports,
}

/// What became of a packet, and why.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What all worlds did, in the words of the one with one worker.
    pub sent: Sent,
    /// What the oracle said; none of packets that no policy sees: malformed ones and fragments that are kept or refused
    /// before their flow is known.
    pub verdict: Option<Verdict>,
    /// What it said about the answer to the sender of a packet that ended under way, if that is an interface.
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
        let watched: Vec<_> = Self::WORKERS.iter().map(|workers| Watched::new(valid, *workers)).collect();
        let mut ports = Ports::default();
        ports.learn(&watched[0].world);
        Self { watched, ports }
    }

    /// The world with one worker.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.watched[0].world
    }

    /// Lets `INSTANCE.DEVICE` or a host send a packet, which is written for the world with one worker. An interface that is gone
    /// still can, once.
    ///
    /// # Errors
    ///
    /// What did not agree.
    ///
    /// # Panics
    ///
    /// When the lab never had that interface or host.
    pub fn send(&mut self, from: &str, packet: &[u8]) -> Result<Heard, Complaint> {
        let port = self.ports.get(from).unwrap_or_else(|| panic!("the lab has no `{from}`"));
        let (first, others) = self.watched.split_first_mut().expect("a trial has worlds");
        let heard = first.send(&self.ports, port, packet)?;
        for other in others {
            let same = other.send(&self.ports, port, packet)?;
            learn(other, &heard, &same);
            unison::compare(&heard, other, &same)?;
            same_counters(first, other)?;
        }
        Ok(heard)
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn advance(&mut self, by: Duration) -> Result<(), Complaint> {
        for watched in &mut self.watched {
            watched.world.advance(by);
            watched.expire_fragments()?;
        }
        let (first, others) = self.watched.split_first().expect("a trial has worlds");
        others.iter().try_for_each(|other| same_counters(first, other))
    }

    /// Puts another lab in force.
    pub fn apply(&mut self, valid: &Valid) {
        for watched in &mut self.watched {
            watched.apply(valid);
        }
        self.ports.learn(&self.watched[0].world);
    }

    /// Flow-log lines since the last call.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn take_lines(&mut self) -> Result<Vec<Line>, Complaint> {
        let (first, others) = self.watched.split_first_mut().expect("a trial has worlds");
        let lines = first.world.take_lines();
        for other in others {
            let same = other.world.take_lines();
            unison::compare_lines(&lines, other, &same)?;
        }
        Ok(lines)
    }

    /// Ends the trial as a shutdown does, and compares all that flow logs counted with what the oracle says they must.
    ///
    /// # Errors
    ///
    /// What did not agree.
    pub fn finish(&mut self) -> Result<Vec<Line>, Complaint> {
        for watched in &mut self.watched {
            watched.world.finish();
            let events: Vec<_> = watched.world.take_events().into_iter().map(|(_, event)| event).collect();
            watched.ledger.compare(self.ports.ids(), &events, watched.world.engines().len())?;
        }
        self.take_lines()
    }

    /// What flow logs of the world with one worker must have counted by now.
    pub fn recorded(&self) -> impl Iterator<Item = Recorded> {
        self.watched[0].ledger.totals()
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

    /// Names of all interfaces and hosts that the lab has or had.
    pub fn ports(&self) -> impl Iterator<Item = &str> {
        self.ports.names()
    }

    /// The name of an interface.
    #[must_use]
    pub fn name_of(&self, ix: InterfaceIx) -> &str {
        self.name_at(snapshot::Attachment::interface(ix)).unwrap_or("?")
    }

    /// The name of an interface or a host.
    #[must_use]
    pub fn name_at(&self, at: snapshot::Attachment) -> Option<&str> {
        self.ports.at(at).map(|(name, _)| name)
    }

    /// The name of whoever received a packet.
    #[must_use]
    pub fn receiver(&self, fate: &Fate) -> Option<&str> {
        self.name_at(fate.receiver()?)
    }
}

fn learn(other: &mut Watched, first: &Heard, same: &Heard) {
    if let (Some(first), Some(same)) = (&first.verdict, &same.verdict) {
        other.aliases.learn(&other.world, &first.leases, &same.leases);
    }
    first.released.iter().zip(&same.released).for_each(|(first, same)| learn(other, first, same));
}

fn same_counters(first: &Watched, other: &Watched) -> Result<(), Complaint> {
    // How many packets another worker had to be given is the one thing that depends on how many there are.
    let ends_of = |watched: &Watched| {
        let mut counters = watched.world.counters();
        counters.strays = 0;
        counters
    };
    let (one, many) = (ends_of(first), ends_of(other));
    if other.diverged || one == many { Ok(()) } else { Err(unison::divided("counters", other, &one, &many)) }
}
