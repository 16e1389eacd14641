//! Changing the lab under load.

use std::time::Duration;

use crate::harness::{Deadline, Lab, Load, NOTHING, alone, echo_udp};

const LOAD: &str = include_str!("labs/load.yaml");

/// How often the whole is repeated, each time with a lab of its own.
const RUNS: usize = 5;

const FLOWS: u32 = 100;

/// Datagrams a second over all flows.
const RATE: u32 = 20_000;

const APPLIES: usize = 100;

/// One apply starts this long after the one before, so that packets come before, during and after each.
const PACE: Duration = Duration::from_millis(50);

/// What is changed in turn, and changed back the next time: a group's rule, an ACL's entry, a route.
const EDITS: [(&str, &str); 3] = [
    ("{ proto: tcp, ports: 443, from: 10.54.0.0/16 } ] } # rule", " ] } # rule"),
    (
        "{ rule: 100, action: allow, proto: all, cidr: 0.0.0.0/0 } ] # entry",
        "{ rule: 90, action: deny, proto: all, cidr: 10.54.9.0/24 } ] # entry",
    ),
    ("{ to: 192.0.2.0/24, via: blackhole } ] } # route", " ] } # route"),
];

/// No datagram is lost, reordered or dropped while rules, entries and routes change beside its flow.
#[test]
fn a_hundred_applies_lose_nothing_of_a_hundred_flows() {
    let _alone = alone();
    for run in 1..=RUNS {
        let lab = Lab::up_with(LOAD, &["--workers", "2"]);
        let (from, to) = (lab.instance("from-1"), lab.instance("to-1"));
        let source = "10.54.1.10".parse().expect("an address");
        let target = "10.54.2.10:9000".parse().expect("an address");
        let load = Load::start((&from, source), (&to, target), FLOWS, RATE);
        let before = lab.status().generation;
        for apply in 0..APPLIES {
            let slot = Deadline::after(PACE);
            let (whole, cut) = EDITS[apply / 2 % EDITS.len()];
            let (old, new) = if apply % 2 == 0 { (whole, cut) } else { (cut, whole) };
            lab.edit(old, new);
            slot.pass();
        }
        let sent = load.stop();
        let generations = lab.status().generation - before;
        assert_eq!(generations, APPLIES as u64, "each apply changed something");
        assert_eq!(sent.received, sent.sent, "run {run}: {sent:?}, {:?}", lab.counters());
        assert!(sent.out_of_sequence.is_empty(), "run {run}: {sent:?}");
        assert!(sent.sent > 200 * APPLIES as u64, "run {run}: packets came between applies: {sent:?}");
        let counters = lab.settled();
        assert_eq!(
            (counters.received, counters.delivered),
            (sent.sent, sent.sent),
            "run {run}: {counters:?}"
        );
        assert!(counters.kernel_queue_full.is_empty(), "run {run}: {counters:?}");
        assert_eq!(lab.flows().len(), FLOWS as usize, "run {run}: each flow is one half");
        lab.finish(NOTHING);
    }
}

/// What is under way to an instance that goes is counted like everything else, and nobody else is disturbed.
#[test]
fn an_instance_may_go_and_come_back_under_load() {
    let _alone = alone();
    let lab = Lab::up(LOAD);
    let (from, to) = (lab.instance("from-1"), lab.instance("to-1"));
    let source = "10.54.1.10".parse().expect("an address");
    let target = "10.54.2.10:9000".parse().expect("an address");
    let line = "      to-1:    { subnet: to, security_groups: [receiver], private_ip: 10.54.2.10 }\n";
    let load = Load::start((&from, source), (&to, target), 10, 5_000);
    for _ in 0..5 {
        lab.edit(line, "      #\n");
        lab.edit("      #\n", line);
    }
    let sent = load.stop();
    assert!(sent.received < sent.sent, "the first receiver has left with its instance: {sent:?}");
    echo_udp(&from, source, &lab.instance("to-1"), target, &[100]);
    let counters = lab.settled();
    // The new instance answers some with "port unreachable".
    assert!(counters.received >= sent.sent + 2, "{sent:?}, {counters:?}");
    // A worker may hold a packet in its hand while the device goes.
    lab.finish(&[("NO_INTERFACE_FOR_ADDRESS", 1..=1_000_000), ("TRANSMIT_FAILED", 0..=100)]);
}
