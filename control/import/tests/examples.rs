//! The examples load, and mean what their comments say.

use std::path::PathBuf;

use model::Valid;
use model::findings::Code;
use model::lab::{Destination, InterfaceRef, Peer, SourceDestCheck, Target, Traffic, Vpc};
use vpclab_import::{Look, load, render};

#[test]
fn two_tier_puts_the_reply_of_one_ping_at_the_mercy_of_its_acl() {
    let lab = valid("two-tier.yaml");
    let vpc = &lab.lab().vpcs["shop"];
    let acl = &vpc.network_acls[&vpc.subnets["back"].network_acl];
    assert!(acl.ingress.iter().any(|e| matches!(e.traffic, Traffic::Icmp(..))));
    assert!(!acl.egress.iter().any(|e| matches!(e.traffic, Traffic::Icmp(..))));
    let from_app = |peer: &Peer| *peer == Peer::Group("app".to_owned());
    assert!(vpc.security_groups["db"].ingress.iter().all(|rule| from_app(&rule.peer)));
}

#[test]
fn nat_instance_diverts_a_subnet_to_an_instance_that_forwards() {
    let lab = valid("nat-instance.yaml");
    let vpc = &lab.lab().vpcs["hub"];
    let nat = InterfaceRef { instance: "nat-1".to_owned(), device: "eth0".to_owned() };
    let route = route(vpc, "clients", "10.3.3.0/24");
    assert_eq!(route, &Target::Interface(nat));
    assert_eq!(vpc.instances["nat-1"].interfaces[0].source_dest_check, SourceDestCheck::Off);
    assert_eq!(vpc.instances["fw-1"].interfaces.len(), 2);
    assert_eq!(vpc.subnets["transit"].route_table, "main");
}

#[test]
fn prefix_lists_has_what_its_first_line_says() {
    let lab = valid("prefix-lists.yaml");
    let vpc = &lab.lab().vpcs["main"];
    assert_eq!(route(vpc, "standard", "192.0.2.128/25"), &Target::Blackhole);
    let offices = Destination::PrefixList("offices".to_owned());
    assert!(vpc.route_tables["standard"].routes.iter().any(|r| r.destination == offices));
    let monitor = &vpc.instances["mon-1"].interfaces[0];
    assert_eq!(monitor.private_ips.len(), 2);
    assert_eq!(vpc.instances["small-1"].interfaces[0].mtu, 1500);
    // Written addresses come first: 10.4.2.4 is the lowest that anyone may have.
    assert_eq!(vpc.instances["small-1"].interfaces[0].private_ips[0].to_string(), "10.4.2.4");
    assert_eq!(vpc.instances["app-1"].interfaces[0].ipv6_addresses[0].to_string(), "2001:db8:0:4001::4");
}

#[test]
fn everything_that_shop_says_is_understood_and_only_waits_to_be_enforced() {
    let text = text("shop.yaml");
    let found = load("shop.yaml", &text).expect_err("shop has keys that are not enforced yet");
    let others: Vec<_> = found.iter().filter(|f| f.code != Code::NotEnforcedYet).collect();
    assert!(others.is_empty(), "{}", render(&found, "shop.yaml", &text, Look::Plain));
    let lines: Vec<usize> = found.iter().map(|f| f.spot().line).collect();
    assert_eq!(lines.len(), 12, "{lines:?}");
}

fn route<'a>(vpc: &'a Vpc, table: &str, to: &str) -> &'a Target {
    let routes = &vpc.route_tables[table].routes;
    let destination = Destination::Cidr(to.parse().expect("a block"));
    &routes.iter().find(|r| r.destination == destination).expect("the table has the route").target
}

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    std::fs::read_to_string(path).expect("the example exists")
}

fn valid(name: &str) -> Valid {
    let text = text(name);
    match load(name, &text) {
        Ok((valid, warnings)) => {
            assert!(warnings.is_empty(), "{}", render(&warnings, name, &text, Look::Plain));
            valid
        }
        Err(found) => panic!("{}", render(&found, name, &text, Look::Plain)),
    }
}
