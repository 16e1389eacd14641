//! `vpclab test`: expectations against real packets.

use std::fs;
use std::time::Duration;

use crate::harness::{Done, LATE, Lab, NOTHING, Program, vpclab};

const TWO_TIER: &str = include_str!("../../../../examples/two-tier.yaml");
const CHECKS: &str = include_str!("../../../../examples/two-tier.checks.yaml");

const PATIENCE: Duration = Duration::from_secs(60);

fn up() -> Lab {
    Lab::up(&TWO_TIER.replace("lab: two-tier", "lab: LAB"))
}

/// `vpclab test` of this text, with an output in JSON and in JUnit.
fn test(lab: &Lab, checks: &str) -> Done {
    fs::write(lab.path("checks.yaml"), checks).expect("the folder is ours");
    let mut command = vpclab(["test", "--output", "json"]);
    command.arg(lab.path("checks.yaml")).arg(lab.file()).arg("--junit").arg(lab.path("junit.xml"));
    Program::run(command, PATIENCE)
}

fn junit(lab: &Lab) -> String {
    fs::read_to_string(lab.path("junit.xml")).expect("it was written")
}

/// Probes that were refused; how often TCP tries is the kernel's business.
fn finish(lab: Lab) {
    lab.finish(&[LATE, ("ENI_SG_RULES_MISMATCH", 1..=50), ("SUBNET_ACL_RESTRICTION", 1..=50)]);
}

/// Rules: SG-01, SG-13, SG-26, NA-11
#[test]
fn the_expectations_of_the_example_hold() {
    let lab = up();
    for expectation in ["allowed", "refused", "reply-dropped"] {
        assert!(CHECKS.contains(&format!("expect: {expectation}")), "the example has a row {expectation}");
    }
    let rows = test(&lab, CHECKS).ok().json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), CHECKS.matches("expect: ").count());
    assert!(rows.iter().all(|row| row["result"] == "passed"), "{rows:#?}");
    let written = junit(&lab);
    assert!(written.contains("failures=\"0\" errors=\"0\""), "{written}");
    finish(lab);
}

/// Whoever reads the report of a failed run finds the row and what was seen instead.
#[test]
fn one_wrong_expectation_fails_and_is_named() {
    let lab = up();
    let wrong = "- { from: web-1, to: db-1, tcp: 5432, expect: allowed }\n";
    let rows = test(&lab, &format!("{CHECKS}{wrong}")).exits(1).json();
    let rows = rows.as_array().expect("a list");
    let failed: Vec<_> = rows.iter().filter(|row| row["result"] != "passed").collect();
    assert_eq!(failed.len(), 1, "{rows:#?}");
    assert_eq!(
        (&failed[0]["seen"], &failed[0]["reason"]),
        (&"refused".into(), &"ENI_SG_RULES_MISMATCH".into())
    );
    let written = junit(&lab);
    assert!(written.contains("failures=\"1\" errors=\"0\""), "{written}");
    let case = written.split("<testcase ").find(|case| case.contains("<failure")).expect("a failed case");
    assert!(case.contains("web-1 -&gt; db-1 tcp 5432 allowed"), "{case}");
    assert!(case.contains("expected allowed, seen refused (ENI_SG_RULES_MISMATCH)"), "{case}");
    finish(lab);
}

/// What cannot be an expectation is said with its place, and nothing is probed.
#[test]
fn a_mistake_in_the_expectations_is_shown() {
    let lab = up();
    test(&lab, "- { from: web-1, to: db-9, tcp: 5432, expect: allowed }\n").exits(2).says("checks.yaml:1:");
    test(&lab, "- { from: web-1, to: db-1, tcp: 5432, expect: allow }\n").exits(2).says("checks.yaml:1:");
    assert_eq!(lab.settled().received, 0);
    lab.finish(NOTHING);
}
