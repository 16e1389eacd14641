//! Peering connections (PC-01 to PC-05, PC-24).

use std::collections::BTreeMap;

use super::quota::Quota;
use super::{Home, later, missing, name, reference, vpc_blocks};
use crate::draft::{self, Field, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind, Owner};
use crate::lab::{Peering, PeeringReach, PeeringState};
use crate::spot::Spot;

/// Active connections of one VPC (PC-24).
const ACTIVE: Quota = Quota { unasked: 50, most: crate::live::MOST_ACTIVE_PEERINGS };

/// Connections by name, and by the VPCs that they join.
#[derive(Debug, Default)]
pub(super) struct Peerings {
    pub(super) by_name: BTreeMap<String, Peering>,
    /// Name of the connection of each pair, the living one if there are several.
    by_pair: BTreeMap<Pair, String>,
}

/// Names of two VPCs, ascending.
type Pair = (String, String);

impl Peerings {
    /// The connection between two VPCs, the living one if there are several.
    pub(super) fn between(&self, one: &str, other: &str) -> Option<&Peering> {
        self.by_name.get(self.by_pair.get(&pair(one, other))?)
    }

    fn add(&mut self, peering: Peering) {
        let pair = pair(&peering.requester, &peering.accepter);
        if !peering.state.is_over() || !self.by_pair.contains_key(&pair) {
            self.by_pair.insert(pair, peering.name.clone());
        }
        self.by_name.insert(peering.name.clone(), peering);
    }
}

fn pair(one: &str, other: &str) -> Pair {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    (low.to_owned(), high.to_owned())
}

/// What the check of one connection looks at.
struct Scope<'a> {
    lab: &'a draft::Lab,
    vpcs: BTreeMap<&'a str, &'a draft::Vpc>,
    homes: &'a BTreeMap<&'a str, Home>,
}

/// All connections that are in order.
pub(super) fn all(lab: &draft::Lab, homes: &BTreeMap<&str, Home>, found: &mut Findings) -> Peerings {
    let vpcs = lab.vpcs.objects().map(|(name, vpc)| (name.value.as_str(), vpc)).collect();
    let scope = Scope { lab, vpcs, homes };
    let mut peerings = Peerings::default();
    let mut pairs: BTreeMap<Pair, Spot> = BTreeMap::new();
    for (name, body) in lab.peerings.objects() {
        later::peering(body, found);
        let named = name::object(name, found);
        let Some(peering) = check(&scope, name, body, found) else { continue };
        one_per_pair(&peering, name, &mut pairs, found);
        if named {
            peerings.add(peering);
        }
    }
    active(lab, &peerings.by_name, found);
    peerings
}

fn check(scope: &Scope<'_>, name: &Text, draft: &draft::Peering, found: &mut Findings) -> Option<Peering> {
    let requester = side(scope, name, &draft.requester, "requester", found);
    let accepter = side(scope, name, &draft.accepter, "accepter", found);
    let (requester, accepter) = (requester?, accepter?);
    if requester.value == accepter.value {
        let message = format!("VPC `{}` cannot peer with itself", requester.value);
        found.push(
            Finding::new(Code::PeeringWithItself, accepter.spot, message)
                .help("inside a VPC everything is connected: name another VPC"),
        );
        return None;
    }
    let state = draft.state.get().map_or(PeeringState::Active, |state| self::state(state.value));
    if !state.is_over() {
        no_overlap(scope, requester, accepter, found);
    }
    let (asking, asked) =
        (scope.homes.get(requester.value.as_str())?, scope.homes.get(accepter.value.as_str())?);
    let same = asking.region == asked.region;
    let owner = Owner { account: &asking.account, region: &asking.region, vpc: "" };
    Some(Peering {
        name: name.value.clone(),
        id: ids::id(Kind::Peering, owner, &name.value),
        requester: requester.value.clone(),
        accepter: accepter.value.clone(),
        state,
        reach: if same { PeeringReach::IntraRegion } else { PeeringReach::InterRegion },
    })
}

fn side<'a>(
    scope: &Scope<'_>,
    name: &Text,
    field: &'a Field<Text>,
    key: &str,
    found: &mut Findings,
) -> Option<&'a Text> {
    if field.is_absent() {
        let what = format!("peering connection `{}`", name.value);
        missing(found, name.spot, &what, key, "the name of a VPC");
    }
    let vpc = field.get()?;
    let known = scope.vpcs.contains_key(vpc.value.as_str())
        || reference::known("VPC", vpc, &scope.lab.vpcs, &[], found);
    known.then_some(vpc)
}

const fn state(written: draft::PeeringState) -> PeeringState {
    match written {
        draft::PeeringState::Active => PeeringState::Active,
        draft::PeeringState::Deleted => PeeringState::Deleted,
        draft::PeeringState::Expired => PeeringState::Expired,
        draft::PeeringState::Failed => PeeringState::Failed,
        draft::PeeringState::PendingAcceptance => PeeringState::PendingAcceptance,
        draft::PeeringState::Rejected => PeeringState::Rejected,
    }
}

/// Any block of either family, used or not (PC-05).
fn no_overlap(scope: &Scope<'_>, requester: &Text, accepter: &Text, found: &mut Findings) {
    let blocks = |vpc: &Text| {
        scope.vpcs.get(vpc.value.as_str()).map(|vpc| vpc_blocks::written(vpc)).unwrap_or_default()
    };
    let theirs = blocks(accepter);
    for own in blocks(requester) {
        if let Some(other) = theirs.iter().find(|other| own.contains(*other) || other.contains(&own)) {
            let message = format!(
                "{own} of VPC `{}` overlaps {other} of VPC `{}`, so the two cannot peer",
                requester.value, accepter.value
            );
            found.push(
                Finding::new(Code::PeeringOverlap, accepter.spot, message)
                    .help("AWS lets such a request fail (PC-05): change a block, or write `state: failed`")
                    .also(requester.spot, "and this VPC"),
            );
            return;
        }
    }
}

/// One at a time (PC-01, ER-25).
fn one_per_pair(peering: &Peering, name: &Text, pairs: &mut BTreeMap<Pair, Spot>, found: &mut Findings) {
    if peering.state.is_over() {
        return;
    }
    let pair = pair(&peering.requester, &peering.accepter);
    if let Some(first) = pairs.get(&pair) {
        let message = format!("the VPCs `{}` and `{}` are peered already", pair.0, pair.1);
        found.push(
            Finding::new(Code::DuplicatePeering, name.spot, message)
                .help("a pair of VPCs has one connection, whichever asked; one that is over may stay, with its `state`")
                .also(*first, "by this connection"),
        );
    } else {
        pairs.insert(pair, name.spot);
    }
}

fn active(draft: &draft::Lab, peerings: &BTreeMap<String, Peering>, found: &mut Findings) {
    let Some(key) = draft.peerings.key() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for peering in peerings.values().filter(|p| p.state == PeeringState::Active) {
        *counts.entry(&peering.requester).or_default() += 1;
        *counts.entry(&peering.accepter).or_default() += 1;
    }
    for (vpc, count) in counts {
        ACTIVE.check(count, &format!("active peering connections of VPC `{vpc}`"), key, found);
    }
}
