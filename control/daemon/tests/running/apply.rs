//! Changing a lab while it runs.

use std::fs;

use daemon::BackendKind;
use daemon::protocol::Response;

use crate::support::{ONE, Site, TWO, TWO_V4, With, eventually};

/// Rules: SG-01
#[test]
fn a_rule_takes_effect_at_once_and_touches_no_device() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let index = |lab: &crate::support::Lab<'_>| {
        lab.inside("one", || fs::read_to_string("/proc/thread-self/net/dev_mcast").expect("readable"))
    };
    let before = index(&lab);
    assert!(!lab.ping("two", ONE));
    let changes = lab.apply(
        TWO,
        "shut:\n        ingress: []",
        "shut:\n        ingress: [ { proto: icmp, type: 8, from: 10.0.2.0/24 } ]",
    );
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(
        changes[0]
            .starts_with("added security group app.shut: ingress rule icmp type 8, peer 10.0.2.0/24 (sgr-"),
        "{changes:?}"
    );
    assert!(lab.ping("two", ONE), "drops: {:?}", lab.drops());
    assert_eq!(index(&lab), before);
    assert_eq!(lab.status().generation, 2);

    let changes = lab.apply(TWO, "LAB", "LAB");
    assert!(changes[0].starts_with("removed security group app.shut: ingress rule"), "{changes:?}");
    assert!(!lab.ping("two", ONE));
    lab.at_rest();
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

#[test]
fn a_broken_file_is_refused_with_all_findings_and_changes_nothing() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let broken =
        TWO.replace("subnet: a,", "subnet: nowhere,").replace("region: us-east-1", "regoin: us-east-1");
    let Response::Failed { message } = lab.apply_text(&broken) else { panic!("refused") };
    assert!(message.contains("nowhere") && message.contains("regoin"), "{message}");
    assert!(message.contains("lab.yaml:") && message.contains('^'), "{message}");
    assert!(lab.ping("one", TWO_V4));
    assert_eq!(lab.status().generation, 1);
    let source = lab.call(&daemon::protocol::Request::Source);
    assert!(matches!(source, Response::Source { text, .. } if !text.contains("nowhere")));
}

#[test]
fn another_name_is_refused() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let Response::Failed { message } = lab.apply_text(&TWO.replace("LAB", "LAB-2")) else {
        panic!("refused")
    };
    assert!(message.contains("a lab keeps its name"), "{message}");
    assert_eq!(lab.status().generation, 1);
}

#[test]
fn instances_come_and_go_while_others_talk() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let three =
        "    instances:\n      three: { subnet: a, private_ip: 10.0.1.30, security_groups: [open] }\n";
    let with_three = TWO.replace("    instances:\n", three);

    let changes = lab.apply(&with_three, "LAB", "LAB");
    assert!(changes.len() == 1 && changes[0].starts_with("added instance three (i-"), "{changes:?}");
    assert!(lab.ping("one", "10.0.1.30") && lab.ping("three", TWO_V4), "drops: {:?}", lab.drops());
    assert!(lab.ping("one", "three"), "the files of those that were there know the new one");

    let changes = lab.apply(TWO, "LAB", "LAB");
    assert!(changes.len() == 1 && changes[0].starts_with("removed instance three (i-"), "{changes:?}");
    assert_eq!(site.namespaces().len(), 2);
    assert!(!lab.ping("one", "10.0.1.30"));
    assert!(lab.ping("one", TWO_V4));
    let counters = lab.at_rest();
    assert_eq!(counters.dropped.get("TRANSMIT_FAILED"), None, "{counters:?}");
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

#[test]
fn an_instance_keeps_its_namespace_when_its_interfaces_change() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let namespace = |lab: &crate::support::Lab<'_>| {
        lab.inside("one", || fs::read_link("/proc/thread-self/ns/net").expect("a namespace"))
    };
    let before = namespace(&lab);
    let one = "one: { subnet: a, private_ip: 10.0.1.10, ipv6_addresses: [\"2600:1f18:aaaa:1001::10\"], security_groups: [shut] }";
    let two_interfaces = "one: { security_groups: [shut], interfaces: { eth0: { subnet: a, private_ips: [10.0.1.11, 10.0.1.12] }, \
                          eth1: { subnet: b, private_ips: [10.0.2.20], mtu: 1500 } } }";
    let changes = lab.apply(TWO, one, two_interfaces);
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert_eq!(namespace(&lab), before);
    for source in ["10.0.1.11", "10.0.1.12", "10.0.2.20"] {
        assert!(lab.ping_with("one", TWO_V4, &["-I", source]), "from {source}, drops: {:?}", lab.drops());
    }
    let changes = lab.apply(TWO, "LAB", "LAB");
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert_eq!(namespace(&lab), before);
    assert!(lab.ping("one", TWO_V4));
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

