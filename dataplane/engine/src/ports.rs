//! How many source ports of NAT gateways are in use (NG-06).
//!
//! Which port is free, a worker knows alone, since it leases only those whose answers are its own. How many one address
//! has in use for a destination, all workers count together: a worker asks for the shared counter once for each
//! destination, and then adds and subtracts without a lock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use snapshot::InterfaceIx;
use wire::FiveTuple;

use crate::decide::LOWEST_PORT;
use crate::limits;

/// What the limit of connections is for: one address of a NAT gateway to one destination, port and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    nat: InterfaceIx,
    address: IpAddr,
    remote: IpAddr,
    port: u16,
    proto: u8,
}

impl Destination {
    /// That of packets which leave the gateway with this tuple.
    pub(crate) const fn of(nat: InterfaceIx, outer: &FiveTuple) -> Self {
        Self { nat, address: outer.src, remote: outer.dst, port: outer.dst_port, proto: outer.proto }
    }
}

/// The ports that all workers of a lab have in use; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<HashMap<Destination, Arc<AtomicU32>>>>);

impl Leases {
    fn counter(&self, of: &Destination) -> Arc<AtomicU32> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counters.entry(*of).or_default())
    }

    /// What the counter says, if there is one.
    fn count(&self, of: &Destination) -> u32 {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.get(of).map_or(0, |counter| counter.load(Relaxed))
    }

    /// Lets go of a counter that no worker uses.
    fn forget(&self, of: &Destination) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.get(of).is_some_and(|counter| Arc::strong_count(counter) == 1) {
            counters.remove(of);
        }
    }
}

/// What one worker has in use.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    shared: Leases,
    own: HashMap<Destination, Own>,
    /// Where the search for a free port begins: past the one leased last.
    cursor: u16,
}

#[derive(Debug)]
struct Own {
    /// Of all workers.
    all: Arc<AtomicU32>,
    /// Of this one.
    count: u32,
}

impl Ports {
    pub(crate) fn share(&mut self, leases: Leases) {
        self.shared = leases;
    }

    pub(crate) const fn cursor(&self) -> u16 {
        self.cursor
    }

    /// How many connections there are to this destination, of all workers.
    pub(crate) fn in_use(&self, of: &Destination) -> u32 {
        self.own.get(of).map_or_else(|| self.shared.count(of), |own| own.all.load(Relaxed))
    }

    /// Counts one more connection, unless there are as many as there may be.
    pub(crate) fn take(&mut self, of: &Destination, port: u16) -> bool {
        let own = self.own.entry(*of).or_insert_with(|| Own { all: self.shared.counter(of), count: 0 });
        let more = |count| (count < limits::NAT_CONNECTIONS).then_some(count + 1);
        let taken = own.all.fetch_update(Relaxed, Relaxed, more).is_ok();
        own.count += u32::from(taken);
        if own.count == 0 {
            self.own.remove(of);
            self.shared.forget(of);
        }
        // Ports below are searched last.
        self.cursor = port.wrapping_sub(LOWEST_PORT).wrapping_add(1);
        taken
    }

    pub(crate) fn release(&mut self, of: &Destination) {
        let Some(own) = self.own.get_mut(of) else { return };
        own.all.fetch_sub(1, Relaxed);
        own.count -= 1;
        if own.count == 0 {
            self.own.remove(of);
            self.shared.forget(of);
        }
    }
}
