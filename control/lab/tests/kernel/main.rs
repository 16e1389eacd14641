//! Labs in the real kernel: namespaces, devices, addresses, routes, files and programs come up, change and go.
//!
//! Needs root and `/dev/net/tun`, and says so instead of passing without. Every test has a lab of its own name and takes
//! away what it made, also when it fails.

extern crate vpclab_lab as lab;

mod change;
mod clash;
mod leftovers;
mod programs;
mod support;
mod up;
