//! The examples load, and mean what their comments say.

use std::path::PathBuf;

use model::Valid;
use model::findings::{Code, Findings};
use model::lab::{
    Connectivity, Destination, InterfaceRef, Peer, PeeredGroup, PeeringReach, SourceDestCheck, Target,
    Traffic, Vpc,
};
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
fn every_example_passes_the_check_with_the_warnings_that_its_comments_announce() {
    let announced = |name: &str| match name {
        "internet-gateway.yaml" => vec![Code::PublicAddressWithoutRoute],
        "nat-gateway.yaml" => vec![Code::PeeringWithoutReturnRoute],
        "peering.yaml" => vec![Code::PeeringRouteOutsidePeer],
        _ => Vec::new(),
    };
    let labs = names().into_iter().filter(|name| !name.ends_with(".checks.yaml") && name != "shop.yaml");
    let labs: Vec<String> = labs.collect();
    assert!(labs.len() >= 11, "{labs:?}");
    for name in labs {
        let found = warnings(&name);
        assert_eq!(found, announced(&name), "{name}");
    }
}

#[test]
fn every_example_of_a_gateway_has_expectations_beside_it() {
    let names = names();
    for path in [
        "internet-gateway",
        "egress-only",
        "nat-gateway",
        "nat64",
        "peering",
        "inter-region-peering",
        "middlebox",
        "regions",
    ] {
        assert!(names.contains(&format!("{path}.yaml")), "{path}");
        assert!(names.contains(&format!("{path}.checks.yaml")), "{path}");
    }
}

#[test]
fn peering_has_two_accounts_and_a_group_of_the_peer_in_a_rule() {
    let (valid, _) = loaded("peering.yaml");
    let vpcs = &valid.lab().vpcs;
    assert_ne!(vpcs["web"].account, vpcs["app"].account);
    let web = Peer::PeeredGroup(PeeredGroup { vpc: "web".to_owned(), group: "web".to_owned() });
    assert!(vpcs["app"].security_groups["app"].ingress.iter().all(|rule| rule.peer == web));
    assert!(!valid.lab().peerings.values().any(|p| p.joins("web", "db")));
}

#[test]
fn regions_has_three_vpcs_in_two_regions_and_three_zones_and_every_kind_of_gateway() {
    let lab = valid("regions.yaml");
    let vpcs = &lab.lab().vpcs;
    let count = |words: Vec<&str>| words.into_iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(vpcs.len(), 3);
    assert_eq!(count(vpcs.values().map(|vpc| vpc.region.as_str()).collect()), 2);
    assert_eq!(count(vpcs.values().flat_map(|vpc| vpc.subnets.values().map(|s| s.az.as_str())).collect()), 3);
    let nat = |connectivity| {
        vpcs.values().flat_map(|vpc| vpc.nat_gateways.values()).any(|nat| nat.connectivity == connectivity)
    };
    assert!(nat(Connectivity::Public) && nat(Connectivity::Private));
    assert!(vpcs.values().any(|vpc| vpc.egress_only_internet_gateway.is_some()));
    let edge = |vpc: &Vpc| vpc.internet_gateway.as_ref().is_some_and(|gateway| gateway.route_table.is_some());
    assert!(vpcs.values().any(edge) && vpcs.values().any(|vpc| vpc.internet_gateway.is_some() && !edge(vpc)));
    let reach = |reach| lab.lab().peerings.values().any(|peering| peering.reach == reach);
    assert!(reach(PeeringReach::InterRegion) && reach(PeeringReach::IntraRegion));
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

/// Names of all files in the folder.
fn names() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = std::fs::read_dir(folder).expect("the folder exists");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.expect("a readable entry").file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    names
}

fn warnings(name: &str) -> Vec<Code> {
    loaded(name).1.iter().map(|finding| finding.code).collect()
}

fn loaded(name: &str) -> (Valid, Findings) {
    let text = text(name);
    load(name, &text).unwrap_or_else(|found| panic!("{}", render(&found, name, &text, Look::Plain)))
}

/// An example that deserves no warning.
fn valid(name: &str) -> Valid {
    let (valid, warnings) = loaded(name);
    assert!(warnings.is_empty(), "{}", render(&warnings, name, &text(name), Look::Plain));
    valid
}
