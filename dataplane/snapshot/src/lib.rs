//! The compiled world: immutable, dense indices, made only by its builder.
//!
//! A [`Snapshot`] is a tree of shared parts. Each part carries the generation at which it last changed, so that a cached
//! decision is taken again only when a part that it used differs. Indices are stable from one snapshot to the next; names
//! are kept apart in [`Names`] and read only when printing. Read [`Snapshot`] and [`spec`] first.

#![forbid(unsafe_code)]

mod builder;
mod hash;
mod ids;
mod names;
mod parts;
mod snapshot;
pub mod spec;

pub use builder::{BuildError, Builder};
pub use ids::{
    AclIx, Attachment, Generation, HostIx, InterfaceIx, LabelIx, NameIx, NatGatewayIx, Part, PeeringIx,
    ProgramIx, RouteTableIx, SubnetIx, VpcIx,
};
pub use names::{Kind, Name, Names};
pub use parts::{
    Acl, AclAction, AclMatch, Check, Connectivity, Flow, GroupMatch, GroupProgram, Host, Interface, Internet,
    InternetGateway, NatGateway, Peering, PeeringReach, PeeringStatus, RelatedIcmp, Route, RouteTable,
    Settings, Subnet, Target, Vpc, Width,
};
pub use snapshot::Snapshot;
