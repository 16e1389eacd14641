//! A bounded set of halves with the timers that end them.

use std::time::Duration;

use tables::{FlowTable, Full, Handle, Wheel};

use crate::key::{Key, Key4, Key6, Packed, Unpack};
use crate::session::Half;
use crate::{Time, limits};

/// Halves under their keys; each is armed in the wheel exactly once for its current [`Half::armed`].
///
/// Each family has a table of its own, because an IPv6 key is more than twice as long; both can fill the whole room.
#[derive(Debug)]
pub(crate) struct Pool {
    v4: Shelf<Key4>,
    v6: Shelf<Key6>,
    capacity: usize,
    idle: Duration,
}

/// Names a half in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    V4(Handle),
    V6(Handle),
}

impl Slot {
    /// The handle in its family's table.
    pub(crate) const fn handle(self) -> Handle {
        match self {
            Self::V4(handle) | Self::V6(handle) => handle,
        }
    }

    /// The slot of a handle in the table of the same family, or `across` in that of the other.
    pub(crate) const fn beside(self, handle: Handle, across: bool) -> Self {
        match (self, across) {
            (Self::V4(_), false) | (Self::V6(_), true) => Self::V4(handle),
            (Self::V6(_), false) | (Self::V4(_), true) => Self::V6(handle),
        }
    }
}

#[derive(Debug)]
struct Shelf<K> {
    table: FlowTable<K, Half>,
    /// Slots of the table. One that is used again may be visited for what was there before, which does no harm.
    wheel: Wheel<u32>,
    due: Vec<u32>,
}

impl Pool {
    /// Room for `capacity` halves; those without group state are let go after `idle`.
    pub(crate) fn new(capacity: usize, idle: Duration, seed: u64, start: Time) -> Self {
        Self { v4: Shelf::new(capacity, seed, start), v6: Shelf::new(capacity, seed, start), capacity, idle }
    }

    pub(crate) fn find(&self, key: &Key) -> Option<Slot> {
        match key.packed() {
            Packed::V4(key) => self.v4.table.find(&key).map(Slot::V4),
            Packed::V6(key) => self.v6.table.find(&key).map(Slot::V6),
        }
    }

    /// Appends the half of each of `keys` to `found`, see [`FlowTable::find_many`].
    pub(crate) fn find_many_v4(&self, keys: &[Key4], found: &mut Vec<Option<Handle>>) {
        self.v4.table.find_many(keys, found);
    }

    /// Appends the half of each of `keys` to `found`, see [`FlowTable::find_many`].
    pub(crate) fn find_many_v6(&self, keys: &[Key6], found: &mut Vec<Option<Handle>>) {
        self.v6.table.find_many(keys, found);
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Half> {
        match slot {
            Slot::V4(handle) => self.v4.table.get(handle),
            Slot::V6(handle) => self.v6.table.get(handle),
        }
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Half> {
        match slot {
            Slot::V4(handle) => self.v4.table.get_mut(handle),
            Slot::V6(handle) => self.v6.table.get_mut(handle),
        }
    }

    pub(crate) fn key(&self, slot: Slot) -> Option<Key> {
        match slot {
            Slot::V4(handle) => self.v4.table.key(handle).map(Unpack::unpack),
            Slot::V6(handle) => self.v6.table.key(handle).map(Unpack::unpack),
        }
    }

    pub(crate) fn room(&self) -> usize {
        self.capacity - (self.v4.table.len() + self.v6.table.len()).min(self.capacity)
    }

    pub(crate) fn find_or_insert(&mut self, key: &Key, now: Time) -> Result<Slot, Full> {
        if let Some(slot) = self.find(key) {
            return Ok(slot);
        }
        if self.room() == 0 {
            return Err(Full);
        }
        let half = Half::new(now);
        let slot = match key.packed() {
            Packed::V4(key) => Slot::V4(self.v4.table.insert(key, half)?),
            Packed::V6(key) => Slot::V6(self.v6.table.insert(key, half)?),
        };
        // Whatever becomes of it, the wheel knows it.
        self.update(slot, now, |_| {});
        Ok(slot)
    }

    /// Every half, in no order that means anything.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let (v4, v6) = (self.v4.table.handles(), self.v6.table.handles());
        v4.map(Slot::V4).chain(v6.map(Slot::V6))
    }

    /// The half at position `at`, if one is there, of all positions that were ever in use; none past the last.
    pub(crate) fn at(&self, at: u32) -> Option<Option<Slot>> {
        let first = self.v4.table.slots();
        if at < first {
            return Some(self.v4.table.handle_at(at).map(Slot::V4));
        }
        let at = at - first;
        (at < self.v6.table.slots()).then(|| self.v6.table.handle_at(at).map(Slot::V6))
    }

    /// Changes a half, and arms it anew when it now ends earlier than the wheel knows. A later end is found out when the
    /// wheel comes by.
    #[inline]
    pub(crate) fn update(&mut self, slot: Slot, now: Time, change: impl FnOnce(&mut Half)) {
        match slot {
            Slot::V4(handle) => self.v4.update(handle, self.idle, now, change),
            Slot::V6(handle) => self.v6.update(handle, self.idle, now, change),
        }
    }

    /// Removes the halves that have ended by `now` or whose interface is `gone`, a bounded slice of them, passing each to
    /// `bury`.
    pub(crate) fn expire(&mut self, now: Time, gone: impl Fn(&Key) -> bool, mut bury: impl FnMut(Key, Half)) {
        self.v4.expire(self.idle, now, &gone, &mut bury);
        self.v6.expire(self.idle, now, &gone, &mut bury);
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let deadlines = [self.v4.wheel.next_deadline(), self.v6.wheel.next_deadline()];
        deadlines.into_iter().flatten().min().map(Time)
    }
}

impl<K: Unpack> Shelf<K> {
    fn new(capacity: usize, seed: u64, start: Time) -> Self {
        Self {
            table: FlowTable::new(capacity, seed),
            wheel: Wheel::new(start.0, capacity),
            due: Vec::with_capacity(limits::TIMER_SLICE),
        }
    }

