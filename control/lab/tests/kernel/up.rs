use std::fs;

use lab::{exec, teardown};

use super::support::{Site, TWO, device, eventually, first_packet, output, run};

/// Rules: AD-16, AD-17, MT-01
#[test]
fn devices_are_up_with_the_addresses_and_mtu_of_their_interfaces() {
    let site = Site::new();
    let (_lab, devices) = site.up(TWO);
    assert_eq!(devices.len(), 3);
    assert_eq!(site.addresses("web", "eth0"), ["10.0.1.10/24", "2600:1f18:aaaa:1001::10/64"]);
    assert_eq!(site.addresses("fw", "eth0"), ["10.0.1.20/24", "10.0.1.21/24"]);
    assert_eq!(site.addresses("fw", "eth1"), ["10.0.2.20/24"]);
    for (instance, name, mtu) in [("web", "eth0", 9001), ("fw", "eth0", 9001), ("fw", "eth1", 1500)] {
        let link = &site.ip(instance, &["link", "show", "dev", name])[0];
        assert_eq!(link["mtu"], mtu, "{instance} {name}");
        let flags = link["flags"].as_array().expect("flags").clone();
        assert!(flags.contains(&"UP".into()) && flags.contains(&"LOWER_UP".into()), "{flags:?}");
        assert_eq!(link["txqlen"], lab::Options::default().tx_queue_length);
    }
    let lo = &site.ip("web", &["link", "show", "dev", "lo"])[0];
    assert!(lo["flags"].as_array().expect("flags").contains(&"UP".into()));
    let eth0 = device(&devices, &site.ns("web"), "eth0");
    let web = &site.plan(TWO).namespaces[&site.ns("web")];
    assert_eq!(eth0.interface, web.devices[0].interface);
}

/// Rules: AD-17, AD-23
#[test]
fn routes_and_rules_are_those_of_the_plan_and_no_others() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    assert_eq!(
        site.routes("web", "-4", "main"),
        ["default dev eth0 src 10.0.1.10", "10.0.1.0/24 dev eth0 src 10.0.1.10"]
    );
    let v6 = "src 2600:1f18:aaaa:1001::10";
    assert_eq!(
        site.routes("web", "-6", "main"),
        [format!("2600:1f18:aaaa:1001::/64 dev eth0 {v6}"), format!("default dev eth0 {v6}")]
    );
    assert!(site.rules("web").is_empty());
    assert_eq!(
        site.routes("fw", "-4", "main"),
        [
            "default dev eth0 src 10.0.1.20",
            "10.0.1.0/24 dev eth0 src 10.0.1.20",
            "10.0.2.0/24 dev eth1 src 10.0.2.20"
        ]
    );
    assert_eq!(
        site.routes("fw", "-4", "1001"),
        ["default dev eth1 src 10.0.2.20", "10.0.2.0/24 dev eth1 src 10.0.2.20"]
    );
    assert_eq!(site.rules("fw"), ["10.0.1.20 1000", "10.0.1.21 1000", "10.0.2.20 1001"]);
}

/// Rules: AD-23
#[test]
fn a_packet_leaves_by_the_device_that_owns_its_source() {
    let site = Site::new();
    let (_lab, devices) = site.up(TWO);
    let fw = site.ns("fw");
    for (source, owner) in [("10.0.1.21", "eth0"), ("10.0.2.20", "eth1")] {
        let ping =
            ["ip", "netns", "exec", &fw, "ping", "-n", "-c", "1", "-W", "0.1", "-I", source, "10.0.9.9"];
        assert!(!output(&ping).status.success(), "nobody answers");
        let packet = first_packet(device(&devices, &fw, owner));
        assert_eq!(packet.map(|(from, to)| format!("{from} {to}")), Some(format!("{source} 10.0.9.9")));
    }
    assert_eq!(first_packet(device(&devices, &fw, "eth0")), None);
}

#[test]
fn kernel_parameters_suit_a_guest_without_neighbours() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    let common = [
        "ipv4/conf/all/rp_filter",
        "ipv4/conf/default/rp_filter",
        "ipv4/conf/eth0/rp_filter",
        "ipv4/conf/eth0/send_redirects",
        "ipv6/conf/eth0/accept_ra",
        "ipv6/conf/eth0/router_solicitations",
        "ipv6/conf/default/accept_dad",
    ];
    assert_eq!(site.sysctl("web", &common), ["0"; 7]);
    assert_eq!(site.sysctl("fw", &common), ["0"; 7]);
    let others = ["ipv6/conf/eth0/addr_gen_mode", "ipv4/ping_group_range"];
    assert_eq!(site.sysctl("web", &others), ["1", "0\t2147483647"]);
}

/// Rules: AD-24
#[test]
fn only_an_instance_with_an_unchecked_interface_forwards() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    let forwarding = ["ipv4/ip_forward", "ipv4/conf/eth0/forwarding", "ipv6/conf/all/forwarding"];
    assert_eq!(site.sysctl("web", &forwarding), ["0", "0", "0"]);
    assert_eq!(site.sysctl("fw", &forwarding), ["1", "1", "1"]);
}

