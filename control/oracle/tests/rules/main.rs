//! Each rule that the oracle claims, on a small lab written for it.

mod acls;
mod addresses;
mod flow_logs;
mod groups;
mod icmp_errors;
mod mtu;
mod packets;
mod routes;
mod timers;
mod tracking;
mod world;
