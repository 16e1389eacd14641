//! Containers that know no packet and no AWS noun: longest-prefix match, classifier, flow table, timer wheel.
//!
//! Everything here is deterministic and owns plain memory: no clock, no randomness (seeds and times are
//! arguments), no `unsafe`, no thread. The first two tables are frozen: built once from a list, then only
//! read; the other two belong to one worker, which is their only writer.
//!
//! Read [`Lpm`] and [`FlowTable`] first.
//!
//! - [`prefix`]: [`Bits`] and [`Prefix`], the address arithmetic the tables share
//! - [`lpm`]: [`Lpm`], longest-prefix match
//! - [`classify`]: [`Classifier`], ordered rules over protocol, selector and peer
//! - [`flows`]: [`FlowTable`], a fixed-capacity map with stable [`Handle`]s
//! - [`wheel`]: [`Wheel`], deadlines of records
//! - [`reference`](mod@reference): the obvious linear twin of each, the judge in tests and the yardstick in benches

#![forbid(unsafe_code)]

pub mod classify;
pub mod flows;
pub mod lpm;
pub mod prefix;
mod ranks;
pub mod reference;
pub mod wheel;

pub use classify::{Classifier, Peer, Query, Rule, RuleSet};
pub use flows::{FlowTable, Full, Handle};
pub use lpm::Lpm;
pub use prefix::{Bits, Prefix};
pub use wheel::Wheel;
