//! `vpclab apply` on a running lab.

use std::time::Duration;

use crate::harness::{Lab, NOTHING};
use crate::reach::PAIR;

/// Lab files that are refused, as what is replaced in a good one by what.
const BROKEN: [(&str, &str); 4] = [
    ("security_groups: [open], private_ip: 10.50.1.10", "security_groups: [opne], private_ip: 10.50.1.10"),
    ("cidr: 10.50.1.0/24", "cidr: 10.60.1.0/24"),
    ("lab: ", "lab: [ "),
    ("    instances:", "    enable_dns_support: true\n    instances:"),
];

/// A lab file is refused with a place in it, and packets do not notice.
#[test]
fn a_broken_file_leaves_the_running_lab_untouched() {
    let lab = Lab::up(PAIR);
    let mut ping = lab.start("a-1", &["ping", "-n", "-c", "40", "-i", "0.1", "-W", "2", "10.50.2.10"]);
    ping.wait_for("icmp_seq=1 ", Duration::from_secs(10));
    let before = lab.status();
    for (good, bad) in BROKEN {
        let text = lab.text_with(good, bad);
        lab.apply(&text).exits(1).says("lab.yaml:");
        lab.apply(&text.replace(bad, good)).ok();
    }
    ping.finish(Duration::from_secs(30)).ok().says("40 packets transmitted, 40 received, 0% packet loss");
    let after = lab.status();
    assert_eq!((before.generation, before.instances), (after.generation, after.instances));
    lab.finish(NOTHING);
}

/// A new instance is reached at once, and what has left is an address like any other that nobody has.
#[test]
fn instances_come_and_go_while_others_talk() {
    let lab = Lab::up(PAIR);
    let mut ping = lab.start("a-1", &["ping", "-n", "-c", "40", "-i", "0.1", "-W", "2", "10.50.2.10"]);
    ping.wait_for("icmp_seq=1 ", Duration::from_secs(10));
    let place = "      b-small:";
    let more = "      new-1: { subnet: b, security_groups: [open], private_ip: 10.50.2.30 }\n      b-small:";
    for _ in 0..3 {
        lab.edit(place, more);
        lab.exec("new-1", &["ping", "-n", "-c", "1", "-W", "2", "10.50.1.10"]).ok();
        lab.exec("a-2", &["ping", "-n", "-c", "1", "-W", "2", "10.50.2.30"]).ok();
        lab.edit(more, place);
        lab.exec("new-1", &["true"]).exits(2);
        lab.exec("a-2", &["ping", "-n", "-c", "1", "-W", "1", "10.50.2.30"]).exits(1);
    }
    ping.finish(Duration::from_secs(30)).ok().says("40 packets transmitted, 40 received, 0% packet loss");
    lab.finish(&[("NO_INTERFACE_FOR_ADDRESS", 3..=3)]);
}

/// A lab keeps its name, and `apply` needs one that runs.
#[test]
fn a_file_of_another_lab_is_refused() {
    let lab = Lab::up(PAIR);
    let other = lab.text_with(&format!("lab: {}", lab.name()), &format!("lab: {}x", lab.name()));
    lab.apply(&other).exits(2).says("is not running");
    lab.finish(NOTHING);
}
