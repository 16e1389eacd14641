//! TUN devices, pollers and system calls: the only crate with unsafe code.
//!
//! What it is: the edge between the kernel and a worker. It opens one layer-3 device per network interface inside
//! a network namespace ([`Tun`], [`Netns`]), wakes a worker when a device has packets ([`Backend`], [`Waker`]),
//! and says what this machine allows ([`doctor`]). What it is not: it judges no packet, keeps no state about
//! flows beyond a batch and starts no threads that outlive a call.
//!
//! Read first: [`Backend`] and [`Tun`].
//!
//! Rules of the crate: every `unsafe` block is in a file `sys*.rs`, holds one call and says why it is sound;
//! a thread that enters a namespace is made for that and ends afterwards, so no pooled thread changes namespace.
//!
//! - [`mod@doctor`]: what the machine offers, with a self-test of its devices, and raising the limit of open files
//! - [`mod@netns`]: named namespaces as `ip netns` knows them, and running code or programs in them
//! - [`mod@outbox`]: packets on their way out, coalesced
//! - [`mod@poller`]: the seam between a worker and the kernel, with its backends
//! - [`mod@pool`]: packet buffers that are used again
//! - [`mod@steering`]: the program that puts a packet on the queue of its owner
//! - [`mod@thread`]: what the scheduler does with a thread
//! - [`mod@tun`]: devices, their names, and what their errors mean

#![deny(unsafe_op_in_unsafe_fn)]

pub mod doctor;
mod netlink;
pub mod netns;
pub mod outbox;
pub mod poller;
pub mod pool;
pub mod steering;
mod sys;
mod sys_bpf;
mod sys_uring;
mod sys_uring_burst;
pub mod thread;
pub mod tun;

pub use netns::Netns;
pub use outbox::Outbox;
pub use poller::{Backend, BackendKind, Waker};
pub use pool::BufferPool;
pub use tun::{Offload, Opener, Queues, Tun, TunOptions};
pub use wire::Buffer;
