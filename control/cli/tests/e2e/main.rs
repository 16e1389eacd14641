//! Real programs in real network namespaces against the real `vpclab` program.
//!
//! Every lab is brought up, changed and taken down by the program itself. A test ends with [`harness::Lab::finish`], which
//! waits until no packet is under way, so that the accounting identity holds, compares the drops by reason with what the test
//! announces, takes the lab down and looks for anything left behind. Whatever is run has a deadline; without root the tests fail.

mod backends;
mod bench;
mod change;
mod checks;
mod checksums;
mod checksums_translated;
mod edge_table;
mod egress_only;
mod examples;
mod exec;
mod flow_logs;
mod groups;
mod harness;
mod hops;
mod hosts;
mod internet;
mod internet_errors;
mod life;
mod load;
mod middlebox;
mod mtu;
mod nat64;
mod nat_discovery;
mod nat_errors;
mod nat_gateway;
mod nat_idle;
mod nat_port_limit;
mod nat_records;
mod offload;
mod order;
mod peered;
mod peered_load;
mod peering;
mod places;
mod questions;
mod reach;
mod steering;
