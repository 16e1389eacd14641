//! Micro and system benchmarks

#![forbid(unsafe_code)]
