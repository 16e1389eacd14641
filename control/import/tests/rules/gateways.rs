//! Internet gateways, public addresses, NAT gateways and the internet.

use std::net::{IpAddr, Ipv4Addr};

use model::findings::Code;
use model::lab::{Connectivity, FlowLogScope, Interface, Lab, NatGateway, Target, Vpc};

use crate::{app, app_codes, codes, lab};

const PUBLIC: &str = "    internet_gateway: true
    subnets: { a: { cidr: 10.0.1.0/24 } }
    route_tables: { main: { main: true, routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] } }
";

fn public(body: &str) -> Vpc {
    app(&format!("{PUBLIC}{body}"))
}

fn public_codes(body: &str) -> Vec<Code> {
    app_codes(&format!("{PUBLIC}{body}"))
}

fn with_pool(pool: &str, body: &str) -> Lab {
    lab(&format!(
        "lab: t\ninternet: {{ public_pool: [{pool}], hosts: {{ h: {{ ips: [198.51.100.2] }} }} }}\n\
         vpcs:\n  app:\n    cidr: [10.0.0.0/16]\n{PUBLIC}{body}\n"
    ))
}

fn interface<'a>(vpc: &'a Vpc, instance: &str) -> &'a Interface {
    &vpc.instances[instance].interfaces[0]
}

fn mapped(interface: &Interface) -> Vec<(String, String)> {
    interface.public_ips.iter().map(|(private, public)| (private.to_string(), public.to_string())).collect()
}

fn pair(private: &str, public: &str) -> (String, String) {
    (private.to_owned(), public.to_owned())
}

/// Rules: IG-01
#[test]
fn a_vpc_has_an_internet_gateway_only_if_it_says_so() {
    assert!(app("").internet_gateway.is_none());
    assert!(app("    internet_gateway: false").internet_gateway.is_none());
    let gateway = app("    internet_gateway: true").internet_gateway.expect("a gateway");
    assert!(gateway.id.starts_with("igw-"));
    assert_eq!(gateway.route_table, None);
    let gateway = app("    egress_only_internet_gateway: true").egress_only_internet_gateway;
    assert!(gateway.is_some_and(|g| g.id.starts_with("eigw-")));
}

/// Rules: RT-20
#[test]
fn an_edge_table_leads_to_interfaces_by_whole_blocks() {
    let text = |to: &str, via: &str| {
        format!(
            "    internet_gateway: {{ route_table: edge }}
    subnets: {{ a: {{ cidr: 10.0.1.0/24, route_table: public }}, b: {{ cidr: 10.0.2.0/24 }} }}
    route_tables:
      edge: {{ routes: [ {{ to: {to}, via: {via} }} ] }}
      public: {{ routes: [ {{ to: 0.0.0.0/0, via: internet_gateway }} ] }}
    instances: {{ fw: {{ subnet: a, source_dest_check: false, public_ip: 198.51.100.9 }} }}"
        )
    };
    let vpc = app(&text("10.0.2.0/24", "instance/fw"));
    assert_eq!(vpc.internet_gateway.and_then(|g| g.route_table).as_deref(), Some("edge"));
    for to in ["10.0.0.0/16", "10.0.1.0/24"] {
        assert_eq!(app_codes(&text(to, "interface/fw.eth0")), [], "{to}");
    }
    assert_eq!(app_codes(&text("192.0.2.0/24", "instance/fw")), [Code::EdgeRoute]);
    assert_eq!(app_codes(&text("0.0.0.0/0", "instance/fw")), [Code::EdgeRoute]);
    assert_eq!(app_codes(&text("192.0.2.0/24", "internet_gateway")), [Code::EdgeRoute; 2]);
}

/// Rules: AD-16, IG-03
#[test]
fn a_public_address_belongs_to_one_private_address() {
    let vpc = public(
        "    instances:
      one: { subnet: a, private_ips: [10.0.1.10, 10.0.1.11], public_ip: 198.51.100.10 }
      many: { subnet: a, private_ips: [10.0.1.20, 10.0.1.21], public_ips: { 10.0.1.21: 198.51.100.21 } }",
    );
    assert_eq!(mapped(interface(&vpc, "one")), [pair("10.0.1.10", "198.51.100.10")]);
    assert_eq!(mapped(interface(&vpc, "many")), [pair("10.0.1.21", "198.51.100.21")]);
}

