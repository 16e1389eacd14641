//! The examples do what the comments at their top say.

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
