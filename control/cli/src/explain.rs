//! What happens to a packet and to its reply, answered by the data plane's own decision.
//!
//! A [`question::Question`] becomes a [`packet::Packet`]; [`walk`] sends it and its reply through [`engine::decide()`]; where no
//! source port was given, [`spread`] does so for every part of the range that rules could tell apart. The rest says it:
//! [`report`] as data and JSON with the words of [`gateway`], [`text`] for people, [`hint`] in one line, [`matrix`] for all
//! pairs, [`last_drop`] about a packet that was dropped, [`verify`] by asking the oracle too.

mod gateway;
pub(crate) mod hint;
pub(crate) mod last_drop;
pub(crate) mod matrix;
pub(crate) mod packet;
pub(crate) mod question;
pub(crate) mod report;
pub(crate) mod spread;
pub(crate) mod text;
pub(crate) mod verify;
pub(crate) mod walk;
