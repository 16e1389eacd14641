//! Bytes to meaning: header offsets in one pass, five-tuples, checksums, composed ICMP errors.
//!
//! No state, no clock and no allocation on the parse path. Read [`Parsed`] and [`FiveTuple`] first.
//! After [`parse`] succeeded, the offsets in [`Parsed`] lie inside the packet it was given.

#![forbid(unsafe_code)]

mod buffer;
mod parse;
mod tuple;

pub use buffer::{Buffer, HEADROOM};
pub use parse::{Fragment, Malformed, Parsed, Transport, parse};
pub use tuple::{FiveTuple, icmp_is_error, icmp_query_reply, proto};
