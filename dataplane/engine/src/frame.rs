//! A packet on its way through the engine, and where it goes next.

use snapshot::Attachment;
use wire::{Buffer, Parsed};

use crate::DropReason;

/// One packet with what is known about it so far.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Where it entered.
    pub from: Attachment,
    /// Its bytes.
    pub buffer: Buffer,
    /// Its headers, once [`crate::Engine::handle_frames`] has read them; kept so that the owner does not read them again.
    /// A super-packet counts as what it stands for on the wire.
    pub parsed: Option<Parsed>,
    /// What to do with it.
    pub next: Next,
    /// What to send in its place, in order: the fragments of a packet that was too large. Empty for all others.
    pub pieces: Vec<Buffer>,
}

impl Frame {
    /// A packet just read from a device.
    #[must_use]
    pub const fn new(from: Attachment, buffer: Buffer) -> Self {
        Self { from, buffer, parsed: None, next: Next::Pending, pieces: Vec::new() }
    }

    /// The packets to write for this frame, in order.
    #[must_use]
    pub fn packets(&self) -> &[Buffer] {
        if self.pieces.is_empty() { std::slice::from_ref(&self.buffer) } else { &self.pieces }
    }
}

/// A frame whose headers were read, in the hands of its owner.
pub(crate) struct Packet<'a> {
    pub(crate) from: Attachment,
    pub(crate) buffer: &'a mut Buffer,
    pub(crate) parsed: &'a Parsed,
    /// See [`Frame::pieces`].
    pub(crate) pieces: &'a mut Vec<Buffer>,
}

/// Disposition of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Answered or taken by a service on this host.
    Consumed,
    /// Goes no further.
    Drop(DropReason),
    /// Belongs to this worker: the owner of its flow.
    Handoff(u16),
    /// A fragment that the engine keeps until its first fragment comes; the frame's buffer was taken.
    Held,
    /// A fragment for this worker, which knows, or will know, its first fragment.
    Keeper(u16),
    /// Not looked at yet, or owned by the worker that has it.
    Pending,
    /// Leaves here.
    Transmit(Attachment),
}
