use std::fs;
use std::time::{Duration, Instant};

use lab::programs::{ProgramEvent, ProgramState, Programs};

use super::support::{Site, TWO, eventually};

fn with_programs(list: &str) -> String {
    TWO.replace("\"2600:1f18:aaaa:1001::10\"] }", &format!("\"2600:1f18:aaaa:1001::10\"], run: {list} }}"))
}

#[expect(clippy::disallowed_methods, reason = "a test is a program at the edge")]
fn now() -> Instant {
    Instant::now()
}

fn log(site: &Site, number: usize) -> String {
    fs::read_to_string(site.dirs.logs_of(&site.name).join(format!("web-{number}.log"))).unwrap_or_default()
}

#[test]
fn programs_run_in_their_instance_and_write_their_logs() {
    let site = Site::new();
    let text = with_programs("[\"hostname -I; echo oops >&2; exec sleep 600\", \"exec sleep 601\"]");
    let (lab, _devices) = site.up(&text);
    let mut programs = Programs::new(&site.dirs, &site.name);
    programs.set(lab.plan(), now()).expect("nothing to stop");
    let events = programs.poll(now());
    assert!(
        matches!(events.as_slice(), [ProgramEvent::Started { .. }, ProgramEvent::Started { .. }]),
        "{events:?}"
    );
    eventually("both wrote and run", || log(&site, 0).contains("oops") && site.pids("web").len() == 2);
    assert!(log(&site, 0).starts_with("10.0.1.10 "), "{}", log(&site, 0));
    let status = programs.status();
    assert_eq!(status.iter().map(|s| s.number).collect::<Vec<_>>(), [0, 1]);
    assert!(matches!(status[1].state, ProgramState::Running { pid } if site.pids("web").contains(&pid)));
    assert_eq!(programs.poll_timeout(), None);
    programs.stop().expect("stops");
    assert!(site.pids("web").is_empty());
}

#[test]
fn a_program_that_ends_is_started_again_after_a_while() {
    let site = Site::new();
    let (lab, _devices) = site.up(&with_programs("[\"echo run; exit 3\"]"));
    let mut programs = Programs::new(&site.dirs, &site.name);
    let start = now();
    programs.set(lab.plan(), start).expect("nothing to stop");
    programs.poll(start);
    let mut how = String::new();
    eventually("it ended", || match programs.poll(start).as_slice() {
        [ProgramEvent::Ended { how: ended, .. }] => {
            how.clone_from(ended);
            true
        }
        _ => false,
    });
    assert_eq!(how, "exit status: 3");
    assert_eq!(programs.poll_timeout(), Some(start + Duration::from_millis(500)));
    assert!(programs.poll(start).is_empty(), "not before its time");
    let again = programs.poll(start + Duration::from_millis(500));
    assert!(matches!(again.as_slice(), [ProgramEvent::Started { .. }]), "{again:?}");
    assert_eq!(programs.status()[0].restarts, 1);
    eventually("it wrote to the same log", || log(&site, 0) == "run\nrun\n");
}

#[test]
fn only_programs_that_changed_are_stopped_and_started() {
    let site = Site::new();
    let (lab, _devices) = site.up(&with_programs("[\"exec sleep 600\", \"exec sleep 601\"]"));
    let mut programs = Programs::new(&site.dirs, &site.name);
    programs.set(lab.plan(), now()).expect("nothing to stop");
    programs.poll(now());
    let before = programs.status();
    let other = site.plan(&with_programs("[\"exec sleep 600\", \"exec sleep 602\"]"));
    programs.set(&other, now()).expect("one stops");
    assert_eq!(programs.poll(now()).len(), 1);
    let after = programs.status();
    assert_eq!(before[0], after[0]);
    assert_eq!(after[1].command, "exec sleep 602");
    eventually("two run", || site.pids("web").len() == 2);
}

#[test]
fn stopping_ends_whatever_a_program_has_started() {
    let site = Site::new();
    let (lab, _devices) =
        site.up(&with_programs("[\"trap '' TERM; sleep 600 & sleep 601 & wait; sleep 602\"]"));
    let mut programs = Programs::new(&site.dirs, &site.name);
    programs.set(lab.plan(), now()).expect("nothing to stop");
    programs.poll(now());
    eventually("all run", || site.pids("web").len() == 3);
    programs.stop().expect("stops");
    eventually("all ended", || site.pids("web").is_empty());
}

#[test]
fn dropping_the_supervisor_kills_its_programs() {
    let site = Site::new();
    let (lab, _devices) = site.up(&with_programs("[\"sleep 600; true\"]"));
    let mut programs = Programs::new(&site.dirs, &site.name);
    programs.set(lab.plan(), now()).expect("nothing to stop");
    programs.poll(now());
    eventually("it runs", || site.pids("web").len() == 2);
    drop(programs);
    eventually("it ended", || site.pids("web").is_empty());
}

#[test]
fn a_program_whose_namespace_is_gone_is_tried_again() {
    let site = Site::new();
    let plan = site.plan(&with_programs("[\"true\"]"));
    let mut programs = Programs::new(&site.dirs, &site.name);
    programs.set(&plan, now()).expect("nothing to stop");
    let events = programs.poll(now());
    assert!(matches!(events.as_slice(), [ProgramEvent::Failed(_)]), "{events:?}");
    assert!(programs.poll_timeout().is_some());
}
