use std::os::fd::AsRawFd as _;

use lab::plan::Plan;
use lab::{Error, Errors, LiveLab};

use super::support::{Site, TWO, device, run};

/// Begins and finishes a change to another lab file.
fn change(site: &Site, lab: &mut LiveLab, text: &str) -> Vec<lab::OpenedDevice> {
    let (begun, devices) = lab.begin(&site.plan(text)).expect("begins");
    lab.finish(begun).expect("finishes");
    assert_eq!(lab.plan(), &site.plan(text));
    devices
}

fn link(site: &Site, instance: &str, device: &str) -> serde_json::Value {
    site.ip(instance, &["link", "show", "dev", device])[0].clone()
}

/// Rules: MT-01
#[test]
fn mtu_and_addresses_change_in_place() {
    let site = Site::new();
    let (mut lab, devices) = site.up(TWO);
    let before = link(&site, "fw", "eth0")["ifindex"].clone();
    let text =
        TWO.replace("[10.0.1.20, 10.0.1.21]", "[10.0.1.30, 10.0.1.21, 10.0.1.22]").replace("1500", "1400");
    assert!(change(&site, &mut lab, &text).is_empty(), "no device is opened anew");
    assert_eq!(link(&site, "fw", "eth0")["ifindex"], before);
    assert_eq!(link(&site, "fw", "eth1")["mtu"], 1400);
    let mut addresses = site.addresses("fw", "eth0");
    addresses.sort();
    assert_eq!(addresses, ["10.0.1.21/24", "10.0.1.22/24", "10.0.1.30/24"]);
    assert_eq!(
        site.routes("fw", "-4", "main"),
        [
            "default dev eth0 src 10.0.1.30",
            "10.0.1.0/24 dev eth0 src 10.0.1.30",
            "10.0.2.0/24 dev eth1 src 10.0.2.20"
        ]
    );
    assert_eq!(site.routes("fw", "-4", "1000")[0], "default dev eth0 src 10.0.1.30");
    let mut rules = site.rules("fw");
    rules.sort();
    assert_eq!(rules, ["10.0.1.21 1000", "10.0.1.22 1000", "10.0.1.30 1000", "10.0.2.20 1001"]);
    assert!(device(&devices, &site.ns("fw"), "eth0").tun.as_raw_fd() >= 0);
    let hosts = run(&["ip", "netns", "exec", &site.ns("web"), "cat", "/etc/hosts"]);
    assert!(hosts.contains("\n10.0.1.30 fw fw.app\n"), "other instances learn of it: {hosts}");
}

#[test]
fn an_ipv6_address_replaces_another_with_its_routes() {
    let site = Site::new();
    let (mut lab, _devices) = site.up(TWO);
    change(&site, &mut lab, &TWO.replace("1001::10", "1001::11"));
    assert_eq!(site.addresses("web", "eth0"), ["10.0.1.10/24", "2600:1f18:aaaa:1001::11/64"]);
    assert_eq!(site.routes("web", "-6", "main").len(), 2);
    assert!(site.routes("web", "-6", "main").iter().all(|r| r.ends_with("src 2600:1f18:aaaa:1001::11")));
}

#[test]
fn interfaces_come_and_go_in_a_running_instance() {
    let site = Site::new();
    let (mut lab, mut devices) = site.up(TWO);
    let eth1 = "          eth1: { subnet: b, private_ips: [10.0.2.20], mtu: 1500 }\n";
    let eth2 = "          eth2: { subnet: b, private_ips: [10.0.2.30] }\n";

    let opened = change(&site, &mut lab, &TWO.replace(eth1, &format!("{eth1}{eth2}")));
    assert_eq!(opened.iter().map(|d| d.device.as_str()).collect::<Vec<_>>(), ["eth2"]);
    assert_eq!(site.routes("fw", "-4", "1002")[0], "default dev eth2 src 10.0.2.30");
    devices.extend(opened);

    assert!(change(&site, &mut lab, &TWO.replace(eth1, "")).is_empty());
    assert_eq!(site.ip("fw", &["link", "show"]).len(), 2, "lo and eth0");
    assert!(site.rules("fw").is_empty());
    assert!(site.routes("fw", "-4", "all").iter().all(|r| !r.contains("eth1") && !r.contains("eth2")));
    assert!(site.ip("fw", &["route", "show", "table", "1000"]).is_empty());
}

