//! Hosts on the internet from outside: listed, entered, changed, and ends of expectations.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{FULL, LATE, Lab, Load, NOTHING, Program, address, ping, unique_name, up, vpclab};
use crate::internet::{CLIENT, INTERNET, LAPTOP, PHONE, SERVER, talk};

const PATIENCE: Duration = Duration::from_secs(60);

/// A host is listed as instances are, and answers to its name, its id and its addresses.
#[test]
fn hosts_are_listed_and_entered() {
    let mut lab = Lab::written(&unique_name(), &INTERNET.replace("FORMAT", FULL));
    lab.bring_up(&[]).ok().says("5 instances, 5 interfaces, 2 hosts");
    let status = lab.status();
    let laptop = status.hosts.iter().find(|host| host.name == LAPTOP.name).expect("the lab has it");
    for name in [LAPTOP.name, LAPTOP.own, LAPTOP.v6, &laptop.id] {
        lab.exec(name, &["ip", "-br", "address", "show", "dev", "eth0"]).ok().says("203.0.113.50/32");
    }
    lab.ask(&["ps"]).ok().says(&laptop.id).says(&lab.namespace(LAPTOP.name));
    lab.ask(&["show", "hosts"]).ok().says("www.example.com").says("203.0.113.60, 2001:db8::60");
    lab.exec("tablet", &["true"]).exits(2).says("tablet");
    lab.finish(NOTHING);
}

/// A host comes, takes another address and goes, and what else the lab has stays as it is.
///
/// Rules: OR-06
#[test]
fn hosts_are_changed_while_the_lab_runs() {
    let lab = up(INTERNET);
    let ping = |lab: &Lab, to: &str| lab.exec(CLIENT.name, &["ping", "-n", "-c", "1", "-W", "1", to]);
    ping(&lab, "203.0.113.70").exits(1);
    lab.edit("    phone:", "    tablet: { ips: [203.0.113.70] }\n    phone:");
    ping(&lab, "203.0.113.70").ok();
    lab.exec(CLIENT.name, &["ping", "-n", "-c", "1", "-W", "1", "tablet"]).ok();
    lab.edit("203.0.113.70", "203.0.113.71");
    ping(&lab, "203.0.113.70").exits(1);
    ping(&lab, "203.0.113.71").ok();
    lab.edit("    tablet: { ips: [203.0.113.71] }\n", "");
    ping(&lab, "203.0.113.71").exits(1);
    ping(&lab, LAPTOP.own).ok();
    lab.finish(&[(crate::internet::NOBODY, 3..=3)]);
}

/// Hosts are served like instances whoever reads their devices, also where packets change hands between workers.
///
/// Rules: OR-06, OR-07, OR-08
#[test]
fn every_backend_serves_hosts() {
    for (backend, workers) in [("epoll", "1"), ("tokio", "3"), ("uring", "4")] {
        let lab = Lab::up_with(&INTERNET.replace("FORMAT", FULL), &["--io", backend, "--workers", workers]);
        talk(&lab, CLIENT, LAPTOP);
        talk(&lab, LAPTOP, SERVER);
        talk(&lab, PHONE, LAPTOP);
        lab.finish(&[LATE]);
    }
}

/// Other hosts come and go, and a flow over the gateway does not notice.
///
/// Rules: OR-06
#[test]
fn nothing_is_lost_while_other_hosts_come_and_go() {
    let lab = up(INTERNET);
    let (client, laptop) = (lab.instance(CLIENT.name), lab.instance(LAPTOP.name));
    let to = SocketAddr::new(address(LAPTOP.own), 7);
    let load = Load::start((&client, address(CLIENT.own)), (&laptop, to), 20, 2_000);
    let (without, with) = ("    phone:", "    tablet: { ips: [203.0.113.70] }\n    phone:");
    for _ in 0..5 {
        lab.edit(without, with);
        ping(&lab, "tablet", PHONE.own).ok();
        lab.edit(with, without);
    }
    let sent = load.stop();
    assert!(sent.sent > 1_000, "there was load: {sent:?}");
    assert_eq!((sent.received, sent.out_of_sequence.as_slice()), (sent.sent, [].as_slice()), "{sent:?}");
    lab.finish(NOTHING);
}

