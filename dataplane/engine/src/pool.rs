//! A bounded set of halves with the timers that end them.

use std::time::Duration;

use tables::{FlowTable, Full, Handle, Wheel};

use crate::session::{Half, Key};
use crate::{Time, limits};

/// Halves under their keys; each is armed in the wheel exactly once for its current [`Half::armed`].
#[derive(Debug)]
pub(crate) struct Pool {
    table: FlowTable<Key, Half>,
    wheel: Wheel,
    idle: Duration,
    due: Vec<Handle>,
}

impl Pool {
    /// Room for `capacity` halves; those without group state are let go after `idle`.
    pub(crate) fn new(capacity: usize, idle: Duration, seed: u64, start: Time) -> Self {
        Self {
            table: FlowTable::new(capacity, seed),
            wheel: Wheel::new(start.0),
            idle,
            due: Vec::with_capacity(limits::TIMER_SLICE),
        }
    }

    pub(crate) fn find(&self, key: &Key) -> Option<Handle> {
        self.table.find(key)
    }

    pub(crate) fn get(&self, handle: Handle) -> Option<&Half> {
        self.table.get(handle)
    }

    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut Half> {
        self.table.get_mut(handle)
    }

    pub(crate) fn key(&self, handle: Handle) -> Option<&Key> {
        self.table.key(handle)
    }

    pub(crate) fn room(&self) -> usize {
        self.table.capacity() - self.table.len()
    }

    pub(crate) fn find_or_insert(&mut self, key: Key, now: Time) -> Result<Handle, Full> {
        if let Some(handle) = self.table.find(&key) {
            return Ok(handle);
        }
        let handle = self.table.insert(key, Half::new(now))?;
        self.schedule(handle, now);
        Ok(handle)
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.table.handles()
    }

    /// Arms the half anew when it now ends earlier than the wheel knows. A later end is found out when the wheel comes by.
    pub(crate) fn schedule(&mut self, handle: Handle, now: Time) {
        let Some(half) = self.table.get_mut(handle) else { return };
        let ends = half.expires(self.idle).min(now.after(limits::TIMER_PARK)).max(now);
        if ends < half.armed {
            half.armed = ends;
            self.wheel.arm(handle, ends.0);
        }
    }

    /// Removes the halves that have ended by `now` or whose interface is `gone`, a bounded slice of them, passing each to
    /// `bury`.
    pub(crate) fn expire(&mut self, now: Time, gone: impl Fn(&Key) -> bool, mut bury: impl FnMut(Half)) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.poll(now.0, limits::TIMER_SLICE, &mut due);
        for handle in due.drain(..) {
            // A half that was armed anew since leaves a visit behind that means nothing.
            let stays = !self.table.key(handle).is_some_and(&gone);
            let Some(half) = self.table.get_mut(handle).filter(|half| half.armed <= now) else { continue };
            if stays && half.expires(self.idle) > now {
                half.armed = Time(u64::MAX);
                self.schedule(handle, now);
            } else if let Some((_, half)) = self.table.remove(handle) {
                bury(half);
            }
        }
        self.due = due;
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.wheel.next_deadline().map(Time)
    }
}
