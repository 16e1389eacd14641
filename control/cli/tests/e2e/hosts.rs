//! Hosts on the internet from outside: listed, entered and changed.

use crate::harness::{Lab, NOTHING};
use crate::internet::{CLIENT, INTERNET, LAPTOP, up};

/// A host is listed as instances are, and answers to its name, its id and its addresses.
#[test]
fn hosts_are_listed_and_entered() {
    let lab = up(INTERNET);
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
