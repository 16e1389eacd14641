//! Tap events to aggregation windows to VPC Flow Log records to text.
//!
//! No file, no thread and no clock: the snapshot, the workers' events and the time are arguments, finished lines come
//! back. What is never logged (FL-50) is the engine's business: it makes no events about it. Delivery is the caller's.
//! Read [`FlowLogs`] first, then [`Record`].

#![forbid(unsafe_code)]

mod field;
mod format;
mod line;
mod log;
mod logs;
mod observed;
mod record;
#[cfg(test)]
mod tests;
mod window;

pub use field::{Field, FieldKind};
pub use format::{Format, FormatError};
pub use line::{LineError, ParsedLine, parse_line};
pub use logs::{FlowLogs, Line};
pub use record::{Origin, Record, Status, Traffic, Value};
