//! Programs inside instances, and what they see there.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Lab, NOTHING, Program, vpclab};
use crate::reach::PAIR;

const PATIENCE: Duration = Duration::from_secs(30);

/// An instance answers to its name, its id, the id of an interface and each of its addresses.
#[test]
fn exec_finds_an_instance_by_whatever_it_is_called() {
    let lab = Lab::up(PAIR);
    let status = lab.status();
    let instance = status.instances.iter().find(|i| i.name == "b-1").expect("the lab has b-1");
    let interface = &instance.interfaces[0];
    let names = [
        ["b-1", &instance.id, &interface.id].to_vec(),
        interface.addresses.iter().map(String::as_str).collect(),
    ];
    for name in names.concat() {
        let name = name.split('/').next().expect("there is a first part");
        lab.exec(name, &["ip", "-br", "address", "show", "dev", "eth0"]).ok().says("10.50.2.10/24");
    }
    lab.exec("b-2", &["true"]).exits(2).says("b-2");
    lab.finish(NOTHING);
}

/// The exit code of the program is that of `vpclab exec`, and its streams are untouched.
#[test]
fn exec_is_the_program_that_it_runs() {
    let lab = Lab::up(PAIR);
    let done = lab.exec("a-1", &["sh", "-c", "echo out; echo err >&2; exit 7"]).exits(7);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("out\n", "err\n"), "{done}");
    lab.finish(NOTHING);
}

/// The only lab with such an instance need not be named.
#[test]
fn exec_finds_the_lab_of_an_instance() {
    let lab = Lab::up(&PAIR.replace("a-2:", "LAB-only:"));
    let instance = format!("{}-only", lab.name());
    Program::run(vpclab(["exec", &instance, "--", "ip", "-br", "address"]), PATIENCE)
        .ok()
        .says("10.50.1.20/24");
    lab.finish(NOTHING);
}

/// Instances know each other by name, also for `ip netns exec`.
#[test]
fn names_of_all_instances_are_known_inside() {
    let lab = Lab::up(PAIR);
    lab.exec("a-1", &["ping", "-n", "-c", "1", "-W", "2", "b-1"]).ok().says("(10.50.2.10)");
    lab.exec("a-1", &["ping", "-6", "-n", "-c", "1", "-W", "2", "b-1"]).ok().says("2600:1f18:50:1002::10");
    let mut plain = Command::new("ip");
    plain.args(["netns", "exec", &lab.namespace("b-1"), "getent", "ahostsv4", "a-2"]);
    Program::run(plain, PATIENCE).ok().says("10.50.1.20");
    lab.finish(NOTHING);
}
