//! Security groups and network ACLs as written.

use super::{Field, List, Loose, Text};
use crate::spot::{At, Spot};

/// A security group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Place of the first key.
    pub spot: Spot,
    /// `ingress`
    pub ingress: Field<List<IngressRule>>,
    /// `egress`
    pub egress: Field<List<EgressRule>>,
}

/// An inbound rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngressRule {
    /// Place of the first key.
    pub spot: Spot,
    /// `proto`
    pub proto: Field<At<Loose>>,
    /// `ports`
    pub ports: Field<At<Loose>>,
    /// `type` of ICMP
    pub icmp_type: Field<At<i64>>,
    /// `code` of ICMP
    pub icmp_code: Field<At<i64>>,
    /// `from`
    pub from: Field<Text>,
    /// `description`
    pub description: Field<Text>,
}

/// An outbound rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressRule {
    /// Place of the first key.
    pub spot: Spot,
    /// `proto`
    pub proto: Field<At<Loose>>,
    /// `ports`
    pub ports: Field<At<Loose>>,
    /// `type` of ICMP
    pub icmp_type: Field<At<i64>>,
    /// `code` of ICMP
    pub icmp_code: Field<At<i64>>,
    /// `to`
    pub to: Field<Text>,
    /// `description`
    pub description: Field<Text>,
}

/// A network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkAcl {
    /// Place of the first key.
    pub spot: Spot,
    /// `ingress`
    pub ingress: Field<List<AclEntry>>,
    /// `egress`
    pub egress: Field<List<AclEntry>>,
}

/// An entry of a network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AclEntry {
    /// Place of the first key.
    pub spot: Spot,
    /// `rule`
    pub rule: Field<At<i64>>,
    /// `action`
    pub action: Field<At<AclAction>>,
    /// `proto`
    pub proto: Field<At<Loose>>,
    /// `ports`
    pub ports: Field<At<Loose>>,
    /// `type` of ICMP
    pub icmp_type: Field<At<i64>>,
    /// `code` of ICMP
    pub icmp_code: Field<At<i64>>,
    /// `cidr`
    pub cidr: Field<Text>,
}

/// Verdict of a network ACL entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclAction {
    /// `allow`
    Allow,
    /// `deny`
    Deny,
}
