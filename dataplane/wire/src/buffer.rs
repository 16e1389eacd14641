//! Owned packet bytes with room in front of them.

/// Bytes kept free in front of a packet: a virtio-net header (10 or 12 bytes) and the 20 that NAT64 adds.
pub const HEADROOM: usize = 64;

/// An owned packet: bytes with headroom, so that a header can grow in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    data: Vec<u8>,
    start: usize,
}

impl Buffer {
    /// An empty buffer that can take `capacity` packet bytes without growing.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut data = Vec::with_capacity(HEADROOM + capacity);
        data.resize(HEADROOM, 0);
        Self { data, start: HEADROOM }
    }

    /// Copies `packet` into a new buffer.
    #[must_use]
    pub fn copy_of(packet: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(packet.len());
        buffer.data.extend_from_slice(packet);
        buffer
    }

    /// The packet.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.data.get(self.start..).unwrap_or_default()
    }

    /// The packet, to edit in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.data.get_mut(self.start..).unwrap_or_default()
    }
}
