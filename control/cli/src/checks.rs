//! Expectations about a running lab, probed with real packets.
//!
//! [`mod@file`] reads them; [`plan`] finds the places and names in the lab; [`probing`] sends real packets between the instances
//! and sees what became of them; [`judge`] compares that with the expectation and, apart from it, with what `explain` says;
//! [`report`] and [`junit`] tell.

mod answer;
pub(crate) mod file;
pub(crate) mod judge;
pub(crate) mod junit;
pub(crate) mod plan;
pub(crate) mod probing;
pub(crate) mod report;
mod tree;
