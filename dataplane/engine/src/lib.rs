//! The sans-IO packet engine of one worker.
//!
//! No thread, no device and no clock: frames, a snapshot and the time are arguments; dispositions and events come back.
//! Read [`Engine`], then [`decide::decide`], which is the whole policy and sees neither the flow table nor the time.

#![forbid(unsafe_code)]

mod answer;
mod commit;
mod counters;
pub mod decide;
mod decisions;
mod deliver;
mod drop;
mod engine;
mod forward;
mod fragment;
mod frame;
mod gateways;
mod group;
mod key;
mod limits;
mod lookup;
mod memory;
mod metrics;
mod originate;
mod pool;
mod ports;
mod session;
mod steer;
mod tap;
mod taps;
mod tcp;
mod time;
mod view;

pub use counters::Counters;
pub use decide::{Decision, Facts, Tracked, TrackedState, Verdict, decide};
pub use drop::DropReason;
pub use engine::{Config, Engine};
pub use frame::{Frame, Next};
pub use limits::{BATCH, FRAGMENTS_WAITING, NAT_CONNECTIONS};
pub use metrics::{NatCounters, Volume};
pub use ports::Leases;
pub use steer::Steering;
pub use tap::{Action, Direction, DropRecord, Event, FlowRecord, TapEvent};
pub use time::Time;
