//! Signals that ask the daemon to end.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Arrivals};

use crate::event::Event;

/// What a running lab does about SIGHUP, SIGINT and SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// They end it in good order, from the first step of its start on.
    Heed,
    /// They are somebody else's business.
    Leave,
}

/// Passes signals on until it is dropped. Afterwards they have no effect, so that a second Ctrl-C does not leave half a lab behind.
#[derive(Debug)]
pub(crate) struct Watch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(events: SyncSender<Event>) -> io::Result<Self> {
        // A handler writes into a pipe; a blocked signal would stay blocked in every program that the lab starts.
        let mut arrivals = Arrivals::new([SIGHUP, SIGINT, SIGTERM])?;
        let handle = arrivals.handle();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in arrivals.forever() {
                if events.send(Event::Signal).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
