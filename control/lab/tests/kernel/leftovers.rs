use std::fs;

use lab::live::{self, Leftovers};
use lab::state::{self, State};
use lab::{Error, Owner, exec};

use super::support::{Site, TWO, eventually, run};

/// What a killed daemon leaves: no lock and no open devices, but namespaces, files, programs and the plan.
fn dead_lab(site: &Site) -> std::process::Child {
    let (lab, devices) = site.up(TWO);
    let program = exec::command(&site.ns("web"), "sleep", ["600"]).expect("there").spawn().expect("starts");
    eventually("the program is inside", || site.pids("web").len() == 1);
    assert_eq!(
        state::state(&site.dirs, &site.name).expect("readable"),
        State::Running { pid: Some(std::process::id()) }
    );
    drop((devices, lab));
    assert_eq!(state::state(&site.dirs, &site.name).expect("readable"), State::Dead);
    assert_eq!(state::labs(&site.dirs).expect("readable"), std::slice::from_ref(&site.name));
    program
}

#[test]
fn a_dead_lab_is_cleaned_up_by_its_stored_plan() {
    let site = Site::new();
    let mut program = dead_lab(&site);
    assert_eq!(live::clean_up(&site.dirs, &site.name).expect("cleans"), Leftovers::Cleaned);
    assert!(program.wait().expect("ended").code().is_none(), "it was killed");
    assert!(!site.has("web") && !site.has("fw") && !site.etc("web").exists());
    assert_eq!(state::state(&site.dirs, &site.name).expect("readable"), State::Absent);
    assert_eq!(live::clean_up(&site.dirs, &site.name).expect("again"), Leftovers::None);
}

#[test]
fn a_dead_lab_comes_up_again_with_another_plan() {
    let site = Site::new();
    let mut program = dead_lab(&site);
    let (_lab, devices) = site.up(&TWO.replace("      fw:", "      gate:"));
    program.wait().expect("ended");
    assert_eq!(devices.len(), 3);
    assert!(site.has("web") && site.has("gate") && !site.has("fw"));
    assert!(site.pids("web").is_empty());
}

#[test]
fn a_running_lab_is_not_cleaned_up() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    let errors = live::clean_up(&site.dirs, &site.name).expect_err("it runs");
    assert!(matches!(errors.list(), [Error::Running { .. }]), "{errors}");
    assert!(site.has("web"));
}

#[test]
fn a_plan_that_cannot_be_read_is_named_and_nothing_is_touched() {
    let site = Site::new();
    dead_lab(&site).kill().expect("its parent may");
    let path = site.dirs.run_of(&site.name).join("plan.json");
    fs::write(&path, "{").expect("written");
    let errors = live::clean_up(&site.dirs, &site.name).expect_err("unreadable");
    assert!(
        matches!(errors.list(), [Error::PlanUnreadable { path: named, .. }] if *named == path),
        "{errors}"
    );
    assert!(site.has("web"));
}

#[test]
fn a_foreign_namespace_with_a_name_of_the_plan_is_left_alone_and_named() {
    let site = Site::new();
    let mut program = dead_lab(&site);
    let web = site.ns("web");
    run(&["ip", "netns", "delete", &web]);
    run(&["ip", "netns", "add", &web]);
    let mut foreign = exec::command(&web, "sleep", ["600"]).expect("there").spawn().expect("starts");
    eventually("the program is inside", || site.pids("web").len() == 1);
    let errors = live::clean_up(&site.dirs, &site.name).expect_err("it is not ours");
    let [Error::NamespaceClash { namespace, owner: Owner::Nobody(_), .. }] = errors.list() else {
        panic!("{errors}")
    };
    assert_eq!(namespace, &web);
    assert!(site.has("web") && !site.has("fw"), "the rest is gone");
    assert_eq!(foreign.try_wait().expect("a child"), None, "it runs");
    for child in [&mut foreign, &mut program] {
        child.kill().expect("its parent may");
        child.wait().expect("ended");
    }
    run(&["ip", "netns", "delete", &web]);
    assert_eq!(live::clean_up(&site.dirs, &site.name).expect("cleans"), Leftovers::Cleaned);
}

#[test]
fn a_name_that_leads_elsewhere_is_no_lab() {
    let site = Site::new();
    assert_eq!(state::state(&site.dirs, "../run").expect("no lab"), State::Absent);
    let errors = live::clean_up(&site.dirs, "..").expect_err("no lab");
    assert!(matches!(errors.list(), [Error::LabName { .. }]), "{errors}");
}
