//! Text to Draft with source positions

#![forbid(unsafe_code)]
