//! Hash tables with a fixed seed: a snapshot holds the operator's own addresses and ids, and nobody sees their order.

use foldhash::fast::FixedState;

/// A map whose order is never shown.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, FixedState>;

/// A set whose order is never shown.
pub(crate) type HashSet<T> = std::collections::HashSet<T, FixedState>;
