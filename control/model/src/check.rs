//! Draft to Valid: every rule that a lab must keep, and every default that AWS fills in.
//!
//! Each file checks one kind of object and returns the checked one, or `None` after having reported why there is none. A check never
//! stops at the first finding, and it never reports what a broken neighbour already explains.

mod acl;
mod address;
mod flow_log;
mod gateway;
mod group;
mod instance;
mod interface;
mod internet;
mod later;
mod lint;
mod name;
mod nat_gateway;
mod peering;
mod prefix_list;
mod public_address;
mod quota;
mod reference;
mod route;
mod route_table;
mod settings;
mod subnet;
mod text;
mod traffic;
mod vpc;
mod vpc_blocks;
mod zone;

use std::collections::BTreeMap;

use crate::draft;
use crate::findings::Findings;
use crate::lab::{Lab, PrefixList};
use crate::spot::Spot;
use crate::valid::Valid;

pub(crate) use name::is_object as is_object_name;
use vpc_blocks::VpcBlocks;

/// Account of a lab that names none.
const DEFAULT_ACCOUNT: &str = "123456789012";
/// Region of a lab that names none.
const DEFAULT_REGION: &str = "us-east-1";

/// Checks a whole lab.
///
/// # Errors
/// All findings, warnings included, if at least one of them is an error. Otherwise the warnings come with the lab.
pub fn check(draft: &draft::Lab) -> Result<(Valid, Findings), Findings> {
    let mut found = Findings::default();
    let lab = lab(draft, &mut found);
    match lab {
        Some(lab) if !found.has_errors() => Ok((Valid::new(lab), found)),
        _ => Err(found),
    }
}

/// What every object of the lab may look at.
struct World<'a> {
    draft: &'a draft::Lab,
    name: String,
    home: Home,
    /// Where each VPC lives, by its name.
    homes: BTreeMap<&'a str, Home>,
    /// The VPC of each instance, the first one if several have the name.
    instances: BTreeMap<&'a str, &'a str>,
    peerings: peering::Peerings,
    prefix_lists: BTreeMap<String, PrefixList>,
    zones: zone::Zones,
    settings: crate::lab::Settings,
}

/// Account and region. A region that could not be read is empty and judges nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Home {
    account: String,
    region: String,
}

fn lab(draft: &draft::Lab, found: &mut Findings) -> Option<Lab> {
    later::lab(draft, found);
    let name = name::lab(draft, found);
    let home = home(&draft.account, &draft.region, &defaults(), found);
    let homes: BTreeMap<&str, Home> = draft
        .vpcs
        .objects()
        .map(|(n, vpc)| (n.value.as_str(), self::home(&vpc.account, &vpc.region, &home, found)))
        .collect();
    let world = World {
        draft,
        name: name.clone().unwrap_or_default(),
        zones: zone::assign(draft, &homes, found),
        peerings: peering::all(draft, &homes, found),
        prefix_lists: prefix_list::all(draft, &home, found),
        settings: settings::check(&draft.settings, found),
        instances: instances(draft),
        home,
        homes,
    };
    name::unique_instances(draft, found);
    name::unique_ids(draft, found);
    let vpcs: Vec<Option<_>> =
        draft.vpcs.objects().map(|(n, vpc)| vpc::check(&world, n, vpc, found)).collect();
    let mut vpcs = vpcs.into_iter().flatten().map(|vpc| (vpc.name.clone(), vpc)).collect();
    gateway::distinct_ipv6(draft, &vpcs, found);
    let (internet, hosts) = internet::check(&world.name, draft, &world.home, &VpcBlocks::of(&vpcs), found);
    let publics = public_address::assign(draft, &vpcs, &internet, &hosts, found);
    public_address::hand_over(publics, &mut vpcs);
    let lab = Lab {
        name: name?,
        account: world.home.account,
        region: world.home.region,
        vpcs,
        peerings: world.peerings.by_name,
        internet,
        prefix_lists: world.prefix_lists,
        settings: world.settings,
    };
    lint::lab(draft, &lab, found);
    Some(lab)
}

fn instances(draft: &draft::Lab) -> BTreeMap<&str, &str> {
    let mut instances = BTreeMap::new();
    for (name, vpc) in draft.vpcs.objects() {
        for instance in vpc.instances.names() {
            instances.entry(instance).or_insert(name.value.as_str());
        }
    }
    instances
}

fn defaults() -> Home {
    Home { account: DEFAULT_ACCOUNT.to_owned(), region: DEFAULT_REGION.to_owned() }
}

fn home(
    account: &draft::Field<crate::spot::At<draft::Account>>,
    region: &draft::Field<draft::Text>,
    outer: &Home,
    found: &mut Findings,
) -> Home {
    Home {
        account: account.get().and_then(|a| text::account(a, found)).unwrap_or_else(|| outer.account.clone()),
        region: match region {
            draft::Field::Absent => outer.region.clone(),
            draft::Field::Broken => String::new(),
            draft::Field::Written { value, .. } => text::region(value, found).unwrap_or_default(),
        },
    }
}

/// Reports that `what`, which stands at `spot`, lacks `key`.
fn missing(found: &mut Findings, spot: Spot, what: &str, key: &str, help: &str) {
    use crate::findings::{Code, Finding};
    found.push(Finding::new(Code::MissingKey, spot, format!("{what} has no `{key}`")).help(help));
}
