//! Network ACLs.

use std::net::IpAddr;

use tables::{Bits, Classifier, Query};

use super::{ByFamily, Flow};
use crate::NameIx;

/// Verdict of an ACL entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclAction {
    /// Crosses the boundary.
    Allow,
    /// Does not.
    Deny,
}

/// The entry that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclMatch {
    /// Its name; the implicit deny has one too (`ACL-ID/ingress/*`, NA-03).
    pub entry: NameIx,
    /// Its verdict.
    pub action: AclAction,
}

/// Entries of one direction and family, and what each says.
#[derive(Clone, Debug)]
pub(crate) struct AclRules<A> {
    pub(crate) rules: Classifier<A>,
    pub(crate) verdicts: Vec<AclMatch>,
}

impl<A: Bits> AclRules<A> {
    fn judge(&self, flow: &Flow<'_>, addr: A) -> Option<AclMatch> {
        let query = Query { proto: flow.protocol, selector: flow.selector, addr, labels: &[] };
        self.rules.first(&query).and_then(|position| self.verdicts.get(position as usize).copied())
    }
}

/// One direction of a network ACL.
#[derive(Clone, Debug)]
pub(crate) struct AclSide {
    pub(crate) rules: ByFamily<AclRules<u32>, AclRules<u128>>,
    pub(crate) last: AclMatch,
}

impl AclSide {
    fn judge(&self, flow: &Flow<'_>) -> AclMatch {
        let hit = match flow.peer {
            IpAddr::V4(a) => self.rules.v4.judge(flow, a.to_bits()),
            IpAddr::V6(a) => self.rules.v6.judge(flow, a.to_bits()),
        };
        hit.unwrap_or(self.last)
    }
}

/// A network ACL: ordered entries per direction (NA-02).
#[derive(Clone, Debug)]
pub struct Acl {
    /// Its name.
    pub name: NameIx,
    pub(crate) ingress: AclSide,
    pub(crate) egress: AclSide,
}

impl Acl {
    /// The verdict on a packet that enters the subnet.
    #[must_use]
    pub fn ingress(&self, flow: &Flow<'_>) -> AclMatch {
        self.ingress.judge(flow)
    }

    /// The verdict on a packet that leaves the subnet.
    #[must_use]
    pub fn egress(&self, flow: &Flow<'_>) -> AclMatch {
        self.egress.judge(flow)
    }
}
