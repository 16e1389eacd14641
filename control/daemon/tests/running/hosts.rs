//! Hosts on the internet beside instances: read, listed, changed, and gone with their lab.

use std::fs;
use std::net::UdpSocket;

use daemon::BackendKind;
use daemon::protocol::{HostRow, Response};

use crate::support::{Lab, Site, TWO, TWO_V4, With, eventually, output};

const HOSTS: &str = r#"
internet:
  hosts:
    laptop: { ips: [203.0.113.50, "2001:db8::50"], names: [www.example.com] }
    phone: { ips: [203.0.113.60] }
"#;

/// An address of the internet that nobody has.
const NOBODY: &str = "203.0.113.99:9";

fn with_hosts() -> String {
    format!("{TWO}{HOSTS}")
}

fn host(lab: &Lab<'_>, name: &str) -> HostRow {
    let hosts = lab.status().hosts;
    hosts.into_iter().find(|host| host.name == name).unwrap_or_else(|| panic!("the lab has {name}"))
}

/// Sends datagrams to nobody, which end as drops of the internet.
fn send(lab: &Lab<'_>, host: &str, address: &str, datagrams: usize) {
    let socket = lab.inside(host, || UdpSocket::bind((address, 0)).expect("the host has the address"));
    for _ in 0..datagrams {
        socket.send_to(b"anybody", NOBODY).expect("the host has a default route");
    }
}

/// How many packets of this source are among the latest drops of the internet.
fn dropped(lab: &Lab<'_>, source: &str) -> usize {
    lab.drops().iter().filter(|row| row.from == "internet" && row.source == source).count()
}

/// Every worker is home to one of the hosts at least.
fn hosts_are_read(workers: u16, backend: BackendKind) {
    let site = Site::new();
    let lab = site.up("", &with_hosts(), With { workers, backend });
    for (name, address) in [("laptop", "203.0.113.50"), ("phone", "203.0.113.60")] {
        send(&lab, name, address, 5);
        eventually("all are read", || dropped(&lab, address) == 5);
    }
    assert!(lab.ping("one", TWO_V4), "instances go on");
    let counters = lab.at_rest();
    assert_eq!(counters.dropped.get("TRANSMIT_FAILED"), None, "{counters:?}");
    assert!(counters.kernel_queue_full.is_empty(), "{counters:?}");
    assert_eq!(lab.status().trouble, Vec::<String>::new());
    lab.down();
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

#[test]
fn epoll_workers_read_hosts() {
    hosts_are_read(2, BackendKind::Epoll);
}

#[test]
fn uring_workers_read_hosts() {
    hosts_are_read(2, BackendKind::Uring);
}

#[test]
fn tokio_workers_read_hosts() {
    hosts_are_read(3, BackendKind::Tokio);
}

#[test]
fn hosts_are_listed_and_found_by_name_id_and_address() {
    let site = Site::new();
    let lab = site.up("", &with_hosts(), With::default());
    let laptop = host(&lab, "laptop");
    assert!(laptop.id.starts_with("host-"), "{laptop:?}");
    assert_eq!((&laptop.namespace, laptop.device.as_str()), (&lab.namespace("laptop"), "eth0"));
    assert_eq!(laptop.addresses, ["203.0.113.50", "2001:db8::50"]);
    assert_eq!(laptop.names, ["www.example.com"]);
    for called in ["laptop", &laptop.id, "203.0.113.50", "2001:db8:0::50"] {
        let place = daemon::exec::find(&site.dirs, None, called).expect("found");
        assert_eq!((place.instance.as_str(), &place.namespace), ("laptop", &laptop.namespace));
    }
    let names = lab.inside("phone", || fs::read_to_string("/proc/thread-self/net/dev").expect("readable"));
    assert!(names.contains("eth0:"), "{names}");
}

#[test]
fn hosts_come_and_go_while_instances_talk() {
    let site = Site::new();
    let udp = TWO.replace("proto: tcp, ports: 80,", "proto: udp, ports: 9,");
    let (none, both) = (udp.clone(), format!("{udp}{HOSTS}"));
    let moved = both.replace("203.0.113.60", "203.0.113.61");
    let lab = site.up("", &none, With::default());
    let echoes = lab.echo_while("one", "two", TWO_V4, || {
        for _ in 0..8 {
            for text in [&both, &moved, &none] {
                let applied = lab.apply_text(text);
                assert!(matches!(&applied, Response::Applied(a) if a.warnings.is_empty()), "{applied:?}");
                let phone = if *text == both { "203.0.113.60" } else { "203.0.113.61" };
                if *text != none {
                    let before = dropped(&lab, phone);
                    send(&lab, "phone", phone, 1);
                    eventually("it is read", || dropped(&lab, phone) == before + 1);
                }
            }
        }
    });
    assert!(echoes.sent > 100, "there was load: {echoes:?}");
    assert_eq!(echoes.answered, echoes.sent);
    assert_eq!(site.namespaces().len(), 2);
    assert_eq!(lab.status().hosts, []);
    let counters = lab.at_rest();
    assert_eq!(counters.dropped.get("TRANSMIT_FAILED"), None, "{counters:?}");
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

/// A host that is given another address keeps its namespace and whatever runs in it.
#[test]
fn a_host_keeps_its_namespace_and_its_program_when_its_addresses_change() {
    let site = Site::new();
    let text = with_hosts().replace("phone: { ", "phone: { run: [\"exec sleep 1000\"], ");
    let lab = site.up("", &text, With::default());
    let pid = || host(&lab, "phone").programs.first().and_then(|program| program.pid);
    eventually("the program runs", || pid().is_some());
    let first = pid();
    let changes = lab.apply(&text, "203.0.113.60", "203.0.113.61");
    assert_eq!(changes, ["changed host phone: addresses: 203.0.113.60 -> 203.0.113.61"]);
    assert_eq!((pid(), host(&lab, "phone").addresses), (first, vec!["203.0.113.61".to_owned()]));
    let changes = lab.apply(&text, "run: [\"exec sleep 1000\"], ", "");
    assert_eq!(changes.last().map(String::as_str), Some("removed host phone: program exec sleep 1000"));
    assert_eq!(pid(), None);
    lab.down();
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

/// What the kernel refuses of a host leaves the old rules in force.
#[test]
fn a_host_whose_namespace_somebody_else_has_is_refused() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let foreign = lab.namespace("phone");
    assert!(output(&["ip", "netns", "add", &foreign]).status.success());
    let Response::Failed { message } = lab.apply_text(&with_hosts()) else { panic!("refused") };
    assert!(message.contains(&foreign) && message.contains("already exists"), "{message}");
    assert_eq!((lab.status().generation, site.namespaces().len()), (1, 3));
    assert!(lab.ping("one", TWO_V4));
    assert!(output(&["ip", "netns", "delete", &foreign]).status.success());
    assert!(matches!(lab.apply_text(&with_hosts()), Response::Applied(_)), "now there is nothing in the way");
}

/// A device that fails is complained of by the name of its host, and the others go on.
#[test]
fn a_host_whose_device_fails_is_named() {
    let site = Site::new();
    let lab = site.up("", &with_hosts(), With::default());
    let gone = output(&["ip", "-n", &lab.namespace("laptop"), "link", "delete", "eth0"]);
    assert!(gone.status.success(), "{gone:?}");
    let complaint = |line: &String| line.starts_with("device of laptop: ");
    eventually("the failure is noticed", || lab.status().trouble.iter().any(complaint));
    send(&lab, "phone", "203.0.113.60", 1);
    eventually("the other host is read", || dropped(&lab, "203.0.113.60") == 1);
}
