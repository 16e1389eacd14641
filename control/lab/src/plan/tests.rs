use std::net::IpAddr;

use model::Valid;

use super::*;

/// Two instances: one plain, one with two interfaces in different subnets that forwards.
const LAB: &str = r#"
lab: t
account: "123456789012"
region: us-east-1
vpcs:
  app:
    cidr: [10.0.0.0/16]
    ipv6_cidr: 2600:1f18:aaaa:1000::/56
    subnets:
      a: { cidr: 10.0.1.0/24, ipv6_cidr: "2600:1f18:aaaa:1001::/64", az: us-east-1a }
      b: { cidr: 10.0.2.0/25, az: us-east-1a }
    instances:
      web-1: { subnet: a, private_ip: 10.0.1.10, ipv6_addresses: ["2600:1f18:aaaa:1001::10"], run: ["sleep 9"] }
      fw-1:
        interfaces:
          eth0: { subnet: a, private_ips: [10.0.1.20, 10.0.1.21], source_dest_check: false }
          eth1: { subnet: b, private_ips: [10.0.2.20], mtu: 1500 }
"#;

fn valid(text: &str) -> Valid {
    import::load("lab.yaml", text).map(|(valid, _)| valid).unwrap_or_else(|found| panic!("{found:?}"))
}

fn plan_of(text: &str) -> Plan {
    Plan::of(&valid(text))
}

fn plan() -> Plan {
    plan_of(LAB)
}

fn changed(from: &str, to: &str) -> Changes {
    assert!(LAB.contains(from));
    Plan::diff(&plan(), &plan_of(&LAB.replace(from, to)))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a block")
}

fn words(route: &Route) -> String {
    let Route { table, destination, device, source } = route;
    format!("{destination} dev {device} src {source} table {table}")
}

/// Rules: AD-16, AD-17
#[test]
fn an_instance_is_a_namespace_with_the_addresses_and_lengths_of_its_subnet() {
    let plan = plan();
    assert_eq!(plan.namespaces.keys().collect::<Vec<_>>(), ["t-fw-1", "t-web-1"]);
    let web = &plan.namespaces["t-web-1"];
    assert_eq!(web.instance, "web-1");
    assert_eq!(web.programs, ["sleep 9"]);
    let [eth0] = web.devices.as_slice() else { panic!("{:?}", web.devices) };
    assert_eq!((eth0.name.as_str(), eth0.mtu), ("eth0", 9001));
    assert!(eth0.interface.starts_with("eni-"));
    assert_eq!(eth0.addresses, [net("10.0.1.10/24"), net("2600:1f18:aaaa:1001::10/64")]);
}

/// Rules: AD-17
#[test]
fn one_interface_needs_a_subnet_and_a_default_route_per_family_and_no_rules() {
    let web = &plan().namespaces["t-web-1"];
    let expected = [
        "10.0.1.0/24 dev eth0 src 10.0.1.10 table 254",
        "0.0.0.0/0 dev eth0 src 10.0.1.10 table 254",
        "2600:1f18:aaaa:1001::/64 dev eth0 src 2600:1f18:aaaa:1001::10 table 254",
        "::/0 dev eth0 src 2600:1f18:aaaa:1001::10 table 254",
    ];
    assert_eq!(web.routes.iter().map(words).collect::<Vec<_>>(), expected);
    assert!(web.rules.is_empty());
}

/// Rules: AD-23
#[test]
fn several_interfaces_answer_by_the_one_that_owns_the_source() {
    let fw = &plan().namespaces["t-fw-1"];
    let expected = [
        "10.0.1.0/24 dev eth0 src 10.0.1.20 table 254",
        "0.0.0.0/0 dev eth0 src 10.0.1.20 table 254",
        "10.0.2.0/25 dev eth1 src 10.0.2.20 table 254",
        "10.0.1.0/24 dev eth0 src 10.0.1.20 table 1000",
        "0.0.0.0/0 dev eth0 src 10.0.1.20 table 1000",
        "10.0.2.0/25 dev eth1 src 10.0.2.20 table 1001",
        "0.0.0.0/0 dev eth1 src 10.0.2.20 table 1001",
    ];
    assert_eq!(fw.routes.iter().map(words).collect::<Vec<_>>(), expected);
    let rules = [("10.0.1.20", 1000), ("10.0.1.21", 1000), ("10.0.2.20", 1001)];
    assert_eq!(fw.rules, rules.map(|(from, table)| Rule { from: ip(from), table }));
}

#[test]
fn two_interfaces_of_one_subnet_share_the_main_table_without_a_clash() {
    let plan = plan_of(
        &LAB.replace("{ subnet: b, private_ips: [10.0.2.20]", "{ subnet: a, private_ips: [10.0.1.30]"),
    );
    let fw = &plan.namespaces["t-fw-1"];
    let to_a: Vec<String> =
        fw.routes.iter().filter(|r| r.destination == net("10.0.1.0/24")).map(words).collect();
    let expected = [
        "10.0.1.0/24 dev eth0 src 10.0.1.20 table 254",
        "10.0.1.0/24 dev eth0 src 10.0.1.20 table 1000",
        "10.0.1.0/24 dev eth1 src 10.0.1.30 table 1001",
    ];
    assert_eq!(to_a, expected);
}

