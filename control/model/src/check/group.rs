//! Security groups (SG-03..07, SG-29, SG-31).

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::quota::{FAMILIES, Quota};
use super::subnet::DEFAULT;
use super::traffic::{self, Rule};
use super::vpc::Scope;
use super::{missing, name, prefix_list, reference, text};
use crate::draft::{self, Field, List, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{
    GroupRule, Instance, Peer, PeeredGroup, PeeringReach, PeeringState, SecurityGroup, Traffic,
};
use crate::spot::{At, Spot};

/// Rules per direction and family of one group (SG-29).
const RULES: Quota = Quota { unasked: 60, most: 1000 };
/// Rules per direction and family of all groups of one interface: AWS bounds the product of the two quotas (SG-29).
const PER_INTERFACE: Quota = Quota { unasked: 1000, most: 1000 };

/// All groups that are in order, and the default one.
pub(super) fn all(scope: &Scope<'_>, found: &mut Findings) -> BTreeMap<String, SecurityGroup> {
    let mut groups = BTreeMap::new();
    for (name, draft) in scope.draft.security_groups.objects() {
        if name::security_group(name, found) {
            groups.insert(name.value.clone(), check(scope, name, draft, found));
        }
    }
    groups.entry(DEFAULT.to_owned()).or_insert_with(|| {
        let name = At::new(DEFAULT.to_owned(), Spot::default());
        check(scope, &name, &draft::SecurityGroup::default(), found)
    });
    groups
}

/// One rule of either direction.
struct Written<'a> {
    rule: Rule<'a>,
    peer: &'a Field<Text>,
}

fn check(
    scope: &Scope<'_>,
    name: &Text,
    draft: &draft::SecurityGroup,
    found: &mut Findings,
) -> SecurityGroup {
    let id = ids::id(Kind::SecurityGroup, scope.owner(), &name.value);
    let mut ingress = rules(scope, &id, "ingress", draft.ingress.items().map(ingress_rule), found);
    let mut egress = rules(scope, &id, "egress", draft.egress.items().map(egress_rule), found);
    if draft.ingress.is_absent() && name.value == DEFAULT {
        ingress = vec![rule(scope, &id, "ingress", Traffic::All, Peer::Group(DEFAULT.to_owned()))];
    }
    if draft.egress.is_absent() {
        egress = allow_all(scope, &id);
    }
    count(scope, &draft.ingress, &ingress, "inbound", found);
    count(scope, &draft.egress, &egress, "outbound", found);
    SecurityGroup { name: name.value.clone(), id, ingress, egress }
}

fn ingress_rule(draft: &draft::IngressRule) -> Written<'_> {
    let draft::IngressRule { spot, proto, ports, icmp_type, icmp_code, from, description: _ } = draft;
    let rule = Rule { spot: *spot, what: "an inbound rule", proto, ports, icmp_type, icmp_code };
    Written { rule, peer: from }
}

fn egress_rule(draft: &draft::EgressRule) -> Written<'_> {
    let draft::EgressRule { spot, proto, ports, icmp_type, icmp_code, to, description: _ } = draft;
    let rule = Rule { spot: *spot, what: "an outbound rule", proto, ports, icmp_type, icmp_code };
    Written { rule, peer: to }
}

/// What a group lets out if nothing is written (SG-06).
fn allow_all(scope: &Scope<'_>, group: &str) -> Vec<GroupRule> {
    let mut rules =
        vec![rule(scope, group, "egress", Traffic::All, Peer::Cidr(IpNet::V4(ipnet::Ipv4Net::default())))];
    if scope.has_ipv6() {
        rules.push(rule(
            scope,
            group,
            "egress",
            Traffic::All,
            Peer::Cidr(IpNet::V6(ipnet::Ipv6Net::default())),
        ));
    }
    rules
}

