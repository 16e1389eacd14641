//! Network ACLs.

use model::lab::{AclAction, AclEntry, Vpc};
use snapshot::spec::{AclEntrySpec, AclSpec};

use crate::traffic::traffic;

pub(crate) fn acls(vpc: &Vpc) -> Vec<AclSpec> {
    let acl = |acl: &model::lab::NetworkAcl| AclSpec {
        id: acl.id.clone(),
        name: format!("{}.{}", vpc.name, acl.name),
        ingress: acl.ingress.iter().map(entry).collect(),
        egress: acl.egress.iter().map(entry).collect(),
    };
    vpc.network_acls.values().map(acl).collect()
}

fn entry(entry: &AclEntry) -> AclEntrySpec {
    AclEntrySpec {
        number: entry.number,
        action: match entry.action {
            AclAction::Allow => snapshot::AclAction::Allow,
            AclAction::Deny => snapshot::AclAction::Deny,
        },
        traffic: traffic(&entry.traffic),
        cidr: entry.cidr,
    }
}
