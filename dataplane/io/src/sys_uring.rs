//! Reading devices through `io_uring`: multishot reads into buffers that the kernel picks from a ring.
//!
//! All `unsafe` of it is here, behind [`ReadRing`]. A buffer that the kernel may write to is inside the ring and nowhere
//! else; it comes out with the completion that ends the kernel's right to it, or when no request is left.
#![expect(unsafe_code, reason = "shares memory with the kernel")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, Probe, cqueue, opcode, squeue};
use wire::Buffer;

use crate::tun;

/// One `io_uring` instance of one thread, with a ring of provided buffers.
pub(crate) struct ReadRing {
    ring: IoUring,
    buffers: LentBuffers,
}

/// What the kernel has done.
#[derive(Debug)]
pub(crate) struct Completion {
    /// As the request was given.
    pub(crate) key: u64,
    pub(crate) outcome: Outcome,
    pub(crate) request: Request,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// A packet was read, the device's header included.
    Packet(Buffer),
    /// A watched descriptor is readable, or a read came to nothing.
    Event,
    Failed(io::Error),
}

/// Whether a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Ended,
    GoesOn,
}

impl ReadRing {
    /// A ring for the calling thread, which must be the only one to use it.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the kernel has no multishot reads; else what it answers, such as `PermissionDenied` under
    /// `kernel.io_uring_disabled`.
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag().setup_cqsize(COMPLETIONS);
        let ring: IoUring = builder.build(SUBMISSIONS)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        if !probe.is_supported(opcode::ReadMulti::CODE) {
            let why = "the kernel has no multishot reads, which came with Linux 6.7";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        let mut made = Self { ring, buffers: LentBuffers::new() };
        made.register_buffers()?;
        for _ in 0..BUFFERS {
            made.lend(Buffer::with_capacity(crate::pool::PACKET_CAPACITY));
        }
        Ok(made)
    }

    fn register_buffers(&mut self) -> io::Result<()> {
        let address = self.buffers.page.as_ptr().expose_provenance() as u64;
        // SAFETY: `page` is a page of `BUFFERS` entries, which is freed only after the ring has given it up.
        unsafe { self.ring.submitter().register_buf_ring_with_flags(address, BUFFERS, GROUP, 0) }
    }

    /// Gives the kernel a buffer to read into.
    pub(crate) fn lend(&mut self, buffer: Buffer) {
        self.buffers.lend(buffer);
    }

    /// Whether a read would find a buffer.
    pub(crate) fn has_lent(&self) -> bool {
        self.buffers.free.len() < usize::from(BUFFERS)
    }

    /// Asks for every packet of a device, until the request ends.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when the kernel takes no more requests now; else what it answers. Nothing is asked then.
    pub(crate) fn read(&mut self, file: &impl AsFd, key: u64) -> io::Result<()> {
        let fd = Fd(file.as_fd().as_raw_fd());
        self.push(&opcode::ReadMulti::new(fd, 0, GROUP).build().user_data(key))
    }

    /// Asks to be told whenever `file` becomes readable, until the request ends. Fails as [`Self::read`] does.
    pub(crate) fn watch(&mut self, file: &impl AsFd, key: u64) -> io::Result<()> {
        let readable = libc::POLLIN as u32; // a small positive constant
        let fd = Fd(file.as_fd().as_raw_fd());
        self.push(&opcode::PollAdd::new(fd, readable).multi(true).build().user_data(key))
    }

    /// Ends a request and waits until the kernel has let go of its file. Its last completion is still to come.
    ///
    /// # Errors
    ///
    /// As for [`Self::read`]; a request that has ended by itself is none.
    pub(crate) fn cancel(&mut self, key: u64) -> io::Result<()> {
        self.submit()?;
        match self.ring.submitter().register_sync_cancel(None, CancelBuilder::user_data(key).all()) {
            Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Submits what was asked, and waits for a completion as long as `timeout` says: `None` without limit, zero not at
    /// all, and then without a system call when there is nothing to do.
    pub(crate) fn enter(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let submission = self.ring.submission();
        let idle = submission.is_empty() && !submission.taskrun() && !submission.cq_overflow();
        drop(submission);
        let entered = match timeout {
            Some(Duration::ZERO) if idle => return Ok(()),
            Some(Duration::ZERO) => self.ring.submit(),
            _ if !self.ring.completion().is_empty() => self.ring.submit(),
            None => self.ring.submit_and_wait(1),
            Some(timeout) => {
                let limit = Timespec::from(timeout);
                self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&limit))
            }
        };
        unless_passing(entered)
    }

    /// The next thing that the kernel has done.
    pub(crate) fn complete(&mut self) -> Option<Completion> {
        let entry = self.ring.completion().next()?;
        let request = if cqueue::more(entry.flags()) { Request::GoesOn } else { Request::Ended };
        let buffer = cqueue::buffer_select(entry.flags()).and_then(|slot| self.buffers.take(slot));
        let outcome = match (usize::try_from(entry.result()), buffer) {
            (Ok(length), Some(mut buffer)) if length > 0 => {
                buffer.set_len(length);
                Outcome::Packet(buffer)
            }
            (Ok(_), buffer) => {
                buffer.into_iter().for_each(|unused| self.lend(unused));
                Outcome::Event
            }
            (Err(_), buffer) => {
                buffer.into_iter().for_each(|unused| self.lend(unused));
                Outcome::Failed(io::Error::from_raw_os_error(-entry.result()))
            }
        };
        Some(Completion { key: entry.user_data(), outcome, request })
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        if self.ring.submission().is_full() {
            self.submit()?;
        }
        let mut submission = self.ring.submission();
        // SAFETY: neither request points to memory: a read takes its buffer from the registered ring.
        let pushed = unsafe { submission.push(entry) };
        pushed.map_err(io::Error::other)
    }