/// Rules: AD-24
#[test]
fn an_unchecked_interface_makes_its_instance_forward() {
    let plan = plan();
    assert_eq!(plan.namespaces["t-fw-1"].forwarding, Forwarding::On);
    assert_eq!(plan.namespaces["t-web-1"].forwarding, Forwarding::Off);
}

/// Rules: MT-01
#[test]
fn an_interface_keeps_its_own_mtu() {
    let mtus: Vec<u16> = plan().namespaces["t-fw-1"].devices.iter().map(|d| d.mtu).collect();
    assert_eq!(mtus, [9001, 1500]);
}

#[test]
fn hosts_names_every_instance_alone_and_with_its_vpc() {
    let expected = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n\
                    10.0.1.20 fw-1 fw-1.app\n\
                    10.0.1.10 web-1 web-1.app\n2600:1f18:aaaa:1001::10 web-1 web-1.app\n";
    assert_eq!(plan().etc["hosts"], expected);
}

#[test]
fn a_plan_survives_being_stored() {
    let plan = plan();
    let text = serde_json::to_string(&plan).expect("a plan is JSON");
    assert_eq!(serde_json::from_str::<Plan>(&text).expect("and back"), plan);
}

#[test]
fn equal_plans_need_no_change() {
    assert!(Plan::diff(&plan(), &plan()).is_empty());
}

#[test]
fn a_lab_is_added_to_nothing_and_removed_to_nothing() {
    let (plan, none) = (plan(), Plan::empty("t"));
    let up = Plan::diff(&none, &plan);
    assert_eq!(up.added, plan.namespaces.values().cloned().collect::<Vec<_>>());
    assert!(up.removed.is_empty() && up.changed.is_empty() && up.etc_stale.is_empty());
    let down = Plan::diff(&plan, &none);
    assert_eq!(down.removed, up.added);
    assert!(down.added.is_empty() && down.changed.is_empty());
    assert_eq!(down.removed_interfaces().count(), 3);
}

#[test]
fn a_new_instance_is_added_and_the_others_only_learn_its_name() {
    let changes = changed("      fw-1:\n", "      db-1: { subnet: a }\n      fw-1:\n");
    assert_eq!(changes.added.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["t-db-1"]);
    assert_eq!(changes.etc_stale, ["t-fw-1", "t-web-1"]);
    assert!(changes.changed.is_empty() && changes.removed.is_empty());
}

#[test]
fn another_mtu_changes_one_device_in_place() {
    let changes = changed("mtu: 1500", "mtu: 1400");
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    let device = DeviceChange {
        name: "eth1".into(),
        mtu: Some(Replaced { old: 1500, new: 1400 }),
        addresses_added: vec![],
        addresses_removed: vec![],
    };
    assert_eq!((change.name.as_str(), change.devices_changed.as_slice()), ("t-fw-1", [device].as_slice()));
    assert!(change.devices_added.is_empty() && change.devices_removed.is_empty());
    assert!(
        change.routes_added.is_empty()
            && change.routes_removed.is_empty()
            && change.routes_replaced.is_empty()
    );
    assert!(changes.added.is_empty() && changes.removed.is_empty() && changes.etc_stale.is_empty());
}

#[test]
fn another_primary_address_replaces_the_routes_with_that_source() {
    let changes = changed("private_ip: 10.0.1.10,", "private_ip: 10.0.1.11,");
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    let [device] = change.devices_changed.as_slice() else { panic!("{change:?}") };
    assert_eq!(device.addresses_added, [net("10.0.1.11/24")]);
    assert_eq!(device.addresses_removed, [net("10.0.1.10/24")]);
    let news: Vec<String> = change.routes_replaced.iter().map(|r| words(&r.new)).collect();
    let expected =
        ["10.0.1.0/24 dev eth0 src 10.0.1.11 table 254", "0.0.0.0/0 dev eth0 src 10.0.1.11 table 254"];
    assert_eq!(news, expected);
    assert!(change.routes_added.is_empty() && change.routes_removed.is_empty());
    assert_eq!(changes.etc_stale, ["t-fw-1", "t-web-1"]);
}

#[test]
fn an_interface_less_takes_its_tables_and_rules_along() {
    let eth1 = "          eth1: { subnet: b, private_ips: [10.0.2.20], mtu: 1500 }\n";
    let changes = changed(eth1, "");
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.devices_removed.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["eth1"]);
    assert_eq!(change.rules_removed.len(), 3);
    assert_eq!(change.routes_removed.len(), 5);
    assert!(change.devices_changed.is_empty() && change.devices_added.is_empty());
    assert_eq!(changes.removed_interfaces().count(), 1);
}

#[test]
fn a_change_turned_round_twice_is_itself() {
    let changes =
        changed("private_ips: [10.0.1.20, 10.0.1.21], source_dest_check: false", "private_ips: [10.0.1.22]");
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    assert_ne!(&change.clone().reversed(), change);
    assert_eq!(&change.clone().reversed().reversed(), change);
    let back = NamespaceChange::between(&plan_of_changed(), &plan().namespaces["t-fw-1"]).expect("differs");
    assert_eq!(change.clone().reversed(), back);
}

