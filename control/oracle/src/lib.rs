//! Verdicts by the plainest possible evaluation of a checked lab, one packet at a time.
//!
//! This is the second opinion about what AWS would do: lists are scanned, nothing is compiled, cached or shared with
//! the engine, the compiler or their tables, and speed does not matter. Read [`Oracle`] and [`Verdict`] first.
//!
//! | module | question it answers |
//! |---|---|
//! | `judge` | in which order does a packet meet what (OR-01 to OR-05) |
//! | `reserved` | is the destination none that the VPC forwards to |
//! | `route` | where does the route table lead |
//! | `acl` | what does a network ACL say |
//! | `group` | what do security-group rules say, and is the flow untracked |
//! | `gate` | what does an interface's security-group gate do, state included |
//! | `flow` | what is remembered about one flow at one interface |

#![forbid(unsafe_code)]

mod acl;
mod flow;
mod gate;
mod group;
mod judge;
mod reserved;
mod route;
mod traffic;
mod verdict;

pub use judge::Oracle;
pub use verdict::{
    Action, Direction, NO_ROUTE, NO_RULE, Outcome, Packet, Reason, Record, Step, StepKind, TRACKED,
    UNTRACKED, Verdict,
};
