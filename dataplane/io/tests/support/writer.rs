//! Writing as a worker does, and reading what came out.

use std::sync::Arc;

use vpclab_io::{Buffer, BufferPool, Outbox, Tun};

/// The attachment that packets are said to come from.
pub(crate) const FROM: u32 = 7;

/// What a worker writes with.
pub(crate) struct Writer {
    outbox: Outbox,
    pool: BufferPool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { outbox: Outbox::default(), pool: BufferPool::new(64) }
    }

    /// Writes a copy in a buffer of the pool, as a packet that was read has it.
    pub(crate) fn write(&mut self, tun: &Arc<Tun>, packet: &Buffer) {
        let mut pooled = self.pool.take();
        pooled.extend_from_slice(packet.bytes());
        pooled.set_offload(packet.offload());
        self.outbox.push(tun, FROM, pooled, &mut self.pool);
    }

    pub(crate) fn flush(&mut self) -> Vec<(u32, Buffer)> {
        self.outbox.flush(&mut self.pool);
        self.outbox.take_failed()
    }
}

/// Everything that waits in the device.
pub(crate) fn read_all(tun: &Tun) -> Vec<Buffer> {
    let mut packets = Vec::new();
    loop {
        let mut buffer = Buffer::default();
        match tun.read(0, &mut buffer).expect("read") {
            Some(length) => assert_eq!(length, buffer.len()),
            None => return packets,
        }
        packets.push(buffer);
    }
}
