use super::*;

const OLD: &str = r#"
lab: words
account: "123456789012"
region: us-east-1
vpcs:
  app:
    cidr: [10.0.0.0/16]
    subnets:
      a: { cidr: 10.0.1.0/24, az: us-east-1a }
      b: { cidr: 10.0.2.0/24, az: us-east-1a }
    route_tables:
      t: { routes: [ { to: 192.0.2.0/24, via: blackhole } ] }
    security_groups:
      web: { ingress: [ { proto: tcp, ports: 443, from: 10.0.0.0/16 } ] }
    network_acls:
      n: { ingress: [ { rule: 100, action: allow, proto: tcp, ports: 1024-65535, cidr: 10.0.0.0/16 } ] }
    instances:
      one: { subnet: a, private_ip: 10.0.1.10, security_groups: [web] }
      two: { subnet: b, private_ip: 10.0.2.10, run: ["sleep 1000"] }
"#;

fn lab(text: &str) -> Lab {
    let (valid, _) = import::load("lab.yaml", text).unwrap_or_else(|found| panic!("{found:?}"));
    valid.lab().clone()
}

/// The lines for replacing `from` by `to` in the file, without ids.
fn lines(from: &str, to: &str) -> Vec<String> {
    assert!(OLD.contains(from), "{from:?} is in the file");
    changes(&lab(OLD), &lab(&OLD.replacen(from, to, 1))).iter().map(|line| without_ids(line)).collect()
}

/// Cuts ` (KIND-17 digits)`.
fn without_ids(line: &str) -> String {
    let mut parts = line.split(" (");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| line + part.split_once(')').map_or("", |(_, rest)| rest))
}

#[test]
fn equal_labs_have_no_changes() {
    assert!(lines("10.0.1.10", "10.0.1.10").is_empty());
}

#[test]
fn a_rule_that_differs_is_a_rule_removed_and_one_added() {
    let group = "security group app.web: ingress rule tcp";
    assert_eq!(
        lines("ports: 443", "ports: 8080-8090"),
        [
            format!("removed {group} 443, peer 10.0.0.0/16"),
            format!("added {group} 8080-8090, peer 10.0.0.0/16")
        ]
    );
    let id = &changes(&lab(OLD), &lab(&OLD.replacen("443", "80", 1)))[0];
    assert!(id.contains("(sgr-"), "{id}");
}

#[test]
fn associations_of_a_subnet_are_named_before_and_after() {
    assert_eq!(
        lines("b: { cidr: 10.0.2.0/24,", "b: { cidr: 10.0.2.0/24, network_acl: n, route_table: t,"),
        ["changed subnet app.b: route table: main -> t", "changed subnet app.b: network ACL: default -> n"]
    );
}

#[test]
fn routes_and_entries_are_printed_as_the_file_writes_them() {
    assert_eq!(
        lines("via: blackhole", "via: interface/one.eth0"),
        [
            "removed route table app.t: route 192.0.2.0/24 via blackhole",
            "added route table app.t: route 192.0.2.0/24 via interface/one.eth0"
        ]
    );
    assert_eq!(
        lines("action: allow", "action: deny"),
        [
            "removed network ACL app.n: ingress entry 100 allow tcp 1024-65535, 10.0.0.0/16",
            "added network ACL app.n: ingress entry 100 deny tcp 1024-65535, 10.0.0.0/16"
        ]
    );
}

#[test]
fn instances_come_and_go_and_keep_their_id_with_other_addresses() {
    assert_eq!(lines("two:", "three:"), ["added instance three", "removed instance two"]);
    assert_eq!(
        lines("10.0.1.10", "10.0.1.11"),
        ["changed network interface one.eth0: private IPv4 addresses: 10.0.1.10 -> 10.0.1.11"]
    );
    assert_eq!(
        lines("security_groups: [web]", "security_groups: []"),
        ["changed network interface one.eth0: security groups: web -> default"]
    );
    assert_eq!(
        lines("sleep 1000", "sleep 2000"),
        ["removed instance two: program sleep 1000", "added instance two: program sleep 2000"]
    );
}

