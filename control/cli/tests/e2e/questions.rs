//! What the program says about real packets: the story of the first example, told by every command that can tell it.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Lab, Program, vpclab};

const TWO_TIER: &str = include_str!("../../../../examples/two-tier.yaml");

const PATIENCE: Duration = Duration::from_secs(30);

/// The example after the pings that its first comment invites to, with the exit code that each is said to have.
fn pinged() -> Lab {
    let lab = Lab::up(&TWO_TIER.replace("lab: two-tier", "lab: LAB"));
    for (from, to, code) in [("app-1", "web-1", 0), ("web-1", "db-1", 1), ("app-1", "db-1", 1)] {
        lab.exec(from, &["ping", "-c", "1", "-W", "1", to]).exits(code);
    }
    lab.exec("app-1", &["ping", "-6", "-c", "1", "-W", "2", "db-1"]).ok();
    lab
}

fn finish(lab: Lab) {
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 1..=1), ("SUBNET_ACL_RESTRICTION", 1..=1)]);
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}

/// Rules: SG-01, NA-11, NA-03, AD-29
#[test]
fn drops_name_the_reason_and_the_gate() {
    let lab = pinged();
    let drops = lab.ask(&["drops", "--output", "json"]).ok().json();
    let told = |drop: &Value| {
        let gate = [&drop["gate"][0], &drop["gate"][1]].map(|part| part.as_str().expect("a word").to_owned());
        let packet = format!("{} > {}", text(drop, "source"), text(drop, "destination"));
        format!("{}: {packet} {} at {}", text(drop, "from"), text(drop, "reason"), gate.join(" "))
    };
    let told: Vec<String> = drops.as_array().expect("a list").iter().map(told).collect();
    assert_eq!(
        told,
        [
            "web-1.eth0: 10.0.1.10 > 10.0.2.10 ENI_SG_RULES_MISMATCH at db-1.eth0 ingress",
            "db-1.eth0: 10.0.2.10 > 10.0.1.20 SUBNET_ACL_RESTRICTION at db-1.eth0 egress",
        ]
    );
    lab.ask(&["drops"]).ok().says("ENI_SG_RULES_MISMATCH").says("db-1.eth0 egress");
    finish(lab);
}

/// What is dropped while somebody follows is told at once.
#[test]
fn drops_can_be_followed() {
    let lab = pinged();
    let mut following = Program::start(vpclab(["drops", "-f", lab.name()]));
    following.wait_for("SUBNET_ACL_RESTRICTION", PATIENCE);
    lab.exec("web-1", &["ping", "-c", "1", "-W", "1", "10.0.1.1"]).exits(1);
    following.wait_for("RESERVED_ADDRESS", PATIENCE);
    drop(following);
    lab.finish(&[
        ("ENI_SG_RULES_MISMATCH", 1..=1),
        ("RESERVED_ADDRESS", 1..=1),
        ("SUBNET_ACL_RESTRICTION", 1..=1),
    ]);
}

/// Rules: NA-11, SG-26
#[test]
fn explain_says_what_real_packets_found_out() {
    let lab = pinged();
    let explain = |from: &str, to: &str, code: i32| {
        let argv = ["explain", "--from", from, "--to", to, "--proto", "icmp", "--verify", "--output", "json"];
        let answer = lab.ask(&argv).exits(code).json();
        text(&answer, "verdict").to_owned()
    };
    assert_eq!(explain("app-1", "web-1", 0), "delivered");
    assert_eq!(explain("web-1", "db-1", 1), "dropped");
    assert_eq!(explain("app-1", "db-1", 1), "reply-dropped");
    finish(lab);
}

/// The newest drop is the reply that the ACL of the database's subnet denies.
#[test]
fn the_last_drop_can_be_explained() {
    let lab = pinged();
    let mut command = vpclab(["explain", lab.name(), "--verify", "--output", "json", "--last-drop"]);
    let last = Program::run(command, PATIENCE).exits(1).json();
    assert_eq!(text(&last, "verdict"), "reply-dropped", "{last}");
    assert_eq!(text(&last["record"], "reason"), "SUBNET_ACL_RESTRICTION", "{last}");
    command = vpclab(["explain", lab.name(), "--verify", "--output", "json", "--last-drop", "web-1"]);
    let web = Program::run(command, PATIENCE).exits(1).json();
    assert_eq!(text(&web, "verdict"), "dropped", "{web}");
    assert_eq!(text(&web["forward"], "reason"), "ENI_SG_RULES_MISMATCH", "{web}");
    finish(lab);
}

/// Rules: SG-13, NA-11
#[test]
fn flows_list_both_halves_and_refusals() {
    let lab = pinged();
    let flows = lab.ask(&["flows", "--output", "json"]).ok().json();
    let told = |flow: &Value| format!("{} {} {}", text(flow, "from"), flow["to"], text(flow, "state"));
    let mut told: Vec<String> = flows.as_array().expect("a list").iter().map(told).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "app-1.eth0 \"db-1.eth0\" tracked",
            "app-1.eth0 \"db-1.eth0\" tracked",
            "app-1.eth0 \"web-1.eth0\" tracked",
            "db-1.eth0 \"app-1.eth0\" tracked",
            "db-1.eth0 null SUBNET_ACL_RESTRICTION",
            "web-1.eth0 \"app-1.eth0\" tracked",
            "web-1.eth0 null ENI_SG_RULES_MISMATCH",
        ]
    );
    finish(lab);
}

/// Every command that prints a table prints the same as JSON.
#[test]
fn tables_of_a_running_lab_are_json_on_demand() {
    let lab = pinged();
    let kinds =
        ["acls", "flow-logs", "groups", "instances", "interfaces", "prefix-lists", "routes", "subnets"];
    for kind in kinds {
        let rows = lab.ask(&["show", kind, "--output", "json"]).ok().json();
        assert!(rows.is_array(), "{kind}: {rows}");
        lab.ask(&["show", kind]).ok();
    }
    let labs = lab.ask(&["ps", "--output", "json"]).ok().json();
    assert_eq!((text(&labs[0], "lab"), text(&labs[0], "state")), (lab.name(), "running"), "{labs}");
    assert_eq!(labs[0]["instances"].as_array().map(Vec::len), Some(3), "{labs}");
    let matrix = lab.ask(&["explain", "--matrix", "tcp/443", "--verify", "--output", "json"]).ok().json();
    assert_eq!(matrix.as_array().map(Vec::len), Some(6), "each instance to both others: {matrix}");
    let doctor = Program::run(vpclab(["doctor", "--output", "json"]), PATIENCE).ok().json();
    let rows = doctor.as_array().expect("rows").iter();
    let tested: Vec<_> = rows.filter(|row| text(row, "check").starts_with("self-test")).collect();
    assert!(tested.len() == 3 && tested.iter().all(|row| text(row, "result") == "ok"), "{doctor}");
    finish(lab);
}