#[test]
fn instances_come_and_go_beside_one_that_stays() {
    let site = Site::new();
    let (mut lab, _devices) = site.up(TWO);
    let before = link(&site, "web", "eth0");
    let opened = change(&site, &mut lab, &TWO.replace("      fw:", "      gate:"));
    assert_eq!(opened.len(), 2);
    assert!(site.has("gate") && !site.has("fw") && !site.etc("fw").exists());
    assert_eq!(link(&site, "web", "eth0"), before);
}

#[test]
fn old_devices_stay_until_the_change_is_finished() {
    let site = Site::new();
    let (mut lab, _devices) = site.up(TWO);
    let (begun, opened) = lab.begin(&site.plan(&TWO.replace("      fw:", "      gate:"))).expect("begins");
    assert!(site.has("fw") && site.has("gate"));
    assert_eq!(begun.changes().removed_interfaces().count(), 2);
    drop(opened);
    lab.abandon(begun).expect("taken back");
    assert!(site.has("fw") && !site.has("gate"));
    assert_eq!(lab.plan(), &site.plan(TWO));
    lab.down().expect("goes down");
    assert!(!site.has("fw"));
}

/// Two faults in one change: a device name that the kernel refuses, and a route that leads nowhere.
fn with_faults(plan: &Plan, site: &Site) -> Plan {
    let mut plan = plan.clone();
    let web = plan.namespaces.get_mut(&site.ns("web")).expect("web");
    web.devices[0].mtu = 1400;
    web.routes[0].device = "nowhere0".into();
    let mut bad = plan.namespaces[&site.ns("fw")].clone();
    bad.name = site.ns("bad");
    bad.devices[1].name = "bad/name".into();
    plan.namespaces.insert(bad.name.clone(), bad);
    plan
}

fn assert_both_faults(errors: &Errors) {
    let tun = |e: &&Error| matches!(e, Error::Tun { device, .. } if device == "bad/name");
    let route = |e: &&Error| matches!(e, Error::Netlink { action, .. } if action.contains("nowhere0"));
    assert_eq!(errors.list().iter().filter(tun).count(), 1, "{errors}");
    assert_eq!(errors.list().iter().filter(route).count(), 1, "{errors}");
}

#[test]
fn a_change_that_fails_halfway_leaves_the_lab_as_it_was_and_says_all() {
    let site = Site::new();
    let (mut lab, _devices) = site.up(TWO);
    let routes = site.routes("web", "-4", "main");
    let errors = lab.begin(&with_faults(lab.plan(), &site)).map(|_| ()).expect_err("fails");
    assert_both_faults(&errors);
    assert!(!site.has("bad"));
    assert_eq!(link(&site, "web", "eth0")["mtu"], 9001);
    assert_eq!(site.routes("web", "-4", "main"), routes);
    assert_eq!(lab.plan(), &site.plan(TWO));
}

#[test]
fn a_lab_that_fails_to_come_up_leaves_nothing() {
    let site = Site::new();
    let plan = with_faults(&site.plan(TWO), &site);
    let errors = LiveLab::up(&site.dirs, &plan, lab::Options::default()).map(|_| ()).expect_err("fails");
    assert_both_faults(&errors);
    assert!(!site.has("bad") && !site.has("fw") && !site.has("web"));
    assert!(!site.etc("web").exists() && !site.dirs.run_of(&site.name).exists());
}

#[test]
fn a_foreign_device_in_an_instance_is_refused_by_name() {
    let site = Site::new();
    let (mut lab, _devices) = site.up(TWO);
    run(&["ip", "netns", "exec", &site.ns("web"), "ip", "tuntap", "add", "dev", "eth1", "mode", "tun"]);
    let text = TWO.replace(
        "web: { subnet: a, private_ip: 10.0.1.10, ipv6_addresses: [\"2600:1f18:aaaa:1001::10\"] }",
        "web: { interfaces: { eth0: { subnet: a, private_ips: [10.0.1.10] }, eth1: { subnet: b } } }",
    );
    let errors = lab.begin(&site.plan(&text)).map(|_| ()).expect_err("refused");
    let [Error::DeviceClash { namespace, device, .. }] = errors.list() else { panic!("{errors}") };
    assert_eq!((namespace, device.as_str()), (&site.ns("web"), "eth1"));
    assert_eq!(site.addresses("web", "eth0").len(), 2, "nothing was touched");
}