#[test]
fn a_vpc_comes_with_everything_in_it_in_one_line() {
    let more = "vpcs:\n  more:\n    cidr: [10.9.0.0/16]\n    subnets: { x: { cidr: 10.9.1.0/24, az: us-east-1a } }\n";
    assert_eq!(lines("vpcs:\n", more), ["added VPC more with 1 subnets and 0 instances"]);
    assert_eq!(
        lines("  app:\n", "  other:\n"),
        ["removed VPC app with 2 subnets and 2 instances", "added VPC other with 2 subnets and 2 instances"]
    );
}

#[test]
fn settings_and_flow_logs_and_prefix_lists_have_lines() {
    let with = |tail: &str| {
        changes(&lab(OLD), &lab(&format!("{OLD}{tail}"))).iter().map(|l| without_ids(l)).collect::<Vec<_>>()
    };
    assert_eq!(
        with("settings: { sg: { udp_stream: 60, track_all: true } }\n"),
        ["changed setting sg.udp_stream: 180 -> 60", "changed setting sg.track_all: false -> true"]
    );
    assert_eq!(
        with("    flow_logs: { all: { traffic: all, destination: { file: x.log } } }\n"),
        ["added flow log app: all of the VPC, all traffic, every 600 s, to x.log"]
    );
    let list = "{ region: us-east-1, address_family: ipv4, max_entries: 2, entries: [192.0.2.0/24] }";
    assert_eq!(with(&format!("prefix_lists: {{ office: {list} }}\n")), ["added prefix list office"]);
}

#[test]
fn gateways_peerings_and_hosts_have_lines() {
    let old = r#"
lab: words
internet: { hosts: { laptop: { ips: [203.0.113.50] } } }
vpcs:
  app:
    cidr: [10.0.0.0/16]
    internet_gateway: true
    subnets: { a: { cidr: 10.0.1.0/24 } }
    route_tables: { main: { main: true, routes: [ { to: 0.0.0.0/0, via: internet_gateway } ] } }
    nat_gateways: { n: { subnet: a, public_ip: 198.51.100.10, private_ip: 10.0.1.9 } }
    instances: { web: { subnet: a, private_ip: 10.0.1.10, public_ip: 198.51.100.20 } }
  data: { cidr: [10.1.0.0/16] }
peerings: { p: { requester: app, accepter: data, state: pending-acceptance } }
settings: { nat: { idle_timeout: 350 } }
"#;
    let lines = |from: &str, to: &str| -> Vec<String> {
        assert!(old.contains(from), "{from:?} is in the file");
        changes(&lab(old), &lab(&old.replacen(from, to, 1))).iter().map(|line| without_ids(line)).collect()
    };
    let web = "changed network interface web.eth0: public addresses:";
    assert_eq!(
        lines("100.20", "100.21"),
        [format!("{web} 10.0.1.10 as 198.51.100.20 -> 10.0.1.10 as 198.51.100.21")]
    );
    assert_eq!(
        lines("100.10", "100.11"),
        [
            "removed NAT gateway app.n: address 10.0.1.9 as 198.51.100.10",
            "added NAT gateway app.n: address 10.0.1.9 as 198.51.100.11"
        ]
    );
    assert_eq!(
        lines("pending-acceptance", "active"),
        ["changed peering connection p: state: pending-acceptance -> active"]
    );
    assert_eq!(
        lines("[203.0.113.50]", "[203.0.113.51]"),
        ["changed host laptop: addresses: 203.0.113.50 -> 203.0.113.51"]
    );
    assert_eq!(
        lines("[203.0.113.50] }", "[203.0.113.50], run: [\"sleep 9\"] }"),
        ["added host laptop: program sleep 9"]
    );
    assert_eq!(lines("idle_timeout: 350", "idle_timeout: 5"), ["changed setting nat.idle_timeout: 350 -> 5"]);
    assert_eq!(lines("peerings: { p:", "peerings: { q:").len(), 2);
}
