//! Valid to Snapshot: what the checked objects say, in the words that the data plane's builder takes.
//!
//! Everything that AWS resolves before it looks at a packet is resolved here: names to ids, prefix lists to their entries,
//! ties between routes, group references across peering connections, the interfaces that a flow log covers, and windows.
//! The builder knows blocks, ranges and ids only. A [`model::Valid`] has an object for every name in it, so nothing here can
//! fail; read [`Compiler`] first.
//!
//! | module | table it fills |
//! |---|---|
//! | `compiler` | all of them, VPC by VPC |
//! | `acl` | network ACLs |
//! | `flow_log` | flow logs and the interval of the taps |
//! | `gateway` | NAT gateways, peering connections, the internet |
//! | `group` | security groups |
//! | `interface` | network interfaces |
//! | `route` | route tables |
//! | `settings` | knobs |
//! | `traffic` | protocols and ports of rules |
//! | `vpc` | VPCs and subnets |

#![forbid(unsafe_code)]

mod acl;
mod compiler;
mod flow_log;
mod gateway;
mod group;
mod interface;
mod route;
mod settings;
#[cfg(test)]
mod tests;
mod traffic;
mod vpc;

pub use compiler::{Compiler, compile};
pub use snapshot::{BuildError, Builder, Snapshot};
