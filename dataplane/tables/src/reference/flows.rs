//! A flow table that is an ordered map, and never uses a handle twice.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::flows::{Full, Handle};

/// The plain twin of [`FlowTable`](crate::FlowTable); its handles are serial numbers.
#[derive(Clone, Debug)]
pub struct OrderedFlows<K, V> {
    handles: BTreeMap<K, Handle>,
    records: BTreeMap<Handle, (K, V)>,
    capacity: usize,
    next: u32,
}

impl<K: Copy + Ord, V> OrderedFlows<K, V> {
    /// An empty map that refuses more than `capacity` records; an ordered map needs no seed.
    pub fn new(capacity: usize, _seed: u64) -> Self {
        Self { handles: BTreeMap::new(), records: BTreeMap::new(), capacity, next: 0 }
    }

    /// The record of `key`.
    pub fn find(&self, key: &K) -> Option<Handle> {
        self.handles.get(key).copied()
    }

    /// Appends the record of each of `keys` to `found`, in their order.
    pub fn find_many(&self, keys: &[K], found: &mut Vec<Option<Handle>>) {
        found.extend(keys.iter().map(|key| self.find(key)));
    }

    /// Adds a record under a key that has none.
    ///
    /// # Errors
    ///
    /// [`Full`] when all records are in use; the table is unchanged.
    pub fn insert(&mut self, key: K, value: V) -> Result<Handle, Full> {
        if self.is_full() {
            return Err(Full);
        }
        let handle = Handle::new(self.next, NonZeroU32::MIN);
        self.next += 1;
        self.handles.insert(key, handle);
        self.records.insert(handle, (key, value));
        Ok(handle)
    }

    /// Removes a record and gives back what it held.
    pub fn remove(&mut self, handle: Handle) -> Option<(K, V)> {
        let (key, value) = self.records.remove(&handle)?;
        self.handles.remove(&key);
        Some((key, value))
    }

    /// What the record holds.
    pub fn get(&self, handle: Handle) -> Option<&V> {
        self.records.get(&handle).map(|(_, value)| value)
    }

    /// What the record holds, to change it.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut V> {
        self.records.get_mut(&handle).map(|(_, value)| value)
    }

    /// The record's key.
    pub fn key(&self, handle: Handle) -> Option<&K> {
        self.records.get(&handle).map(|(key, _)| key)
    }

    /// Every record, in the order of insertion.
    pub fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.records.keys().copied()
    }

    /// Number of records in use.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record is in use.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Number of records the table can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether every record is in use.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }
}
