//! Security groups and network ACLs.

use model::findings::Code;
use model::lab::{Peer, Traffic};

use crate::{app, app_codes, codes};

fn ingress(rule: &str) -> Result<(Traffic, Peer), Vec<Code>> {
    let body = format!("    security_groups: {{ web: {{ ingress: [ {rule} ] }} }}");
    let codes = app_codes(&body);
    if codes.is_empty() {
        let rule = app(&body).security_groups["web"].ingress[0].clone();
        return Ok((rule.traffic, rule.peer));
    }
    Err(codes)
}

fn traffic(rule: &str) -> Traffic {
    ingress(&format!("{{ {rule}, from: 10.0.0.0/16 }}")).expect("a good rule").0
}

fn refused(rule: &str) -> Vec<Code> {
    ingress(&format!("{{ {rule}, from: 10.0.0.0/16 }}")).expect_err("a bad rule")
}

/// Rules: SG-03, SG-05
#[test]
fn a_protocol_has_a_name_or_a_number() {
    assert_eq!(traffic("proto: tcp, ports: 443"), Traffic::Tcp(443..=443));
    assert_eq!(traffic("proto: 6, ports: 443"), Traffic::Tcp(443..=443));
    assert_eq!(traffic("proto: 17, ports: 0-65535"), Traffic::Udp(0..=65535));
    assert_eq!(traffic("proto: 1"), Traffic::Icmp(None, None));
    assert_eq!(traffic("proto: 47"), Traffic::Number(47));
    assert_eq!(traffic("proto: \"-1\""), Traffic::All);
    assert_eq!(refused("proto: 256"), [Code::ProtocolUnknown]);
}

/// Rules: SG-03, SG-04, NA-09, AD-29
#[test]
fn a_protocol_number_has_one_spelling() {
    for proto in ["06", "+6", "+17", "017", "01", "058", "+58", "00", "047", "+47", "-6"] {
        assert_eq!(refused(&format!("proto: {proto}")), [Code::ProtocolUnknown], "{proto}");
        assert_eq!(refused(&format!("proto: \"{proto}\"")), [Code::ProtocolUnknown], "quoted {proto}");
        let acl = format!(
            "network_acls: {{ db: {{ ingress: [ {{ rule: 1, action: allow, proto: \"{proto}\", cidr: 0.0.0.0/0 }} ] }} }}"
        );
        assert_eq!(app_codes(&format!("    {acl}")), [Code::ProtocolUnknown], "ACL {proto}");
    }
    assert_eq!(traffic("proto: \"17\", ports: 53"), Traffic::Udp(53..=53));
    assert_eq!(refused("proto: 58"), [Code::FamilyMismatch], "58 is icmpv6");
    assert_eq!(traffic("proto: 0"), Traffic::Number(0));
}

/// Rules: SG-04
#[test]
fn icmp_takes_a_type_and_then_a_code() {
    assert_eq!(traffic("proto: icmp, type: 8"), Traffic::Icmp(Some(8), None));
    assert_eq!(traffic("proto: icmp, type: 3, code: 4"), Traffic::Icmp(Some(3), Some(4)));
    assert_eq!(traffic("proto: icmp, type: -1, code: -1"), Traffic::Icmp(None, None));
    assert_eq!(refused("proto: icmp, code: 4"), [Code::IcmpCodeWithoutType]);
    assert_eq!(refused("proto: all, type: 8"), [Code::IcmpTypeNotAllowed]);
    assert_eq!(refused("proto: all, ports: 80"), [Code::PortsNotAllowed]);
    assert_eq!(refused("proto: 47, ports: 80"), [Code::PortsNotAllowed]);
}

/// Rules: SG-03
#[test]
fn ports_run_upwards_and_end_at_65535() {
    assert_eq!(refused("proto: tcp"), [Code::PortsMissing]);
    assert_eq!(refused("proto: tcp, ports: 90-80"), [Code::PortsReversed]);
    assert_eq!(refused("proto: tcp, ports: 65536"), [Code::PortsMalformed]);
    assert_eq!(refused("proto: tcp, ports: -1"), [Code::PortsMalformed]);
}

/// Rules: SG-03, SG-08, SG-09, SG-11
#[test]
fn a_peer_is_a_block_a_group_or_a_prefix_list() {
    let peer = |from: &str| ingress(&format!("{{ proto: all, from: {from} }}")).map(|(_, peer)| peer);
    assert_eq!(peer("sg/web"), Ok(Peer::Group("web".to_owned())));
    assert_eq!(peer("sg/app.default"), Ok(Peer::Group("default".to_owned())));
    assert_eq!(peer("\"2001:db8::/32\""), Ok(Peer::Cidr("2001:db8::/32".parse().expect("a block"))));
    assert_eq!(peer("sg/gone"), Err(vec![Code::UnknownReference]));
    assert_eq!(peer("prefix_list/gone"), Err(vec![Code::UnknownReference]));
    assert_eq!(peer("10.0.0.1"), Err(vec![Code::CidrMalformed]));
}

/// Rules: AD-29, NA-08
#[test]
fn icmp_of_one_family_never_meets_addresses_of_the_other() {
    assert_eq!(ingress("{ proto: icmp, from: \"::/0\" }"), Err(vec![Code::FamilyMismatch]));
    assert_eq!(refused("proto: icmpv6"), [Code::FamilyMismatch]);
    let acl = "    network_acls: { db: { ingress: [ { rule: 1, action: allow, proto: icmpv6, cidr: 0.0.0.0/0 } ] } }";
    assert_eq!(app_codes(acl), [Code::FamilyMismatch]);
}

