//! Each rule that the oracle claims, on a small lab written for it.

mod acls;
mod addresses;
mod flow_logs;
mod groups;
mod icmp_errors;
mod internet;
mod mtu;
mod nat_gateways;
mod packets;
mod peerings;
mod routes;
mod timers;
mod tracking;
mod wide;
mod world;
