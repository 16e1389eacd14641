//! The shell around the engines: worker threads, hand-off rings, snapshot publication, clock, counters, sinks

#![forbid(unsafe_code)]
