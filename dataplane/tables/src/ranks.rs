//! How many of many sorted keys lie below a given one, in a few memory accesses.
//!
//! A node cuts the span of its keys into equal slots, about as many as keys. A slot knows how many keys lie
//! below it; if few lie in it they are counted one and all (a fixed number, so without a branch to guess),
//! otherwise it has a node of its own, whose slots fit the span of just these keys. This is the direct and
//! range lookup of DXR (Zec, Rizzo and Mikuc, "DXR: towards a billion routing lookups per second in
//! software", 2012) with roots that adapt to the keys, where DXR has one root of fixed width.

/// Sorted keys, ready for [`Self::rank`].
#[derive(Clone, Debug)]
pub(crate) struct Ranks<K> {
    root: Node<K>,
    nodes: Box<[Node<K>]>,
    /// Rank of the first key of the slot, or [`DEEPER`] with the index of a node.
    slots: Box<[u32]>,
    /// The keys in ascending order, then [`Key::WINDOW`] times the largest key, which no key lies above.
    keys: Box<[K]>,
}

impl<K: Key> Ranks<K> {
    /// Takes `keys` in ascending order, each once and none of them the largest there is.
    pub(crate) fn build(mut keys: Vec<K>) -> Self {
        debug_assert!(keys.is_sorted_by(|a, b| a < b) && keys.last() != Some(&K::MAX));
        let mut builder = Builder { keys: &keys, slots: Vec::new(), nodes: Vec::new() };
        let root = builder.node(0, keys.len());
        let Builder { slots, nodes, .. } = builder;
        keys.extend(std::iter::repeat_n(K::MAX, K::WINDOW));
        Self { root, nodes: nodes.into(), slots: slots.into(), keys: keys.into() }
    }

    /// The number of keys below `key`.
    #[inline]
    pub(crate) fn rank(&self, key: K) -> usize {
        let mut node = &self.root;
        loop {
            let slot = self.slots[node.first_slot as usize + node.slot_of(key)];
            if slot & DEEPER == 0 {
                return K::count_below(&self.keys, slot as usize, key);
            }
            node = &self.nodes[(slot & !DEEPER) as usize];
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.slots) + size_of_val(&*self.keys)
    }
}

impl<K: Key> Default for Ranks<K> {
    fn default() -> Self {
        Self::build(Vec::new())
    }
}

/// Marks a slot that leads to a node.
const DEEPER: u32 = 1 << 31;

/// Slots of a node: `2^EXTRA_BITS` to twice that for each key.
const EXTRA_BITS: u32 = 0;

#[derive(Clone, Debug)]
struct Node<K> {
    /// The first key; whatever lies below it falls into the first slot.
    low: K,
    /// Two to this power is the width of a slot.
    shift: u32,
    /// The last slot; whatever lies above the last key falls into it.
    last: u32,
    /// Where the node's slots begin.
    first_slot: u32,
}

impl<K: Key> Node<K> {
    #[inline]
    fn slot_of(&self, key: K) -> usize {
        key.steps_above(self.low, self.shift).min(self.last as usize)
    }
}

struct Builder<'k, K> {
    keys: &'k [K],
    slots: Vec<u32>,
    nodes: Vec<Node<K>>,
}

impl<K: Key> Builder<'_, K> {
    /// Makes the node over `keys[from..to]` and those below it.
    fn node(&mut self, from: usize, to: usize) -> Node<K> {
        let keys = &self.keys[from..to];
        let low = keys.first().copied().unwrap_or(K::MAX);
        let high = keys.last().copied().unwrap_or(K::MAX);
        let wanted_bits = if keys.len() <= K::WINDOW { 0 } else { keys.len().ilog2() + 1 + EXTRA_BITS };
        let shift = high.bits_above(low).saturating_sub(wanted_bits);
        let last = if wanted_bits == 0 { 0 } else { high.steps_above(low, shift) as u32 };
        let first_slot = self.slots.len();
        let node = Node { low, shift: shift.min(K::BITS - 1), last, first_slot: first_slot as u32 };
        self.slots.resize(first_slot + last as usize + 1, 0);
        let mut start = from;
        for slot in 0..=last as usize {
            let inside = self.keys[start..to].partition_point(|key| node.slot_of(*key) <= slot);
            self.slots[first_slot + slot] = self.slot(start, start + inside);
            start += inside;
        }
        node
    }

    /// What a slot over `keys[from..to]` holds.
    fn slot(&mut self, from: usize, to: usize) -> u32 {
        if to - from <= K::WINDOW {
            return from as u32;
        }
        let node = self.node(from, to);
        self.nodes.push(node);
        DEEPER | (self.nodes.len() - 1) as u32
    }
}

/// A number that can be ranked.
pub(crate) trait Key: Copy + Ord {
    /// The largest number.
    const MAX: Self;
    const BITS: u32;
    /// How many keys are counted at once.
    const WINDOW: usize;

    /// The difference to a smaller number in units of `2^shift`, 0 if `low` is not smaller.
    fn steps_above(self, low: Self, shift: u32) -> usize;

    /// Number of significant bits of the difference to a number that is not larger.
    fn bits_above(self, low: Self) -> u32;

    /// The rank of `key`, given that the [`Self::WINDOW`] keys from `from` on are the only ones in doubt.
    fn count_below(keys: &[Self], from: usize, key: Self) -> usize;
}

macro_rules! key {
    ($number:ty, $window:literal) => {
        impl Key for $number {
            const MAX: Self = Self::MAX;
            const BITS: u32 = Self::BITS;
            const WINDOW: usize = $window;

            #[inline]
            fn steps_above(self, low: Self, shift: u32) -> usize {
                (self.saturating_sub(low) >> shift) as usize
            }

            #[inline]
            fn bits_above(self, low: Self) -> u32 {
                Self::BITS - (self - low).leading_zeros()
            }

            #[inline]
            fn count_below(keys: &[Self], from: usize, key: Self) -> usize {
                let window: &[Self; $window] =
                    keys[from..].first_chunk().expect("the keys end with a window of padding");
                from + window.iter().map(|other| u32::from(*other < key)).sum::<u32>() as usize
            }
        }
    };
}

key!(u32, 16);
key!(u64, 8);
key!(u128, 8);
