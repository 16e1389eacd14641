//! AWS-like objects: a [`draft`] as written, [checked](check()) into a [`Valid`], with every finding and not only the first.
//!
//! A [`Valid`] is made nowhere but in this crate, by its check and by [changes](live) of it, so whoever holds one may rely on each sentence in the documentation
//! of [`lab`]. Names are the keys of the lab file; ids are AWS ids that do not change from run to run ([`ids`]).
//!
//! Read first: [`draft::Lab`] and [`lab::Lab`]. Findings carry a closed list of [codes](findings::Code) and their
//! [place](spot::Spot) in the text; printing them is the business of whoever read the text.

#![forbid(unsafe_code)]

mod check;
pub mod draft;
pub mod findings;
pub mod ids;
pub mod lab;
pub mod live;
pub mod spot;
pub mod suggest;
mod valid;

pub use check::check;
pub use valid::Valid;
