//! Owned packet bytes with room in front of them.

use std::fmt;

use crate::Offload;

/// Bytes kept free in front of a packet: a virtio-net header (10 or 12 bytes) and the 20 that NAT64 adds.
pub const HEADROOM: usize = 64;

/// An owned packet: bytes with headroom, so that a header can grow in place.
///
/// Made to be used again: [`Self::clear`] keeps the storage, and storage once written is never zeroed again.
/// To read from a device, take [`Self::spare_mut`], read into it, and say with [`Self::set_len`] how much came;
/// a device header that came along is left behind with [`Self::trim_front`], or added with [`Self::prepend`].
///
/// What the device that it came from left undone travels with it: [`Self::offload`].
///
/// Two buffers are equal when their packets are, and what is left to do with them.
#[derive(Default)]
pub struct Buffer {
    /// All bytes ever used; its length only grows.
    data: Vec<u8>,
    /// Where the packet starts in `data`.
    start: usize,
    /// Where it ends: `start <= end <= data.len()`.
    end: usize,
    offload: Offload,
}

impl Buffer {
    /// An empty buffer that can take `capacity` packet bytes without growing.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            data: vec![0; HEADROOM + capacity],
            start: HEADROOM,
            end: HEADROOM,
            offload: Offload::default(),
        }
    }

    /// Copies `packet` into a new buffer.
    #[must_use]
    pub fn copy_of(packet: &[u8]) -> Self {
        let mut data = Vec::with_capacity(HEADROOM + packet.len());
        data.resize(HEADROOM, 0);
        data.extend_from_slice(packet);
        let end = data.len();
        Self { data, start: HEADROOM, end, offload: Offload::default() }
    }

    /// The packet.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// The packet, to edit in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.data.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Length of the packet in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the packet has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes that the packet can have without growing the storage.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.data.len() - self.start
    }

    /// What is left to do before the packet is on the wire.
    #[must_use]
    pub const fn offload(&self) -> Offload {
        self.offload
    }

    /// Says what is left to do.
    pub const fn set_offload(&mut self, offload: Offload) {
        self.offload = offload;
    }

    /// Empties the buffer and gives it its full [`HEADROOM`] again; the storage stays.
    pub fn clear(&mut self) {
        self.reach(HEADROOM);
        self.start = HEADROOM;
        self.end = HEADROOM;
        self.offload = Offload::default();
    }

    /// The `max` bytes after the packet, to be written and then claimed with [`Self::set_len`].
    ///
    /// They hold whatever they held before: nothing is zeroed but storage that is new.
    pub fn spare_mut(&mut self, max: usize) -> &mut [u8] {
        self.reach(self.end + max);
        &mut self.data[self.end..self.end + max]
    }

    /// Makes the packet `len` bytes long, by cutting its end or by claiming what [`Self::spare_mut`] gave.
    pub fn set_len(&mut self, len: usize) {
        self.reach(self.start + len);
        self.end = self.start + len;
    }

    /// Adds bytes at the packet's end.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.spare_mut(bytes.len()).copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Bytes free in front of the packet.
    #[must_use]
    pub const fn headroom(&self) -> usize {
        self.start
    }

    /// The bytes in front of the packet, which hold whatever they held before.
    pub fn headroom_mut(&mut self) -> &mut [u8] {
        &mut self.data[..self.start]
    }

    /// Makes the packet longer by `count` bytes at its front and returns these, which hold whatever they held
    /// before. Moves the packet only when the headroom is shorter than `count`.
    pub fn prepend(&mut self, count: usize) -> &mut [u8] {
        if self.start < count {
            let missing = count - self.start + HEADROOM;
            self.data.splice(0..0, std::iter::repeat_n(0, missing));
            self.start += missing;
            self.end += missing;
        }
        self.start -= count;
        &mut self.data[self.start..self.start + count]
    }

    /// Cuts at most `count` bytes from the packet's front; they become headroom.
    pub fn trim_front(&mut self, count: usize) {
        self.start = self.end.min(self.start.saturating_add(count));
    }

    /// Makes sure that the storage is at least `length` bytes long.
    fn reach(&mut self, length: usize) {
        if self.data.len() < length {
            self.data.resize(length, 0);
        }
    }
}

