//! Flow-log records of real traffic.

use std::fs;

use crate::support::{ONE, Site, TWO, TWO_V4, TWO_V6, With, eventually};

const LOG: &str = "    flow_logs:\n      all: { traffic: all, max_aggregation_interval: 1, destination: { file: logs/flows.log } }\n";

/// The fields after the interface, without times: `SRC DST SRCPORT DSTPORT PROTOCOL PACKETS BYTES … ACTION STATUS`.
fn record(line: &str) -> String {
    let fields: Vec<&str> = line.split(' ').collect();
    [&fields[3..10], &fields[12..]].concat().join(" ")
}

/// Rules: FL-11, FL-36
#[test]
fn traffic_is_logged_beside_the_lab_file_within_seconds() {
    let site = Site::new();
    let lab = site.up("", &TWO.replace("settings:\n", &format!("{LOG}settings:\n")), With::default());
    let file = site.directory().join("logs/flows.log");
    assert_eq!(lab.status().flow_logs.values().collect::<Vec<_>>(), [&file.display().to_string()]);
    assert!(lab.ping("one", TWO_V4));
    assert!(!lab.ping("two", ONE));
    let records =
        || -> Vec<String> { fs::read_to_string(&file).unwrap_or_default().lines().map(record).collect() };
    let accepted = format!("{ONE} {TWO_V4} 0 0 1 1 84 ACCEPT OK");
    let answered = format!("{TWO_V4} {ONE} 0 0 1 1 84 ACCEPT OK");
    let refused = format!("{TWO_V4} {ONE} 0 0 1 1 84 REJECT OK");
    for wanted in [&accepted, &answered, &refused] {
        eventually(wanted, || records().contains(wanted));
    }
    assert_eq!(records().iter().filter(|record| **record == accepted).count(), 2, "sender and receiver");
}

/// Rules: FL-39
#[test]
fn the_last_window_is_written_when_the_lab_ends() {
    let site = Site::new();
    let log = LOG.replace("max_aggregation_interval: 1,", "max_aggregation_interval: 600,");
    let lab = site.up("", &TWO.replace("settings:\n", &format!("{log}settings:\n")), With::default());
    assert!(lab.ping("one", TWO_V4));
    lab.down();
    let text = fs::read_to_string(site.directory().join("logs/flows.log")).expect("written at the end");
    assert!(
        text.lines().any(|line| record(line) == format!("{ONE} {TWO_V4} 0 0 1 1 84 ACCEPT OK")),
        "{text}"
    );
}

#[test]
fn records_that_cannot_be_written_are_a_trouble_and_stop_nothing() {
    let site = Site::new();
    fs::write(site.directory().join("logs"), "a file where a directory has to be").expect("written");
    let lab = site.up("", &TWO.replace("settings:\n", &format!("{LOG}settings:\n")), With::default());
    assert!(lab.ping("one", TWO_V4));
    let path = site.directory().join("logs/flows.log").display().to_string();
    let told = |trouble: &String| trouble.starts_with(&format!("flow logs: {path}: "));
    eventually("the trouble is told", || lab.status().trouble.iter().any(told));
    assert!(lab.ping("one", TWO_V6));
}
