//! AWS-like objects: a [`Draft`] as written, checked into a [`Valid`], with every finding and not only the first.
//!
//! A [`Valid`] is made nowhere but in this crate's check, so whoever holds one may rely on each sentence in the documentation
//! of [`lab`]. Names are the keys of the lab file; ids are AWS ids that do not change from run to run.

#![forbid(unsafe_code)]

pub mod lab;
mod valid;

pub use valid::Valid;
