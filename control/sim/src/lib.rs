//! In-memory world: a compiled lab, N engines in one thread, virtual time.
//!
//! Nothing here touches the operating system: packets are byte vectors, devices are queues and the clock is a number that the
//! caller moves. What the real runtime does with threads and rings, [`World`] does by hand and in a fixed order, so every run
//! of a test is the same run. Tests and benches are built on it.

#![forbid(unsafe_code)]

#[cfg(test)]
mod arrival;
pub mod craft;
mod draw;
mod generate;
mod host;
pub mod scenario;
mod trial;
mod world;

pub use draw::Draw;
pub use generate::{Act, Generator};
pub use host::Hosts;
pub use trial::{Complaint, Heard, Recorded, Trial};
pub use world::{Delivery, Fate, Sent, World};
