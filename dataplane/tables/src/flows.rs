//! A fixed-capacity hash map whose records never move.

use std::hash::{BuildHasher, Hash};
use std::num::NonZeroU32;

use foldhash::fast::FixedState;

/// Names one record of a [`FlowTable`] for as long as that record lives.
///
/// A slot that is used again gets a new generation, so the handle of a removed record finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    index: u32,
    generation: NonZeroU32,
}

const _: () = assert!(size_of::<Option<Handle>>() == 8);

impl Handle {
    /// Names the record at slot `index` in its `generation`th use.
    pub(crate) const fn new(index: u32, generation: NonZeroU32) -> Self {
        Self { index, generation }
    }

    /// The record's slot, below the table's capacity; unique among the records alive at one time.
    pub fn index(self) -> u32 {
        self.index
    }
}

/// Every record of a table is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("every record of the table is in use")
    }
}

impl std::error::Error for Full {}

/// A map of fixed capacity with stable handles.
///
/// The memory is reserved by [`Self::new`] and touched by the kernel only as records are used; nothing is
/// ever rehashed or moved. The index holds at least half as many free cells as records, and a removal shifts
/// the cells behind it back, so probes stay short for any history of insertions and removals.
///
/// - look up: [`Self::find`], [`Self::find_many`], [`Self::get`], [`Self::get_mut`], [`Self::key`], [`Self::handles`]
/// - change: [`Self::insert`], [`Self::remove`]
/// - size: [`Self::len`], [`Self::capacity`], [`Self::is_full`], [`Self::is_empty`]
#[derive(Clone, Debug)]
pub struct FlowTable<K, V> {
    /// Power-of-two many cells, see [`Cell`].
    cells: Vec<u64>,
    records: Vec<Record<K, V>>,
    /// Slots to use again; the one freed last comes first.
    free: Vec<u32>,
    len: usize,
    capacity: usize,
    hasher: FixedState,
}

impl<K: Copy + Eq + Hash, V: Default> FlowTable<K, V> {
    /// Reserves a table for `capacity` records (at most [`MAX_CAPACITY`], more is cut to that).
    ///
    /// `seed` decides where keys land; draw it per process, since remote peers choose the keys.
    pub fn new(capacity: usize, seed: u64) -> Self {
        let capacity = capacity.min(MAX_CAPACITY);
        let cells = (capacity + capacity / 2 + 1).next_power_of_two();
        Self {
            cells: vec![0; cells],
            records: Vec::with_capacity(capacity),
            free: Vec::with_capacity(capacity),
            len: 0,
            capacity,
            hasher: FixedState::with_seed(seed),
        }
    }

    /// The record of `key`.
    pub fn find(&self, key: &K) -> Option<Handle> {
        self.find_tagged(self.tag(key), key)
    }

    /// Appends the record of each of `keys` to `found`, in their order.
    ///
    /// In a large table each record is two cache misses away, index and record; the misses of one key do not
    /// wait for those of another here, as they do when work is done between single lookups. In a table that
    /// fits the cache it costs a little more than single lookups.
    pub fn find_many(&self, keys: &[K], found: &mut Vec<Option<Handle>>) {
        for keys in keys.chunks(MANY) {
            let mut tags = [0; MANY];
            let mut touched = 0;
            for (tag, key) in tags.iter_mut().zip(keys) {
                *tag = self.tag(key);
                touched |= self.cells[self.home(*tag)];
            }
            // Nobody needs what was read; this keeps the reads, which bring the index into the cache.
            std::hint::black_box(touched);
            found.extend(tags.iter().zip(keys).map(|(tag, key)| self.find_tagged(*tag, key)));
        }
    }

    /// Adds a record under a key that has none; the caller has looked.
    ///
    /// # Errors
    ///
    /// [`Full`] when all records are in use; the table is unchanged.
    pub fn insert(&mut self, key: K, value: V) -> Result<Handle, Full> {
        debug_assert!(self.find(&key).is_none(), "the caller inserts only absent keys");
        let handle = self.take_slot(key, value)?;
        let tag = self.tag(&key);
        let mut at = self.home(tag);
        while self.cells[at] != 0 {
            at = self.after(at);
        }
        self.cells[at] = Cell::new(tag, handle.index).0;
        self.len += 1;
        Ok(handle)
    }

    /// Removes a record and gives back what it held.
    pub fn remove(&mut self, handle: Handle) -> Option<(K, V)> {
        let (key, value) = self.release_slot(handle)?;
        let tag = self.tag(&key);
        let mut at = self.home(tag);
        while Cell(self.cells[at]).slot() != Some(handle.index) {
            at = self.after(at);
        }
        self.close_gap(at);
        self.len -= 1;
        Some((key, value))
    }