#[test]
fn programs_see_the_names_of_the_lab() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    let web = site.ns("web");
    let hosts = run(&["ip", "netns", "exec", &web, "cat", "/etc/hosts"]);
    assert!(hosts.contains("\n10.0.1.20 fw fw.app\n"), "{hosts}");
    assert!(hosts.contains("\n2600:1f18:aaaa:1001::10 web web.app\n"), "{hosts}");
    let mut resolve =
        exec::command(&web, "timeout", ["10", "getent", "ahosts", "web"]).expect("the namespace is there");
    let resolved = String::from_utf8(resolve.output().expect("getent runs").stdout).expect("UTF-8");
    assert!(resolved.starts_with("10.0.1.10 "), "IPv4 goes first: {resolved}");
    assert!(resolved.contains("2600:1f18:aaaa:1001::10 "), "{resolved}");
    let unknown = output(&["ip", "netns", "exec", &web, "getent", "hosts", "nobody.example"]);
    assert_eq!(unknown.status.code(), Some(2), "an unknown name fails without waiting for a server");
}

#[test]
fn a_lab_goes_without_a_trace_and_may_be_taken_down_again() {
    let site = Site::new();
    let (lab, devices) = site.up(TWO);
    let plan = lab.plan().clone();
    drop(devices);
    lab.down().expect("the lab goes down");
    assert!(!site.has("web") && !site.has("fw"));
    assert!(!site.etc("web").exists() && !site.etc("fw").exists());
    assert!(!site.dirs.run_of(&site.name).exists());
    teardown::teardown(&plan, &site.dirs).expect("what is gone is no failure");
}

#[test]
fn fifty_instances_come_and_go_together() {
    let site = Site::new();
    let instance = |n: usize| format!("      i{n:02}: {{ subnet: a }}\n");
    let many: String = (0..50).map(instance).collect();
    let (lab, devices) = site.up(&TWO.replace("      web:", &format!("{many}      web:")));
    assert_eq!(devices.len(), 53);
    assert_eq!(site.addresses("i49", "eth0").len(), 1);
    drop(devices);
    lab.down().expect("the lab goes down");
    assert!(!site.has("i00") && !site.has("i49"));
}

#[test]
fn taking_down_continues_past_what_somebody_else_removed() {
    let site = Site::new();
    let (lab, devices) = site.up(TWO);
    drop(devices);
    run(&["ip", "netns", "delete", &site.ns("fw")]);
    fs::remove_dir_all(site.etc("web")).expect("the directory was made");
    lab.down().expect("the rest goes down");
    assert!(!site.has("web") && !site.etc("fw").exists());
}

#[test]
fn files_that_the_lab_did_not_write_stay() {
    let site = Site::new();
    fs::create_dir_all(site.etc("web")).expect("/etc/netns can be written");
    fs::write(site.etc("web").join("motd"), "mine\n").expect("a file");
    let (lab, devices) = site.up(TWO);
    drop(devices);
    lab.down().expect("the lab goes down");
    let left: Vec<_> =
        fs::read_dir(site.etc("web")).expect("stays").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["motd"]);
}

#[test]
fn a_program_inside_is_ended_when_the_lab_goes() {
    let site = Site::new();
    let (lab, devices) = site.up(TWO);
    let stubborn = "trap '' TERM; while :; do sleep 1; done";
    let mut polite =
        exec::command(&site.ns("web"), "sleep", ["600"]).expect("there").spawn().expect("starts");
    let mut rude =
        exec::command(&site.ns("fw"), "sh", ["-c", stubborn]).expect("there").spawn().expect("starts");
    // The shell's first `sleep` shows that its trap is set.
    eventually("both run inside", || site.pids("web").len() == 1 && site.pids("fw").len() == 2);
    drop(devices);
    lab.down().expect("the lab goes down");
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(polite.wait().expect("ended").signal(), Some(15));
    assert_eq!(rude.wait().expect("ended").signal(), Some(9));
}

/// Rules: MT-02
#[test]
fn a_host_on_the_internet_sends_everything_by_its_device() {
    let site = Site::new();
    let hosts = "internet: { mtu: 1400, hosts: { laptop: { ips: [203.0.113.50, \"2001:db8::50\"], names: [www.example.com] } } }\n";
    let (_lab, devices) = site.up(&format!("{TWO}{hosts}"));
    assert_eq!(devices.len(), 4);
    assert_eq!(site.addresses("laptop", "eth0"), ["203.0.113.50/32", "2001:db8::50/128"]);
    assert_eq!(site.ip("laptop", &["link", "show", "dev", "eth0"])[0]["mtu"], 1400);
    assert_eq!(site.routes("laptop", "-4", "main"), ["default dev eth0 src 203.0.113.50"]);
    let laptop = site.ns("laptop");
    let ping = ["ip", "netns", "exec", &laptop, "ping", "-n", "-c", "1", "-W", "0.1", "198.51.100.20"];
    assert!(!output(&ping).status.success(), "nobody answers");
    let packet = first_packet(device(&devices, &laptop, "eth0"));
    assert_eq!(
        packet.map(|(from, to)| format!("{from} {to}")).as_deref(),
        Some("203.0.113.50 198.51.100.20")
    );
    let web = site.ns("web");
    let known = run(&["ip", "netns", "exec", &web, "getent", "ahostsv4", "www.example.com"]);
    assert!(known.starts_with("203.0.113.50"), "{known}");
}
