//! How many of many sorted keys lie below a given one, in a few memory accesses.
//!
//! Few keys are all compared. Of many, a node cuts the span of its keys into equal slots, more slots than
//! keys. A slot knows how many keys lie below it; if few lie in it they are counted one and all (a fixed
//! number, so without a branch to guess), otherwise it has a node of its own, whose slots fit the span of just
//! these keys. This is the direct and range lookup of DXR (Zec, Rizzo and Mikuc, "DXR: towards a billion
//! routing lookups per second in software", 2012) with roots that adapt to the keys, where DXR has one root
//! of fixed width. The constants are those that measured best, see docs/lpm.md.

/// Sorted keys, ready for [`Self::rank`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranks<K> {
    root: Node<K>,
    nodes: Box<[Node<K>]>,
    /// Rank of the first key of the slot, or [`DEEPER`] with the index of a node. Empty if there are at most
    /// [`FEW`] keys.
    slots: Box<[u32]>,
    /// The keys in ascending order, then some times the largest number, which nothing lies above.
    keys: Box<[K]>,
}

impl<K: Key> Ranks<K> {
    /// Takes `keys` in ascending order, each once and none of them the largest number.
    pub(crate) fn build(mut keys: Vec<K>) -> Self {
        debug_assert!(keys.is_sorted_by(|a, b| a < b) && keys.last() != Some(&K::MAX));
        if keys.len() <= FEW {
            keys.resize(keys.len().next_multiple_of(K::WINDOW), K::MAX);
            return Self { keys: keys.into(), ..Self::default() };
        }
        let mut builder = Builder { keys: &keys, slots: Vec::new(), nodes: Vec::new() };
        let root = builder.node(0, keys.len());
        let Builder { slots, nodes, .. } = builder;
        keys.resize(keys.len() + K::WINDOW, K::MAX);
        Self { root, nodes: nodes.into(), slots: slots.into(), keys: keys.into() }
    }

    /// The number of keys below `key`.
    #[inline]
    pub(crate) fn rank(&self, key: K) -> usize {
        if self.slots.is_empty() {
            return K::count_below(&self.keys, key);
        }
        let mut node = &self.root;
        loop {
            let slot = self.slots[node.first_slot as usize + node.slot_of(key)];
            if slot & DEEPER == 0 {
                return K::count_window(&self.keys, slot as usize, key);
            }
            node = &self.nodes[(slot & !DEEPER) as usize];
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.slots) + size_of_val(&*self.keys)
    }
}

/// Up to this many keys a rank compares them all; they are the interval ends of 24 prefixes or more.
const FEW: usize = 48;

/// Marks a slot that leads to a node.
const DEEPER: u32 = 1 << 31;

/// A node has more than `2^(this - 1)` and at most `2^(this + 1)` slots per key.
const SLOTS_PER_KEY_BITS: u32 = 1;

#[derive(Clone, Debug, Default)]
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
    /// Makes the node over `keys[from..to]`, at least two, and the nodes below it.
    ///
    /// The first and the last key fall into different slots, so every level has fewer keys; and a slot is at
    /// most an eighth as wide as the span, so there are few levels.
    fn node(&mut self, from: usize, to: usize) -> Node<K> {
        let (low, high) = (self.keys[from], self.keys[to - 1]);
        let slot_bits = (to - from).ilog2() + SLOTS_PER_KEY_BITS + 1;
        let shift = high.bits_above(low).saturating_sub(slot_bits);
        let last = high.steps_above(low, shift);
        let first_slot = self.slots.len();
        let node = Node { low, shift, last: last as u32, first_slot: first_slot as u32 };
        self.slots.resize(first_slot + last + 1, 0);
        let mut start = from;
        for slot in 0..=last {
            let inside = self.keys[start..to].iter().take_while(|key| node.slot_of(**key) == slot).count();
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
pub(crate) trait Key: Copy + Ord + Default {
    /// The largest number.
    const MAX: Self;
    /// How many keys are compared in one go.
    const WINDOW: usize;

    /// The difference to a smaller number in units of `2^shift`, 0 if `low` is not smaller.
    fn steps_above(self, low: Self, shift: u32) -> usize;

    /// Number of significant bits of the difference to a number that is not larger.
    fn bits_above(self, low: Self) -> u32;

    /// The rank of `key`, given that only the window from `from` on is in doubt.
    fn count_window(keys: &[Self], from: usize, key: Self) -> usize;

    /// How many of `keys`, whole windows, lie below `key`.
    fn count_below(keys: &[Self], key: Self) -> usize;
}

macro_rules! key {
    ($number:ty, window: $window:literal, lanes: $lanes:literal) => {
        impl Key for $number {
            const MAX: Self = Self::MAX;
            const WINDOW: usize = $window;

            #[inline]
            fn steps_above(self, low: Self, shift: u32) -> usize {
                (self.saturating_sub(low) >> shift) as usize
            }

            fn bits_above(self, low: Self) -> u32 {
                Self::BITS - (self - low).leading_zeros()
            }

            #[inline]
            fn count_window(keys: &[Self], from: usize, key: Self) -> usize {
                let window: &[Self; $window] =
                    keys[from..].first_chunk().expect("a window of padding follows the last key");
                from + window.iter().map(|other| u32::from(*other < key)).sum::<u32>() as usize
            }

            #[inline]
            fn count_below(keys: &[Self], key: Self) -> usize {
                // Sums per lane, added up at the end: the compiler makes vector instructions of them.
                let mut lanes = [0_u32; $lanes];
                for chunk in keys.as_chunks::<$lanes>().0 {
                    for (lane, other) in lanes.iter_mut().zip(chunk) {
                        *lane += u32::from(*other < key);
                    }
                }
                lanes.iter().sum::<u32>() as usize
            }
        }
        const _: () = assert!($window % $lanes == 0, "whole windows are whole chunks of lanes");
    };
}

key!(u32, window: 8, lanes: 8);
key!(u64, window: 4, lanes: 2);
key!(u128, window: 4, lanes: 2);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<K: Key + std::fmt::Debug>(keys: &[K], asked: impl Iterator<Item = K>) {
        let ranks = Ranks::build(keys.to_vec());
        for key in asked {
            assert_eq!(ranks.rank(key), keys.partition_point(|other| *other < key), "{key:?}");
        }
    }

    #[test]
    fn no_keys_give_rank_zero() {
        check(&[], [0_u32, 1, u32::MAX].into_iter());
    }

    #[test]
    fn keys_without_gaps_are_told_apart_on_both_sides_of_the_flat_limit() {
        for n in [FEW - 1, FEW, FEW + 1, 1000] {
            let keys: Vec<u32> = (7..7 + n as u32).collect();
            check(&keys, (0..1100).chain([u32::MAX]));
        }
    }

    #[test]
    fn clusters_far_apart_get_nodes_of_their_own() {
        let keys: Vec<u64> = (0..8).flat_map(|c| (0..100).map(move |i| (c << 60) + i * 3)).collect();
        check(&keys, (0..8).flat_map(|c| (0..310).map(move |i| (c << 60) + i)));
    }

    #[test]
    fn powers_of_two_need_many_levels_and_resolve() {
        let keys: Vec<u128> = (0..127).map(|bit| 1 << bit).collect();
        check(&keys, (0..127).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1, u128::MAX]));
    }
}
