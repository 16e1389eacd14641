//! Named namespaces, against what iproute2 sees.

mod support;

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;

use support::{Namespace, text, unique_name};
use vpclab_io::Netns;
use vpclab_io::netns::{NETNS_DIRECTORY, enter_for_exec, netns_command};

#[test]
fn a_created_namespace_is_one_that_ip_knows() {
    let namespace = Namespace::new();
    let listed = text(Command::new("timeout").args(["10", "ip", "netns", "list"]));
    assert!(listed.lines().any(|line| line.split(' ').next() == Some(&namespace.name)), "{listed}");
    text(Command::new("timeout").args(["10", "ip", "netns", "exec", &namespace.name, "true"]));
    assert!(Netns::names().expect("names").contains(&namespace.name));
}

#[test]
fn a_namespace_made_by_ip_can_be_opened_and_deleted() {
    let name = unique_name();
    text(Command::new("timeout").args(["10", "ip", "netns", "add", &name]));
    let opened = Netns::open(&name).expect("open");
    assert_ne!(opened, Netns::current().expect("current"));
    Netns::delete(&name).expect("delete");
    assert!(!Netns::exists(&name).expect("exists"));
}

#[test]
fn the_directory_of_names_is_shared_with_other_mount_namespaces() {
    let _namespace = Namespace::new();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let directory = mounts.lines().find(|line| line.split(' ').nth(4) == Some(NETNS_DIRECTORY));
    assert!(directory.expect("mounted").contains(" shared:"), "{directory:?}");
}

#[test]
fn a_taken_name_is_refused_and_its_namespace_stays() {
    let namespace = Namespace::new();
    let refused = Netns::create(&namespace.name).expect_err("taken");
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert!(refused.to_string().contains(&namespace.name), "{refused}");
    assert_eq!(Netns::open(&namespace.name).expect("still there"), namespace.handle);
}

#[test]
fn a_name_that_is_no_file_name_is_refused() {
    for name in ["", ".", "..", "../etc", "a/b"] {
        assert_eq!(Netns::create(name).expect_err(name).kind(), io::ErrorKind::InvalidInput);
        assert_eq!(Netns::delete(name).expect_err(name).kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_missing_namespace_is_not_found() {
    let name = unique_name();
    assert_eq!(Netns::open(&name).expect_err("missing").kind(), io::ErrorKind::NotFound);
    assert_eq!(Netns::delete(&name).expect_err("missing").kind(), io::ErrorKind::NotFound);
    assert!(!Netns::exists(&name).expect("exists"));
}

#[test]
fn what_is_left_of_a_namespace_cannot_be_opened_but_deleted() {
    let namespace = Namespace::new();
    let file = format!("{NETNS_DIRECTORY}/{}", namespace.name);
    text(Command::new("timeout").args(["10", "umount", "-l", &file]));
    assert!(Netns::exists(&namespace.name).expect("exists"));
    assert_eq!(Netns::open(&namespace.name).expect_err("stale").kind(), io::ErrorKind::InvalidData);
    Netns::delete(&namespace.name).expect("delete");
    assert!(!Netns::exists(&namespace.name).expect("exists"));
}

#[test]
fn work_runs_inside_and_the_caller_stays_outside() {
    let namespace = Namespace::new();
    let before = Netns::current().expect("current");
    let (inside, devices) = namespace
        .handle
        .run(|| Ok((Netns::current()?, fs::read_to_string("/proc/thread-self/net/dev")?)))
        .expect("run");
    assert_eq!(inside, namespace.handle);
    assert_eq!(devices.lines().filter(|line| line.contains(':')).count(), 1, "only loopback: {devices}");
    assert_eq!(Netns::current().expect("current"), before);
    assert_ne!(before, namespace.handle);
}

#[test]
fn the_error_of_the_work_comes_back() {
    let namespace = Namespace::new();
    let failed: io::Result<()> = namespace.handle.run(|| Err(io::ErrorKind::AddrInUse.into()));
    assert_eq!(failed.expect_err("failed").kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn the_processes_of_a_namespace_are_listed() {
    let namespace = Namespace::new();
    assert_eq!(namespace.handle.processes().expect("processes"), []);
    // `cat` stays until its input ends, or the time is over if the test dies.
    let mut command = netns_command(&namespace.name, "timeout").expect("command");
    let mut child = command.args(["60", "cat"]).stdin(Stdio::piped()).spawn().expect("spawn");
    assert!(namespace.handle.processes().expect("processes").contains(&child.id()));
    drop(child.stdin.take());
    child.wait().expect("wait");
    assert_eq!(namespace.handle.processes().expect("processes"), []);
}

#[test]
fn a_program_sees_the_files_of_its_namespace_and_the_host_does_not() {
    let namespace = Namespace::new();
    namespace.etc_file("hosts", HOSTS);
    namespace.etc_file("vpclab-has-no-counterpart", "not shown");
    let seen =
        text(netns_command(&namespace.name, "timeout").expect("command").args(["10", "cat", "/etc/hosts"]));
    assert_eq!(seen, HOSTS);
    assert_ne!(fs::read_to_string("/etc/hosts").expect("the host's file"), HOSTS);
    let exec = ["10", "ip", "netns", "exec", &namespace.name, "cat", "/etc/hosts"];
    assert_eq!(text(Command::new("timeout").args(exec)), HOSTS);
}

#[test]
fn a_program_sees_the_devices_of_its_namespace_in_sys() {
    let namespace = Namespace::new();
    let _tun = namespace.device("only-here", 0, support::openers()[0]);
    let mut command = netns_command(&namespace.name, "timeout").expect("command");
    let seen = text(command.args(["10", "ls", "/sys/class/net"]));
    assert!(seen.lines().any(|line| line == "only-here"), "{seen}");
    assert!(!fs::exists("/sys/class/net/only-here").expect("the host's /sys"));
}

#[test]
fn entering_for_exec_moves_the_thread_for_good() {
    let namespace = Namespace::new();
    namespace.etc_file("hosts", HOSTS);
    let name = namespace.name.clone();
    // The namespaces are the thread's own, so the thread stands for the process that is about to exec.
    let inside = thread::spawn(move || {
        enter_for_exec(&name)?;
        Ok((Netns::current()?, fs::read_to_string("/etc/hosts")?))
    });
    let (entered, hosts) = inside.join().expect("join").map_err(|error: io::Error| error).expect("enter");
    assert_eq!(entered, namespace.handle);
    assert_eq!(hosts, HOSTS);
    assert_ne!(fs::read_to_string("/etc/hosts").expect("the host's file"), HOSTS);
}

#[test]
fn a_command_for_a_missing_namespace_is_refused_before_anything_starts() {
    let refused = netns_command(&unique_name(), "true").expect_err("missing");
    assert_eq!(refused.kind(), io::ErrorKind::NotFound);
}

const HOSTS: &str = "10.9.8.7 db-1.shop db-1\n";