/// Rules: IG-13
#[test]
fn a_public_address_needs_an_internet_gateway() {
    let instance = "    subnets: { a: { cidr: 10.0.1.0/24 } }\n    instances: { w: { subnet: a, public_ip: 198.51.100.9 } }";
    assert_eq!(app_codes(instance), [Code::GatewayNotAttached]);
    let gateway = "    subnets: { a: { cidr: 10.0.1.0/24 } }\n    nat_gateways: { n: { subnet: a, public_ip: 198.51.100.9 } }";
    assert_eq!(app_codes(gateway), [Code::NatGatewayWithoutInternetRoute, Code::GatewayNotAttached]);
}

#[test]
fn auto_takes_the_lowest_address_that_nobody_has() {
    let lab = with_pool(
        "198.51.100.0/29",
        "    instances:
      b: { subnet: a, public_ip: auto }
      a: { subnet: a, public_ip: auto }
      c: { subnet: a, public_ip: 198.51.100.1 }
    nat_gateways: { n: { subnet: a, public_ip: auto } }",
    );
    let vpc = &lab.vpcs["app"];
    let public = |name: &str| mapped(interface(vpc, name))[0].1.clone();
    // .1 is written elsewhere and .2 is a host's.
    assert_eq!([public("a"), public("b"), public("c")], ["198.51.100.3", "198.51.100.4", "198.51.100.1"]);
    assert_eq!(publics(&vpc.nat_gateways["n"]), ["198.51.100.5"]);
}

fn publics(gateway: &NatGateway) -> Vec<String> {
    gateway.addresses.iter().filter_map(|a| a.public_ip).map(|a| a.to_string()).collect()
}

fn privates(gateway: &NatGateway) -> Vec<Ipv4Addr> {
    gateway.addresses.iter().map(|a| a.private_ip).collect()
}

/// Rules: NG-01, NG-02, NG-07
#[test]
fn a_public_nat_gateway_has_an_interface_and_a_pair_of_addresses_or_more() {
    let vpc = public(
        "    nat_gateways:
      n: { subnet: a, public_ip: 198.51.100.10, private_ip: 10.0.1.9, secondary: [ { public_ip: 198.51.100.11 } ] }
    instances: { w: { subnet: a } }",
    );
    let gateway = &vpc.nat_gateways["n"];
    assert_eq!(gateway.connectivity, Connectivity::Public);
    assert!(gateway.id.starts_with("nat-") && gateway.interface_id.starts_with("eni-"));
    // The instance got 10.0.1.4: gateways come last.
    assert_eq!(privates(gateway), [Ipv4Addr::new(10, 0, 1, 9), Ipv4Addr::new(10, 0, 1, 5)]);
    assert_eq!(publics(gateway), ["198.51.100.10", "198.51.100.11"]);
}

/// Rules: NG-03
#[test]
fn a_private_nat_gateway_has_no_public_address_and_needs_no_internet_gateway() {
    let body = |more: &str| {
        format!(
            "    subnets: {{ a: {{ cidr: 10.0.1.0/24 }} }}\n    nat_gateways: {{ n: {{ subnet: a, connectivity_type: private{more} }} }}"
        )
    };
    let vpc = app(&body(""));
    assert_eq!(vpc.nat_gateways["n"].connectivity, Connectivity::Private);
    assert_eq!(publics(&vpc.nat_gateways["n"]), [""; 0]);
    assert_eq!(public_codes("    nat_gateways: { n: { subnet: a } }"), [Code::MissingKey]);
}

/// Rules: NG-07
#[test]
fn a_nat_gateway_has_at_most_eight_addresses() {
    let body = |secondary: usize| {
        let list = vec!["{}"; secondary].join(", ");
        format!(
            "    nat_gateways: {{ n: {{ subnet: a, connectivity_type: private, secondary: [ {list} ] }} }}"
        )
    };
    assert_eq!(public_codes(&body(7)), []);
    assert_eq!(public_codes(&body(8)), [Code::LimitExceeded]);
}

