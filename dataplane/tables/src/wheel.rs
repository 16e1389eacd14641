//! A timer wheel that is re-armed lazily.

/// Length of a tick in nanoseconds. AWS states its idle timers in whole seconds.
pub const TICK_NS: u64 = 1_000_000_000;

/// Number of slots, hence the horizon in ticks: 17 minutes cover every timer but the established-TCP one
/// (432,000 s), whose items come by once per revolution.
pub const SLOTS: usize = 1024;

/// Deadlines of records, one slot per second.
///
/// The wheel remembers items, not deadlines. It hands an item out
/// - never before its deadline, if the deadline was less than [`SLOTS`] ticks past the last poll;
/// - before it, once per horizon, if it was farther: the caller arms it again;
/// - at the first [`Self::poll`] that reaches the tick which ends at or after the deadline; a deadline that
///   has passed already waits for the next tick.
///
/// A record whose deadline moves need not be armed again until it is handed out. An item armed twice is
/// handed out twice.
#[derive(Clone, Debug)]
pub struct Wheel<T> {
    slots: Box<[Queue]>,
    /// Bit per slot that is not empty.
    occupied: [u64; SLOTS / 64],
    nodes: Vec<Node<T>>,
    /// Nodes to use again, as a list through [`Node::next`].
    free: Link,
    len: usize,
    /// The first tick that is not finished; everything armed is at this tick or later.
    cursor: u64,
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel whose first tick is the one that follows `start_ns`, with memory reserved for `items` items; more
    /// make it grow.
    pub fn new(start_ns: u64, items: usize) -> Self {
        Self {
            slots: vec![Queue::default(); SLOTS].into_boxed_slice(),
            occupied: [0; SLOTS / 64],
            nodes: Vec::with_capacity(items),
            free: Link::NONE,
            len: 0,
            cursor: start_ns / TICK_NS + 1,
        }
    }

    /// Hands `item` out when `deadline_ns` has come, see the type for how exactly. Returns the tick in which it does: an
    /// earlier one than the deadline's when that is past the horizon, as seen from the first tick that is not finished.
    pub fn arm(&mut self, item: T, deadline_ns: u64) -> u64 {
        let horizon = self.cursor + SLOTS as u64 - 1;
        let tick = deadline_ns.div_ceil(TICK_NS).clamp(self.cursor, horizon);
        let node = self.take_node(item);
        self.append(slot_of(tick), node);
        self.len += 1;
        tick
    }

    /// Appends to `due` the items whose tick has come by `now_ns`, earliest tick first and within a tick in
    /// the order they were armed, at most `limit` of them; the rest waits for the next call.
    pub fn poll(&mut self, now_ns: u64, limit: usize, due: &mut Vec<T>) {
        let now = now_ns / TICK_NS;
        let mut left = limit;
        while self.cursor <= now {
            let Some(tick) = self.first_tick().filter(|tick| *tick <= now) else {
                self.cursor = now + 1;
                return;
            };
            self.cursor = tick;
            if left == 0 {
                return;
            }
            due.extend(self.pop(slot_of(tick)));
            left -= 1;
        }
    }

    /// When [`Self::poll`] next has something to hand out.
    pub fn next_deadline(&self) -> Option<u64> {
        self.first_tick().map(|tick| tick * TICK_NS)
    }

    /// Number of items armed, each counted as often as it was armed.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tick of the first occupied slot at or after the cursor: one turn over the bitmap.
    fn first_tick(&self) -> Option<u64> {
        let start = slot_of(self.cursor);
        let words = self.occupied.len();
        (0..=words).find_map(|turn| {
            let word = (start / 64 + turn) % words;
            // The first word comes up twice: what is before the cursor is a turn away.
            let from = if turn == 0 { start % 64 } else { 0 };
            let part = self.occupied[word] & u64::MAX << from;
            (part != 0).then(|| {
                let slot = word * 64 + part.trailing_zeros() as usize;
                self.cursor + ((slot + SLOTS - start) % SLOTS) as u64
            })
        })
    }

    fn take_node(&mut self, item: T) -> Link {
        let node = Node { item, next: Link::NONE };
        let Some(at) = self.free.at() else {
            self.nodes.push(node);
            return Link(self.nodes.len() as u32);
        };
        let taken = self.free;
        self.free = std::mem::replace(&mut self.nodes[at], node).next;
        taken
    }

    fn append(&mut self, slot: usize, node: Link) {
        let queue = &mut self.slots[slot];
        match queue.last.at() {
            Some(last) => self.nodes[last].next = node,
            None => queue.first = node,
        }
        queue.last = node;
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    fn pop(&mut self, slot: usize) -> Option<T> {
        let queue = &mut self.slots[slot];
        let first = queue.first;
        let at = first.at()?;
        let Node { item, next } = self.nodes[at];
        queue.first = next;
        if next.at().is_none() {
            queue.last = Link::NONE;
            self.occupied[slot / 64] &= !(1 << (slot % 64));
        }
        self.nodes[at].next = self.free;
        self.free = first;
        self.len -= 1;
        Some(item)
    }
}

fn slot_of(tick: u64) -> usize {
    (tick % SLOTS as u64) as usize
}

/// A slot's items, first to last, as a list through [`Wheel::nodes`].
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    first: Link,
    last: Link,
}

#[derive(Clone, Copy, Debug)]
struct Node<T> {
    item: T,
    next: Link,
}

/// A node's position plus one, zero for none: half the size of an `Option`, for one node per session.
#[derive(Clone, Copy, Debug, Default)]
struct Link(u32);

impl Link {
    const NONE: Self = Self(0);

    fn at(self) -> Option<usize> {
        (self.0 as usize).checked_sub(1)
    }
}
