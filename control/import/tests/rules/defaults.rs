//! What AWS fills in when nothing is written.

use ipnet::IpNet;
use model::findings::Code;
use model::lab::{AclAction, Peer, RelatedIcmp, Target, Tracking, Traffic};

use crate::{app, app_codes, codes, lab};

const SIX: &str = "    ipv6_cidr: 2001:db8:0:1000::/56\n";

fn net(text: &str) -> IpNet {
    text.parse().expect("a block")
}

/// Rules: SG-07
#[test]
fn the_default_group_admits_its_own_members_and_lets_everything_out() {
    let vpc = app("");
    let group = &vpc.security_groups["default"];
    let ingress: Vec<_> = group.ingress.iter().map(|r| (&r.traffic, &r.peer)).collect();
    assert_eq!(ingress, [(&Traffic::All, &Peer::Group("default".to_owned()))]);
    let egress: Vec<_> = group.egress.iter().map(|r| (&r.traffic, &r.peer)).collect();
    assert_eq!(egress, [(&Traffic::All, &Peer::Cidr(net("0.0.0.0/0")))]);
    assert_eq!(app(SIX).security_groups["default"].egress[1].peer, Peer::Cidr(net("::/0")));
}

/// Rules: SG-07
#[test]
fn an_interface_without_groups_carries_the_default_one() {
    let vpc = app(
        "    subnets: { a: { cidr: 10.0.1.0/24 } }\n    instances: { x: { subnet: a }, y: { subnet: a, security_groups: [] } }",
    );
    for name in ["x", "y"] {
        assert_eq!(vpc.instances[name].interfaces[0].security_groups, ["default"]);
    }
}

/// Rules: SG-06
#[test]
fn a_new_group_admits_nothing_and_lets_everything_out_per_family() {
    let group = |prefix: &str| {
        app(&format!("{prefix}    security_groups: {{ web: {{}} }}")).security_groups["web"].clone()
    };
    assert!(group("").ingress.is_empty());
    assert_eq!(group("").egress.len(), 1);
    assert_eq!(group(SIX).egress.len(), 2);
    assert!(app("    security_groups: { web: { egress: [] } }").security_groups["web"].egress.is_empty());
}

/// Rules: NA-04, NA-06
#[test]
fn a_subnet_without_an_acl_has_the_default_one_which_lets_everything_through() {
    let vpc = app(&format!("{SIX}    subnets: {{ a: {{ cidr: 10.0.1.0/24 }} }}"));
    assert_eq!(vpc.subnets["a"].network_acl, "default");
    let acl = &vpc.network_acls["default"];
    for entries in [&acl.ingress, &acl.egress] {
        let entries: Vec<_> = entries.iter().map(|e| (e.number, e.action, &e.traffic, e.cidr)).collect();
        let allow = |number, cidr| (number, AclAction::Allow, &Traffic::All, net(cidr));
        assert_eq!(entries, [allow(100, "0.0.0.0/0"), allow(101, "::/0")]);
    }
    assert_eq!(app("").network_acls["default"].ingress.len(), 1);
}

/// Rules: NA-05
#[test]
fn a_new_acl_lets_nothing_through() {
    let vpc = app("    network_acls: { db: {}, default: { egress: [] } }");
    assert!(vpc.network_acls["db"].ingress.is_empty() && vpc.network_acls["db"].egress.is_empty());
    // Of the default ACL only the direction that is written changes.
    assert_eq!(vpc.network_acls["default"].ingress.len(), 1);
    assert!(vpc.network_acls["default"].egress.is_empty());
}

/// Rules: RT-01, RT-02, RT-04
#[test]
fn every_vpc_has_a_main_table_with_a_local_route_per_block() {
    let vpc = app(&format!("{SIX}    subnets: {{ a: {{ cidr: 10.0.1.0/24 }} }}"));
    assert_eq!(vpc.subnets["a"].route_table, "main");
    let main = &vpc.route_tables["main"];
    assert!(main.main);
    assert_eq!(main.routes.len(), 2);
    assert!(main.routes.iter().all(|r| r.target == Target::Local));
    assert_eq!(main.routes[0].id, format!("{}/10.0.0.0/16", main.id));
}