/// Rules: RT-11, RT-14, NG-20, NG-22
#[test]
fn a_route_leads_to_a_nat_gateway_of_the_same_vpc() {
    let text = |to: &str, via: &str| {
        format!(
            "    subnets: {{ a: {{ cidr: 10.0.1.0/24, route_table: t }}, b: {{ cidr: 10.0.2.0/24 }} }}
    nat_gateways: {{ n: {{ subnet: b, connectivity_type: private }} }}
    route_tables: {{ t: {{ routes: [ {{ to: \"{to}\", via: {via} }} ] }} }}"
        )
    };
    let vpc = app(&text("0.0.0.0/0", "nat_gateway/n"));
    let last = vpc.route_tables["t"].routes.last().expect("a route");
    assert_eq!(last.target, Target::NatGateway("n".to_owned()));
    assert_eq!(app_codes(&text("10.0.2.0/24", "nat_gateway/app.n")), []);
    assert_eq!(app_codes(&text("64:ff9b::/96", "nat_gateway/n")), []);
    assert_eq!(app_codes(&text("::/0", "nat_gateway/n")), [Code::NatGatewayIpv6]);
    assert_eq!(app_codes(&text("0.0.0.0/0", "nat_gateway/m")), [Code::UnknownReference]);
    assert_eq!(app_codes(&text("0.0.0.0/0", "nat_gateway/data.n")), [Code::ReferenceOtherVpc]);
}

/// Rules: FL-02
#[test]
fn a_nat_gateway_may_have_flow_logs() {
    let vpc = public(
        "    nat_gateways:
      n: { subnet: a, public_ip: 198.51.100.10, flow_logs: { l: { traffic: all, destination: { file: n.log } } } }",
    );
    assert_eq!(vpc.flow_logs[0].scope, FlowLogScope::NatGateway("n".to_owned()));
}

/// Rules: NG-10
#[test]
fn a_translation_is_idle_for_350_seconds_unless_the_lab_says_otherwise() {
    assert_eq!(lab("lab: t\n").settings.nat_idle_timeout, 350);
    assert_eq!(lab("lab: t\nsettings: { nat: { idle_timeout: 5 } }\n").settings.nat_idle_timeout, 5);
}

/// Rules: MT-02
#[test]
fn the_internet_has_hosts_and_carries_1500_bytes() {
    assert_eq!(lab("lab: t\n").internet.mtu, 1500);
    let text = "lab: t\ninternet: { mtu: 1400, hosts: { laptop: { ips: [203.0.113.50, \"2001:db8::50\"], names: [www.example.com] } } }\n";
    let lab = lab(text);
    let host = &lab.internet.hosts["laptop"];
    assert_eq!((lab.internet.mtu, host.namespace.as_str()), (1400, "t-laptop"));
    let ips: Vec<IpAddr> = ["203.0.113.50", "2001:db8::50"].map(|a| a.parse().expect("an address")).into();
    assert_eq!((&host.ips, &host.names), (&ips, &vec!["www.example.com".to_owned()]));
    assert_eq!(lab.internet.host_of(ips[1]).map(|h| h.name.as_str()), Some("laptop"));
}

/// Rules: IG-08
#[test]
fn vpcs_that_reach_the_internet_share_no_ipv6_addresses() {
    let text = |other: &str, gateway: &str| {
        format!(
            "lab: t\nvpcs:\n  app: {{ cidr: [10.0.0.0/16], ipv6_cidr: \"2001:db8::/52\", internet_gateway: true }}\n  \
             data: {{ cidr: [10.1.0.0/16], ipv6_cidr: \"{other}\", {gateway}: true }}\n"
        )
    };
    for gateway in ["internet_gateway", "egress_only_internet_gateway"] {
        assert_eq!(codes(&text("2001:db8:0:100::/56", gateway)), [Code::InternetIpv6Overlap]);
        assert_eq!(codes(&text("2001:db8:0:1000::/56", gateway)), []);
    }
}
