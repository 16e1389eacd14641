//! The obvious linear version of each table, with the same method names.
//!
//! They share nothing with the fast ones but the types of their arguments, so that each judges the other.

mod classify;
mod flows;
mod lpm;
mod wheel;

pub use classify::LinearClassifier;
pub use flows::OrderedFlows;
pub use lpm::LinearLpm;
pub use wheel::SortedWheel;
