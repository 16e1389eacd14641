//! What passes and what does not, on each backend.

use daemon::BackendKind;

use crate::support::{ONE, Site, TWO, TWO_V4, TWO_V6, With};

/// Everything that a lab does with packets, on one kind of data plane.
fn forwards_and_refuses(workers: u16, backend: BackendKind) {
    let site = Site::new();
    let lab = site.up("", TWO, With { workers, backend });
    assert_eq!((lab.status().workers, lab.status().backend), (workers, backend.to_string()));

    assert!(lab.ping("one", TWO_V4), "IPv4 echo");
    assert!(lab.ping("one", TWO_V6), "IPv6 echo");
    assert!(lab.ping("one", "two"), "by name");
    assert!(lab.ping_with("one", TWO_V4, &["-s", "20000"]), "fragments, drops: {:?}", lab.drops());
    assert!(lab.ping_with("one", TWO_V6, &["-s", "20000"]), "IPv6 fragments, drops: {:?}", lab.drops());
    assert!(!lab.ping("two", ONE), "group `shut` takes nothing");
    assert_eq!(lab.transfer("one", "two", TWO_V4, 500_000, 8), 8 * 500_000);

    let drop = lab.drops().into_iter().find(|drop| drop.source == TWO_V4).expect("the refused echo request");
    assert_eq!((drop.from.as_str(), drop.destination.as_str(), drop.protocol), ("two.eth0", ONE, 1));
    assert_eq!((drop.reason.as_str(), drop.length), ("ENI_SG_RULES_MISMATCH", 84));
    assert_eq!(drop.gate, Some(("one.eth0".to_owned(), "ingress".to_owned())));

    let counters = lab.at_rest();
    assert_eq!(counters.dropped.get("ENI_SG_RULES_MISMATCH"), Some(&1), "{counters:?}");
    assert_eq!(counters.dropped.get("TRANSMIT_FAILED"), None, "{counters:?}");
    assert_eq!(counters.held, 0, "{counters:?}");
    assert!(counters.delivered > 100, "{counters:?}");
    assert!(counters.kernel_queue_full.is_empty(), "{counters:?}");
    assert_eq!(lab.status().trouble, Vec::<String>::new());
    lab.down();
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

#[test]
fn one_epoll_worker_forwards_and_refuses() {
    forwards_and_refuses(1, BackendKind::Epoll);
}

#[test]
fn four_epoll_workers_forward_and_refuse() {
    forwards_and_refuses(4, BackendKind::Epoll);
}

#[test]
fn one_tokio_worker_forwards_and_refuses() {
    forwards_and_refuses(1, BackendKind::Tokio);
}

#[test]
fn four_tokio_workers_forward_and_refuse() {
    forwards_and_refuses(4, BackendKind::Tokio);
}

#[test]
fn live_flows_are_listed_with_what_allowed_them() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    assert!(lab.ping("one", TWO_V4));
    let flows = lab.flows();
    let forward = flows.iter().find(|flow| flow.source == ONE && flow.destination == TWO_V4);
    let forward = forward.unwrap_or_else(|| panic!("the request's half is listed: {flows:?}"));
    assert_eq!((forward.from.as_str(), forward.to.as_deref()), ("one.eth0", Some("two.eth0")));
    assert_eq!((forward.packets, forward.bytes, forward.protocol), (1, 84, 1));
    assert!(forward.decided_by.iter().any(|id| id.starts_with("sgr-")), "{forward:?}");
    assert!(flows.iter().any(|flow| flow.source == TWO_V4 && flow.destination == ONE), "{flows:?}");
}

/// The path MTU is that of the receiver; the error comes from the sender's router.
///
/// Rules: MT-05
#[test]
fn a_small_receiver_is_discovered() {
    let site = Site::new();
    let text = TWO.replace(
        "two: { subnet: b, private_ip: 10.0.2.10, ipv6_addresses: [\"2600:1f18:aaaa:1002::10\"], security_groups: [open] }",
        "two: { interfaces: { eth0: { subnet: b, private_ips: [10.0.2.10], ipv6_addresses: [\"2600:1f18:aaaa:1002::10\"], \
         security_groups: [open], mtu: 1500 } } }",
    );
    assert_ne!(text, TWO);
    let lab = site.up("", &text, With::default());
    assert!(!lab.ping_with("one", TWO_V4, &["-s", "2000", "-M", "do"]), "too large");
    assert_eq!(lab.transfer("one", "two", TWO_V4, 500_000, 2), 1_000_000);
    let counters = lab.at_rest();
    assert!(counters.dropped.get("PACKET_TOO_BIG").is_some_and(|packets| *packets >= 1), "{counters:?}");
    assert!(counters.originated >= 1, "{counters:?}");
}

#[test]
fn two_labs_with_the_same_addresses_run_side_by_side() {
    let site = Site::new();
    let (a, b) = (site.up("a", TWO, With::default()), site.up("b", TWO, With::default()));
    assert!(a.ping("one", TWO_V4) && b.ping("one", TWO_V4));
    let names: Vec<_> =
        daemon::list(&site.dirs).expect("readable").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [site.name("a"), site.name("b")]);
    a.down();
    assert!(b.ping("one", TWO_V4), "the other lab goes on");
    assert_eq!(site.namespaces().len(), 2);
}

#[test]
fn a_lab_that_runs_cannot_be_started_again() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let again = daemon::Running::up(site.start("", TWO, With::default())).expect_err("it runs already");
    assert!(again.to_string().contains("is already running"), "{again}");
    assert!(lab.ping("one", TWO_V4), "the running one is untouched");
}
