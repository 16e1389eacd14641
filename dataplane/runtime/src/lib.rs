//! The shell around the engines: worker threads, hand-off rings, snapshot publication, clock, counters, sinks.
//!
//! [`Runtime`] starts N workers, each the only owner of one [`engine::Engine`]; nothing is shared between them but what never
//! changes (the snapshot, the table of devices) and the rings that carry strays. Read `worker` for the loop and `handoff` for
//! why no frame is lost between workers.

#![forbid(unsafe_code)]

mod clock;
mod devices;
mod handoff;
mod options;
mod publish;
mod runtime;
mod sink;
mod spin;
mod trouble;
mod worker;
mod writer;

pub use clock::Clock;
pub use engine::{Counters, Direction, DropReason, DropRecord, FlowRecord, NatCounters, Time};
pub use io::doctor;
pub use io::doctor::raise_nofile_limit;
pub use io::poller::{BackendError, BackendKind};
pub use io::{Queues, Tun};
pub use options::Options;
pub use runtime::Runtime;
pub use snapshot::{Attachment, HostIx, InterfaceIx, NameIx, Names, Snapshot};
pub use trouble::{Part, RuntimeError, Trouble};
