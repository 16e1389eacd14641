//! Labs from outside: side by side, in the way of others, and after their daemon was killed.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Lab, NOTHING, Program, eventually, lives, unique_name, vpclab};
use crate::reach::PAIR;

const PATIENCE: Duration = Duration::from_secs(30);

const PING: [&str; 7] = ["ping", "-n", "-c", "1", "-W", "2", "10.50.2.10"];

fn ip(arguments: &[&str]) {
    let mut command = Command::new("ip");
    command.args(arguments);
    Program::run(command, PATIENCE).ok();
}

fn kill_daemon(lab: &Lab) {
    let pid = i32::try_from(lab.status().pid).expect("a process id is positive");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the daemon lives");
    eventually("the daemon is gone", PATIENCE, || !lives(pid));
}

/// Processes inside an instance.
fn pids_in(lab: &Lab, instance: &str) -> Vec<i32> {
    let mut command = Command::new("ip");
    command.args(["netns", "pids", &lab.namespace(instance)]);
    let done = Program::run(command, PATIENCE).ok();
    done.stdout.lines().map(|pid| pid.parse().expect("a number")).collect()
}

/// Equal addresses in two labs are different places.
#[test]
fn two_labs_run_side_by_side() {
    let (one, other) = (Lab::up(PAIR), Lab::up(PAIR));
    one.exec("a-1", &PING).ok();
    assert_eq!((one.settled().delivered, other.settled().delivered), (2, 0));
    let listed = Program::run(vpclab(["ps"]), PATIENCE).ok().says(one.name()).says(other.name());
    drop(listed);
    one.finish(NOTHING);
    other.exec("a-1", &PING).ok();
    other.finish(NOTHING);
}

/// A second `up` of a running lab is refused and does it no harm.
#[test]
fn a_running_lab_does_not_come_up_twice() {
    let mut lab = Lab::up(PAIR);
    lab.bring_up(&[]).exits(2).says("running");
    lab.exec("a-1", &PING).ok();
    lab.finish(NOTHING);
}

/// A namespace that somebody else has made stays his.
#[test]
fn a_foreign_namespace_is_not_taken() {
    let mut lab = Lab::written(&unique_name(), PAIR);
    let foreign = lab.namespace("b-1");
    ip(&["netns", "add", &foreign]);
    let _gone = Netns(foreign.clone());
    lab.bring_up(&[]).exits(2).says(&foreign);
    ip(&["netns", "exec", &foreign, "true"]);
    ip(&["netns", "delete", &foreign]);
    lab.check_gone();
    lab.bring_up(&[]).ok();
    lab.exec("a-1", &PING).ok();
    lab.finish(NOTHING);
}

/// A device that somebody has put into an instance is not taken either.
#[test]
fn a_foreign_device_is_not_taken() {
    let lab = Lab::up(PAIR);
    lab.exec("a-2", &["ip", "tuntap", "add", "dev", "eth1", "mode", "tun"]).ok();
    let one = "a-2: { subnet: a, security_groups: [open], private_ip: 10.50.1.20, ipv6_addresses: [\"2600:1f18:50:1001::20\"] }";
    let two = "a-2: { security_groups: [open], interfaces: { eth0: { subnet: a, private_ip: 10.50.1.20, ipv6_addresses: \
               [\"2600:1f18:50:1001::20\"] }, eth1: { subnet: a } } }";
    lab.apply(&lab.text_with(one, two)).exits(2).says("eth1");
    lab.exec("a-2", &PING).ok();
    lab.exec("a-2", &["ip", "link", "delete", "eth1"]).ok();
    lab.finish(NOTHING);
}

/// `down` removes what a killed daemon has left behind.
#[test]
fn down_cleans_up_after_a_killed_daemon() {
    let lab = Lab::up(PAIR);
    kill_daemon(&lab);
    assert!(
        std::path::Path::new("/run/netns").join(lab.namespace("a-1")).exists(),
        "there is something to clean up"
    );
    lab.go_down();
}

/// So does the next `up`.
#[test]
fn up_cleans_up_after_a_killed_daemon() {
    let mut lab = Lab::up(PAIR);
    kill_daemon(&lab);
    lab.bring_up(&[]).ok();
    lab.exec("a-1", &PING).ok();
    assert_eq!(lab.settled().delivered, 2, "nothing of the first life is counted");
    lab.finish(NOTHING);
}

/// What a supervised program has started ends with the lab, also after the daemon was killed.
#[test]
fn programs_end_with_their_lab() {
    let programs = "a-2: { run: [\"sleep 4711 & sleep 4712\"], ";
    let mut lab = Lab::up(&PAIR.replace("a-2: {", programs));
    eventually("both programs run", PATIENCE, || pids_in(&lab, "a-2").len() >= 2);
    let first = pids_in(&lab, "a-2");
    kill_daemon(&lab);
    lab.bring_up(&[]).ok();
    assert!(!first.iter().any(|pid| lives(*pid)), "`up` ended what a killed daemon had left");
    eventually("both programs run again", PATIENCE, || pids_in(&lab, "a-2").len() >= 2);
    let second = pids_in(&lab, "a-2");
    lab.finish(NOTHING);
    assert!(!second.iter().any(|pid| lives(*pid)), "`down` ended its programs");
}

/// What is wrong with a file is said before anything is made.
#[test]
fn up_refuses_a_broken_file() {
    let broken = PAIR.replace("private_ip: 10.50.1.10", "private_ip: 10.50.1.1");
    let mut lab = Lab::written(&unique_name(), &broken);
    lab.bring_up(&[]).exits(1).says("lab.yaml:");
    lab.check_gone();
    Program::run(vpclab(["down", lab.name()]), PATIENCE).exits(1).says("is not there");
}

/// Without `-d` the lab lives as long as the program, and Ctrl-C takes it down.
#[test]
fn a_lab_in_the_foreground_goes_down_with_its_program() {
    let mut lab = Lab::written(&unique_name(), PAIR);
    let mut up = lab.bring_up_in_the_foreground();
    up.wait_for("is up", PATIENCE);
    lab.exec("a-1", &PING).ok();
    up.interrupt(PATIENCE).ok().says("is down");
    lab.check_gone();
}

/// A namespace of a test, deleted if the test fails in between.
struct Netns(String);

impl Drop for Netns {
    fn drop(&mut self) {
        let mut command = Command::new("ip");
        command.args(["netns", "delete", &self.0]);
        Program::run(command, PATIENCE);
    }
}