    /// What the record holds.
    pub fn get(&self, handle: Handle) -> Option<&V> {
        self.live(handle).map(|record| &record.value)
    }

    /// What the record holds, to change it.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut V> {
        let record = self.records.get_mut(handle.index as usize)?;
        (record.generation == handle.generation.get()).then_some(&mut record.value)
    }

    /// The record's key.
    pub fn key(&self, handle: Handle) -> Option<&K> {
        self.live(handle).map(|record| &record.key)
    }

    /// The record that is in this slot now.
    pub fn handle_at(&self, slot: u32) -> Option<Handle> {
        self.records.get(slot as usize)?.handle(slot)
    }

    /// How many slots have ever been in use: every record is in one below this number.
    pub fn slots(&self) -> u32 {
        self.records.len() as u32
    }

    /// Every record, in slot order (not the order of insertion).
    pub fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        (0_u32..).zip(&self.records).filter_map(|(slot, record)| record.handle(slot))
    }

    /// Number of records in use.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no record is in use.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of records the table can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether every record is in use, so that [`Self::insert`] fails.
    pub fn is_full(&self) -> bool {
        self.len == self.capacity
    }

    fn find_tagged(&self, tag: u32, key: &K) -> Option<Handle> {
        let mut at = self.home(tag);
        loop {
            let cell = Cell(self.cells[at]);
            let slot = cell.slot()?;
            if cell.tag() == tag {
                let record = &self.records[slot as usize];
                if record.key == *key {
                    return record.handle(slot);
                }
            }
            at = self.after(at);
        }
    }

    fn live(&self, handle: Handle) -> Option<&Record<K, V>> {
        let record = self.records.get(handle.index as usize)?;
        (record.generation == handle.generation.get()).then_some(record)
    }

    /// Puts key and value into a free slot: the one freed last, else the next never used.
    fn take_slot(&mut self, key: K, value: V) -> Result<Handle, Full> {
        if let Some(slot) = self.free.pop() {
            let record = &mut self.records[slot as usize];
            let generation = record.generation | 1;
            *record = Record { generation, key, value };
            return record.handle(slot).ok_or(Full);
        }
        if self.records.len() == self.capacity {
            return Err(Full);
        }
        let slot = self.records.len() as u32;
        self.records.push(Record { generation: 1, key, value });
        Ok(Handle::new(slot, NonZeroU32::MIN))
    }

    fn release_slot(&mut self, handle: Handle) -> Option<(K, V)> {
        let record = self.records.get_mut(handle.index as usize)?;
        if record.generation != handle.generation.get() {
            return None;
        }
        record.generation = record.generation.wrapping_add(1);
        self.free.push(handle.index);
        Some((record.key, std::mem::take(&mut record.value)))
    }

    /// Empties the cell at `gap`, moving back every later cell of the run that may stand there.
    ///
    /// A cell may move to the gap if the gap is not before its home, i.e. if its distance from home reaches
    /// back to the gap. Without tombstones a probe ends at the first empty cell, however old the table is.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.cells.len() - 1;
        let mut at = self.after(gap);
        while self.cells[at] != 0 {
            let from_home = at.wrapping_sub(self.home(Cell(self.cells[at]).tag())) & mask;
            let from_gap = at.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                self.cells[gap] = self.cells[at];
                gap = at;
            }
            at = self.after(at);
        }
        self.cells[gap] = 0;
    }

    fn tag(&self, key: &K) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.cells.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }
}

/// How many keys [`FlowTable::find_many`] looks up together: several times the misses a core keeps in flight,
/// and few enough that what the first touched is still in the first-level cache when it is used.
const MANY: usize = 64;

/// The largest capacity: a cell names a slot in 31 bits, so that the index has at most 2^32 cells and a
/// 32-bit tag reaches all of them.
pub const MAX_CAPACITY: usize = 1 << 31;

/// An index cell: 0 when empty, else the hash tag in the high half and slot + 1 in the low half.
#[derive(Clone, Copy)]
struct Cell(u64);

impl Cell {
    fn new(tag: u32, slot: u32) -> Self {
        Self(u64::from(tag) << 32 | (u64::from(slot) + 1))
    }

    fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn slot(self) -> Option<u32> {
        (self.0 as u32).checked_sub(1)
    }
}

#[derive(Clone, Debug)]
struct Record<K, V> {
    /// Odd while the record is in use; each use and each end of use takes the next number.
    generation: u32,
    /// Of the last use, when the record is not in use.
    key: K,
    value: V,
}

impl<K, V> Record<K, V> {
    /// Its handle, while it is in use.
    fn handle(&self, slot: u32) -> Option<Handle> {
        let generation = NonZeroU32::new(self.generation).filter(|generation| generation.get() & 1 == 1)?;
        Some(Handle::new(slot, generation))
    }
}
