//! Flow keys of the sizes the engine uses.

use crate::draw::Draw;

/// `n` different 16-byte keys, as large as an IPv4 tuple with its attachment.
pub fn keys(n: usize, seed: u64) -> Vec<[u32; 4]> {
    let mut draw = Draw::new(seed);
    // The running number keeps the keys apart.
    (0..n as u32).map(|i| [i, draw.word() as u32, draw.word() as u32, 0x0600_0001]).collect()
}

/// As much dependent work as between two lookups of the engine: some hundred instructions.
#[inline(never)]
pub fn work(seed: u64) -> u64 {
    (0..50).fold(seed, |x, _| x.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7))
}

/// The numbers below `n` in an order that no prefetcher guesses.
pub fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut draw = Draw::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, draw.below(i as u64 + 1) as usize);
    }
    order
}
