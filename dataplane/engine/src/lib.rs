//! The sans-IO packet engine of one worker.
//!
//! No thread, no device and no clock: frames, a snapshot and the time are arguments; dispositions and events come back.
//! Read [`decide::decide`] first, which is the whole policy and sees neither the flow table nor the time.

#![forbid(unsafe_code)]

pub mod decide;
mod drop;
mod frame;
mod limits;
mod steer;
mod tap;
mod time;

pub use decide::{Decision, Facts, Tracked, TrackedState, Verdict, decide};
pub use drop::DropReason;
pub use frame::{Frame, Next};
pub use steer::Steering;
pub use tap::{Action, Direction, DropRecord, Event, FlowRecord, TapEvent};
pub use time::Time;
