//! Labs with real packets, programs and processes. Needs root.

extern crate vpclab_daemon as daemon;

mod apply;
mod child;
mod hosts;
mod killed;
mod logs;
mod nat_gateway;
mod peering;
mod socket;
mod support;
mod traffic;
