//! Reading a burst of packets of one device with one system call: plain reads through `io_uring` into memory that the kernel
//! has been shown once.
//!
//! All `unsafe` of it is here, behind [`BurstRing`]. The kernel writes to the memory during [`BurstRing::read`] only: no read
//! waits for a packet, so that all have ended before the call does. If ever one had not, the ring reads no more, and its memory is
//! never freed.
#![expect(unsafe_code, reason = "shares memory with the kernel")]

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd};

use io_uring::types::Fd;
use io_uring::{IoUring, opcode};

use crate::sys_uring::unless_passing;
use crate::tun;

/// One `io_uring` instance of one thread, with memory for [`BURST`] packets.
pub(crate) struct BurstRing {
    ring: IoUring,
    /// Slots of [`STRIDE`] bytes.
    memory: ManuallyDrop<Vec<u8>>,
    /// What became of the last reads, by slot: bytes, or an error number below zero.
    results: [i32; BURST],
    /// Reads that were asked for and have not ended.
    under_way: usize,
}

impl BurstRing {
    /// A ring for the calling thread, which must be the only one to use it.
    ///
    /// # Errors
    ///
    /// What the kernel answers, such as `PermissionDenied` under `kernel.io_uring_disabled`, `InvalidInput` before Linux 6.1, or
    /// `OutOfMemory` for a user who may not lock a megabyte more.
    pub(crate) fn new() -> io::Result<Self> {
        let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(BURST as u32)?;
        let mut memory = vec![0; BURST * STRIDE];
        let whole = libc::iovec { iov_base: memory.as_mut_ptr().cast(), iov_len: memory.len() };
        // SAFETY: the memory stays where it is until `drop`, which frees it only if the ring reads no more.
        unsafe { ring.submitter().register_buffers(&[whole]) }?;
        Ok(Self { ring, memory: ManuallyDrop::new(memory), results: [0; BURST], under_way: 0 })
    }

    /// Reads at most [`BURST`] packets of a device; [`Self::packet`] has them, in the order of the slots.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the kernel cannot read the device so: a TUN device before Linux 6.4; else what it answers. The ring is of
    /// no use any more then.
    pub(crate) fn read(&mut self, file: &impl AsFd) -> io::Result<()> {
        if self.under_way > 0 {
            return Err(io::Error::other("a burst has not ended"));
        }
        // Until a read has ended, its slot holds no packet.
        self.results = [0; BURST];
        self.submit(file)?;
        // A signal or a shortage may end a call early.
        for _ in 0..PATIENCE {
            unless_passing(self.ring.submit_and_wait(self.under_way))?;
            self.collect();
            if self.under_way == 0 {
                return match self.results.contains(&-libc::EOPNOTSUPP) {
                    true => Err(io::ErrorKind::Unsupported.into()),
                    false => Ok(()),
                };
            }
        }
        Err(io::Error::other("reads that wait for nothing did not end"))
    }

    /// The packet that was read into a slot, the device's header included; none where the read failed.
    pub(crate) fn packet(&self, slot: usize) -> Option<&[u8]> {
        let length = usize::try_from(*self.results.get(slot)?).ok().filter(|length| *length > 0)?;
        self.memory[slot * STRIDE..].get(..length)
    }

    fn submit(&mut self, file: &impl AsFd) -> io::Result<()> {
        let fd = Fd(file.as_fd().as_raw_fd());
        for (slot, room) in self.memory.chunks_exact_mut(STRIDE).enumerate() {
            let read = opcode::ReadFixed::new(fd, room.as_mut_ptr(), tun::ROOM as u32, 0);
            let entry = read.rw_flags(libc::RWF_NOWAIT).build().user_data(slot as u64);
            // SAFETY: `room` lies in the registered memory, which nobody looks at before the read has ended.
            unsafe { self.ring.submission().push(&entry) }.map_err(io::Error::other)?;
            self.under_way += 1;
        }
        Ok(())
    }

    fn collect(&mut self) {
        for completion in self.ring.completion() {
            self.results[completion.user_data() as usize] = completion.result(); // the slot, as submitted
            self.under_way -= 1;
        }
    }
}

impl Drop for BurstRing {
    fn drop(&mut self) {
        // Where the kernel may still write, memory that is never freed is no harm.
        if self.under_way == 0 {
            // SAFETY: it is dropped nowhere else, and not used after this.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
    }
}

/// Packets of a burst: as many as a device gives in one turn.
pub(crate) const BURST: usize = 16;

/// From one slot to the next. With a power of two, all slots would begin in the same set of the cache.
const STRIDE: usize = tun::ROOM.next_multiple_of(64) + 64;

/// Calls for one burst.
const PATIENCE: usize = 64;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn what_waits_is_read_in_order_and_the_rest_of_the_burst_finds_nothing() {
        let (near, far) = UnixDatagram::pair().expect("sockets");
        let mut ring = BurstRing::new().expect("a ring");
        for waiting in [7_u8, 16, 0, 1] {
            for number in 0..waiting {
                far.send(&vec![number; 1 + usize::from(number)]).expect("send");
            }
            ring.read(&near).expect("read");
            let waiting = usize::from(waiting);
            for slot in 0..waiting {
                assert_eq!(ring.packet(slot), Some(&vec![slot as u8; 1 + slot][..]));
            }
            assert!((waiting..100).all(|slot| ring.packet(slot).is_none()));
        }
    }

    #[test]
    fn the_longest_packet_has_room() {
        let (near, far) = UnixDatagram::pair().expect("sockets");
        let mut ring = BurstRing::new().expect("a ring");
        let longest = vec![7; tun::ROOM];
        far.send(&longest).expect("send");
        far.send(b"next").expect("send");
        ring.read(&near).expect("read");
        assert_eq!((ring.packet(0), ring.packet(1)), (Some(&longest[..]), Some(&b"next"[..])));
    }

    #[test]
    fn what_cannot_be_read_without_waiting_is_refused() {
        let file = File::open("/proc/self/mounts").expect("it is there");
        let refused = BurstRing::new().expect("a ring").read(&file);
        assert_eq!(refused.expect_err("it may wait").kind(), io::ErrorKind::Unsupported);
    }
}
