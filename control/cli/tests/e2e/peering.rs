//! Peering connections that change while packets flow.

use std::time::Duration;

use crate::harness::{Done, Lab};

const PEERING: &str = include_str!("../../../../examples/peering.yaml");

fn up() -> Lab {
    Lab::up(&PEERING.replace("lab: peering\n", "lab: LAB\n"))
}

fn ping(lab: &Lab, from: &str, to: &str) -> Done {
    lab.exec(from, &["ping", "-n", "-c", "1", "-W", "1", to])
}

/// `vpclab peering …` about this lab.
fn peering(lab: &Lab, arguments: &[&str]) -> Done {
    lab.ask(&[&["peering"], arguments].concat())
}

/// Rules: PC-03, PC-23, RT-15, RT-16
#[test]
fn packets_follow_the_state_of_the_connection() {
    let lab = up();
    ping(&lab, "web-1", "10.2.1.10").ok();
    peering(&lab, &["delete", "web-app"]).ok().says("of web and app is deleted");
    ping(&lab, "web-1", "10.2.1.10").exits(1);
    ping(&lab, "app-1", "10.1.1.10").exits(1);
    ping(&lab, "app-1", "10.3.1.10").ok();
    lab.ask(&["show", "routes"]).ok().says("peering/web-app  blackhole");
    lab.ask(&["explain", "--from", "web-1", "--to", "app-1"])
        .exits(1)
        .says("BAD_STATE_ROUTE")
        .says("vpclab peering request web-app");
    peering(&lab, &["accept", "web-app"]).exits(2).says("(InvalidStateTransition)");
    peering(&lab, &["request", "web-app"]).ok().says("is pending-acceptance");
    ping(&lab, "web-1", "10.2.1.10").exits(1);
    peering(&lab, &["accept", "web-app"]).ok().says("is active");
    ping(&lab, "web-1", "10.2.1.10").ok();
    lab.finish(&[("BAD_STATE_ROUTE", 3..=3)]);
}

/// Rules: PC-23, RT-15
#[test]
fn a_flow_that_passes_meets_the_blackhole_and_goes_on_over_the_next_connection() {
    let lab = up();
    let mut flow = lab.start("app-1", &["ping", "-n", "-c", "400", "-i", "0.02", "-W", "2", "10.1.1.10"]);
    flow.wait_for("icmp_seq=1 ", Duration::from_secs(10));
    peering(&lab, &["delete", "web-app"]).ok();
    peering(&lab, &["request", "web-app"]).ok();
    ping(&lab, "app-1", "10.1.1.10").exits(1);
    peering(&lab, &["accept", "web-app"]).ok();
    flow.finish(Duration::from_secs(30)).ok().says("icmp_seq=400 ");
    lab.finish(&[("BAD_STATE_ROUTE", 2..=399)]);
}

/// Rules: PC-05, PC-02
#[test]
fn a_request_is_answered_in_json_and_fails_where_blocks_overlap() {
    let lab = up();
    let json = ["--output", "json"];
    let between = |requester, accepter| ["--requester", requester, "--accepter", accepter];
    let waits =
        peering(&lab, &[&["request", "web-db"], &between("web", "db")[..], &json].concat()).ok().json();
    assert_eq!((&waits["status"], &waits["requester"]), (&"pending-acceptance".into(), &"web".into()));
    let rejected = peering(&lab, &[&["reject", "web-db"], &json[..]].concat()).ok().json();
    assert_eq!((&rejected["status"], &rejected["id"]), (&"rejected".into(), &waits["id"]));
    let active = peering(&lab, &[&["request", "near", "--auto-accept"], &between("web", "db")[..]].concat());
    active.ok().says("is active");
    let refused = peering(&lab, &[&["request", "again"], &between("db", "web")[..]].concat());
    refused.exits(2).says("(VpcPeeringConnectionAlreadyExists)");
    let vpcs = lab.text_with("peerings:\n", "  twin: { cidr: [10.1.128.0/17] }\npeerings:\n");
    lab.apply(&vpcs).ok().says("near stays active");
    let failed = peering(&lab, &[&["request", "twins"], &between("web", "twin")[..]].concat());
    failed.exits(1).says("10.1.0.0/16 of VPC web overlaps 10.1.128.0/17 of VPC twin");
    let listed = lab.ask(&["show", "peerings", "--output", "json"]).ok().json();
    let states: Vec<(&str, &str)> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| Some((row["peering"].as_str()?, row["status"].as_str()?)))
        .collect();
    let expected = [
        ("app-db", "active"),
        ("near", "active"),
        ("twins", "failed"),
        ("web-app", "active"),
        ("web-db", "rejected"),
    ];
    assert_eq!(states, expected);
    lab.finish(&[]);
}