    /// Hands over all that was asked.
    fn submit(&mut self) -> io::Result<()> {
        for _ in 0..SUBMISSIONS {
            unless_passing(self.ring.submit())?;
            // The kernel may take a part.
            if self.ring.submission().is_empty() {
                return Ok(());
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// Leaves the errors after which the ring is as good as before: the time is over, a signal came, memory is short, or
/// completions wait to be taken first (`io_uring_enter(2)`). What was not submitted waits for the next call.
pub(crate) fn unless_passing(entered: io::Result<usize>) -> io::Result<()> {
    match entered.map_err(|error| (error.raw_os_error(), error)) {
        Ok(_) | Err((Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY), _)) => Ok(()),
        Err((_, error)) => Err(error),
    }
}

impl Drop for ReadRing {
    fn drop(&mut self) {
        let cancelled = self.ring.submitter().register_sync_cancel(None, CancelBuilder::any());
        let ended = match cancelled {
            Ok(()) => true,
            Err(error) => error.raw_os_error() == Some(libc::ENOENT),
        };
        if ended && self.ring.submitter().unregister_buf_ring(GROUP).is_ok() {
            self.buffers.free_page();
        } else {
            // The kernel may still write: memory that is never freed is no harm.
            std::mem::forget(std::mem::take(&mut self.buffers.slots));
        }
    }
}

/// The buffers that the kernel may write to, and the page that tells it where they are.
struct LentBuffers {
    page: NonNull<Page>,
    /// By the number under which the kernel knows them.
    slots: Vec<Option<Buffer>>,
    free: Vec<u16>,
    tail: u16,
}

impl LentBuffers {
    fn new() -> Self {
        let page = NonNull::from(Box::leak(Box::new(Page { _entries: [0; PAGE] })));
        let slots = (0..BUFFERS).map(|_| None).collect();
        Self { page, slots, free: (0..BUFFERS).collect(), tail: 0 }
    }

    /// Without a free slot the buffer is dropped: as many are lent as the ring can hold.
    fn lend(&mut self, mut buffer: Buffer) {
        let Some(slot) = self.free.pop() else { return };
        let room = tun::make_room(&mut buffer);
        let first: *mut BufRingEntry = self.page.as_ptr().cast();
        let index = usize::from(self.tail & (BUFFERS - 1));
        // SAFETY: the page holds `BUFFERS` entries, `index` is below, and the kernel reads entries before the tail only.
        let entry = unsafe { &mut *first.add(index) };
        entry.set_addr(room.as_mut_ptr().expose_provenance() as u64);
        entry.set_len(room.len() as u32); // a packet and its header
        entry.set_bid(slot);
        self.slots[usize::from(slot)] = Some(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the first entry is there and initialised; it overlays the tail.
        let tail = unsafe { BufRingEntry::tail(first) };
        // SAFETY: the tail is an aligned field of the page, which this thread writes and the kernel reads.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    /// Takes back the buffer that a completion names.
    fn take(&mut self, slot: u16) -> Option<Buffer> {
        let buffer = self.slots.get_mut(usize::from(slot))?.take()?;
        self.free.push(slot);
        Some(buffer)
    }

    /// To be called once the kernel has given the page up.
    fn free_page(&mut self) {
        // SAFETY: the page came from a `Box`, and this is called once, by the owner's `drop`.
        drop(unsafe { Box::from_raw(self.page.as_ptr()) });
    }
}

/// The kernel wants the entries on a page of their own.
#[repr(align(4096))]
struct Page {
    _entries: [u8; PAGE],
}

const PAGE: usize = 4096;

/// Buffers that one worker lends, a power of two: a batch. The kernel takes them in turn, so more would only be colder.
pub(crate) const BUFFERS: u16 = 64;
const _: () = assert!(BUFFERS.is_power_of_two() && BUFFERS as usize * size_of::<BufRingEntry>() <= PAGE);

/// The one buffer group of a ring.
const GROUP: u16 = 0;

/// Requests handed over in one call; they are few, since each reads on until it ends.
const SUBMISSIONS: u32 = 64;

/// A completion for each buffer, and room for requests that end.
const COMPLETIONS: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_no_error_of_a_submission() {
        let of = |errno| unless_passing(Err(io::Error::from_raw_os_error(errno)));
        for errno in [libc::ETIME, libc::EINTR, libc::EAGAIN, libc::EBUSY] {
            assert!(of(errno).is_ok(), "errno {errno}");
        }
        assert_eq!(of(libc::EEXIST).expect_err("another thread").kind(), io::ErrorKind::AlreadyExists);
    }
}
