//! Addresses, interfaces and instances.

use model::findings::Code;
use model::lab::{SourceDestCheck, Vpc};

use crate::{app, app_codes};

const SUBNETS: &str = "    ipv6_cidr: 2001:db8::/56\n    subnets:\n      a: { cidr: 10.0.1.0/24, ipv6_cidr: \"2001:db8::/64\" }\n      s: { cidr: 10.0.2.0/28 }\n";

fn instances(body: &str) -> Vpc {
    app(&format!("{SUBNETS}    instances:\n{body}"))
}

fn instance_codes(body: &str) -> Vec<Code> {
    app_codes(&format!("{SUBNETS}    instances:\n{body}"))
}

fn address(vpc: &Vpc, instance: &str) -> String {
    vpc.instances[instance].interfaces[0].private_ips[0].to_string()
}

/// Rules: AD-05, AD-06
#[test]
fn five_addresses_of_a_subnet_are_nobodys() {
    for last in [0, 1, 2, 3, 255] {
        assert_eq!(
            instance_codes(&format!("      x: {{ subnet: a, private_ip: 10.0.1.{last} }}")),
            [Code::AddressReserved]
        );
    }
    for last in [4, 254] {
        assert!(instance_codes(&format!("      x: {{ subnet: a, private_ip: 10.0.1.{last} }}")).is_empty());
    }
}

/// Rules: AD-05
#[test]
fn a_28_has_eleven_addresses() {
    let eleven: String = (10..21).map(|n| format!("      x{n}: {{ subnet: s }}\n")).collect();
    assert!(instance_codes(&eleven).is_empty());
    assert_eq!(instance_codes(&format!("{eleven}      x99: {{ subnet: s }}")), [Code::SubnetExhausted]);
}

/// Rules: AD-07
#[test]
fn the_first_four_ipv6_addresses_and_the_last_are_nobodys() {
    for address in
        ["2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::ffff:ffff:ffff:ffff"]
    {
        let body = format!("      x: {{ subnet: a, ipv6_addresses: [\"{address}\"] }}");
        assert_eq!(instance_codes(&body), [Code::AddressReserved], "{address}");
    }
    let vpc = instances("      x: { subnet: a, ipv6: true }\n      y: { subnet: a, ipv6: true }");
    assert_eq!(vpc.instances["x"].interfaces[0].ipv6_addresses[0].to_string(), "2001:db8::4");
    assert_eq!(vpc.instances["y"].interfaces[0].ipv6_addresses[0].to_string(), "2001:db8::5");
}

#[test]
fn written_addresses_come_first_and_the_rest_follow_in_order_of_names() {
    let vpc = instances(
        "      c: { subnet: a }\n      a: { subnet: a }\n      b: { subnet: a, private_ip: 10.0.1.5 }",
    );
    assert_eq!(
        [address(&vpc, "a"), address(&vpc, "b"), address(&vpc, "c")],
        ["10.0.1.4", "10.0.1.5", "10.0.1.6"]
    );
}

/// Rules: AD-16
#[test]
fn the_first_written_address_is_the_primary_one() {
    let vpc = instances("      x: { subnet: a, private_ips: [10.0.1.20, 10.0.1.10] }");
    let addresses: Vec<String> =
        vpc.instances["x"].interfaces[0].private_ips.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.1.20", "10.0.1.10"]);
}

#[test]
fn an_address_has_one_owner() {
    let both = "      x: { subnet: a, private_ip: 10.0.1.9 }\n      y: { subnet: a, private_ip: 10.0.1.9 }";
    assert_eq!(instance_codes(both), [Code::AddressTaken]);
}

/// Rules: AD-23, MT-01
#[test]
fn an_interface_checks_addresses_and_takes_jumbo_packets_unless_told_otherwise() {
    let vpc =
        instances("      x: { subnet: a }\n      y: { subnet: a, source_dest_check: false, mtu: 1280 }");
    let interface = |name: &str| vpc.instances[name].interfaces[0].clone();
    assert_eq!((interface("x").source_dest_check, interface("x").mtu), (SourceDestCheck::On, 9001));
    assert_eq!((interface("y").source_dest_check, interface("y").mtu), (SourceDestCheck::Off, 1280));
    assert_eq!(instance_codes("      x: { subnet: a, mtu: 9002 }"), [Code::OutOfRange]);
    assert_eq!(instance_codes("      x: { subnet: a, mtu: 1279 }"), [Code::OutOfRange]);
}

#[test]
fn interfaces_inherit_the_groups_of_their_instance() {
    let body = "      x:\n        security_groups: [web]\n        interfaces:\n          eth1: { subnet: a, security_groups: [db] }\n          eth0: { subnet: a }\n";
    let vpc = instances(&format!("{body}    security_groups: {{ web: {{}}, db: {{}} }}"));
    let interfaces = &vpc.instances["x"].interfaces;
    assert_eq!(interfaces.iter().map(|i| i.device.as_str()).collect::<Vec<_>>(), ["eth0", "eth1"]);
    assert_eq!(interfaces[0].security_groups, ["web"]);
    assert_eq!(interfaces[1].security_groups, ["db"]);
    assert_ne!(interfaces[0].id, interfaces[1].id);
}

#[test]
fn a_namespace_is_called_after_lab_and_instance() {
    let vpc = instances("      web-1: { subnet: a, run: [\"sleep 1\", \"sleep 2\"] }");
    assert_eq!(vpc.instances["web-1"].namespace, "t-web-1");
    assert_eq!(vpc.instances["web-1"].run, ["sleep 1", "sleep 2"]);
}
