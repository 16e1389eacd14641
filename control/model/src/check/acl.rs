//! Network ACLs (NA-02..07, NA-16).

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::quota::{FAMILIES, Quota};
use super::subnet::DEFAULT;
use super::traffic::{self, Rule};
use super::vpc::Scope;
use super::{missing, name, text};
use crate::draft::{self, Field, List, Text};
use crate::findings::{Code, Finding, Findings};
use crate::ids::{self, Kind};
use crate::lab::{AclAction, AclEntry, NetworkAcl, Traffic};
use crate::spot::{At, Spot};

/// Entries per direction and family; the final deny is one of AWS's 20 and 40 (NA-16).
const ENTRIES: Quota = Quota { unasked: 19, most: 39 };

/// All ACLs that are in order, and the default one.
pub(super) fn all(scope: &Scope<'_>, found: &mut Findings) -> BTreeMap<String, NetworkAcl> {
    let mut acls = BTreeMap::new();
    for (name, draft) in scope.draft.network_acls.objects() {
        if name::object(name, found) {
            acls.insert(name.value.clone(), check(scope, name, draft, found));
        }
    }
    acls.entry(DEFAULT.to_owned()).or_insert_with(|| {
        let name = At::new(DEFAULT.to_owned(), Spot::default());
        check(scope, &name, &draft::NetworkAcl::default(), found)
    });
    acls
}

fn check(scope: &Scope<'_>, name: &Text, draft: &draft::NetworkAcl, found: &mut Findings) -> NetworkAcl {
    let direction = |field: &Field<List<draft::AclEntry>>, found: &mut Findings| {
        if field.is_absent() && name.value == DEFAULT { allow_all(scope) } else { entries(field, found) }
    };
    let ingress = direction(&draft.ingress, found);
    let egress = direction(&draft.egress, found);
    NetworkAcl {
        name: name.value.clone(),
        id: ids::id(Kind::Acl, scope.owner(), &name.value),
        ingress,
        egress,
    }
}

/// What the default ACL lets through (NA-04).
fn allow_all(scope: &Scope<'_>) -> Vec<AclEntry> {
    let entry = |number, cidr| AclEntry { number, action: AclAction::Allow, traffic: Traffic::All, cidr };
    let mut entries = vec![entry(100, IpNet::V4(Ipv4Net::default()))];
    if scope.has_ipv6() {
        entries.push(entry(101, IpNet::V6(Ipv6Net::default())));
    }
    entries
}

fn entries(field: &Field<List<draft::AclEntry>>, found: &mut Findings) -> Vec<AclEntry> {
    let mut numbers: BTreeMap<u16, Spot> = BTreeMap::new();
    let mut entries = Vec::new();
    for draft in field.items() {
        let number = number(draft, &mut numbers, found);
        let action = action(draft, found);
        let draft::AclEntry { spot, proto, ports, icmp_type, icmp_code, .. } = draft;
        let rule = Rule { spot: *spot, what: "a network ACL entry", proto, ports, icmp_type, icmp_code };
        let traffic = traffic::traffic(&rule, found);
        let cidr = cidr(draft, found);
        if let (Some(number), Some(action), Some(traffic), Some((cidr, spot))) =
            (number, action, traffic, cidr)
            && traffic::fits(&traffic, cidr, spot, found)
        {
            entries.push(AclEntry { number, action, traffic, cidr });
        }
    }
    entries.sort_by_key(|e| e.number);
    count(field, &entries, found);
    entries
}

fn number(draft: &draft::AclEntry, numbers: &mut BTreeMap<u16, Spot>, found: &mut Findings) -> Option<u16> {
    if draft.rule.is_absent() {
        missing(
            found,
            draft.spot,
            "a network ACL entry",
            "rule",
            "its number, 1 to 32766; entries are checked in ascending order",
        );
    }
    let written = draft.rule.get()?;
    let number = u16::try_from(written.value).ok().filter(|n| (1..=32766).contains(n));
    let Some(number) = number else {
        let message = format!("{} is no entry number: they run from 1 to 32766", written.value);
        found.push(Finding::new(Code::AclNumber, written.spot, message));
        return None;
    };
    if let Some(first) = numbers.insert(number, written.spot) {
        let message = format!("entry number {number} is taken in this direction");
        found.push(Finding::new(Code::AclNumberTaken, written.spot, message).also(first, "by this entry"));
    }
    Some(number)
}

fn action(draft: &draft::AclEntry, found: &mut Findings) -> Option<AclAction> {
    if draft.action.is_absent() {
        missing(found, draft.spot, "a network ACL entry", "action", "`allow` or `deny`");
    }
    draft.action.get().map(|action| match action.value {
        draft::AclAction::Allow => AclAction::Allow,
        draft::AclAction::Deny => AclAction::Deny,
    })
}

fn cidr(draft: &draft::AclEntry, found: &mut Findings) -> Option<(IpNet, Spot)> {
    if draft.cidr.is_absent() {
        missing(
            found,
            draft.spot,
            "a network ACL entry",
            "cidr",
            "the block that inbound packets come from or outbound packets go to",
        );
    }
    let text = draft.cidr.get()?;
    if text.value.starts_with("sg/") || text.value.starts_with("prefix_list/") {
        let message = format!("a network ACL knows CIDR blocks only, not `{}`", text.value);
        found.push(
            Finding::new(Code::AclPeer, text.spot, message)
                .help("write the block, or put the rule into a security group"),
        );
        return None;
    }
    text::block(text, found).map(|net| (net, text.spot))
}

fn count(field: &Field<List<draft::AclEntry>>, entries: &[AclEntry], found: &mut Findings) {
    let Some(key) = field.key() else { return };
    for (family, is_v4) in FAMILIES {
        let entries = entries.iter().filter(|e| e.cidr.addr().is_ipv4() == is_v4).count();
        ENTRIES.check(entries, &format!("entries for {family}"), key, found);
    }
}
