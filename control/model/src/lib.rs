//! AWS-like objects: Draft as written, checked into Valid, with every finding

#![forbid(unsafe_code)]
