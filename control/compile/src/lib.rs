//! Valid to Snapshot: what the checked objects say, in the words that the data plane's builder takes.
//!
//! Everything that AWS resolves before it looks at a packet is resolved here: names to ids, prefix lists to their entries,
//! ties between routes, the interfaces that a flow log covers, and windows. The builder knows blocks, ranges and ids only.
//! A [`Valid`] has an object for every name in it, so nothing here can fail; read [`compile`] first.
//!
//! | module | table it fills |
//! |---|---|
//! | `acl` | network ACLs |
//! | `flow_log` | flow logs and the interval of the taps |
//! | `group` | security groups |
//! | `interface` | network interfaces |
//! | `route` | route tables |
//! | `settings` | knobs |
//! | `traffic` | protocols and ports of rules |
//! | `vpc` | VPCs and subnets |

#![forbid(unsafe_code)]

mod acl;
mod flow_log;
mod group;
mod interface;
mod route;
mod settings;
#[cfg(test)]
mod tests;
mod traffic;
mod vpc;

use model::Valid;
use model::lab::{Lab, Vpc};
use snapshot::spec::LabSpec;

pub use snapshot::{BuildError, Builder, Snapshot};

/// Says the whole lab in the words of the builder, in the order of names.
#[must_use]
pub fn compile(valid: &Valid) -> LabSpec {
    lower(valid.lab())
}

/// Compiles and builds in one step.
///
/// # Errors
///
/// [`BuildError`] if the builder misses an object; for a [`Valid`] that is a bug of ours, and the builder is as before.
pub fn snapshot(builder: &mut Builder, valid: &Valid) -> Result<Snapshot, BuildError> {
    builder.build(compile(valid))
}

fn lower(lab: &Lab) -> LabSpec {
    let flow_logs = each(lab, flow_log::flow_logs);
    LabSpec {
        name: lab.name.clone(),
        acls: each(lab, acl::acls),
        groups: each(lab, group::groups),
        interfaces: each(lab, interface::interfaces),
        route_tables: each(lab, route::route_tables),
        settings: settings::settings(&lab.settings, &flow_logs),
        subnets: each(lab, vpc::subnets),
        vpcs: lab.vpcs.values().map(vpc::vpc).collect(),
        flow_logs,
    }
}

/// One table of all VPCs together.
fn each<T>(lab: &Lab, table: impl Fn(&Lab, &Vpc) -> Vec<T>) -> Vec<T> {
    lab.vpcs.values().flat_map(|vpc| table(lab, vpc)).collect()
}