#[test]
fn what_the_kernel_refuses_leaves_the_old_rules_in_force() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let foreign = lab.namespace("three");
    assert!(crate::support::output(&["ip", "netns", "add", &foreign]).status.success());
    let three = "    instances:\n      three: { subnet: a, private_ip: 10.0.1.30 }\n";
    let text = TWO
        .replace("    instances:\n", three)
        .replace("proto: icmp,", "proto: udp, ports: 9, from: 10.9.0.0/16 }\n          - { proto: icmp,");
    let Response::Failed { message } = lab.apply_text(&text) else { panic!("refused") };
    assert!(message.contains(&foreign) && message.contains("already exists"), "{message}");
    assert_eq!(lab.status().generation, 1);
    assert!(lab.ping("one", TWO_V4));
    assert!(crate::support::output(&["ip", "netns", "delete", &foreign]).status.success());
    assert!(matches!(lab.apply_text(&text), Response::Applied(_)), "now there is nothing in the way");
}

#[test]
fn programs_run_are_replaced_and_stop() {
    let site = Site::new();
    let with = |run: &str| TWO.replace("two: { subnet: b,", &format!("two: {{ subnet: b, run: [\"{run}\"],"));
    let lab = site.up("", &with("echo first; sleep 1000"), With::default());
    let program = |lab: &crate::support::Lab<'_>| {
        let status = lab.status();
        status.instances[1].programs.first().cloned()
    };
    eventually("the program runs", || program(&lab).is_some_and(|program| program.pid.is_some()));
    let first = program(&lab).expect("it runs");
    eventually("its output is kept", || fs::read_to_string(&first.log).is_ok_and(|text| text == "first\n"));

    let changes = lab.apply(&with("echo second; sleep 2000"), "LAB", "LAB");
    assert_eq!(changes.len(), 2, "{changes:?}");
    eventually("the other one runs", || {
        program(&lab).is_some_and(|program| program.pid.is_some() && program.pid != first.pid)
    });
    let second = program(&lab).and_then(|program| program.pid).expect("it runs");
    lab.apply(TWO, "LAB", "LAB");
    assert_eq!(program(&lab), None);
    assert!(!std::path::Path::new(&format!("/proc/{second}")).exists());
}

/// Applies 50 files while datagrams are under way.
fn nothing_is_lost(workers: u16, backend: BackendKind) {
    let site = Site::new();
    let udp = TWO.replace("proto: tcp, ports: 80,", "proto: udp, ports: 9,");
    let lab = site.up("", &udp, With { workers, backend });
    let four = "    instances:\n      four: { subnet: b, private_ip: 10.0.2.40 }\n";
    let more = udp.replace("    instances:\n", four);
    let echoes = lab.echo_while("one", "two", TWO_V4, || {
        for port in 0..25 {
            let rule = format!("ingress: [ {{ proto: tcp, ports: {}, from: 10.9.0.0/16 }} ]", 1000 + port);
            for text in [&udp, &more] {
                let applied = lab.apply_text(&text.replace("ingress: []", &rule));
                assert!(matches!(&applied, Response::Applied(a) if a.warnings.is_empty()), "{applied:?}");
            }
        }
    });
    assert!(echoes.sent > 1000, "there was load: {echoes:?}");
    assert_eq!(echoes.answered, echoes.sent);
    let counters = lab.at_rest();
    assert!(counters.dropped.is_empty() && counters.kernel_queue_full.is_empty(), "{counters:?}");
    assert_eq!(lab.status().generation, 51);
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

#[test]
fn no_packet_is_lost_to_changes_of_rules_and_instances() {
    nothing_is_lost(2, BackendKind::Epoll);
}

#[test]
fn four_tokio_workers_lose_no_packet_to_changes() {
    nothing_is_lost(4, BackendKind::Tokio);
}

/// Moves instance `one`, under this name, to another VPC and back.
fn moved(name: &str) {
    let site = Site::new();
    let text = TWO.replace("one: {", &format!("{name}: {{"));
    let lab = site.up("", &text, With::default());
    assert!(lab.ping(name, TWO_V4));
    let line =
        text.lines().find(|line| line.contains(&format!("{name}: {{"))).expect("its line").to_owned() + "\n";
    let other = format!(
        "  other:\n    cidr: [10.0.0.0/16]\n    subnets: {{ x: {{ cidr: 10.0.1.0/24, az: us-east-1a }} }}\n    \
         instances:\n      {name}: {{ subnet: x, private_ip: 10.0.1.77 }}\n      mate: {{ subnet: x, private_ip: 10.0.1.78 }}\n\
         settings:\n"
    );
    let away = text.replace(&line, "").replace("settings:\n", &other);
    for _ in 0..3 {
        lab.apply(&away, "LAB", "LAB");
        assert!(lab.ping(name, "10.0.1.78"), "drops: {:?}", lab.drops());
        assert!(!lab.ping(name, TWO_V4), "another VPC");
        lab.apply(&text, "LAB", "LAB");
        assert!(lab.ping(name, TWO_V4), "drops: {:?}", lab.drops());
    }
    assert_eq!(lab.status().trouble, Vec::<String>::new());
    assert_eq!(site.namespaces().len(), 2);
}

#[test]
fn an_instance_that_moves_to_another_vpc_is_another_one() {
    moved("one");
}

#[test]
fn an_instance_that_moves_with_its_id_keeps_its_namespace_and_gets_another_device() {
    moved("i-0123456789abcdef0");
}
