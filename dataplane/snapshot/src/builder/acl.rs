//! Network ACLs: ordered entries, split by family.

use std::sync::Arc;

use ipnet::IpNet;
use tables::{Bits, Classifier, Peer, Rule};

use super::earlier::Compared;
use super::pass::{Pass, put};
use crate::parts::{AclRules, AclSide, ByFamily, v4_prefix, v6_prefix};
use crate::snapshot::Slot;
use crate::spec::{AclEntrySpec, AclSpec, TrafficSpec};
use crate::{Acl, AclAction, AclMatch, Kind, NameIx};

impl Pass<'_> {
    /// Compiles the ACLs whose entries changed.
    pub(super) fn acls(&mut self, compared: &Compared<'_, AclSpec>) -> Vec<Slot<Acl>> {
        let mut slots = Vec::new();
        for (spec, earlier) in compared.pairs() {
            let at = self.indices.acl(&spec.id).at();
            let name = self.name(Kind::Acl, &spec.id, &spec.name, None);
            let same = earlier.is_some_and(|earlier| {
                earlier.is(spec) || (earlier.ingress == spec.ingress && earlier.egress == spec.egress)
            });
            let part = match self.part_before(|snapshot| &snapshot.acls, at) {
                Some(before) if same => before.clone(),
                Some(_) | None => (self.generation, Arc::new(self.acl(name, spec))),
            };
            put(&mut slots, at, part);
        }
        slots
    }

    fn acl(&mut self, name: NameIx, spec: &AclSpec) -> Acl {
        Acl {
            name,
            ingress: self.acl_side(name, &format!("{}/ingress", spec.id), &spec.ingress),
            egress: self.acl_side(name, &format!("{}/egress", spec.id), &spec.egress),
        }
    }

    /// The entries of a family keep their order; an entry of the other family never matches (NA-08).
    fn acl_side(&mut self, acl: NameIx, path: &str, entries: &[AclEntrySpec]) -> AclSide {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for entry in entries {
            let name = self.acl_entry(acl, &format!("{path}/{}", entry.number));
            let value = AclMatch { entry: name, action: entry.action };
            match entry.cidr {
                IpNet::V4(net) => v4.push((rule(&entry.traffic, Peer::Prefix(v4_prefix(net))), value)),
                IpNet::V6(net) => v6.push((rule(&entry.traffic, Peer::Prefix(v6_prefix(net))), value)),
            }
        }
        let last = AclMatch { entry: self.acl_entry(acl, &format!("{path}/*")), action: AclAction::Deny };
        AclSide { rules: ByFamily { v4: acl_rules(v4), v6: acl_rules(v6) }, last }
    }

    fn acl_entry(&mut self, acl: NameIx, id: &str) -> NameIx {
        self.name(Kind::AclEntry, id, id, Some(acl))
    }
}

fn rule<A>(traffic: &TrafficSpec, peer: Peer<A>) -> Rule<A> {
    Rule { proto: traffic.protocol, selectors: traffic.selectors.clone(), peer }
}

fn acl_rules<A: Bits>(entries: Vec<(Rule<A>, AclMatch)>) -> AclRules<A> {
    let (rules, verdicts): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    AclRules { rules: Classifier::build(&rules), verdicts }
}
