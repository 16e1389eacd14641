//! One behaviour per test, through the public face only.

mod addresses;
mod changes;
mod invariance;
mod vectors;
mod windows;
mod world;

pub(crate) use world::packet;
