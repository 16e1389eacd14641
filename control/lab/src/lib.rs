//! Namespaces, TUN devices, addresses and routes: plan, apply, teardown

#![forbid(unsafe_code)]
