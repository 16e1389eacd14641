//! The running lab: desired state, apply, API on a unix socket.
//!
//! What it is: [`Running`] owns one lab from its first namespace to its last and puts checked lab files in force; [`Client`]
//! asks it, one JSON value a line ([`protocol`]). What it is not: it judges no packet and knows no netlink message; those are
//! the workers' and the kernel side's business, which it brings together.
//!
//! Rules of the crate: one thread owns the lab and does one thing after the other; whatever is refused leaves everything as it
//! is; rules are published with one atomic store, with devices there before and gone after.
//!
//! Read first: [`Running`] and [`protocol::Request`].
//!
//! - [`protocol`], [`Client`]: what is said over the socket, and by whom
//! - [`Running`], [`Up`]: start, serve, apply, end
//! - [`background`]: a daemon that its starter waits for
//! - [`exec`]: programs inside an instance
//! - [`down()`], [`list`]: labs from outside, also those whose daemon was killed

#![forbid(unsafe_code)]

mod apply;
pub mod background;
mod changes;
mod client;
mod down;
mod error;
mod event;
pub mod exec;
mod labels;
mod line;
mod metrics;
mod peering;
pub mod protocol;
mod running;
mod server;
mod signals;
mod trouble;
mod view;

pub use client::{Client, ClientError};
pub use down::{Down, DownError, down, list};
pub use error::Error;
pub use lab::Dirs;
pub use lab::state::State;
pub use running::{Running, Up};
pub use runtime::BackendKind;
pub use runtime::doctor;
pub use signals::Signals;