    #[inline]
    fn update(&mut self, handle: Handle, idle: Duration, now: Time, change: impl FnOnce(&mut Half)) {
        let Some(half) = self.table.get_mut(handle) else { return };
        change(half);
        // What has ended already ends at the next tick, however often it is looked at until then.
        if !half.is_armed_by(half.expires(idle).max(now)) {
            self.arm(handle, idle, now);
        }
    }

    #[cold]
    fn arm(&mut self, handle: Handle, idle: Duration, now: Time) {
        let Some(half) = self.table.get_mut(handle) else { return };
        let visit = half.expires(idle).min(now.after(limits::TIMER_PARK)).max(now);
        half.arm(self.wheel.arm(handle.index(), visit.0));
    }

    fn expire(
        &mut self,
        idle: Duration,
        now: Time,
        gone: &impl Fn(&Key) -> bool,
        bury: &mut impl FnMut(Key, Half),
    ) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.poll(now.0, limits::TIMER_SLICE, &mut due);
        for slot in due.drain(..) {
            let Some(handle) = self.table.handle_at(slot) else { continue };
            let stays = !self.table.key(handle).is_some_and(|key| gone(&key.unpack()));
            // A half that was armed anew since leaves a visit behind that means nothing.
            let Some(half) = self.table.get_mut(handle).filter(|half| half.is_due(now)) else { continue };
            if stays && half.expires(idle) > now {
                half.disarm();
                self.arm(handle, idle, now);
            } else if let Some((key, half)) = self.table.remove(handle) {
                bury(key.unpack(), half);
            }
        }
        self.due = due;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use snapshot::Attachment;
    use wire::FiveTuple;

    use super::*;
    use crate::Direction;
    use crate::session::Stamp;

    fn key(n: u16) -> Key {
        let end = |last| Ipv4Addr::new(10, 0, 0, last).into();
        let tuple = FiveTuple { src: end(1), dst: end(2), src_port: n, dst_port: 80, proto: 6 };
        Key { at: Attachment::from_token(1), tuple }
    }

    fn hold_until(pool: &mut Pool, slot: Slot, until: Time, now: Time) {
        pool.update(slot, now, |half| {
            half.originator = Some(Direction::Egress);
            half.deadline = Stamp::new(until.0);
        });
    }

    /// Lets the wheel catch up; says how many halves went.
    fn catch_up(pool: &mut Pool, now: Time) -> usize {
        let mut gone = 0;
        while pool.next_deadline().is_some_and(|next| next <= now) {
            pool.expire(now, |_| false, |_, _| gone += 1);
        }
        gone
    }

    #[test]
    fn no_half_is_forgotten_when_a_worker_stood_still_for_longer_than_the_wheel_sees() {
        const HALVES: u16 = 600;
        let at = |seconds: u64| Time::from_secs(1_000_000 + seconds);
        let mut pool = Pool::new(HALVES.into(), Duration::from_secs(60), 1, at(0));
        let slots: Vec<_> = (0..HALVES).map(|n| pool.find_or_insert(&key(n), at(0)).expect("room")).collect();
        slots.iter().for_each(|slot| hold_until(&mut pool, *slot, at(432_000), at(0)));
        assert_eq!(catch_up(&mut pool, at(1)), 0);
        assert_eq!(catch_up(&mut pool, at(5_000)), 0);
        slots.iter().for_each(|slot| hold_until(&mut pool, *slot, at(5_710), at(5_700)));
        let gone: usize = (5_701..5_720).map(|second| catch_up(&mut pool, at(second))).sum();
        assert_eq!(gone, usize::from(HALVES));
    }

    #[test]
    fn what_has_ended_is_armed_once_however_often_it_is_looked_at() {
        let now = Time(1_000_000_500_000_000);
        let mut pool = Pool::new(4, Duration::from_secs(60), 1, now);
        let slot = pool.find_or_insert(&key(1), now).expect("room");
        for _ in 0..10 {
            hold_until(&mut pool, slot, Time(1), now);
        }
        assert_eq!(pool.v4.wheel.len(), 1);
    }
}
