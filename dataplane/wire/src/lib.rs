//! Bytes to meaning: header offsets in one pass, five-tuples, checksums, composed ICMP errors.
//!
//! No state, no clock and no allocation on the parse path. Read [`Parsed`] and [`FiveTuple`] first.
//! After [`parse()`] succeeded, the offsets in [`Parsed`] lie inside the packet it was given.
//!
//! | Module | Question it answers |
//! |---|---|
//! | `parse` | [`parse()`]: where are the headers, and what do they say? Extension headers, fragments and the packet quoted by an ICMP error included |
//! | `tuple` | [`FiveTuple`]: which exchange is this packet part of? |
//! | [`checksum`] | What is the sum, and what is it after a rewrite? |
//! | [`compose`] | What do we answer: ICMP errors and TCP resets |
//! | `fragment` | [`fragment_ipv4`]: how does a long packet cross a short link? |
//! | `buffer` | [`Buffer`]: owned bytes with headroom, used again and again |
//! | `offload` | [`Offload`]: what did the device leave undone? |
//! | `segment` | [`segment()`], [`complete_checksum`]: how is that done without the device? |
//! | `translate` | [`translate()`]: what do gateways change in a packet, down to what an ICMP error quotes? |
//! | `print` | How a person reads a packet: `Display` of [`Parsed`] and [`FiveTuple`] |
//! | `testing` | Builders and a checker of packets; with feature `testing` only |
//!
//! What it is not: it keeps no table of fragments or sessions, knows no rule, and looks at no checksum of a
//! packet it reads, since a guest with offloads sends partial ones and the receiving guest checks them anyway.
//!
//! # Panics
//!
//! Nothing here panics on any bytes. Functions that take a packet with its [`Parsed`] answer `None` or nothing
//! when the two do not belong together.

#![forbid(unsafe_code)]

mod buffer;
pub mod checksum;
pub mod compose;
mod fragment;
mod offload;
mod parse;
mod print;
mod segment;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, reason = "a test that builds an impossible packet should stop")]
pub mod testing;
mod translate;
mod tuple;

pub use buffer::{Buffer, HEADROOM};
pub use fragment::fragment_ipv4;
pub use offload::{Offload, PartialChecksum, SegmentKind, Segments};
pub use parse::{Fragment, Malformed, Parsed, Transport, parse, read};
pub use segment::{complete_checksum, segment};
pub use translate::{Patch, Translation, Untranslatable, icmp_error_over, icmp_query_over, translate};
pub use tuple::{FiveTuple, icmp_is_error, icmp_query_reply, proto, tcp_flag};
