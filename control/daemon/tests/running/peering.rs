//! Peering connections that are requested and answered while the lab runs.

use daemon::protocol::{PeeringChange, PeeringRow, PeeringStep, Request, Response};

use crate::support::{Lab, Site, With};

/// `one` in VPC `a` and `two` in VPC `b`, with routes to each other over a connection that waits. `c` overlaps `b`.
const PEERS: &str = r#"
lab: LAB
account: "123456789012"
region: us-east-1
vpcs:
  a:
    cidr: [10.1.0.0/16]
    subnets: { a: { cidr: 10.1.1.0/24, az: us-east-1a } }
    route_tables: { main: { main: true, routes: [ { to: 10.2.0.0/16, via: peering/ab } ] } }
    security_groups: { open: { ingress: [ { proto: icmp, from: 10.0.0.0/8 } ] } }
    instances: { one: { subnet: a, private_ip: 10.1.1.10, security_groups: [open] } }
  b:
    cidr: [10.2.0.0/16]
    subnets: { b: { cidr: 10.2.1.0/24, az: us-east-1a } }
    route_tables: { main: { main: true, routes: [ { to: 10.1.0.0/16, via: peering/ab } ] } }
    security_groups: { open: { ingress: [ { proto: icmp, from: 10.0.0.0/8 } ] } }
    instances: { two: { subnet: b, private_ip: 10.2.1.10, security_groups: [open] } }
  c:
    cidr: [10.2.0.0/17]
peerings:
  ab: { requester: a, accepter: b, state: pending-acceptance }
"#;

fn ask(lab: &Lab<'_>, name: &str, step: PeeringStep) -> Response {
    lab.call(&Request::Peering(PeeringChange { name: name.to_owned(), step }))
}

/// The connection after what was asked, which is allowed.
fn done(lab: &Lab<'_>, name: &str, step: PeeringStep) -> PeeringRow {
    let response = ask(lab, name, step);
    let Response::Peering(row) = response else { panic!("{response:?}") };
    row
}

fn refused(lab: &Lab<'_>, name: &str, step: PeeringStep) -> String {
    let response = ask(lab, name, step);
    let Response::Failed { message } = response else { panic!("{response:?}") };
    message
}

fn request(requester: &str, accepter: &str) -> PeeringStep {
    let between = Some((requester.to_owned(), accepter.to_owned()));
    PeeringStep::Request { between, automatic: false }
}

fn again() -> PeeringStep {
    PeeringStep::Request { between: None, automatic: false }
}

/// Rules: PC-02, PC-03
#[test]
fn each_answer_is_a_generation_and_a_refused_one_changes_nothing() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    let accepted = done(&lab, "ab", PeeringStep::Accept);
    assert_eq!((accepted.status.as_str(), accepted.generation), ("active", 2));
    let message = refused(&lab, "ab", PeeringStep::Accept);
    assert!(message.contains("is active cannot be accepted (InvalidStateTransition)"), "{message}");
    assert_eq!(lab.status().generation, 2);
    let deleted = done(&lab, &accepted.id, PeeringStep::Delete);
    assert_eq!((deleted.status.as_str(), deleted.generation), ("deleted", 3));
    let message = refused(&lab, "ab", PeeringStep::Accept);
    assert!(message.contains("`vpclab peering request ab`"), "{message}");
    let renewed = done(&lab, "ab", again());
    assert_eq!((renewed.status.as_str(), renewed.generation), ("pending-acceptance", 4));
    assert_ne!(renewed.id, accepted.id);
    assert_eq!(lab.status().trouble, Vec::<String>::new());
}

/// Rules: PC-03
#[test]
fn what_nobody_accepted_expires_and_what_was_accepted_does_not() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    done(&lab, "ac", request("a", "c"));
    done(&lab, "ac", PeeringStep::Accept);
    assert_eq!(done(&lab, "ac", PeeringStep::Expire).status, "active");
    assert_eq!(done(&lab, "ab", PeeringStep::Expire).status, "expired");
    let message = refused(&lab, "ab", PeeringStep::Accept);
    assert!(message.contains("is expired cannot be accepted"), "{message}");
}

/// Rules: PC-07, PC-23, RT-15, RT-16
#[test]
fn only_an_active_connection_carries_packets() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    let pings = || (lab.ping("one", "10.2.1.10"), lab.ping("two", "10.1.1.10"));
    assert_eq!(pings(), (false, false), "it waits");
    done(&lab, "ab", PeeringStep::Accept);
    assert_eq!(pings(), (true, true), "drops: {:?}", lab.drops());
    done(&lab, "ab", PeeringStep::Delete);
    assert_eq!(pings(), (false, false), "it is gone");
    let counters = lab.at_rest();
    assert_eq!(counters.dropped.get("BAD_STATE_ROUTE"), Some(&4), "{counters:?}");
    assert_eq!(counters.dropped.len(), 1, "{counters:?}");
}

/// Rules: PC-05
#[test]
fn a_request_between_overlapping_vpcs_fails_and_says_why() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    let row = done(&lab, "bc", request("b", "c"));
    assert_eq!(row.status, "failed");
    assert_eq!(row.message.as_deref(), Some("10.2.0.0/16 of VPC b overlaps 10.2.0.0/17 of VPC c"));
}

#[test]
fn whoever_explains_a_lab_learns_what_was_asked_since_its_file() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    done(&lab, "ab", PeeringStep::Reject);
    done(&lab, "ac", request("a", "c"));
    refused(&lab, "ac", request("a", "c"));
    let Response::Source { text, peerings, .. } = lab.call(&Request::Source) else { panic!("a source") };
    assert!(text.contains("pending-acceptance"), "the text is that of the file");
    let changes = [
        PeeringChange { name: "ab".to_owned(), step: PeeringStep::Reject },
        PeeringChange { name: "ac".to_owned(), step: request("a", "c") },
    ];
    assert_eq!(peerings, changes);
}

/// Rules: PC-03
#[test]
fn a_file_changes_a_connection_only_where_it_differs_from_the_file_before() {
    let site = Site::new();
    let lab = site.up("", PEERS, With::default());
    done(&lab, "ab", PeeringStep::Accept);
    let apply = |text: &str| {
        let response = lab.apply_text(text);
        let Response::Applied(applied) = response else { panic!("{response:?}") };
        applied
    };
    let other_rule = PEERS.replacen("from: 10.0.0.0/8", "from: 10.2.0.0/16", 1);
    let applied = apply(&other_rule);
    assert!(applied.changes.iter().all(|line| line.contains("security group a.open")), "{applied:?}");
    assert!(applied.notes[0].starts_with("peering connection ab stays active"), "{applied:?}");
    let message = refused(&lab, "ab", PeeringStep::Reject);
    assert!(message.contains("is active"), "{message}");
    let applied = apply(&other_rule.replace("state: pending-acceptance", "state: rejected"));
    assert_eq!(applied.changes, ["changed peering connection ab: state: active -> rejected"]);
    assert_eq!(applied.notes, Vec::<String>::new());
}