/// What enters from a host enters from the internet, and what leaves to one names it.
#[test]
fn flows_and_drops_call_hosts_by_their_names() {
    let lab = up(INTERNET);
    ping(&lab, CLIENT.name, LAPTOP.own).ok();
    ping(&lab, LAPTOP.name, CLIENT.seen).exits(1);
    let flows = lab.flows();
    let ends = |source: &str| -> Vec<(String, Option<String>)> {
        let of = flows.iter().filter(|flow| flow.source == source && flow.state != "ENI_SG_RULES_MISMATCH");
        of.map(|flow| (flow.from.clone(), flow.to.clone())).collect()
    };
    assert_eq!(ends(CLIENT.own), [("client-1.eth0".to_owned(), Some(LAPTOP.name.to_owned()))], "{flows:#?}");
    assert_eq!(ends(LAPTOP.own), [("internet".to_owned(), Some("client-1.eth0".to_owned()))], "{flows:#?}");
    lab.ask(&["drops"]).ok().says("internet  203.0.113.50 > 198.51.100.10 ");
    lab.finish(&[("ENI_SG_RULES_MISMATCH", 4..=4)]);
}

/// What the kernel dropped because nobody read a host's device is told by the name of the host.
#[test]
fn a_full_queue_is_told_by_the_name_of_its_host() {
    let lab = up(INTERNET);
    let (laptop, phone) = (lab.instance(LAPTOP.name), lab.instance(PHONE.name));
    let _heard = phone.udp(address(PHONE.own), 7);
    let socket = laptop.udp(address(LAPTOP.own), 0);
    let stopped = Stopped::daemon_of(&lab);
    for _ in 0..MORE_THAN_A_QUEUE {
        // A full queue is no error of the sender.
        socket.send_to(b"anybody", (PHONE.own, 7)).ok();
    }
    drop(stopped);
    let counters = lab.settled();
    let hosts: Vec<&String> = counters.kernel_queue_full.keys().collect();
    assert_eq!(hosts, [LAPTOP.name], "{counters:?}");
    let lost: &BTreeMap<String, u64> = &counters.kernel_queue_full;
    assert_eq!(lost[LAPTOP.name] + counters.received, MORE_THAN_A_QUEUE, "{counters:?}");
    lab.finish(NOTHING);
}

/// Rules: OR-06, OR-07, OR-08, OR-09, IG-04, IG-07
#[test]
fn expectations_begin_and_end_at_hosts() {
    let lab = up(INTERNET);
    let checks = "\
- { from: laptop, to: server-1, tcp: 443, expect: allowed, by: app/security_groups/open }
- { from: phone, to: server-1, icmpv6: 128, expect: allowed }
- { from: client-1, to: laptop, udp: 53, expect: allowed }
- { from: client-1, to: 2001:db8::60, tcp: 80, expect: allowed }
- { from: laptop, to: client-1, icmp: 8, expect: refused, by: app/security_groups/shy }
- { from: bare-1, to: laptop, tcp: 80, expect: refused }
- { from: laptop, to: inner-1, tcp: 80, expect: reply-dropped }
- { from: laptop, to: inner-1, icmpv6: 128, expect: refused }
- { from: laptop, to: phone, tcp: 80, expect: allowed }
";
    fs::write(lab.path("checks.yaml"), checks).expect("the folder is ours");
    let mut command = vpclab(["test", "--output", "json"]);
    command.arg(lab.path("checks.yaml")).arg(lab.file());
    let rows = Program::run(command, PATIENCE).ok().json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), checks.lines().count());
    assert!(rows.iter().all(|row| row["result"] == "passed"), "{rows:#?}");
    lab.go_down();
}

/// Packets; no device keeps as many.
const MORE_THAN_A_QUEUE: u64 = 50_000;

/// A daemon that stands still.
struct Stopped(Pid);

impl Stopped {
    fn daemon_of(lab: &Lab) -> Self {
        let pid = Pid::from_raw(i32::try_from(lab.status().pid).expect("a process id is positive"));
        kill(pid, Signal::SIGSTOP).expect("the daemon lives");
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        kill(self.0, Signal::SIGCONT).ok();
    }
}
