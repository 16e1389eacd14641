use std::fs;

use lab::live::LiveLab;
use lab::{Error, Errors, Options, Owner};

use super::support::{Site, TWO, run};

fn refusal(site: &Site, text: &str) -> Errors {
    LiveLab::up(&site.dirs, &site.plan(text), Options::default()).map(|_| ()).expect_err("the lab is refused")
}

#[test]
fn a_foreign_namespace_is_refused_by_name_before_anything_is_made() {
    let site = Site::new();
    let web = site.ns("web");
    run(&["ip", "netns", "add", &web]);
    let errors = refusal(&site, TWO);
    let [Error::NamespaceClash { namespace, owner: Owner::Nobody(_), .. }] = errors.list() else {
        panic!("{errors}")
    };
    assert_eq!(namespace, &web);
    assert!(errors.to_string().contains(&format!("`ip netns delete {web}`")), "{errors}");
    assert!(site.has("web"), "it is still there");
    assert!(!site.has("fw"), "nothing was made");
    assert!(!site.dirs.run_of(&site.name).exists() && !site.etc("fw").exists());
}

#[test]
fn every_clash_is_named() {
    let site = Site::new();
    run(&["ip", "netns", "add", &site.ns("web")]);
    run(&["ip", "netns", "add", &site.ns("third")]);
    fs::create_dir_all(site.etc("fw")).expect("/etc/netns can be written");
    fs::write(site.etc("fw").join("hosts"), "127.0.0.1 mine\n").expect("a file");
    let third = "      third: { subnet: a }\n      fw:\n";
    let errors = refusal(&site, &TWO.replace("      fw:\n", third));
    let [Error::FileClash { path, .. }, Error::NamespaceClash { .. }, Error::NamespaceClash { .. }] =
        errors.list()
    else {
        panic!("{errors}")
    };
    assert_eq!(path, &site.etc("fw").join("hosts"));
    assert_eq!(fs::read_to_string(path).expect("still there"), "127.0.0.1 mine\n");
    assert!(!site.has("fw"), "nothing was made");
}

#[test]
fn a_namespace_of_another_lab_names_that_lab() {
    let site = Site::new();
    let (_lab, _devices) = site.up(&TWO.replace("      web:", "      b-c:"));
    let other = format!("{}-b", site.name);
    let text = TWO.replace("lab: LAB", &format!("lab: {other}")).replace("      web:", "      c:");
    let errors = refusal(&site, &text);
    let [Error::NamespaceClash { owner: Owner::Lab(owner), .. }] = errors.list() else { panic!("{errors}") };
    assert_eq!(owner, &site.name);
    assert!(site.has("b-c"));
}

#[test]
fn a_lab_runs_only_once() {
    let site = Site::new();
    let (_lab, _devices) = site.up(TWO);
    let errors = refusal(&site, TWO);
    let [Error::Running { pid, .. }] = errors.list() else { panic!("{errors}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert_eq!(site.addresses("fw", "eth1"), ["10.0.2.20/24"], "the first one is untouched");
}

#[test]
fn two_labs_run_side_by_side() {
    let (one, two) = (Site::new(), Site::new());
    let (first, devices) = one.up(TWO);
    let (_second, _devices) = two.up(TWO);
    assert_eq!(one.addresses("fw", "eth1"), two.addresses("fw", "eth1"));
    drop(devices);
    first.down().expect("the first goes");
    assert!(!one.has("fw") && two.has("fw"));
}
