//! What stateful gateways remember: NAT gateways their connections, egress-only internet gateways their flows.
//!
//! A connection is found by the tuple of the inside's packets as they reach the gateway, and by that which they leave it with.
//! It lives as long as packets pass, in both directions: a NAT gateway's by one idle time for all protocols (NG-10, NG-11),
//! an egress-only gateway's by the timers of the security groups (EI-06).

mod begin;

use std::collections::HashMap;

use foldhash::fast::FixedState;
use snapshot::{PeeringIx, Settings, Snapshot, VpcIx};
use tables::{FlowTable, Handle, Wheel};
use wire::{FiveTuple, Parsed, proto};

use crate::decide::Stateful;
use crate::metrics::{MetricsIx, NatMetrics};
use crate::ports::{Destination, Leases, Ports};
use crate::session::{Half, Stamp};
use crate::tcp::Connection as Tcp;
use crate::{Direction, Steering, Time, limits};

/// A tuple at one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct At {
    gateway: Stateful,
    tuple: FiveTuple,
}

/// One connection through a gateway.
#[derive(Clone, Debug, Default)]
struct Connection {
    outer: Option<FiveTuple>,
    /// The VPC on the other side of the peering connection that the inside's packets leave by, and the connection.
    over: Option<(VpcIx, PeeringIx)>,
    /// How far it has come, as a security group would see it at the gateway's inside.
    state: Half,
    metrics: Option<MetricsIx>,
}

impl Connection {
    /// Whether the gateway is the one that it began at, and still has the address that it was given.
    fn is_of(&self, snapshot: &Snapshot, gateway: Stateful, outer: &FiveTuple) -> bool {
        match gateway {
            Stateful::EgressOnly(_) => true,
            Stateful::Nat(nat) => snapshot.interface(nat).is_some_and(|interface| {
                interface.owns(outer.src) && !self.state.began_before(interface.appeared)
            }),
        }
    }
}

/// All connections of the gateways that this worker owns.
#[derive(Debug)]
pub(crate) struct Gateways {
    worker: u16,
    steering: Steering,
    by_inner: FlowTable<At, Connection>,
    by_outer: FlowTable<At, Option<Handle>>,
    /// Where answers to what went over a peering connection return to (NG-18).
    ways_back: HashMap<(VpcIx, FiveTuple), (Handle, PeeringIx), FixedState>,
    wheel: Wheel<u32>,
    due: Vec<u32>,
    ports: Ports,
    metrics: NatMetrics,
}

impl Gateways {
    pub(crate) fn new(capacity: usize, steering: Steering, worker: u16, start: Time) -> Self {
        let seed = steering.seed();
        Self {
            worker,
            by_inner: FlowTable::new(capacity, seed),
            by_outer: FlowTable::new(capacity, seed),
            ways_back: HashMap::with_hasher(FixedState::with_seed(seed)),
            wheel: Wheel::new(start.0, capacity),
            due: Vec::with_capacity(limits::TIMER_SLICE),
            ports: Ports::default(),
            metrics: NatMetrics::default(),
            steering,
        }
    }

    /// Counts the ports in use together with other workers.
    pub(crate) fn share(&mut self, leases: Leases) {
        self.ports.share(leases);
    }

    pub(crate) const fn metrics(&self) -> &NatMetrics {
        &self.metrics
    }

    pub(crate) const fn metrics_mut(&mut self) -> &mut NatMetrics {
        &mut self.metrics
    }

    pub(crate) fn outer_of(
        &self,
        snapshot: &Snapshot,
        gateway: Stateful,
        inner: &FiveTuple,
        now: Time,
    ) -> Option<FiveTuple> {
        let connection = self.by_inner.get(self.live(gateway, inner, now)?)?;
        connection.outer.filter(|outer| connection.is_of(snapshot, gateway, outer))
    }

    pub(crate) fn inner_of(
        &self,
        snapshot: &Snapshot,
        gateway: Stateful,
        outer: &FiveTuple,
        now: Time,
    ) -> Option<FiveTuple> {
        let found = self.by_outer.find(&At { gateway, tuple: *outer })?;
        let handle = (*self.by_outer.get(found)?)?;
        let holds = self.is_live(handle, now) && self.by_inner.get(handle)?.is_of(snapshot, gateway, outer);
        holds.then_some(self.by_inner.key(handle)?.tuple)
    }

    /// Whether [`Self::way_back`] ever has an answer.
    #[inline]
    pub(crate) fn has_ways_back(&self) -> bool {
        !self.ways_back.is_empty()
    }

