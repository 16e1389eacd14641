//! The running lab: desired state, apply, API on a unix socket.

#![forbid(unsafe_code)]

pub mod protocol;
