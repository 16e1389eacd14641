//! New connections through stateful gateways: a free port, room, and what is found by whom.

use std::net::Ipv4Addr;

use snapshot::{Generation, InterfaceIx, Snapshot};
use tables::Handle;
use wire::FiveTuple;

use super::{At, Connection, Gateways};
use crate::decide::{LOWEST_PORT, Passage, Stateful};
use crate::ports::Destination;
use crate::session::Half;
use crate::{Direction, DropReason, Time, limits};

impl Gateways {
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
        let Some(far) = passage.way_back(snapshot) else { return };
        let Some(connection) = self.by_inner.get_mut(handle) else { return };
        let before = connection.over.replace(far);
        self.forget_way_back(handle, before.filter(|before| before.0 != far.0), passage.outer);
        self.ways_back.insert((far.0, passage.outer), (handle, far.1));
    }
}
