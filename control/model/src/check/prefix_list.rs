//! Customer-managed prefix lists.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{Home, World, missing, name, text};
use crate::draft::{self, AddressFamily, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind, Owner};
use crate::lab::PrefixList;
use crate::spot::Spot;

/// Entries that one list may hold.
const MAX_ENTRIES: u64 = 1000;
/// First part of the names of lists that AWS manages.
pub(super) const MANAGED: &str = "com.amazonaws.";

/// All lists that are in order.
pub(super) fn all(draft: &draft::Lab, home: &Home, found: &mut Findings) -> BTreeMap<String, PrefixList> {
    let lists: Vec<Option<PrefixList>> =
        draft.prefix_lists.objects().map(|(n, list)| check(n, list, home, found)).collect();
    lists.into_iter().flatten().map(|list| (list.name.clone(), list)).collect()
}

/// The region of a list: its own, or that of the lab.
pub(super) fn region<'a>(list: &'a draft::PrefixList, home: &'a Home) -> &'a str {
    list.region.get().map_or(home.region.as_str(), |r| r.value.as_str())
}

/// What a list counts against the quotas of one family: its size, not its entries (RT-25, SG-29).
pub(super) fn weight(world: &World<'_>, name: &str, is_v4: bool) -> usize {
    let list = world.prefix_lists.get(name);
    let list = list.filter(|l| l.entries.first().is_none_or(|e| e.addr().is_ipv4() == is_v4));
    list.map_or(0, |list| list.max_entries as usize)
}

/// The entries of a list that is in order, each with its place.
pub(super) fn entries_of(world: &World<'_>, name: &str) -> Vec<(IpNet, Spot)> {
    let Some(list) = world.prefix_lists.get(name) else { return Vec::new() };
    let written = world.draft.prefix_lists.object(name).into_iter().flat_map(|draft| draft.entries.items());
    // What the list leaves out of the written ones has been reported, and is passed over here.
    let mut good = list.entries.iter().peekable();
    let place = |entry: &Text| {
        let net = text::block(entry, &mut Findings::default())?;
        good.next_if_eq(&&net).map(|net| (*net, entry.spot))
    };
    written.filter_map(place).collect()
}

fn check(name: &Text, draft: &draft::PrefixList, home: &Home, found: &mut Findings) -> Option<PrefixList> {
    let named = object_name(name, found);
    let region = draft.region.get().is_none_or(|r| text::region(r, found).is_some());
    let family = family(name, draft, found);
    let entries = entries(draft, family, found);
    let max_entries = max_entries(name, draft, found);
    if let Some(max) = max_entries
        && let Some(first_too_many) = draft.entries.items().nth(max as usize)
    {
        let message =
            format!("prefix list `{}` has {} entries but max_entries is {max}", name.value, entries.len());
        found.push(
            Finding::new(Code::PrefixListFull, first_too_many.spot, message)
                .label("the first that does not fit"),
        );
    }
    let owner = Owner { account: &home.account, region: self::region(draft, home), vpc: "" };
    let id = ids::id(Kind::PrefixList, owner, &name.value);
    (named && region).then_some(())?;
    Some(PrefixList { name: name.value.clone(), id, entries, max_entries: max_entries? })
}

fn object_name(name: &Text, found: &mut Findings) -> bool {
    if name.value.starts_with(MANAGED) {
        let message = format!("`{}` is the name of a list that AWS manages", name.value);
        found.push(
            Finding::new(Code::NameReserved, name.spot, message).help("give your own list another name"),
        );
        return false;
    }
    name::object(name, found)
}

fn family(name: &Text, draft: &draft::PrefixList, found: &mut Findings) -> Option<AddressFamily> {
    if draft.address_family.is_absent() {
        let what = format!("prefix list `{}`", name.value);
        missing(found, name.spot, &what, "address_family", "`ipv4` or `ipv6`: a list holds one family");
    }
    draft.address_family.get().map(|f| f.value)
}

fn max_entries(name: &Text, draft: &draft::PrefixList, found: &mut Findings) -> Option<u32> {
    if draft.max_entries.is_absent() {
        let what = format!("prefix list `{}`", name.value);
        missing(
            found,
            name.spot,
            &what,
            "max_entries",
            "the size that counts against the quotas of routes and rules",
        );
    }
    let max = draft.max_entries.get()?;
    if (1..=MAX_ENTRIES).contains(&max.value) {
        return u32::try_from(max.value).ok();
    }
    found.push(Finding::new(
        Code::OutOfRange,
        max.spot,
        format!("max_entries is 1 to {MAX_ENTRIES}, not {}", max.value),
    ));
    None
}

fn entries(draft: &draft::PrefixList, family: Option<AddressFamily>, found: &mut Findings) -> Vec<IpNet> {
    let mut nets: Vec<(IpNet, &Text)> = Vec::new();
    for entry in draft.entries.items() {
        let Some(net) = text::block(entry, found) else { continue };
        if family.is_some_and(|f| (f == AddressFamily::Ipv4) != net.addr().is_ipv4()) {
            let message = format!("`{}` is not of the list's address family", entry.value);
            found.push(
                Finding::new(Code::CidrFamily, entry.spot, message)
                    .help("a prefix list holds one family; make a second list"),
            );
        } else if let Some((_, first)) = nets.iter().find(|(n, _)| *n == net) {
            let message = format!("the list already holds {net}");
            found.push(Finding::new(Code::DuplicateItem, entry.spot, message).also(first.spot, "here"));
        } else {
            nets.push((net, entry));
        }
    }
    nets.into_iter().map(|(net, _)| net).collect()
}
