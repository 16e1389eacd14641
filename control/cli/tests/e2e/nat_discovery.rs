//! A NAT gateway as a stranger's tool sees it: coturn's discovery of NAT behaviour (RFC 5780).

use std::time::Duration;

use crate::harness::{FULL, Lab, Program};

const NAT: &str = include_str!("labs/nat.yaml");

/// The server needs two addresses, to answer from the one that was not asked.
const ADDRESSES: [&str; 2] = ["203.0.113.50", "203.0.113.51"];

/// Rules: NG-06, NG-09
#[test]
fn mapping_depends_on_address_and_port() {
    let (lab, _server) = up();
    discover(&lab, "-m", "NAT with Address and Port Dependent Mapping!");
    lab.go_down();
}

/// Rules: NG-09, NG-12
#[test]
fn filtering_depends_on_address_and_port() {
    let (lab, _server) = up();
    discover(&lab, "-f", "NAT with Address and Port Dependent Filtering!");
    assert_eq!(lab.settled().dropped.get("NGW_UNSOLICITED"), Some(&2), "{}", lab.told());
    lab.go_down();
}

/// What a client sends to its own outer address does not come back.
///
/// Rules: NG-09, NG-12
#[test]
fn there_is_no_hairpin() {
    let (lab, _server) = up();
    discover(&lab, "-H", "STUN receive timeout..");
    let dropped: Vec<_> =
        lab.drops().into_iter().map(|drop| (drop.from, drop.destination, drop.reason)).collect();
    let expected = ("job-1.eth0".to_owned(), "198.51.100.10".to_owned(), "NGW_UNSOLICITED".to_owned());
    assert!(!dropped.is_empty() && dropped.iter().all(|drop| *drop == expected), "{dropped:?}");
    lab.go_down();
}

/// A lab with a STUN server on the internet.
fn up() -> (Lab, Program) {
    let [one, other] = ADDRESSES;
    let single = format!("laptop: {{ ips: [{one}] }}");
    let text = NAT.replace("FORMAT", FULL).replace(&single, &format!("laptop: {{ ips: [{one}, {other}] }}"));
    assert!(text.contains(other), "the lab has a laptop");
    let lab = Lab::up(&text);
    let paths = ["turn.pid", "turn.db"].map(|name| lab.path(name).display().to_string());
    let argv = [
        &["turnserver", "-n", "--stun-only", "--no-tls", "--no-dtls", "--no-cli", "--log-file", "stdout"][..],
        &["-L", one, "-L", other, "--pidfile", &paths[0], "--db", &paths[1]],
    ];
    let mut server = lab.start("laptop", &argv.concat());
    server.wait_for("Total General servers", Duration::from_secs(20));
    (lab, server)
}

#[track_caller]
fn discover(lab: &Lab, what: &str, finding: &str) {
    lab.exec("job-1", &["turnutils_natdiscovery", what, ADDRESSES[0]]).ok().says(finding);
}
