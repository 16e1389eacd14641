//! Daemons that end in other ways than by request.

use std::fs;
use std::time::Duration;

use daemon::background::{LaunchError, launch};
use daemon::{Down, State};
use lab::state::state;

use crate::child::{self, PATIENCE};
use crate::support::{Site, TWO, TWO_V4, With, eventually, output};

/// Process id of the daemon of a lab.
fn pid_of(site: &Site) -> u32 {
    let labs = daemon::list(&site.dirs).expect("readable");
    match labs.as_slice() {
        [(_, State::Running { pid: Some(pid) })] => *pid,
        other => panic!("one running lab: {other:?}"),
    }
}

fn launched(site: &Site, text: &str) -> u32 {
    let log = site.directory().join("daemon.log");
    let started = launch(&mut child::command(site, "", text), &log, PATIENCE);
    started.unwrap_or_else(|error| panic!("{error}\n{}", fs::read_to_string(log).unwrap_or_default()));
    pid_of(site)
}

fn kill(site: &Site, signal: &str, pid: u32) {
    assert!(output(&["kill", signal, &pid.to_string()]).status.success());
    let runs = |site: &Site| matches!(state(&site.dirs, &site.name("")), Ok(State::Running { .. }));
    eventually("the daemon is gone", || !runs(site));
}

#[test]
fn what_a_killed_daemon_leaves_is_cleaned_by_the_next_up() {
    let site = Site::new();
    let with_host = format!("{TWO}internet: {{ hosts: {{ laptop: {{ ips: [203.0.113.50] }} }} }}\n");
    let pid = launched(&site, &with_host);
    kill(&site, "-KILL", pid);
    assert_eq!(site.namespaces().len(), 3, "nobody could clean up");
    assert_eq!(daemon::list(&site.dirs).expect("readable"), [(site.name(""), State::Dead)]);
    let lab = site.up("", TWO, With::default());
    assert!(lab.ping("one", TWO_V4));
    lab.down();
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

#[test]
fn what_a_killed_daemon_leaves_is_cleaned_by_down() {
    let site = Site::new();
    let pid = launched(&site, &TWO.replace("two: { subnet: b,", "two: { subnet: b, run: [\"sleep 1000\"],"));
    let namespace = format!("{}-two", site.name(""));
    let pids = || String::from_utf8(output(&["ip", "netns", "pids", &namespace]).stdout).expect("UTF-8");
    eventually("the program runs", || !pids().is_empty());
    kill(&site, "-KILL", pid);
    assert_eq!(daemon::down(&site.dirs, &site.name("")).expect("cleaned"), Down::CleanedUp);
    assert_eq!(site.leftovers(), Vec::<String>::new());
}

#[test]
fn a_signal_ends_the_lab_in_good_order() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let site = Site::new();
        let pid = launched(&site, TWO);
        kill(&site, signal, pid);
        assert_eq!(site.leftovers(), Vec::<String>::new(), "after {signal}");
    }
}

#[test]
fn why_a_start_fails_reaches_the_starter() {
    let site = Site::new();
    let lab = site.up("", TWO, With::default());
    let log = site.directory().join("daemon.log");
    let failed = launch(&mut child::command(&site, "", TWO), &log, PATIENCE).expect_err("it runs already");
    assert!(
        matches!(&failed, LaunchError::Failed { message } if message.contains("is already running")),
        "{failed}"
    );
    assert!(lab.ping("one", TWO_V4));
}

#[test]
fn a_crash_at_the_start_is_told_apart() {
    let site = Site::new();
    let log = site.directory().join("logs/daemon.log");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "echo nobody expected this >&2; kill -SEGV $$"]);
    let crashed = launch(&mut command, &log, PATIENCE).expect_err("it crashes");
    assert!(matches!(&crashed, LaunchError::Crashed { .. }), "{crashed}");
    assert_eq!(fs::read_to_string(log).expect("a log"), "nobody expected this\n");
}

#[test]
fn a_start_that_never_ends_is_given_up() {
    let site = Site::new();
    let log = site.directory().join("daemon.log");
    let mut command = std::process::Command::new("timeout");
    command.args(["-k", "1", "20", "sleep", "20"]);
    let late = launch(&mut command, &log, Duration::from_millis(100)).expect_err("it is never ready");
    assert!(matches!(late, LaunchError::Timeout { .. }), "{late}");
}
