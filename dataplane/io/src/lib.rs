//! TUN devices, pollers and system calls: the only crate with unsafe code

#![forbid(unsafe_code)]
