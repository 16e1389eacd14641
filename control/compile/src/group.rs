//! Security groups.

use model::lab::{GroupRule, Peer, SecurityGroup, Vpc};
use snapshot::spec::{GroupRuleSpec, GroupSpec, PeerSpec};

use crate::compiler::Common;
use crate::traffic::traffic;

pub(crate) fn groups(common: Common<'_>, vpc: &Vpc) -> Vec<GroupSpec> {
    let group = |group: &SecurityGroup| GroupSpec {
        id: group.id.clone(),
        name: format!("{}.{}", vpc.name, group.name),
        ingress: rules(common, vpc, &group.ingress),
        egress: rules(common, vpc, &group.egress),
    };
    vpc.security_groups.values().map(group).collect()
}

/// A prefix list becomes one rule per entry, all with the id of the rule that names it (SG-11).
fn rules(common: Common<'_>, vpc: &Vpc, rules: &[GroupRule]) -> Vec<GroupRuleSpec> {
    let mut lowered = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut push = |peer| {
            lowered.push(GroupRuleSpec { id: rule.id.clone(), traffic: traffic(&rule.traffic), peer });
        };
        match &rule.peer {
            Peer::Cidr(cidr) => push(PeerSpec::Cidr(*cidr)),
            Peer::Group(name) => push(PeerSpec::Group(vpc.security_groups[name].id.clone())),
            Peer::PeeredGroup(_) => {}
            Peer::PrefixList(name) => {
                common.prefix_lists[name].entries.iter().map(|entry| PeerSpec::Cidr(*entry)).for_each(push);
            }
        }
    }
    lowered
}