fn plan_of_changed() -> Namespace {
    let text = LAB
        .replace("private_ips: [10.0.1.20, 10.0.1.21], source_dest_check: false", "private_ips: [10.0.1.22]");
    plan_of(&text).namespaces["t-fw-1"].clone()
}

#[test]
fn an_instance_that_takes_over_a_name_gets_a_namespace_of_its_own() {
    let (old, mut new) = (plan(), plan());
    new.namespaces.get_mut("t-web-1").expect("web-1").instance_id = "i-0123456789abcdef0".into();
    let changes = Plan::diff(&old, &new);
    assert_eq!(changes.added.len(), 1);
    assert_eq!(changes.removed.len(), 1);
    assert_eq!(changes.added[0].name, changes.removed[0].name);
}

#[test]
fn an_interface_that_takes_over_a_name_gets_a_device_of_its_own() {
    let (old, mut new) = (plan(), plan());
    new.namespaces.get_mut("t-web-1").expect("web-1").devices[0].interface = "eni-0123456789abcdef0".into();
    let changes = Plan::diff(&old, &new);
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.devices_added.len(), change.devices_removed.len()), (1, 1));
    assert!(change.devices_changed.is_empty());
}

const INTERNET: &str = r#"
internet:
  mtu: 1400
  hosts:
    laptop: { ips: [203.0.113.50, 203.0.113.51, "2001:db8::50"], names: [www.example.com, shop.example] }
    phone: { ips: ["2001:db8::60"], run: ["sleep 7"] }
"#;

fn with_hosts(internet: &str) -> Plan {
    plan_of(&format!("{LAB}{internet}"))
}

/// Rules: MT-02
#[test]
fn a_host_on_the_internet_is_a_namespace_with_its_addresses_and_a_default_route() {
    let plan = with_hosts(INTERNET);
    assert_eq!(plan.namespaces.keys().collect::<Vec<_>>(), ["t-fw-1", "t-laptop", "t-phone", "t-web-1"]);
    let laptop = &plan.namespaces["t-laptop"];
    let [eth0] = laptop.devices.as_slice() else { panic!("{:?}", laptop.devices) };
    assert_eq!((eth0.name.as_str(), eth0.mtu), ("eth0", 1400));
    assert!(eth0.interface.starts_with("host-"), "{}", eth0.interface);
    assert_eq!(eth0.addresses, [net("203.0.113.50/32"), net("203.0.113.51/32"), net("2001:db8::50/128")]);
    let expected =
        ["0.0.0.0/0 dev eth0 src 203.0.113.50 table 254", "::/0 dev eth0 src 2001:db8::50 table 254"];
    assert_eq!(laptop.routes.iter().map(words).collect::<Vec<_>>(), expected);
    assert_eq!((laptop.rules.len(), laptop.forwarding), (0, Forwarding::Off));
    let phone = &plan.namespaces["t-phone"];
    assert_eq!(
        phone.routes.iter().map(words).collect::<Vec<_>>(),
        ["::/0 dev eth0 src 2001:db8::60 table 254"]
    );
    assert_eq!((laptop.programs.len(), phone.programs.as_slice()), (0, &["sleep 7".to_owned()][..]));
}

#[test]
fn every_namespace_knows_the_hosts_by_all_their_names() {
    let hosts = with_hosts(INTERNET).etc["hosts"].clone();
    for line in [
        "203.0.113.50 laptop www.example.com shop.example",
        "2001:db8::50 laptop www.example.com shop.example",
        "2001:db8::60 phone",
        "10.0.1.10 web-1 web-1.app",
    ] {
        assert!(hosts.lines().any(|known| known == line), "{line:?} is not in\n{hosts}");
    }
}

#[test]
fn a_host_that_comes_goes_or_moves_leaves_the_instances_alone() {
    let (none, both) = (plan(), with_hosts(INTERNET));
    let come = Plan::diff(&none, &both);
    let added: Vec<&str> = come.added.iter().map(|n| n.name.as_str()).collect();
    assert_eq!((added, come.removed.len(), come.changed.len()), (vec!["t-laptop", "t-phone"], 0, 0));
    assert_eq!(Plan::diff(&both, &none).removed.len(), 2);
    let moved = Plan::diff(&both, &with_hosts(&INTERNET.replace("2001:db8::60", "2001:db8::61")));
    let [phone] = moved.changed.as_slice() else { panic!("{:?}", moved.changed) };
    assert_eq!((phone.name.as_str(), phone.devices_changed.len()), ("t-phone", 1));
}

/// Rules: NG-01
#[test]
fn a_nat_gateway_needs_no_namespace() {
    let with_gateway = LAB.replace(
        "    instances:\n",
        "    nat_gateways: { nat: { subnet: b, connectivity_type: private } }\n    instances:\n",
    );
    assert_eq!(plan_of(&with_gateway), plan());
}
