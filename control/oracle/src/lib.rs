//! Verdicts by the plainest possible evaluation of a checked lab, one packet at a time.
//!
//! This is the second opinion about what AWS would do: lists are scanned, nothing is compiled, cached or shared with
//! the engine, the compiler or their tables, and speed does not matter. Read [`Oracle`] and [`Verdict`] first.
//!
//! | module | question it answers |
//! |---|---|
//! | `judge` | what is remembered between packets |
//! | `walk` | in which order does a packet meet what (OR-01 to OR-05, OR-15 to OR-18) |
//! | `way` | which way does a packet leave an interface |
//! | `internet` | what do internet gateways do (OR-06 to OR-09, OR-19, OR-20) |
//! | `nat` | what does a NAT gateway do (OR-10 to OR-12) |
//! | `translation` | what does a NAT gateway remember of one connection |
//! | `rewrite` | what does a translation change in a packet |
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
mod internet;
mod judge;
mod nat;
mod reserved;
mod rewrite;
mod route;
mod traffic;
mod translation;
mod verdict;
mod walk;
mod way;

pub use judge::Oracle;
pub use verdict::{
    Action, Answer, Direction, Lease, Leases, NO_ROUTE, NO_RULE, Outcome, Packet, Reason, Record, Step,
    StepKind, TRACKED, UNTRACKED, Verdict,
};