    /// See [`crate::decide::Tracked::way_back`].
    #[inline]
    pub(crate) fn way_back(
        &self,
        snapshot: &Snapshot,
        vpc: VpcIx,
        outer: &FiveTuple,
        now: Time,
    ) -> Option<PeeringIx> {
        let (handle, over) = self.ways_back.get(&(vpc, *outer))?;
        let gateway = self.by_inner.key(*handle)?.gateway;
        let holds = self.is_live(*handle, now) && self.by_inner.get(*handle)?.is_of(snapshot, gateway, outer);
        holds.then_some(*over)
    }

    #[inline]
    pub(crate) fn is_live(&self, handle: Handle, now: Time) -> bool {
        self.by_inner.get(handle).is_some_and(|connection| is_live(&connection.state, now))
    }

    /// Live connections: their gateway, and the tuple of the inside's packets before and after it.
    pub(crate) fn iter(&self, now: Time) -> impl Iterator<Item = (Stateful, FiveTuple, FiveTuple)> + '_ {
        let live = self.by_inner.handles().filter(move |handle| self.is_live(*handle, now));
        live.filter_map(|handle| {
            let (at, connection) = (self.by_inner.key(handle)?, self.by_inner.get(handle)?);
            Some((at.gateway, at.tuple, connection.outer?))
        })
    }

    fn live(&self, gateway: Stateful, inner: &FiveTuple, now: Time) -> Option<Handle> {
        let handle = self.by_inner.find(&At { gateway, tuple: *inner })?;
        self.is_live(handle, now).then_some(handle)
    }

    /// Takes note of a packet that passes.
    #[inline(always)]
    pub(crate) fn see(
        &mut self,
        handle: Handle,
        direction: Direction,
        parsed: &Parsed,
        settings: &Settings,
        now: Time,
    ) {
        let Some(connection) = self.by_inner.get_mut(handle) else { return };
        let state = &mut connection.state;
        match connection.metrics {
            Some(metrics) => {
                let opened =
                    parsed.tuple.proto == proto::TCP && state.see_opening(direction, parsed, settings, now);
                state.deadline = Stamp::new(now.0.saturating_add(nat_idle(state, parsed, settings)));
                self.metrics.see(metrics, direction, parsed, opened);
            }
            None => state.see(direction, parsed, settings, now),
        }
        let ends = state.deadline.time();
        if !state.is_armed_by(ends) {
            state.arm(self.wheel.arm(handle.index(), ends.min(now.after(limits::TIMER_PARK)).max(now).0));
        }
    }

    /// Ends the connections that have been idle for too long, a bounded slice of them.
    pub(crate) fn expire(&mut self, now: Time) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.poll(now.0, limits::TIMER_SLICE, &mut due);
        for slot in due.drain(..) {
            let Some(handle) = self.by_inner.handle_at(slot) else { continue };
            let Some(connection) = self.by_inner.get_mut(handle) else { continue };
            if !connection.state.is_due(now) {
                continue;
            }
            let ends = connection.state.deadline.time();
            if ends > now {
                let visit = ends.min(now.after(limits::TIMER_PARK));
                connection.state.arm(self.wheel.arm(slot, visit.0));
                continue;
            }
            if let Some(metrics) = connection.metrics.filter(|_| !Tcp::is_closed(connection.state.progress)) {
                self.metrics.time_out(metrics);
            }
            self.end(handle);
        }
        self.due = due;
    }

    /// Forgets a connection: its port and its way back are free.
    fn end(&mut self, handle: Handle) {
        let Some((At { gateway, .. }, connection)) = self.by_inner.remove(handle) else { return };
        let Some(outer) = connection.outer else { return };
        if let Some(found) = self.by_outer.find(&At { gateway, tuple: outer }) {
            self.by_outer.remove(found);
        }
        self.forget_way_back(handle, connection.over, outer);
        if let (Stateful::Nat(nat), Some(metrics)) = (gateway, connection.metrics) {
            self.ports.release(&Destination::of(nat, &outer));
            self.metrics.end(metrics);
        }
    }

    fn forget_way_back(&mut self, handle: Handle, over: Option<(VpcIx, PeeringIx)>, outer: FiveTuple) {
        let Some((vpc, _)) = over else { return };
        if self.ways_back.get(&(vpc, outer)).is_some_and(|(known, _)| *known == handle) {
            self.ways_back.remove(&(vpc, outer));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.wheel.next_deadline().map(Time)
    }
}

fn is_live(state: &Half, now: Time) -> bool {
    now < state.deadline.time()
}

/// Nanoseconds: one idle time for all protocols (NG-11), and a short one once a connection has ended (NG-30).
fn nat_idle(state: &Half, parsed: &Parsed, settings: &Settings) -> u64 {
    if parsed.tuple.proto == proto::TCP && Tcp::is_closed(state.progress) {
        return limits::NAT_CLOSED.as_nanos() as u64;
    }
    u64::from(settings.nat_idle_timeout) * 1_000_000_000
}
