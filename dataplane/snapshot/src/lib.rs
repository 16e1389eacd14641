//! The compiled world: immutable, dense indices, made only by its builder

#![forbid(unsafe_code)]
