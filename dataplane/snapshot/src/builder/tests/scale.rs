//! What one edit touches in a large lab.

use super::lab::{group, interface, lab, rule, subnet, tcp, vpc};
use super::{Builder, all_parts, changed};
use crate::spec::{AclSpec, GroupRuleSpec, LabSpec, RouteTableSpec};
use crate::{Generation, Part};

const VPCS: u8 = 250;
const VPC_QUADS: usize = 4;
const GROUPS: usize = 5;
const INTERFACES: usize = 10;
const RULES: u16 = 20;

/// 1,000 VPCs with 10 interfaces, 5 groups and 100 group rules each.
fn large() -> LabSpec {
    let mut spec = LabSpec {
        acls: vec![],
        groups: vec![],
        interfaces: vec![],
        route_tables: vec![],
        subnets: vec![],
        vpcs: vec![],
        ..lab()
    };
    for quad in 0..VPC_QUADS {
        for n in 0..VPCS {
            add_vpc(&mut spec, &format!("{quad}{n:03}"), n);
        }
    }
    spec
}

fn add_vpc(spec: &mut LabSpec, tag: &str, n: u8) {
    let template = lab();
    let vpc_id = format!("vpc-{tag}");
    spec.vpcs.push(vpc(&vpc_id));
    spec.acls.push(AclSpec { id: format!("acl-{tag}"), ..(*template.acls[0]).clone() }.into());
    spec.route_tables
        .push(RouteTableSpec { id: format!("rtb-{tag}"), ..(*template.route_tables[0]).clone() }.into());
    let mut own = subnet(&format!("subnet-{tag}"), &vpc_id, n);
    (own.network_acl, own.route_table) = (format!("acl-{tag}"), format!("rtb-{tag}"));
    spec.subnets.push(own);
    for k in 0..GROUPS {
        let rules = (0..RULES).map(|port| sized_rule(tag, k, port)).collect();
        spec.groups.push(group(&format!("sg-{tag}-{k}"), rules, vec![]));
    }
    for k in 0..INTERFACES {
        let mut groups = vec![format!("sg-{tag}-{}", k % GROUPS)];
        if k >= GROUPS {
            groups.push(format!("sg-{tag}-{}", (k + 1) % GROUPS));
        }
        let mut eni = interface(&format!("eni-{tag}-{k}"), &format!("10.0.{n}.{}", 10 + k), &[]);
        (eni.subnet, eni.groups) = (format!("subnet-{tag}"), groups);
        spec.interfaces.push(eni);
    }
}

fn sized_rule(tag: &str, k: usize, port: u16) -> GroupRuleSpec {
    rule(&format!("sgr-{tag}-{k}-{port}"), tcp(port..=port), &format!("10.{k}.{port}.0/24"))
}

#[test]
fn one_rule_in_a_thousand_vpcs_changes_only_the_programs_of_its_group() {
    let mut spec = large();
    assert_eq!((spec.vpcs.len(), spec.interfaces.len()), (1_000, 10_000));
    assert_eq!(spec.groups.iter().map(|group| group.ingress.len()).sum::<usize>(), 100_000);
    let mut builder = Builder::default();
    let first = builder.build(spec.clone()).unwrap();

    let edited = 2_500 * GROUPS / 5 + 2;
    spec.groups[edited].ingress.push(rule("sgr-new", tcp(9999..=9999), "0.0.0.0/0"));
    let id = spec.groups[edited].id.clone();
    let second = builder.build(spec.clone()).unwrap();

    let users = |snapshot: &crate::Snapshot| {
        let mut programs: Vec<_> = spec
            .interfaces
            .iter()
            .filter(|eni| eni.groups.contains(&id))
            .map(|eni| snapshot.interface(snapshot.interface_by_id(&eni.id).unwrap()).unwrap().program)
            .map(Part::Program)
            .collect();
        programs.sort_unstable();
        programs
    };
    assert_eq!(users(&second).len(), 3);
    assert_eq!(changed(&second, Generation(1)), users(&second));
    assert_eq!(all_parts(&first).len(), all_parts(&second).len());
}
