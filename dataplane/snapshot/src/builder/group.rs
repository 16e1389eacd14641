//! Group programs: the rules of one set of security groups, all together.

use std::ops::RangeInclusive;
use std::sync::Arc;

use ipnet::IpNet;
use tables::{Bits, Classifier, Peer, Rule, RuleSet};

use super::BuildError;
use super::earlier::{Compared, is_same};
use super::pass::{Pass, put};
use super::references::Known;
use crate::hash::HashSet;
use crate::parts::{ByFamily, GroupSide, v4_prefix, v6_prefix};
use crate::snapshot::Slot;
use crate::spec::{GroupRuleSpec, GroupSpec, InterfaceSpec, PeerSpec};
use crate::{GroupProgram, Kind, NameIx};

/// For each program an interface that carries its set of groups, or none if no interface does.
pub(super) type Carriers<'a> = Vec<Option<&'a InterfaceSpec>>;

/// Rules of one direction and family, with their names.
type Lines<A> = Vec<(Rule<A>, NameIx)>;

/// Rules of one direction.
type Direction = ByFamily<Lines<u32>, Lines<u128>>;

const ALL_PORTS: RangeInclusive<u16> = 0..=u16::MAX;
const TCP: u8 = 6;
const UDP: u8 = 17;

impl<'a> Pass<'a> {
    /// Compiles the programs that have a changed group, or that no interface used before.
    pub(super) fn programs(
        &mut self,
        compared: &Compared<'a, GroupSpec>,
        known: &Known<'a>,
        carriers: &Carriers<'a>,
    ) -> Result<Vec<Slot<GroupProgram>>, BuildError> {
        let changed = self.changed_groups(compared);
        let mut slots = Vec::new();
        for (carrier, at) in carriers.iter().zip(0..) {
            let Some(carrier) = carrier else { continue };
            let part = match self.part_before(|snapshot| &snapshot.programs, at) {
                Some(before) if !carrier.groups.iter().any(|id| changed.contains(id.as_str())) => {
                    before.clone()
                }
                Some(_) | None => {
                    let set = sorted_groups(carrier);
                    let groups = set.iter().map(|id| known.group(id, id)).collect::<Result<Vec<_>, _>>()?;
                    (self.generation, Arc::new(self.program(&groups)))
                }
            };
            put(&mut slots, at, part);
        }
        Ok(slots)
    }

    /// Ids of the groups that are new or have other rules than before.
    fn changed_groups(&mut self, compared: &Compared<'a, GroupSpec>) -> HashSet<&'a str> {
        let mut changed = HashSet::default();
        for (group, earlier) in compared.pairs().filter(|(group, earlier)| !is_same(group, *earlier)) {
            self.name(Kind::Group, &group.id, &group.name, None);
            let equal = earlier
                .is_some_and(|earlier| earlier.ingress == group.ingress && earlier.egress == group.egress);
            if !equal {
                changed.insert(group.id.as_str());
            }
        }
        changed
    }

    fn program(&mut self, groups: &[&GroupSpec]) -> GroupProgram {
        let (mut ingress, mut egress) = (Direction::default(), Direction::default());
        let mut names = Vec::new();
        for group in groups {
            let owner = self.name(Kind::Group, &group.id, &group.name, None);
            names.push(owner);
            group.ingress.iter().for_each(|rule| self.push(&mut ingress, owner, rule));
            group.egress.iter().for_each(|rule| self.push(&mut egress, owner, rule));
        }
        GroupProgram {
            groups: names,
            ingress: ByFamily { v4: side(&ingress.v4, &egress.v4), v6: side(&ingress.v6, &egress.v6) },
            egress: ByFamily { v4: side(&egress.v4, &ingress.v4), v6: side(&egress.v6, &ingress.v6) },
        }
    }

    /// A block belongs to its family; members of a group have addresses of both.
    fn push(&mut self, direction: &mut Direction, owner: NameIx, rule: &GroupRuleSpec) {
        let name = self.name(Kind::GroupRule, &rule.id, &rule.id, Some(owner));
        match &rule.peer {
            PeerSpec::Cidr(IpNet::V4(net)) => {
                let peer = if net.prefix_len() == 0 { Peer::Any } else { Peer::Prefix(v4_prefix(*net)) };
                direction.v4.push((lower(rule, peer), name));
            }
            PeerSpec::Cidr(IpNet::V6(net)) => {
                let peer = if net.prefix_len() == 0 { Peer::Any } else { Peer::Prefix(v6_prefix(*net)) };
                direction.v6.push((lower(rule, peer), name));
            }
            PeerSpec::Group(id) => {
                let label = self.indices.group(id).0;
                direction.v4.push((lower(rule, Peer::Label(label)), name));
                direction.v6.push((lower(rule, Peer::Label(label)), name));
            }
        }
    }
}

/// The groups of an interface, each once, by ascending id.
fn sorted_groups(spec: &InterfaceSpec) -> Vec<&str> {
    let mut ids: Vec<_> = spec.groups.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn lower<A>(rule: &GroupRuleSpec, peer: Peer<A>) -> Rule<A> {
    Rule { proto: rule.traffic.protocol, selectors: rule.traffic.selectors.clone(), peer }
}

fn side<A: Bits>(own: &Lines<A>, other: &Lines<A>) -> GroupSide<A> {
    let rules: Vec<_> = own.iter().map(|(rule, _)| rule.clone()).collect();
    let wide = (0..).zip(&rules).filter(|(_, rule)| rule.peer == Peer::Any).map(|(position, _)| position);
    GroupSide {
        names: own.iter().map(|(_, name)| *name).collect(),
        wide: RuleSet::from_positions(rules.len(), wide),
        open_back_tcp: opens(other, TCP),
        open_back_udp: opens(other, UDP),
        rules: Classifier::build(&rules),
    }
}

/// Whether one rule allows the whole family on all ports of `protocol`: what SG-14 asks of the other direction.
fn opens<A: Bits>(lines: &Lines<A>, protocol: u8) -> bool {
    lines.iter().any(|(rule, _)| {
        rule.peer == Peer::Any
            && rule.selectors == ALL_PORTS
            && rule.proto.is_none_or(|number| number == protocol)
    })
}
