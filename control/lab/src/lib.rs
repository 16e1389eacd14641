//! The kernel's side of a lab: namespaces, TUN devices, addresses, routes, files under `/etc` and supervised programs.
//!
//! What it is: [`Plan`] says as plain data what a checked lab needs, [`LiveLab`] makes the kernel look like that, changes it while
//! packets flow, and takes it away again, also after a daemon that was killed. What it is not: it moves no packet and knows no
//! rule; the devices it opens go to the workers.
//!
//! Rules of the crate: deciding ([`plan`]) never touches the system; whoever touches it goes on past what is already gone,
//! undoes what it made if it fails, and returns every failure and not only the first; a thread that enters a namespace was
//! made for that and ends afterwards.
//!
//! Read first: [`Plan`] and [`LiveLab`].
//!
//! - [`plan`]: what a lab needs, and the difference between two such plans
//! - [`apply`], [`teardown`]: making and removing it
//! - [`live`]: both, in an order that survives being killed
//! - [`state`]: lock and stored plan of each lab
//! - [`programs`]: the `run` lists of instances
//! - [`exec`]: one program inside an instance
//! - [`queue`]: packets that the kernel dropped for want of a reader

#![forbid(unsafe_code)]

pub mod apply;
mod dirs;
mod error;
mod etc;
pub mod exec;
pub mod live;
mod made;
mod netlink;
mod parallel;
pub mod plan;
mod processes;
pub mod programs;
pub mod queue;
pub mod state;
mod sysctl;
pub mod teardown;

pub use apply::{OpenedDevice, Options};
pub use dirs::Dirs;
pub use error::{Error, Errors, FileAction, NamespaceAction, Owner, ProgramAction};
pub use live::LiveLab;
pub use plan::Plan;
pub use programs::Programs;
