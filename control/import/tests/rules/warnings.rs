//! Labs that are allowed and probably not meant.

use model::findings::Code;

use crate::app_codes;

fn acl(ingress: &str, egress: &str) -> Vec<Code> {
    app_codes(&format!("    network_acls: {{ db: {{ ingress: [ {ingress} ], egress: [ {egress} ] }} }}"))
}

const IN: &str = "{ rule: 1, action: allow, proto: tcp, ports: 5432, cidr: 10.0.1.0/24 }";

fn out(rule: u16, action: &str, ports: &str, cidr: &str) -> String {
    format!("{{ rule: {rule}, action: {action}, proto: tcp, ports: {ports}, cidr: {cidr} }}")
}

/// Rules: NA-10, NA-11
#[test]
fn an_acl_that_lets_a_service_in_must_let_ephemeral_ports_out() {
    let lost = [Code::AclWithoutEphemeralPorts];
    assert_eq!(acl(IN, ""), lost);
    assert!(acl(IN, &out(1, "allow", "1024-65535", "10.0.0.0/16")).is_empty());
    assert!(acl(IN, "{ rule: 1, action: allow, proto: all, cidr: 0.0.0.0/0 }").is_empty());
    assert_eq!(acl(IN, &out(1, "allow", "1024-65535", "10.0.2.0/24")), lost);
    assert_eq!(acl(IN, &out(1, "allow", "5432", "10.0.1.0/24")), lost);
    assert_eq!(acl(IN, &out(1, "allow", "49152-65535", "10.0.1.0/24")), lost);
    let halves =
        [out(1, "allow", "1024-40000", "10.0.1.0/24"), out(2, "allow", "40001-65535", "10.0.1.0/24")];
    assert!(acl(IN, &halves.join(", ")).is_empty());
    let hole = [out(1, "deny", "40000", "10.0.1.0/24"), out(2, "allow", "1024-65535", "10.0.1.0/24")];
    assert_eq!(acl(IN, &hole.join(", ")), lost);
    let too_late = [out(1, "allow", "1024-65535", "10.0.1.0/24"), out(2, "deny", "40000", "10.0.1.0/24")];
    assert!(acl(IN, &too_late.join(", ")).is_empty());
}

/// Rules: NA-10
#[test]
fn letting_replies_in_is_no_service() {
    assert!(acl("{ rule: 1, action: allow, proto: tcp, ports: 1024-65535, cidr: 0.0.0.0/0 }", "").is_empty());
    assert!(acl("{ rule: 1, action: allow, proto: icmp, cidr: 0.0.0.0/0 }", "").is_empty());
    assert!(acl("{ rule: 1, action: deny, proto: tcp, ports: 22, cidr: 0.0.0.0/0 }", "").is_empty());
}

#[test]
fn a_group_that_opens_ipv4_only_is_noticed_where_there_is_ipv6() {
    let group = "    security_groups: { web: { egress: [ { proto: all, to: 0.0.0.0/0 } ] } }";
    assert!(app_codes(group).is_empty());
    let six = format!("    ipv6_cidr: 2001:db8::/56\n{group}");
    assert_eq!(app_codes(&six), [Code::SecurityGroupWithoutIpv6Egress]);
    assert!(
        app_codes("    ipv6_cidr: 2001:db8::/56\n    security_groups: { web: { egress: [] } }").is_empty()
    );
}

/// Rules: AD-23
#[test]
fn a_route_to_an_interface_that_drops_foreign_packets_is_noticed() {
    let lab = |check: bool| {
        app_codes(&format!(
            "    subnets: {{ a: {{ cidr: 10.0.1.0/24 }} }}\n    instances: {{ r: {{ subnet: a, source_dest_check: {check} }} }}\n    \
             route_tables: {{ main: {{ main: true, routes: [ {{ to: 192.0.2.0/24, via: instance/r }} ] }} }}"
        ))
    };
    assert_eq!(lab(true), [Code::RouteToCheckedInterface]);
    assert!(lab(false).is_empty());
}
