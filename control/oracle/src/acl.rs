//! Network ACLs: ordered, stateless, judged on every packet that crosses a subnet boundary (NA-01, NA-11).

use model::lab::{AclAction, AclEntry, NetworkAcl};
use wire::Parsed;

use crate::traffic::{covers, icmp_of};
use crate::verdict::Direction;

/// What an ACL says about a packet, and the entry that said it.
pub(crate) struct AclVerdict {
    pub(crate) action: AclAction,
    pub(crate) decided_by: String,
}

/// The first matching entry in ascending number decides; without one, the implicit deny (NA-02, NA-03).
pub(crate) fn judge(acl: &NetworkAcl, direction: Direction, parsed: &Parsed) -> AclVerdict {
    let (name, entries) = match direction {
        Direction::Egress => ("egress", &acl.egress),
        Direction::Ingress => ("ingress", &acl.ingress),
    };
    let first = entries.iter().filter(|entry| matches(entry, direction, parsed)).min_by_key(|e| e.number);
    match first {
        Some(entry) => {
            AclVerdict { action: entry.action, decided_by: format!("{}/{name}/{}", acl.id, entry.number) }
        }
        None => AclVerdict { action: AclAction::Deny, decided_by: format!("{}/{name}/*", acl.id) },
    }
}

/// The CIDR is the far side's: the source of what comes in, the destination of what goes out.
fn matches(entry: &AclEntry, direction: Direction, parsed: &Parsed) -> bool {
    let far = match direction {
        Direction::Egress => parsed.tuple.dst,
        Direction::Ingress => parsed.tuple.src,
    };
    entry.cidr.contains(&far) && covers(&entry.traffic, parsed.tuple, icmp_of(parsed))
}
