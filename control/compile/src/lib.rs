//! Valid to Snapshot

#![forbid(unsafe_code)]