/// Rules: SG-29
#[test]
fn quotas_of_groups_warn_and_limits_refuse() {
    let rules = |n: u32| {
        let rules: String =
            (0..n).map(|p| format!("{{ proto: tcp, ports: {p}, from: 10.0.0.0/16 }},")).collect();
        app_codes(&format!("    security_groups: {{ web: {{ ingress: [ {rules} ] }} }}"))
    };
    assert!(rules(60).is_empty());
    assert_eq!(rules(61), [Code::AboveDefaultQuota]);
    assert_eq!(rules(1000), [Code::AboveDefaultQuota]);
    assert_eq!(rules(1001), [Code::LimitExceeded]);
    let groups = |n: u32| {
        let names: Vec<String> = (0..n).map(|g| format!("g{g}")).collect();
        let groups: String = names.iter().map(|g| format!("{g}: {{}},")).collect();
        app_codes(&format!(
            "    security_groups: {{ {groups} }}\n    subnets: {{ a: {{ cidr: 10.0.1.0/24 }} }}\n    \
             instances: {{ x: {{ subnet: a, security_groups: [{}] }} }}",
            names.join(",")
        ))
    };
    assert!(groups(5).is_empty());
    assert_eq!(groups(6), [Code::AboveDefaultQuota]);
    assert_eq!(groups(16), [Code::AboveDefaultQuota]);
    assert_eq!(groups(17), [Code::LimitExceeded]);
}

/// Rules: SG-29
#[test]
fn the_groups_of_one_interface_hold_at_most_a_thousand_rules_together() {
    let lab = |n: u32| {
        let rules: String =
            (0..n).map(|p| format!("{{ proto: tcp, ports: {p}, from: 10.0.0.0/16 }},")).collect();
        app_codes(&format!(
            "    security_groups: {{ a: {{ ingress: [ {rules} ] }}, b: {{ ingress: [ {rules} ] }} }}\n    \
             subnets: {{ s: {{ cidr: 10.0.1.0/24 }} }}\n    instances: {{ x: {{ subnet: s, security_groups: [a, b] }} }}"
        ))
    };
    assert_eq!(lab(500), [Code::AboveDefaultQuota; 2]);
    assert_eq!(lab(501), [Code::AboveDefaultQuota, Code::AboveDefaultQuota, Code::LimitExceeded]);
}

/// Rules: SG-29
#[test]
fn a_prefix_list_counts_its_size_and_not_its_entries() {
    let text = |max: u32| {
        format!(
            "lab: t\nprefix_lists: {{ l: {{ address_family: ipv4, max_entries: {max}, entries: [192.0.2.0/24] }} }}\n\
             vpcs: {{ a: {{ cidr: [10.0.0.0/16], security_groups: {{ g: {{ ingress: [ {{ proto: all, from: prefix_list/l }} ] }} }} }} }}"
        )
    };
    assert!(codes(&text(60)).is_empty());
    assert_eq!(codes(&text(61)), [Code::AboveDefaultQuota]);
}

/// Rules: SG-31
#[test]
fn a_group_is_not_called_like_an_id_that_it_is_not() {
    assert_eq!(app_codes("    security_groups: { sg-web: {} }"), [Code::NameReserved]);
    assert!(app_codes("    security_groups: { sg-0123456789abcdef0: {} }").is_empty());
}

/// Rules: SG-03
#[test]
fn a_rule_keeps_its_id_when_others_come_and_go() {
    let rule = "{ proto: tcp, ports: 443, from: 10.0.0.0/16 }";
    let id = |rules: &str| {
        let vpc = app(&format!("    security_groups: {{ web: {{ ingress: [ {rules} ] }} }}"));
        vpc.security_groups["web"].ingress.last().expect("a rule").id.clone()
    };
    assert_eq!(id(rule), id(&format!("{{ proto: all, from: sg/web }}, {rule}")));
    assert_ne!(id(rule), id("{ proto: tcp, ports: 444, from: 10.0.0.0/16 }"));
}

/// Rules: NA-02, NA-16
#[test]
fn acl_entries_come_in_order_of_their_numbers_which_are_free() {
    let entry = |n: u32| format!("{{ rule: {n}, action: deny, proto: all, cidr: 10.0.0.0/16 }}");
    let acl = |entries: &[u32]| {
        let entries: Vec<String> = entries.iter().map(|n| entry(*n)).collect();
        format!("    network_acls: {{ db: {{ ingress: [ {} ] }} }}", entries.join(", "))
    };
    let numbers: Vec<u16> =
        app(&acl(&[300, 1, 32766])).network_acls["db"].ingress.iter().map(|e| e.number).collect();
    assert_eq!(numbers, [1, 300, 32766]);
    assert_eq!(app_codes(&acl(&[7, 7])), [Code::AclNumberTaken]);
    assert_eq!(app_codes(&acl(&[0])), [Code::AclNumber]);
    assert_eq!(app_codes(&acl(&[32767])), [Code::AclNumber]);
    let many: Vec<u32> = (1..=19).collect();
    assert!(app_codes(&acl(&many)).is_empty());
    let many: Vec<u32> = (1..=20).collect();
    assert_eq!(app_codes(&acl(&many)), [Code::AboveDefaultQuota]);
    let many: Vec<u32> = (1..=40).collect();
    assert_eq!(app_codes(&acl(&many)), [Code::LimitExceeded]);
}

/// Rules: NA-07
#[test]
fn an_acl_entry_names_a_block_and_nothing_else() {
    for peer in ["sg/web", "prefix_list/offices"] {
        let entry = format!("{{ rule: 1, action: allow, proto: all, cidr: {peer} }}");
        assert_eq!(
            app_codes(&format!("    network_acls: {{ db: {{ ingress: [ {entry} ] }} }}")),
            [Code::AclPeer]
        );
    }
}
