//! The examples do what the comments at their top say.

use std::fs;
use std::time::Duration;

use crate::harness::{Lab, Program, eventually, vpclab};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs every `vpclab exec …` that an example invites to, and compares with the words behind it.
fn holds_its_promises(name: &str, text: &str) {
    let lab = Lab::up(&text.replace(&format!("lab: {name}\n"), "lab: LAB\n"));
    let promises: Vec<(Vec<&str>, &str)> = text.lines().filter_map(promise).collect();
    assert!(promises.len() >= 3, "{name} says what to try: {promises:?}");
    for (mut argv, outcome) in promises {
        // A refusal is silence, which ping would listen to for ten seconds.
        let ping = argv.iter().position(|word| *word == "ping").expect("all of them ping");
        argv.splice(ping + 1..ping + 1, ["-W", "1"]);
        let run = || {
            let command = vpclab([&["exec", "--lab", lab.name()], &argv[..]].concat());
            Program::run(command, PATIENCE)
        };
        if outcome.starts_with("works") || outcome.starts_with("goes") {
            // Programs of the lab need a moment until they have set up what they are there for.
            eventually(&format!("{argv:?} {outcome}"), PATIENCE, || run().succeeded());
        } else {
            run().exits(1).says(" 0 received");
        }
    }
    let settled = lab.settled();
    assert!(settled.delivered > 0, "{settled:?}");
    lab.go_down();
}

/// Probes every expectation beside an example; probe and `explain` agree on each.
fn meets_its_expectations(name: &str, text: &str, checks: &str) {
    let lab = Lab::up(&text.replace(&format!("lab: {name}\n"), "lab: LAB\n"));
    fs::write(lab.path("checks.yaml"), checks).expect("the folder is ours");
    let mut command = vpclab(["test", "--output", "json"]);
    command.arg(lab.path("checks.yaml")).arg(lab.file());
    let rows = Program::run(command, Duration::from_secs(90)).ok().json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), checks.matches("expect: ").count());
    assert!(rows.iter().all(|row| row["result"] == "passed"), "{rows:#?}");
    lab.go_down();
}

/// Both, of an example and the file of expectations beside it.
macro_rules! does_what_it_says {
    ($name:literal) => {
        const TEXT: &str = include_str!(concat!("../../../../examples/", $name, ".yaml"));
        holds_its_promises($name, TEXT);
        let checks = include_str!(concat!("../../../../examples/", $name, ".checks.yaml"));
        meets_its_expectations($name, TEXT, checks);
    };
}

/// The arguments of `vpclab exec` and the words behind them in a line such as `#   vpclab exec a -- ping b    works: …`.
fn promise(line: &str) -> Option<(Vec<&str>, &str)> {
    let (command, outcome) = line.strip_prefix("#   vpclab exec ")?.split_once("  ")?;
    Some((command.split_whitespace().collect(), outcome.trim()))
}

/// Rules: NA-11, SG-08
#[test]
fn two_tier_does_what_it_says() {
    holds_its_promises("two-tier", include_str!("../../../../examples/two-tier.yaml"));
}

/// Rules: AD-24, RT-11, SG-08
#[test]
fn nat_instance_does_what_it_says() {
    holds_its_promises("nat-instance", include_str!("../../../../examples/nat-instance.yaml"));
}

/// Rules: SG-11, RT-15, MT-05
#[test]
fn prefix_lists_does_what_it_says() {
    holds_its_promises("prefix-lists", include_str!("../../../../examples/prefix-lists.yaml"));
}

/// Rules: IG-02, IG-04, IG-07, IG-08
#[test]
fn internet_gateway_does_what_it_says() {
    does_what_it_says!("internet-gateway");
}

/// Rules: EI-02, EI-03, EI-07
#[test]
fn egress_only_does_what_it_says() {
    does_what_it_says!("egress-only");
}

/// Rules: NG-02, NG-03, NG-04, NG-12, NG-18
#[test]
fn nat_gateway_does_what_it_says() {
    does_what_it_says!("nat-gateway");
}

/// Rules: NG-20
#[test]
fn nat64_does_what_it_says() {
    does_what_it_says!("nat64");
}

/// Rules: PC-07, PC-09, SG-09
#[test]
fn peering_does_what_it_says() {
    does_what_it_says!("peering");
}

/// Rules: PC-15, PC-21, MT-02
#[test]
fn inter_region_peering_does_what_it_says() {
    does_what_it_says!("inter-region-peering");
}

/// Rules: RT-20, RT-21
#[test]
fn edge_table_with_a_middlebox_does_what_it_says() {
    does_what_it_says!("middlebox");
}

/// Rules: IG-02, NG-18, PC-09, EI-02
#[test]
fn regions_does_what_it_says() {
    does_what_it_says!("regions");
}
