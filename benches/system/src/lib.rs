//! The system benchmark behind `vpclab bench`: the same programs send through vpclab with its full policy, through the kernel's
//! own router with the equivalent rules, and through a bare relay between two TUN devices, in rounds that take turns.
//!
//! What it is: topologies in network namespaces ([`System`]), what is sent through them ([`Load`]), the programs at the two ends
//! ([`Agent`]), the rounds ([`run`]) and what they say together ([`Report`]). What it is not: it prints nothing and knows no
//! command line; how fast a single stage is, the criterion benches say.
//!
//! Absolute figures drift with the machine, so all that is promised is a ratio of two figures of one round: see [`Ratio`].
//! How each load is made and why is in docs/bench.md.
//!
//! - [`load`]: what is measured
//! - [`system`]: what it is measured on, and the fixed relay variant of each load
//! - [`plan`]: how often, how long, in which order
//! - [`placement`]: which processors the two ends run on
//! - [`target`]: which ratios must be reached
//! - [`agent`]: sender, receiver, pinger, connector, relay: children of this program inside namespaces
//! - `matrix`: throughput by rules, flows, interfaces and hops
//! - [`report`], [`plot`]: the outcome as data, and as SVG

#![forbid(unsafe_code)]

pub mod agent;
mod clock;
mod error;
mod iperf;
mod journal;
pub mod load;
mod machine;
mod matrix;
mod measure;
mod namespace;
pub mod placement;
pub mod plan;
pub mod plot;
mod policy;
mod program;
pub mod report;
mod rounds;
mod site;
mod statistics;
pub mod system;
pub mod target;

pub use agent::Agent;
pub use error::Error;
pub use load::Load;
pub use placement::Placement;
pub use plan::{Form, Plan};
pub use report::{Ratio, Report, Verdict};
pub use rounds::{Progress, run};
pub use system::System;