impl Clone for Buffer {
    /// Copies the packet with what is left to do, not the storage around it.
    fn clone(&self) -> Self {
        Self { offload: self.offload, ..Self::copy_of(self.bytes()) }
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes() && self.offload == other.offload
    }
}

impl Eq for Buffer {}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Buffer").field(&format_args!("{:02x?}", self.bytes())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_claims_only_what_came() {
        let mut buffer = Buffer::with_capacity(16);
        buffer.spare_mut(16)[..5].copy_from_slice(b"hello");
        assert!(buffer.is_empty());
        buffer.set_len(5);
        assert_eq!(buffer.bytes(), b"hello");
        assert_eq!(buffer.capacity(), 16);
    }

    #[test]
    fn a_device_header_is_left_behind_and_added_in_place() {
        let mut buffer = Buffer::with_capacity(32);
        buffer.extend_from_slice(b"headerpacket");
        buffer.trim_front(6);
        assert_eq!((buffer.bytes(), buffer.headroom()), (&b"packet"[..], HEADROOM + 6));
        let packet_at = buffer.bytes().as_ptr();
        buffer.prepend(6).copy_from_slice(b"HEADER");
        assert_eq!(buffer.bytes(), b"HEADERpacket");
        assert_eq!(buffer.bytes()[6..].as_ptr(), packet_at);
    }

    #[test]
    fn a_header_longer_than_the_headroom_moves_the_packet() {
        let mut buffer = Buffer::copy_of(b"packet");
        buffer.prepend(HEADROOM + 1).fill(7);
        assert_eq!(buffer.len(), HEADROOM + 7);
        assert_eq!(&buffer.bytes()[HEADROOM..], b"\x07packet");
        assert_eq!(buffer.headroom(), HEADROOM);
    }

    #[test]
    fn reuse_neither_grows_nor_zeroes() {
        let mut buffer = Buffer::with_capacity(4096);
        buffer.spare_mut(4096).fill(0xaa);
        buffer.set_len(4096);
        let storage = buffer.data.as_ptr();
        buffer.clear();
        assert!(buffer.is_empty());
        assert_eq!(buffer.headroom(), HEADROOM);
        assert_eq!(buffer.spare_mut(4096), [0xaa; 4096]);
        assert_eq!(buffer.data.as_ptr(), storage);
    }

    #[test]
    fn a_default_buffer_gets_its_headroom_when_cleared() {
        let mut buffer = Buffer::default();
        assert_eq!((buffer.len(), buffer.headroom(), buffer.capacity()), (0, 0, 0));
        buffer.clear();
        buffer.extend_from_slice(b"ab");
        assert_eq!((buffer.bytes(), buffer.headroom()), (&b"ab"[..], HEADROOM));
    }

    #[test]
    fn trimming_more_than_the_packet_empties_it() {
        let mut buffer = Buffer::copy_of(b"abc");
        buffer.trim_front(usize::MAX);
        assert!(buffer.is_empty());
        buffer.set_len(0);
        assert_eq!(buffer.headroom_mut().len(), HEADROOM + 3);
    }

    #[test]
    fn equality_and_clones_are_about_the_packet() {
        let mut long = Buffer::with_capacity(1000);
        long.extend_from_slice(b"xabc");
        long.trim_front(1);
        assert_eq!(long, Buffer::copy_of(b"abc"));
        assert_ne!(long, Buffer::copy_of(b"abd"));
        assert_eq!(long.clone().data.len(), HEADROOM + 3);
        assert_eq!(format!("{long:?}"), "Buffer([61, 62, 63])");
    }
}
