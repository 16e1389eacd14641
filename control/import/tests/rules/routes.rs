//! Route tables.

use model::findings::Code;
use model::lab::{Destination, InterfaceRef, Route, Target};

use crate::{app, app_codes, codes, lab};

const INSTANCES: &str = "    ipv6_cidr: 2001:db8::/56
    subnets: { a: { cidr: 10.0.1.0/24, ipv6_cidr: \"2001:db8::/64\" }, b: { cidr: 10.0.2.0/24 } }
    instances:
      router: { subnet: a, source_dest_check: false }
      two: { interfaces: { eth0: { subnet: a }, eth1: { subnet: b, source_dest_check: false } } }
";

fn text(to: &str, via: &str) -> String {
    format!(
        "{INSTANCES}    route_tables: {{ main: {{ main: true, routes: [ {{ to: \"{to}\", via: {via} }} ] }} }}"
    )
}

fn refused(to: &str, via: &str) -> Vec<Code> {
    app_codes(&text(to, via))
}

fn routes(to: &str, via: &str) -> Vec<Route> {
    app(&text(to, via)).route_tables["main"].routes.clone()
}

fn target(to: &str, via: &str) -> Target {
    let destination = Destination::Cidr(to.parse().expect("a block"));
    routes(to, via).into_iter().find(|r| r.destination == destination).expect("the route").target
}

fn interface(instance: &str, device: &str) -> Target {
    Target::Interface(InterfaceRef { instance: instance.to_owned(), device: device.to_owned() })
}

/// Rules: RT-14
#[test]
fn a_route_leads_to_an_interface_by_instance_or_device() {
    assert_eq!(target("192.0.2.0/24", "instance/router"), interface("router", "eth0"));
    assert_eq!(target("192.0.2.0/24", "interface/router.eth0"), interface("router", "eth0"));
    assert_eq!(target("192.0.2.0/24", "interface/two.eth1"), interface("two", "eth1"));
    assert_eq!(target("192.0.2.0/24", "interface/app.two.eth1"), interface("two", "eth1"));
    assert_eq!(target("::/0", "instance/router"), interface("router", "eth0"));
    assert_eq!(refused("192.0.2.0/24", "instance/two"), [Code::RouteTargetAmbiguous]);
    assert_eq!(refused("192.0.2.0/24", "interface/two.eth2"), [Code::UnknownReference]);
}

/// Rules: RT-15
#[test]
fn a_route_may_lead_nowhere() {
    assert_eq!(target("192.0.2.0/24", "blackhole"), Target::Blackhole);
}

/// Rules: RT-11
#[test]
fn inside_the_vpc_only_whole_subnets_may_be_diverted_and_only_to_interfaces() {
    assert_eq!(target("10.0.1.0/24", "instance/router"), interface("router", "eth0"));
    assert_eq!(target("2001:db8::/64", "instance/router"), interface("router", "eth0"));
    assert_eq!(refused("10.0.1.0/25", "instance/router"), [Code::RouteInsideVpc]);
    assert_eq!(refused("10.0.0.0/23", "instance/router"), [Code::RouteInsideVpc]);
    assert_eq!(refused("10.0.1.0/24", "peering/p"), [Code::UnknownReference]);
    assert!(refused("10.0.0.0/8", "instance/router").is_empty(), "wider than the VPC is an ordinary route");
}

/// Rules: RT-04, RT-12
#[test]
fn the_local_route_may_change_its_target_and_never_disappears() {
    let routes = routes("10.0.0.0/16", "instance/router");
    assert_eq!(routes.len(), 2);
    assert_eq!(routes[0].target, interface("router", "eth0"));
    assert_eq!(target("10.0.0.0/16", "local"), Target::Local);
    assert_eq!(refused("192.0.2.0/24", "local"), [Code::RouteLocal]);
}

/// Rules: RT-11, RT-12
#[test]
fn a_blackhole_stands_behind_neither_the_local_route_nor_a_subnet() {
    for to in ["10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/25", "2001:db8::/56", "2001:db8::/64"] {
        assert_eq!(refused(to, "blackhole"), [Code::RouteInsideVpc], "{to}");
    }
    assert!(refused("10.0.0.0/8", "blackhole").is_empty(), "wider than the VPC is an ordinary route");
}

/// Codes about a route of a VPC 10.0.0.0/16 with the subnet 10.0.1.0/24 to a list of these entries.
fn listed(family: &str, entries: &str, via: &str) -> Vec<Code> {
    let lists = format!("{{ l: {{ address_family: {family}, max_entries: 9, entries: [{entries}] }} }}");
    codes(&format!(
        "lab: t\nprefix_lists: {lists}\nvpcs:\n  app:\n    cidr: [10.0.0.0/16]\n{}",
        text("prefix_list/l", via)
    ))
}

/// Rules: RT-05, RT-11
#[test]
fn every_entry_of_a_list_keeps_to_what_may_be_diverted_inside_the_vpc() {
    assert_eq!(
        listed("ipv4", "192.0.2.0/24, 10.0.2.0/25, 10.0.2.128/26", "instance/router"),
        [Code::RouteInsideVpc; 2]
    );
    assert_eq!(listed("ipv6", "\"2001:db8::/65\"", "instance/router"), [Code::RouteInsideVpc]);
    assert_eq!(listed("ipv4", "10.0.1.0/24", "blackhole"), [Code::RouteInsideVpc]);
    assert!(listed("ipv4", "10.0.1.0/24, 10.0.0.0/8, 0.0.0.0/0", "instance/router").is_empty());
}

/// Rules: RT-05, RT-12, RT-14
#[test]
fn a_list_leads_to_the_vpc_itself_only_if_each_entry_is_a_block_of_it() {
    assert_eq!(listed("ipv4", "10.0.2.0/25, 192.0.2.0/24", "local"), [Code::RouteLocal; 2]);
    assert!(listed("ipv4", "10.0.0.0/16", "local").is_empty());
}

/// Rules: RT-05, AD-11
#[test]
fn no_entry_of_a_routed_list_lies_in_the_link_local_services() {
    assert_eq!(listed("ipv4", "169.254.169.0/24, 192.0.2.0/24", "instance/router"), [Code::RouteReserved]);
    assert_eq!(listed("ipv6", "\"fd00:ec2::/64\"", "blackhole"), [Code::RouteReserved]);
    assert!(listed("ipv4", "169.254.0.0/16", "blackhole").is_empty());
}

/// Rules: AD-11
#[test]
fn link_local_services_cannot_be_routed_but_may_be_covered() {
    for to in ["169.254.168.0/22", "169.254.169.254/32", "fd00:ec2::/32", "fd00:ec2::254/128"] {
        assert_eq!(refused(to, "blackhole"), [Code::RouteReserved], "{to}");
    }
    for to in ["169.254.0.0/16", "0.0.0.0/0", "fd00::/8"] {
        assert!(refused(to, "blackhole").is_empty(), "{to}");
    }
}

/// Rules: EI-01
#[test]
fn an_egress_only_gateway_is_for_ipv6() {
    let codes = |to: &str| {
        app_codes(&format!(
            "    egress_only_internet_gateway: true\n{}",
            text(to, "egress_only_internet_gateway")
        ))
    };
    assert_eq!(codes("0.0.0.0/0"), [Code::FamilyMismatch]);
    assert_eq!(codes("::/0"), []);
}

/// Rules: RT-05, RT-25
#[test]
fn a_prefix_list_is_one_route_that_counts_its_size() {
    let text = |max: u32, more: &str| {
        format!(
            "lab: t\nprefix_lists: {{ l: {{ address_family: ipv4, max_entries: {max}, entries: [192.0.2.0/24] }} }}\n\
             vpcs: {{ a: {{ cidr: [10.0.0.0/16], route_tables: {{ main: {{ main: true, routes: [ \
             {{ to: prefix_list/l, via: blackhole }}{more} ] }} }} }} }}"
        )
    };
    let lab = lab(&text(999, ""));
    let routes = &lab.vpcs["a"].route_tables["main"].routes;
    assert_eq!(routes[1].destination, Destination::PrefixList("l".to_owned()));
    assert_eq!(
        routes[1].id,
        format!("{}/{}", lab.vpcs["a"].route_tables["main"].id, lab.prefix_lists["l"].id)
    );
    assert!(codes(&text(999, "")).is_empty());
    assert_eq!(codes(&text(999, ", { to: 198.51.100.0/24, via: blackhole }")), [Code::LimitExceeded]);
    assert!(
        codes(&text(999, ", { to: \"2001:db8::/32\", via: blackhole }")).is_empty(),
        "families count apart"
    );
}

#[test]
fn a_destination_has_one_route_in_a_table() {
    let routes = "{ to: 192.0.2.0/24, via: blackhole }, { to: 192.0.2.1/24, via: blackhole }";
    let codes = app_codes(&format!("    route_tables: {{ main: {{ main: true, routes: [ {routes} ] }} }}"));
    assert_eq!(codes, [Code::CidrHostBits, Code::DuplicateRoute]);
}
