//! Security groups.

use std::collections::BTreeMap;

use model::lab::{GroupRule, Peer, PeeredGroup, SecurityGroup, Vpc};
use snapshot::spec::{GroupRuleSpec, GroupSpec, PeerSpec};

use crate::compiler::Common;
use crate::traffic::traffic;

/// VPCs by name.
type Vpcs = BTreeMap<String, Vpc>;

/// The groups of one of `vpcs`.
pub(crate) fn groups(common: Common<'_>, vpcs: &Vpcs, vpc: &Vpc) -> Vec<GroupSpec> {
    let group = |group: &SecurityGroup| GroupSpec {
        id: group.id.clone(),
        name: format!("{}.{}", vpc.name, group.name),
        ingress: rules(common, vpcs, vpc, &group.ingress),
        egress: rules(common, vpcs, vpc, &group.egress),
    };
    vpc.security_groups.values().map(group).collect()
}

/// A prefix list becomes one rule per entry, all with the id of the rule that names it (SG-11). A stale rule becomes none
/// (SG-10).
fn rules(common: Common<'_>, vpcs: &Vpcs, vpc: &Vpc, rules: &[GroupRule]) -> Vec<GroupRuleSpec> {
    let mut lowered = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut push = |peer| {
            lowered.push(GroupRuleSpec { id: rule.id.clone(), traffic: traffic(&rule.traffic), peer });
        };
        match &rule.peer {
            Peer::Cidr(cidr) => push(PeerSpec::Cidr(*cidr)),
            Peer::Group(name) => push(PeerSpec::Group(vpc.security_groups[name].id.clone())),
            Peer::PeeredGroup(peer) => {
                let id = id_of(vpcs, peer).filter(|_| carries_groups(common, &vpc.name, &peer.vpc));
                id.map(|id| PeerSpec::Group(id.to_owned())).into_iter().for_each(push);
            }
            Peer::PrefixList(name) => {
                common.prefix_lists[name].entries.iter().map(|entry| PeerSpec::Cidr(*entry)).for_each(push);
            }
        }
    }
    lowered
}

/// Whether rules on one side may name groups of the other (SG-09).
fn carries_groups(common: Common<'_>, vpc: &str, other: &str) -> bool {
    common.peerings.values().any(|peering| peering.joins(vpc, other) && peering.carries_groups())
}

/// The groups of other VPCs that the rules of this one name.
pub(crate) fn foreign(vpc: &Vpc) -> impl Iterator<Item = &PeeredGroup> {
    let groups = vpc.security_groups.values();
    let rules = groups.flat_map(|group| group.ingress.iter().chain(&group.egress));
    rules.filter_map(|rule| match &rule.peer {
        Peer::PeeredGroup(peer) => Some(peer),
        Peer::Cidr(_) | Peer::Group(_) | Peer::PrefixList(_) => None,
    })
}

/// The `sg-` id of a group of another VPC.
pub(crate) fn id_of<'a>(vpcs: &'a Vpcs, peer: &PeeredGroup) -> Option<&'a str> {
    vpcs.get(&peer.vpc)?.security_groups.get(&peer.group).map(|group| group.id.as_str())
}
