//! VPC and subnet blocks.

use model::findings::Code;

use crate::{app, app_codes, codes, lab};

fn vpc_codes(cidrs: &str) -> Vec<Code> {
    codes(&format!("lab: t\nvpcs: {{ a: {{ cidr: {cidrs} }} }}"))
}

fn subnet_codes(cidr: &str) -> Vec<Code> {
    app_codes(&format!("    subnets: {{ a: {{ cidr: {cidr} }} }}"))
}

/// Rules: AD-01
#[test]
fn a_vpc_block_is_16_to_28() {
    assert_eq!(vpc_codes("[10.0.0.0/15]"), [Code::CidrSize]);
    assert!(vpc_codes("[10.0.0.0/16]").is_empty());
    assert!(vpc_codes("[10.0.0.0/28]").is_empty());
    assert_eq!(vpc_codes("[10.0.0.0/29]"), [Code::CidrSize]);
    assert_eq!(vpc_codes("[]"), [Code::CidrMissing]);
}

/// Rules: AD-01
#[test]
fn the_first_block_is_the_primary_one() {
    let lab = lab("lab: t\nvpcs: { a: { cidr: [10.9.0.0/16, 10.8.0.0/16] } }");
    assert_eq!(lab.vpcs["a"].cidrs[0].to_string(), "10.9.0.0/16");
}

/// Rules: AD-02
#[test]
fn host_bits_are_masked_with_a_warning() {
    assert_eq!(vpc_codes("[100.68.0.18/18]"), [Code::CidrHostBits]);
    let lab = lab("lab: t\nvpcs: { a: { cidr: [100.68.0.18/18] } }");
    assert_eq!(lab.vpcs["a"].cidrs[0].to_string(), "100.68.0.0/18");
    let vpc = app(
        "    network_acls: { db: { ingress: [ { rule: 1, action: allow, proto: all, cidr: 10.0.1.9/24 } ] } }",
    );
    assert_eq!(vpc.network_acls["db"].ingress[0].cidr.to_string(), "10.0.1.0/24");
}

/// Rules: AD-03
#[test]
fn a_subnet_lies_in_one_block_and_beside_its_siblings() {
    assert!(subnet_codes("10.0.0.0/16").is_empty(), "a subnet may be the whole VPC");
    assert!(subnet_codes("10.0.0.0/28").is_empty());
    assert_eq!(subnet_codes("10.0.0.0/29"), [Code::CidrSize]);
    assert_eq!(subnet_codes("10.1.0.0/24"), [Code::SubnetOutsideVpc]);
    assert_eq!(
        app_codes("    subnets: { a: { cidr: 10.0.0.0/20 }, b: { cidr: 10.0.15.0/24 } }"),
        [Code::CidrOverlap]
    );
    assert!(app_codes("    subnets: { a: { cidr: 10.0.0.0/20 }, b: { cidr: 10.0.16.0/24 } }").is_empty());
}

/// Rules: AD-04
#[test]
fn ipv6_blocks_come_in_steps_of_four_bits() {
    let six = |vpc: &str, subnet: &str| {
        app_codes(&format!(
            "    ipv6_cidr: \"{vpc}\"\n    subnets: {{ a: {{ cidr: 10.0.1.0/24, ipv6_cidr: \"{subnet}\" }} }}"
        ))
    };
    assert!(six("2001:db8::/44", "2001:db8::/44").is_empty());
    assert!(six("2001:db8::/60", "2001:db8::/64").is_empty());
    assert_eq!(six("2001:db8::/40", "2001:db8::/64"), [Code::CidrSize]);
    assert_eq!(six("2001:db8::/56", "2001:db8::/62"), [Code::CidrSize]);
    assert_eq!(six("2001:db8::/56", "2001:db8::/68"), [Code::CidrSize]);
    assert_eq!(six("2001:db8::/56", "2001:db8:1::/64"), [Code::SubnetOutsideVpc]);
}

/// Rules: AD-12
#[test]
fn some_blocks_are_never_a_vpc() {
    for block in ["169.254.0.0/16", "127.1.0.0/16", "0.0.0.0/16", "224.0.0.0/16", "240.0.0.0/16"] {
        assert_eq!(vpc_codes(&format!("[{block}]")), [Code::CidrForbidden], "{block}");
    }
    assert!(vpc_codes("[198.18.0.0/16]").is_empty());
}

/// Rules: AD-12
#[test]
fn families_of_private_blocks_do_not_mix() {
    assert_eq!(vpc_codes("[10.8.0.0/16, 172.16.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[192.168.0.0/24, 10.8.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[10.8.0.0/16, 198.19.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[10.1.0.0/16, 10.0.128.0/20]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[172.16.0.0/16, 172.31.0.0/20]"), [Code::CidrRestricted]);
    assert!(vpc_codes("[10.8.0.0/16, 100.64.0.0/16, 203.0.113.0/24, 10.9.0.0/16]").is_empty());
}

/// Rules: AD-12
#[test]
fn every_block_of_a_vpc_restricts_those_that_follow() {
    assert_eq!(vpc_codes("[10.2.0.0/16, 10.1.0.0/16, 10.0.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[100.64.0.0/16, 10.1.0.0/16, 10.0.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[100.64.0.0/16, 172.16.0.0/16, 172.31.0.0/16]"), [Code::CidrRestricted]);
    assert_eq!(vpc_codes("[100.64.0.0/16, 10.8.0.0/16, 192.168.0.0/16]"), [Code::CidrRestricted]);
    assert!(vpc_codes("[10.2.0.0/16, 10.0.0.0/16]").is_empty());
    assert!(vpc_codes("[100.64.0.0/16, 172.31.0.0/16]").is_empty());
}

#[test]
fn equal_blocks_of_two_vpcs_are_fine_and_of_one_are_not() {
    assert!(codes("lab: t\nvpcs: { a: { cidr: [10.0.0.0/16] }, b: { cidr: [10.0.0.0/16] } }").is_empty());
    assert_eq!(vpc_codes("[10.8.0.0/16, 10.8.0.0/16]"), [Code::CidrOverlap]);
}

/// Rules: AD-01
#[test]
fn more_than_five_blocks_need_a_higher_quota() {
    let blocks = |n: u32| (8..8 + n).map(|b| format!("10.{b}.0.0/16")).collect::<Vec<_>>().join(", ");
    assert!(vpc_codes(&format!("[{}]", blocks(5))).is_empty());
    assert_eq!(vpc_codes(&format!("[{}]", blocks(6))), [Code::AboveDefaultQuota]);
    assert_eq!(vpc_codes(&format!("[{}]", blocks(51))), [Code::LimitExceeded]);
}