/// Rules: RT-01, RT-02
#[test]
fn the_written_main_table_serves_subnets_without_an_association() {
    let tables = "    route_tables: { one: { main: true }, two: {} }\n";
    let vpc = app(&format!(
        "{tables}    subnets: {{ a: {{ cidr: 10.0.1.0/24 }}, b: {{ cidr: 10.0.2.0/24, route_table: two }} }}"
    ));
    assert_eq!(vpc.subnets["a"].route_table, "one");
    assert_eq!(vpc.subnets["b"].route_table, "two");
    assert!(!vpc.route_tables.contains_key("main"));
    assert_eq!(
        app_codes("    route_tables: { one: { main: true }, two: { main: true } }"),
        [Code::MainTables]
    );
}

/// Rules: SG-20, SG-22, MT-09, SG-14
#[test]
fn knobs_default_to_what_aws_does() {
    let settings = lab("lab: t").settings;
    assert_eq!(
        (settings.tcp_established, settings.udp_stream, settings.udp_timeout, settings.icmp),
        (432_000, 180, 30, 30)
    );
    assert_eq!((settings.related_icmp, settings.tracking), (RelatedIcmp::Accept, Tracking::Aws));
    let written =
        lab("lab: t\nsettings: { sg: { tcp_established: 60, related_icmp: reject, track_all: true } }")
            .settings;
    assert_eq!(
        (written.tcp_established, written.related_icmp, written.tracking),
        (60, RelatedIcmp::Reject, Tracking::All)
    );
    assert_eq!(codes("lab: t\nsettings: { sg: { tcp_established: 432001 } }"), [Code::OutOfRange]);
    assert_eq!(codes("lab: t\nsettings: { sg: { udp_timeout: 61, udp_stream: 59 } }"), [Code::OutOfRange; 2]);
}

#[test]
fn zone_ids_follow_the_letter_unless_one_is_written() {
    let subnets =
        "    subnets:\n      a: { cidr: 10.0.1.0/24 }\n      b: { cidr: 10.0.2.0/24, az: us-east-1b }\n";
    let vpc = app(subnets);
    assert_eq!((vpc.subnets["a"].az.as_str(), vpc.subnets["a"].az_id.as_str()), ("us-east-1a", "use1-az1"));
    assert_eq!(vpc.subnets["b"].az_id, "use1-az2");
    // A written id holds for the zone in the whole account, and is taken for the others.
    let vpc = app(&format!("{subnets}      c: {{ cidr: 10.0.3.0/24, az: us-east-1a, az_id: use1-az2 }}"));
    assert_eq!(vpc.subnets["a"].az_id, "use1-az2");
    assert_eq!(vpc.subnets["b"].az_id, "use1-az1");
}

#[test]
fn a_name_that_is_an_id_stays_the_id() {
    let lab = lab("lab: t\nvpcs: { vpc-0404e08ceddf7f650: { cidr: [10.0.0.0/16] } }");
    assert_eq!(lab.vpcs["vpc-0404e08ceddf7f650"].id, "vpc-0404e08ceddf7f650");
}

#[test]
fn ids_depend_on_account_region_vpc_and_name_only() {
    let first = app("    subnets: { a: { cidr: 10.0.1.0/24 } }\n    instances: { web-1: { subnet: a } }");
    let second = app(
        "    subnets: { b: { cidr: 10.0.2.0/24 }, a: { cidr: 10.0.3.0/24 } }\n    instances: { x: { subnet: b }, web-1: { subnet: a } }",
    );
    assert_eq!(first.subnets["a"].id, second.subnets["a"].id);
    assert_eq!(first.instances["web-1"].interfaces[0].id, second.instances["web-1"].interfaces[0].id);
    let elsewhere = lab("lab: t\nregion: eu-west-1\nvpcs: { app: { cidr: [10.0.0.0/16] } }");
    assert_ne!(elsewhere.vpcs["app"].id, first.id);
}

#[test]
fn account_and_region_of_a_vpc_are_those_of_the_lab_unless_written() {
    let lab = lab(
        "lab: t\naccount: \"012345678901\"\nvpcs:\n  a: { cidr: [10.0.0.0/16] }\n  b: { cidr: [10.0.0.0/16], region: eu-west-1, account: \"210987654321\" }",
    );
    assert_eq!(
        (lab.vpcs["a"].account.as_str(), lab.vpcs["a"].region.as_str()),
        ("012345678901", "us-east-1")
    );
    assert_eq!(
        (lab.vpcs["b"].account.as_str(), lab.vpcs["b"].region.as_str()),
        ("210987654321", "eu-west-1")
    );
}
