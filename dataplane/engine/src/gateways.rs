//! What stateful gateways remember: NAT gateways their connections, egress-only internet gateways their flows.
//!
//! A connection is found by the tuple of the inside's packets as they reach the gateway, and by that which they leave it with.
//! It lives as long as packets pass, in both directions: a NAT gateway's by one idle time for all protocols (NG-10, NG-11),
//! an egress-only gateway's by the timers of the security groups (EI-06).

use std::collections::HashMap;
use std::net::Ipv4Addr;

use foldhash::fast::FixedState;
use snapshot::{Generation, InterfaceIx, PeeringIx, Settings, Snapshot, VpcIx};
use tables::{FlowTable, Handle, Wheel};
use wire::{FiveTuple, Parsed, proto};

use crate::decide::{LOWEST_PORT, Passage, Stateful};
use crate::metrics::{MetricsIx, NatMetrics};
use crate::ports::{Destination, Leases, Ports};
use crate::session::{Half, Stamp};
use crate::tcp::Connection as Tcp;
use crate::{Direction, DropReason, Steering, Time, limits};

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
    pub(crate) fn way_back(&self, vpc: VpcIx, outer: &FiveTuple, now: Time) -> Option<PeeringIx> {
        if self.ways_back.is_empty() {
            return None;
        }
        let (handle, over) = self.ways_back.get(&(vpc, *outer))?;
        self.is_live(*handle, now).then_some(*over)
    }

    /// See [`crate::decide::Tracked::lease`]. A port is free for this worker if the answers will be its own.
    pub(crate) fn lease(
        &self,
        snapshot: &Snapshot,
        nat: InterfaceIx,
        addresses: &[Ipv4Addr],
        wanted: &FiveTuple,
        now: Time,
    ) -> Option<(Ipv4Addr, u16)> {
        // New flows spread over the addresses (NG-07).
        let turn = usize::from(self.ports.cursor()) % addresses.len().max(1);
        let (later, first) = addresses.split_at(turn.min(addresses.len()));
        first.iter().chain(later).find_map(|address| {
            let outer = FiveTuple { src: (*address).into(), ..*wanted };
            if self.ports.in_use(&Destination::of(nat, &outer)) >= limits::NAT_CONNECTIONS {
                return None;
            }
            let port = self.free_port(snapshot, Stateful::Nat(nat), outer, now)?;
            Some((*address, port))
        })
    }

    fn free_port(&self, snapshot: &Snapshot, gateway: Stateful, outer: FiveTuple, now: Time) -> Option<u16> {
        let count = u16::MAX - LOWEST_PORT + 1;
        let first = self.ports.cursor() % count;
        (first..count).chain(0..first).map(|n| LOWEST_PORT + n).find(|port| {
            let outer = FiveTuple { src_port: *port, ..outer };
            self.steering.owner_of(snapshot, &outer) == self.worker
                && self.inner_of(snapshot, gateway, &outer, now).is_none()
        })
    }

    /// The states of these passages, begun where they are new.
    ///
    /// # Errors
    ///
    /// Why there is no room for one of them; nothing is begun then. Connections that live need none.
    pub(crate) fn enter(
        &mut self,
        snapshot: &Snapshot,
        passages: &[Passage],
        now: Time,
    ) -> Result<Vec<(Handle, Direction)>, DropReason> {
        let known = |passage: &&Passage| self.connection_of(passage, now).is_some();
        let new = passages.iter().filter(|passage| !known(passage)).count();
        if self.by_inner.capacity() - self.by_inner.len() < new {
            return Err(DropReason::SessionTableFull);
        }
        let mut entered = Vec::with_capacity(passages.len());
        for passage in passages {
            match self.enter_one(snapshot, passage, now) {
                Ok(handle) => entered.push((handle, passage.direction)),
                Err(reason) => {
                    self.end_unused(&entered);
                    return Err(reason);
                }
            }
        }
        Ok(entered)
    }

    fn enter_one(&mut self, snapshot: &Snapshot, passage: &Passage, now: Time) -> Result<Handle, DropReason> {
        let handle = match self.connection_of(passage, now) {
            Some(handle) => handle,
            None => self.begin(passage, snapshot.generation(), now)?,
        };
        self.note_way_back(snapshot, handle, passage);
        Ok(handle)
    }

    /// The connection that lives already, under the very tuples of this passage.
    fn connection_of(&self, passage: &Passage, now: Time) -> Option<Handle> {
        let handle = self.live(passage.gateway, &passage.inner, now)?;
        (self.by_inner.get(handle)?.outer == Some(passage.outer)).then_some(handle)
    }

    /// Ends connections that no packet has passed yet.
    fn end_unused(&mut self, entered: &[(Handle, Direction)]) {
        for (handle, _) in entered {
            if self.by_inner.get(*handle).is_some_and(|known| known.state.deadline.time() == Time(0)) {
                self.end(*handle);
            }
        }
    }

    fn begin(&mut self, passage: &Passage, generation: Generation, now: Time) -> Result<Handle, DropReason> {
        let Passage { gateway, inner, outer, .. } = *passage;
        let (at_inner, at_outer) = (At { gateway, tuple: inner }, At { gateway, tuple: outer });
        self.end_stale(&at_inner, &at_outer);
        if self.by_inner.is_full() {
            return Err(DropReason::SessionTableFull);
        }
        let mut state = Half::new(now);
        state.begin_group(Direction::Egress, generation, inner.proto);
        let metrics = match gateway {
            Stateful::Nat(nat) => {
                if !self.ports.take(&Destination::of(nat, &outer), outer.src_port) {
                    return Err(DropReason::NatPortsExhausted);
                }
                Some(self.metrics.begin(nat))
            }
            Stateful::EgressOnly(_) => None,
        };
        let connection = Connection { outer: Some(outer), over: None, state, metrics };
        let full = |_| DropReason::SessionTableFull;
        let handle = self.by_inner.insert(at_inner, connection).map_err(full)?;
        self.by_outer.insert(at_outer, Some(handle)).map_err(full)?;
        Ok(handle)
    }

    /// Ends what has expired under these tuples and was not cleared away yet.
    fn end_stale(&mut self, inner: &At, outer: &At) {
        let by_outer = self.by_outer.find(outer).and_then(|found| *self.by_outer.get(found)?);
        for handle in [self.by_inner.find(inner), by_outer].into_iter().flatten() {
            self.end(handle);
        }
    }

    fn note_way_back(&mut self, snapshot: &Snapshot, handle: Handle, passage: &Passage) {
        let Stateful::Nat(nat) = passage.gateway else { return };
        let far = passage.over.and_then(|over| {
            let vpc = snapshot.interface(nat)?.vpc;
            Some((snapshot.peering(over)?.other_side(vpc)?, over))
        });
        let (Some(far), Some(connection)) = (far, self.by_inner.get_mut(handle)) else { return };
        let before = connection.over.replace(far);
        self.forget_way_back(handle, before.filter(|before| before.0 != far.0), passage.outer);
        self.ways_back.insert((far.0, passage.outer), (handle, far.1));
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