fn rules<'a>(
    scope: &Scope<'_>,
    group: &str,
    direction: &str,
    written: impl Iterator<Item = Written<'a>>,
    found: &mut Findings,
) -> Vec<GroupRule> {
    let mut rules: Vec<(GroupRule, Spot)> = Vec::new();
    for written in written {
        let traffic = traffic::traffic(&written.rule, found);
        let peer = peer(scope, &written, direction, found);
        let (Some(traffic), Some(peer)) = (traffic, peer) else { continue };
        if !fits(scope, &traffic, &peer, written.peer, found) {
            continue;
        }
        let rule = rule(scope, group, direction, traffic, peer);
        let spot = written.rule.spot;
        match rules.iter().find(|(r, _)| r.id == rule.id) {
            Some((_, first)) => {
                let finding = Finding::new(Code::DuplicateRule, spot, "the group already has this rule");
                found.push(finding.also(*first, "here"));
            }
            None => rules.push((rule, spot)),
        }
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

fn rule(scope: &Scope<'_>, group: &str, direction: &str, traffic: Traffic, peer: Peer) -> GroupRule {
    let peer_text = match &peer {
        Peer::Cidr(net) => net.to_string(),
        Peer::Group(name) => format!("sg/{name}"),
        Peer::PeeredGroup(PeeredGroup { vpc, group }) => format!("sg/{vpc}.{group}"),
        Peer::PrefixList(name) => format!("prefix_list/{name}"),
    };
    let content = format!("{group} {direction} {} {peer_text}", traffic::text(&traffic));
    GroupRule { id: ids::derived(Kind::SecurityGroupRule, scope.owner(), &content), traffic, peer }
}

fn peer(scope: &Scope<'_>, written: &Written<'_>, direction: &str, found: &mut Findings) -> Option<Peer> {
    if written.peer.is_absent() {
        let key = if direction == "ingress" { "from" } else { "to" };
        missing(
            found,
            written.rule.spot,
            written.rule.what,
            key,
            "a CIDR block, sg/NAME or prefix_list/NAME",
        );
    }
    let text = written.peer.get()?;
    if let Some(rest) = text.value.strip_prefix("sg/") {
        return group_peer(scope, text, rest, found);
    }
    if let Some(rest) = text.value.strip_prefix("prefix_list/") {
        return prefix_list_name(scope, text, rest, found).map(Peer::PrefixList);
    }
    let address = text.value.split('/').next().unwrap_or_default();
    if !address.contains(':') && !address.starts_with(|c: char| c.is_ascii_digit()) {
        return not_a_peer(scope, text, found);
    }
    text::block(text, found).map(Peer::Cidr)
}

/// Whether `name` is a group of this VPC; says so if not.
pub(super) fn is_known(scope: &Scope<'_>, name: &Text, found: &mut Findings) -> bool {
    scope.group_names.contains(name.value.as_str())
        || reference::known("security group", name, &scope.draft.security_groups, &[DEFAULT], found)
}

fn not_a_peer(scope: &Scope<'_>, text: &Text, found: &mut Findings) -> Option<Peer> {
    let is_group = scope.draft.security_groups.names().chain([DEFAULT]).any(|n| n == text.value);
    let help = if is_group {
        format!("for the security group write sg/{}", text.value)
    } else {
        "a peer is a CIDR block, sg/NAME or prefix_list/NAME".to_owned()
    };
    found.push(
        Finding::new(Code::ReferenceMalformed, text.spot, format!("`{}` is no peer", text.value)).help(help),
    );
    None
}

fn group_peer(scope: &Scope<'_>, text: &Text, rest: &str, found: &mut Findings) -> Option<Peer> {
    let path = reference::path(rest);
    let name = At::new(path.name.to_owned(), text.spot);
    let Some(vpc) = path.vpc.filter(|vpc| *vpc != scope.name.value) else {
        return is_known(scope, &name, found).then_some(Peer::Group(name.value));
    };
    let vpcs = &scope.world.draft.vpcs;
    let known = reference::known("VPC", &At::new(vpc.to_owned(), text.spot), vpcs, &[], found)
        && vpcs.object(vpc).is_none_or(|other| {
            reference::known("security group", &name, &other.security_groups, &[DEFAULT], found)
        });
    let peered = known && peered(scope, text, vpc, found);
    peered.then(|| Peer::PeeredGroup(PeeredGroup { vpc: vpc.to_owned(), group: name.value }))
}

/// Whether a group of `vpc` may be named here: a connection in one region joins the two VPCs (SG-09, PC-14).
fn peered(scope: &Scope<'_>, text: &Text, vpc: &str, found: &mut Findings) -> bool {
    let Some(peering) = scope.world.peerings.between(&scope.name.value, vpc) else {
        if scope.world.draft.peerings.is_broken() {
            return false;
        }
        let message =
            format!("`{}` is in another VPC, which no peering connection joins with this one", text.value);
        found.push(
            Finding::new(Code::GroupNotPeered, text.spot, message)
                .help("a rule names groups of the same VPC, or of one that is peered in the same region; else use a CIDR block"),
        );
        return false;
    };
    if peering.reach == PeeringReach::InterRegion {
        let message = format!("`{}` is in another region", text.value);
        let help = "across regions a rule names CIDR blocks, not groups";
        found.push(Finding::new(Code::RegionMismatch, text.spot, message).help(help));
        return false;
    }
    if peering.state != PeeringState::Active {
        let state = peering.state.as_str();
        let message = format!("this rule matches nobody: peering connection `{}` is {state}", peering.name);
        found.push(Finding::new(Code::StaleRule, text.spot, message).help("AWS calls such a rule stale"));
    }
    true
}

/// The prefix list behind `prefix_list/`, which must be of the VPC's region.
pub(super) fn prefix_list_name(
    scope: &Scope<'_>,
    text: &Text,
    name: &str,
    found: &mut Findings,
) -> Option<String> {
    let lists = &scope.world.draft.prefix_lists;
    if name.starts_with(prefix_list::MANAGED) {
        let message =
            format!("`{}` is a list that AWS manages, and such lists are not enforced yet", text.value);
        found.push(Finding::new(Code::NotEnforcedYet, text.spot, message));
        return None;
    }
    if !reference::known("prefix list", &At::new(name.to_owned(), text.spot), lists, &[], found) {
        return None;
    }
    let region = lists.object(name).map_or("", |list| prefix_list::region(list, &scope.world.home));
    if !region.is_empty() && !scope.home.region.is_empty() && region != scope.home.region {
        let message = format!("prefix list `{name}` is in {region}, this VPC is in {}", scope.home.region);
        found.push(
            Finding::new(Code::RegionMismatch, text.spot, message)
                .help("make a list with the same entries in this region"),
        );
        return None;
    }
    Some(name.to_owned())
}

fn fits(
    scope: &Scope<'_>,
    traffic: &Traffic,
    peer: &Peer,
    field: &Field<Text>,
    found: &mut Findings,
) -> bool {
    let spot = field.get().map_or_else(Spot::default, |text| text.spot);
    match peer {
        Peer::Cidr(net) => traffic::fits(traffic, *net, spot, found),
        Peer::Group(_) | Peer::PeeredGroup(_) => true,
        Peer::PrefixList(name) => {
            let first = scope.world.prefix_lists.get(name).and_then(|list| list.entries.first());
            first.is_none_or(|net| traffic::fits(traffic, *net, spot, found))
        }
    }
}

/// Compares the number of rules with what AWS grants.
fn count<T>(
    scope: &Scope<'_>,
    field: &Field<List<T>>,
    rules: &[GroupRule],
    direction: &str,
    found: &mut Findings,
) {
    let Some(key) = field.key() else { return };
    for (family, is_v4) in FAMILIES {
        let rules = weight(scope, rules, is_v4);
        RULES.check(rules, &format!("{direction} rules for {family}"), key, found);
    }
}

/// Compares the rules of all groups of each interface with the product that AWS allows (SG-29).
pub(super) fn per_interface(
    scope: &Scope<'_>,
    groups: &BTreeMap<String, SecurityGroup>,
    instances: &BTreeMap<String, Instance>,
    found: &mut Findings,
) {
    for (name, _) in scope.draft.instances.objects() {
        let interfaces = instances.get(&name.value).into_iter().flat_map(|i| &i.interfaces);
        for interface in interfaces.filter(|i| i.security_groups.len() > 1) {
            let own: Vec<_> = interface.security_groups.iter().filter_map(|g| groups.get(g)).collect();
            for (family, is_v4) in FAMILIES {
                let inbound = own.iter().map(|g| weight(scope, &g.ingress, is_v4)).sum();
                let outbound = own.iter().map(|g| weight(scope, &g.egress, is_v4)).sum();
                let device = &interface.device;
                PER_INTERFACE.check(
                    inbound,
                    &format!("inbound rules for {family} on {device}"),
                    name.spot,
                    found,
                );
                PER_INTERFACE.check(
                    outbound,
                    &format!("outbound rules for {family} on {device}"),
                    name.spot,
                    found,
                );
            }
        }
    }
}

/// How many rules of one family AWS counts; a prefix list counts its size (SG-29).
fn weight(scope: &Scope<'_>, rules: &[GroupRule], is_v4: bool) -> usize {
    let weight = |rule: &GroupRule| match &rule.peer {
        Peer::Cidr(net) => usize::from(net.addr().is_ipv4() == is_v4),
        Peer::Group(_) | Peer::PeeredGroup(_) => 1,
        Peer::PrefixList(name) => prefix_list::weight(scope.world, name, is_v4),
    };
    rules.iter().map(weight).sum()
}
