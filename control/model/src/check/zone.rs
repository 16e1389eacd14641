//! Availability zones and their ids.
//!
//! A zone name means another zone in each account, so its id belongs to (account, zone name). Ids that are written count for every
//! subnet of the account in that zone; the others follow the letter, `us-east-1a` being `use1-az1`, or take the lowest
//! number that is free.

use std::collections::{BTreeMap, BTreeSet};

use super::Home;
use crate::draft::{self, Text};
use crate::findings::{Code, Finding, Findings};
use crate::spot::Spot;

/// Zone ids by account and zone name.
#[derive(Debug, Default)]
pub(super) struct Zones {
    ids: BTreeMap<(String, String), String>,
}

impl Zones {
    /// The id of a zone that some subnet of the account lies in.
    pub(super) fn id(&self, account: &str, zone: &str) -> Option<&str> {
        self.ids.get(&(account.to_owned(), zone.to_owned())).map(String::as_str)
    }
}

/// The zone of a subnet: as written, or the first one of the region.
pub(super) fn zone_of(subnet: &draft::Subnet, region: &str) -> String {
    subnet.az.get().map_or_else(|| format!("{region}a"), |az| az.value.clone())
}

/// Finds the id of every zone that the lab uses.
pub(super) fn assign(draft: &draft::Lab, homes: &BTreeMap<&str, Home>, found: &mut Findings) -> Zones {
    let mut written: BTreeMap<(String, String), (String, Spot)> = BTreeMap::new();
    let mut used: BTreeSet<(String, String, String)> = BTreeSet::new();
    for (name, vpc) in draft.vpcs.objects() {
        let Some(home) = homes.get(name.value.as_str()) else { continue };
        for (_, subnet) in vpc.subnets.objects() {
            let well_formed = subnet.az.get().is_none_or(|az| in_region(az, &home.region, found));
            let zone = zone_of(subnet, &home.region);
            if let Some(id) = subnet.az_id.get().filter(|id| id_in_region(id, &home.region, found)) {
                write(&mut written, (home.account.clone(), zone.clone()), id, found);
            }
            if well_formed {
                used.insert((home.account.clone(), home.region.clone(), zone));
            }
        }
    }
    let mut zones = Zones { ids: written.into_iter().map(|(key, (id, _))| (key, id)).collect() };
    for (account, region, zone) in used {
        zones.fill(account, &region, zone);
    }
    zones
}

impl Zones {
    fn fill(&mut self, account: String, region: &str, zone: String) {
        let key = (account, zone);
        if self.ids.contains_key(&key) {
            return;
        }
        let taken: BTreeSet<&str> =
            self.ids.iter().filter(|((a, _), _)| *a == key.0).map(|(_, id)| id.as_str()).collect();
        let letter = key.1.bytes().last().map_or(1, |b| u32::from(b.saturating_sub(b'a')) + 1);
        let prefix = id_prefix(region);
        let id = std::iter::once(letter)
            .chain(1..)
            .map(|n| format!("{prefix}-az{n}"))
            .find(|id| !taken.contains(id.as_str()))
            .unwrap_or_default();
        self.ids.insert(key, id);
    }
}

fn write(
    written: &mut BTreeMap<(String, String), (String, Spot)>,
    key: (String, String),
    id: &Text,
    found: &mut Findings,
) {
    let zone = key.1.clone();
    let clash = written
        .iter()
        .find(|(k, (other, _))| k.0 == key.0 && ((k.1 == key.1) != (*other == id.value)))
        .map(|(k, (other, spot))| (k.1.clone(), other.clone(), *spot));
    if let Some((other_zone, other_id, spot)) = clash {
        let message =
            format!("zone `{zone}` cannot be `{}`: `{other_zone}` is `{other_id}` in this account", id.value);
        found.push(
            Finding::new(Code::AzIdConflict, id.spot, message)
                .help("in one account a zone has one id, and an id one zone")
                .also(spot, "written here"),
        );
        return;
    }
    written.insert(key, (id.value.clone(), id.spot));
}

fn in_region(az: &Text, region: &str, found: &mut Findings) -> bool {
    let letter = az.value.strip_prefix(region);
    let good = region.is_empty()
        || letter.is_some_and(|l| l.len() == 1 && l.bytes().all(|b| b.is_ascii_lowercase()));
    if !good {
        let message = format!("`{}` is no zone of {region}", az.value);
        found.push(Finding::new(Code::AzMalformed, az.spot, message).help(format!("such as {region}a")));
    }
    good
}

fn id_in_region(id: &Text, region: &str, found: &mut Findings) -> bool {
    let prefix = id_prefix(region);
    let number = id.value.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix("-az"));
    let good = region.is_empty()
        || number.is_some_and(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()));
    if !good {
        let message = format!("`{}` is no zone id of {region}", id.value);
        found.push(Finding::new(Code::AzIdMalformed, id.spot, message).help(format!("such as {prefix}-az1")));
    }
    good
}

/// `us-east-1` is `use1`, `ap-southeast-2` is `apse2`, `us-gov-west-1` is `usgw1`.
fn id_prefix(region: &str) -> String {
    region
        .split('-')
        .enumerate()
        .map(|(position, part)| match part {
            _ if position == 0 => part,
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            other => other.get(..1).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids_start_like_those_of_aws() {
        for (region, prefix) in [
            ("us-east-1", "use1"),
            ("ap-southeast-2", "apse2"),
            ("us-gov-west-1", "usgw1"),
            ("eu-central-1", "euc1"),
            ("ap-northeast-3", "apne3"),
        ] {
            assert_eq!(id_prefix(region), prefix);
        }
    }
}
