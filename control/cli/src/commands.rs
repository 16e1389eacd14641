//! One module for each command; each says its answer and returns whether it is yes.

pub(crate) mod apply;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod drops;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod flows;
pub(crate) mod logs;
pub(crate) mod peering;
pub(crate) mod ps;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod up;
