//! NAT gateways (NG-01 to NG-03, NG-07).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::address::{Addresses, Owner, Request};
use super::interface::Wish;
use super::public_address::not_attached;
use super::quota::Quota;
use super::vpc::Scope;
use super::{gateway, missing, name, reference, text};
use crate::draft::{self, ConnectivityType, Field, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{Connectivity, NatAddress, NatGateway, Subnet};
use crate::spot::Spot;

/// Addresses of a private NAT gateway, the primary one included (NG-07).
const ADDRESSES: Quota = Quota { unasked: 8, most: 8 };
/// Addresses of a public one: by default an account may map two (NG-07).
const PUBLIC_ADDRESSES: Quota = Quota { unasked: 2, most: 8 };
/// NAT gateways in one zone (NG-27).
const PER_ZONE: Quota = Quota { unasked: 5, most: usize::MAX };

/// What a NAT gateway asks for.
pub(super) struct Plan<'a> {
    name: &'a Text,
    /// Names a subnet of the VPC.
    subnet: &'a str,
    connectivity: Connectivity,
    /// One for each address.
    wishes: Vec<Wish<Ipv4Addr>>,
}

/// Reads all NAT gateways of a VPC.
pub(super) fn plans<'a>(scope: &Scope<'a>, found: &mut Findings) -> Vec<Plan<'a>> {
    let draft = scope.draft;
    draft.nat_gateways.objects().filter_map(|(name, body)| plan(scope, name, body, found)).collect()
}

/// What they ask of their subnets, address by address.
pub(super) fn requests<'a>(plans: &'a [Plan<'_>]) -> Vec<Request<'a>> {
    let of_plan = |plan: &'a Plan<'_>| {
        plan.wishes.iter().map(|wish| Request {
            owner: Owner::NatGateway(&plan.name.value),
            subnet: plan.subnet,
            v4: wish,
            v6: &Wish::Nothing,
        })
    };
    plans.iter().flat_map(of_plan).collect()
}

/// The gateways with the addresses that [`requests`] got, in the same order. Public addresses come later.
pub(super) fn all(
    scope: &Scope<'_>,
    plans: Vec<Plan<'_>>,
    subnets: &BTreeMap<String, Subnet>,
    given: Vec<Addresses>,
    found: &mut Findings,
) -> BTreeMap<String, NatGateway> {
    let mut given = given.into_iter();
    let mut gateways = BTreeMap::new();
    for plan in plans {
        let own = given.by_ref().take(plan.wishes.len()).filter_map(|(v4, _)| v4.first().copied());
        let addresses = own.map(|private_ip| NatAddress { private_ip, public_ip: None }).collect();
        let name = &plan.name.value;
        let gateway = NatGateway {
            name: name.clone(),
            id: ids::id(Kind::NatGateway, scope.owner(), name),
            interface_id: ids::derived(Kind::Interface, scope.owner(), &format!("nat_gateway/{name}")),
            subnet: plan.subnet.to_owned(),
            connectivity: plan.connectivity,
            addresses,
        };
        gateways.insert(name.clone(), gateway);
    }
    per_zone(scope, &gateways, subnets, found);
    gateways
}

/// `public_ip` of each address as written, the primary one first.
pub(super) fn publics(draft: &draft::NatGateway) -> impl Iterator<Item = Option<&Text>> {
    std::iter::once(draft.public_ip.get()).chain(draft.secondary.items().map(|s| s.public_ip.get()))
}

fn plan<'a>(
    scope: &Scope<'a>,
    name: &'a Text,
    draft: &'a draft::NatGateway,
    found: &mut Findings,
) -> Option<Plan<'a>> {
    let named = name::object(name, found);
    let connectivity = connectivity(scope, name, draft, found);
    public_ips(name.spot, &format!("NAT gateway `{}`", name.value), &draft.public_ip, connectivity, found);
    let mut wishes = vec![wish(&draft.private_ip, name.spot, found)];
    for secondary in draft.secondary.items() {
        public_ips(secondary.spot, "a secondary address", &secondary.public_ip, connectivity, found);
        wishes.push(wish(&secondary.private_ip, secondary.spot, found));
    }
    if let Some(key) = draft.secondary.key() {
        let quota = if connectivity == Connectivity::Public { PUBLIC_ADDRESSES } else { ADDRESSES };
        quota.check(wishes.len(), "addresses of a NAT gateway", key, found);
    }
    if draft.subnet.is_absent() {
        let what = format!("NAT gateway `{}`", name.value);
        missing(found, name.spot, &what, "subnet", "the name of a subnet of the same VPC");
    }
    let subnet = draft.subnet.get()?;
    let known = reference::known("subnet", subnet, &scope.draft.subnets, &[], found);
    (named && known).then_some(Plan { name, subnet: &subnet.value, connectivity, wishes })
}

/// Public unless it says otherwise; a public one needs an internet gateway (NG-02, ER-22).
fn connectivity(
    scope: &Scope<'_>,
    name: &Text,
    draft: &draft::NatGateway,
    found: &mut Findings,
) -> Connectivity {
    if draft.connectivity_type.get().is_some_and(|kind| kind.value == ConnectivityType::Private) {
        return Connectivity::Private;
    }
    // Written public addresses say it themselves.
    if !draft.connectivity_type.is_broken()
        && !gateway::has_internet_gateway(scope.draft)
        && publics(draft).all(|public| public.is_none())
    {
        let message = format!(
            "the public NAT gateway `{}` needs an internet gateway, and this VPC has none",
            name.value
        );
        found.push(not_attached(name.spot, &message));
    }
    Connectivity::Public
}

/// A public gateway has a public address for each private one, a private gateway has none (NG-02, NG-03).
fn public_ips(spot: Spot, what: &str, field: &Field<Text>, connectivity: Connectivity, found: &mut Findings) {
    match (connectivity, field) {
        (Connectivity::Public, Field::Absent) => {
            missing(
                found,
                spot,
                what,
                "public_ip",
                "an address, or auto; a private one says `connectivity_type: private`",
            );
        }
        (Connectivity::Private, Field::Written { key, .. }) => found.push(
            Finding::new(Code::ConflictingKeys, *key, "a private NAT gateway has no public address")
                .help("remove `public_ip`, or make it `connectivity_type: public`"),
        ),
        (Connectivity::Public | Connectivity::Private, _) => {}
    }
}

fn wish(field: &Field<Text>, spot: Spot, found: &mut Findings) -> Wish<Ipv4Addr> {
    match field {
        Field::Absent => Wish::Any(spot),
        Field::Broken => Wish::Nothing,
        Field::Written { value, .. } => text::address4(value, found)
            .map_or(Wish::Nothing, |address| Wish::These(vec![(address, value.spot)])),
    }
}

fn per_zone(
    scope: &Scope<'_>,
    gateways: &BTreeMap<String, NatGateway>,
    subnets: &BTreeMap<String, Subnet>,
    found: &mut Findings,
) {
    let Some(key) = scope.draft.nat_gateways.key() else { return };
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for subnet in gateways.values().filter_map(|gateway| subnets.get(&gateway.subnet)) {
        *zones.entry(&subnet.az).or_default() += 1;
    }
    for (zone, count) in zones {
        PER_ZONE.check(count, &format!("NAT gateways in {zone}"), key, found);
    }
}
