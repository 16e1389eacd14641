//! In-memory world: N engines in one thread, virtual hosts, virtual clock

#![forbid(unsafe_code)]
