//! Packet buffers that are used again.

use wire::Buffer;

/// Packet bytes a pooled buffer holds without growing: the longest IP packet (RFC 791 section 3.1, 16-bit length)
/// rounded up to whole pages.
pub const PACKET_CAPACITY: usize = 65_536;

/// A bounded stack of free buffers, owned by one worker.
///
/// Nothing is allocated before it is first taken, and the last buffer given back is the next one taken, so that
/// it is still in the cache. A buffer given to a full pool is freed: the pool never holds more than `limit`
/// buffers, while the number in flight is bounded by the worker's batches and rings.
///
/// A buffer's memory is zeroed by the kernel page by page when first touched, so a pool of buffers that only saw
/// small packets holds one or two pages for each.
#[derive(Debug)]
pub struct BufferPool {
    free: Vec<Buffer>,
    limit: usize,
}

impl BufferPool {
    /// A pool that keeps at most `limit` free buffers.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { free: Vec::new(), limit }
    }

    /// An empty buffer with full headroom and room for [`PACKET_CAPACITY`] bytes.
    pub fn take(&mut self) -> Buffer {
        self.free.pop().unwrap_or_else(|| Buffer::with_capacity(PACKET_CAPACITY))
    }

    /// Takes a buffer back. One that was made too small for [`Self::take`]'s promise, or that finds the pool full,
    /// is freed.
    pub fn give(&mut self, mut buffer: Buffer) {
        buffer.clear();
        if self.free.len() < self.limit && buffer.capacity() >= PACKET_CAPACITY {
            self.free.push(buffer);
        }
    }

    /// How many buffers lie free.
    #[must_use]
    pub const fn free(&self) -> usize {
        self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_given_back_is_taken_again() {
        let mut pool = BufferPool::new(2);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"packet");
        buffer.trim_front(3);
        let storage = buffer.bytes().as_ptr();
        pool.give(buffer);
        let mut again = pool.take();
        assert!(again.is_empty());
        again.extend_from_slice(b"packet");
        assert_eq!(again.bytes()[3..].as_ptr(), storage);
    }

    #[test]
    fn a_full_pool_frees_what_it_is_given() {
        let mut pool = BufferPool::new(1);
        pool.give(Buffer::with_capacity(PACKET_CAPACITY));
        pool.give(Buffer::with_capacity(PACKET_CAPACITY));
        assert_eq!(pool.free(), 1);
    }

    #[test]
    fn a_small_buffer_never_enters_the_pool() {
        let mut pool = BufferPool::new(4);
        pool.give(Buffer::copy_of(b"a packet made by hand"));
        assert_eq!(pool.free(), 0);
        assert!(pool.take().capacity() >= PACKET_CAPACITY);
    }
}
