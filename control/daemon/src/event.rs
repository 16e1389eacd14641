//! What the thread that owns the lab waits for.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};

use crate::protocol::{Request, Response};

/// Events that may wait; each comes from a thread of its own that waits for the answer, so more would only be more threads.
const QUEUE: usize = 64;

/// Something to act upon.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request, and where the answer goes.
    Request(Request, Sender<Response>),
    /// A signal asks for the end.
    Signal,
}

pub(crate) fn channel() -> (SyncSender<Event>, Receiver<Event>) {
    sync_channel(QUEUE)
}
