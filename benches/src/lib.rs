//! Workloads for the micro and system benchmarks, each from a seed.
//!
//! - [`draw`]: the generator of pseudo-random numbers
//! - [`flows`]: flow keys
//! - [`large`]: the lab file of a thousand VPCs
//! - [`routes`]: route tables and addresses to look up in them
//! - [`rules`]: rule lists and queries that hit first, hit last or miss
//! - [`worlds`]: compiled labs of a chosen size, and packets for them

#![forbid(unsafe_code)]

pub mod draw;
pub mod flows;
pub mod large;
pub mod routes;
pub mod rules;
pub mod worlds;
