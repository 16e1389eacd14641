use super::*;
use crate::protocol::PeeringStep;

const FILE: &str = r#"
lab: words
account: "123456789012"
region: us-east-1
vpcs:
  a: { cidr: [10.0.0.0/16] }
  b: { cidr: [10.1.0.0/16] }
  c: { cidr: [10.2.0.0/16] }
peerings:
  ab: { requester: a, accepter: b, state: active }
"#;

fn file(text: &str) -> Valid {
    import::load("lab.yaml", text).unwrap_or_else(|found| panic!("{found:?}")).0
}

fn change(name: &str, step: PeeringStep) -> PeeringChange {
    protocol::PeeringChange { name: name.to_owned(), step }.into()
}

fn request(name: &str, requester: &str, accepter: &str) -> PeeringChange {
    let between = Some((requester.to_owned(), accepter.to_owned()));
    change(name, PeeringStep::Request { between, automatic: false })
}

/// What is in force after `changes` of [`FILE`], and what is known of them.
fn running(changes: &[PeeringChange]) -> (Valid, LivePeerings) {
    let mut peerings = LivePeerings::of(&file(FILE));
    let valid = changes.iter().fold(file(FILE), |valid, change| valid.with_peering(change).expect("allowed"));
    peerings.changes = changes.to_vec();
    peerings.watch(valid.lab(), now());
    (valid, peerings)
}

/// States by name after the file with `from` replaced by `to` is applied, with the notes.
fn applied(changes: &[PeeringChange], from: &str, to: &str) -> (Vec<(String, &'static str)>, Vec<String>) {
    let (valid, peerings) = running(changes);
    assert!(FILE.contains(from), "{from:?} is in the file");
    let carried = peerings.carry_over(valid.lab(), &file(&FILE.replacen(from, to, 1)));
    let carried = carried.unwrap_or_else(|Refused(message)| panic!("{message}"));
    let states = carried.valid.lab().peerings.values().map(|p| (p.name.clone(), p.state.as_str())).collect();
    (states, carried.notes)
}

fn refused(changes: &[PeeringChange], from: &str, to: &str) -> String {
    let (valid, peerings) = running(changes);
    let Err(Refused(message)) = peerings.carry_over(valid.lab(), &file(&FILE.replacen(from, to, 1))) else {
        panic!("refused")
    };
    message
}

fn states(of: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    of.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect()
}

#[test]
fn what_the_file_says_now_as_before_stays_as_people_left_it() {
    let (seen, notes) = applied(&[change("ab", PeeringStep::Delete)], "10.2.0.0/16", "10.3.0.0/16");
    assert_eq!(seen, states(&[("ab", "deleted")]));
    let note = "peering connection ab stays deleted, as `vpclab peering` left it: the file says active now as before";
    assert_eq!(notes, [note]);
}

#[test]
fn what_the_file_says_otherwise_than_before_holds() {
    let (seen, notes) = applied(&[change("ab", PeeringStep::Delete)], "state: active", "state: rejected");
    assert_eq!((seen, notes.len()), (states(&[("ab", "rejected")]), 0));
    let (seen, notes) = applied(
        &[change("ab", PeeringStep::Delete)],
        "  ab: { requester: a, accepter: b, state: active }",
        "  bc: { requester: b, accepter: c }",
    );
    assert_eq!((seen, notes.len()), (states(&[("bc", "active")]), 0));
}

#[test]
fn a_connection_that_no_file_has_stays_as_long_as_its_vpcs() {
    let asked = [request("bc", "b", "c"), change("bc", PeeringStep::Accept)];
    let (seen, notes) = applied(&asked, "region: us-east-1", "region: us-west-2");
    assert_eq!(seen, states(&[("ab", "active"), ("bc", "active")]));
    let note =
        "peering connection bc stays active: it was requested with `vpclab peering`, and no file has it";
    assert_eq!(notes, [note]);
    let (seen, notes) = applied(&asked, "  c: { cidr: [10.2.0.0/16] }\n", "");
    assert_eq!((seen, notes.len()), (states(&[("ab", "active")]), 0));
    let in_the_file = "  bc: { requester: b, accepter: c, state: pending-acceptance }\n  ab:";
    let (seen, notes) = applied(&asked, "  ab:", in_the_file);
    assert_eq!((seen, notes.len()), (states(&[("ab", "active"), ("bc", "pending-acceptance")]), 0));
}

/// Rules: PC-06
#[test]
fn a_vpc_gets_no_block_that_overlaps_an_active_peer() {
    let asked = [request("bc", "b", "c"), change("bc", PeeringStep::Accept)];
    let message = refused(&asked, "[10.2.0.0/16]", "[10.2.0.0/16, 10.1.128.0/20]");
    let expected = "10.1.0.0/16 of VPC `b` overlaps 10.1.128.0/20 of VPC `c`, and the two are peered by the active connection `bc` \
                    (CidrConflict): delete the connection before, or take other blocks";
    assert_eq!(message, expected);
}

/// Rules: PC-06
#[test]
fn a_block_that_overlaps_makes_a_waiting_request_fail() {
    let (seen, _) = applied(&[request("bc", "b", "c")], "[10.2.0.0/16]", "[10.2.0.0/16, 10.1.128.0/20]");
    assert_eq!(seen, states(&[("ab", "active"), ("bc", "failed")]));
}

#[test]
fn a_file_that_peers_the_same_vpcs_under_another_name_is_refused() {
    let message =
        refused(&[request("bc", "b", "c")], "  ab:", "  other: { requester: c, accepter: b }\n  ab:");
    assert!(message.contains("peered already, by connection `other`"), "{message}");
    assert!(message.contains("with `vpclab peering`"), "{message}");
}

/// Rules: PC-03, PC-24
#[test]
fn a_request_is_due_after_168_hours_and_not_before() {
    let (valid, mut peerings) = running(&[request("bc", "b", "c")]);
    let asked = peerings.deadlines.values().next().copied().expect("one waits") - EXPIRY;
    let hours = |hours: u64| asked + Duration::from_secs(hours * 3600);
    assert_eq!(peerings.due(valid.lab(), hours(167)), None);
    assert_eq!(peerings.due(valid.lab(), hours(168)), Some("bc".to_owned()));
    // Another change in between does not put it off.
    peerings.watch(valid.lab(), hours(100));
    assert_eq!(peerings.due(valid.lab(), hours(168)), Some("bc".to_owned()));
    let expired = valid.with_peering(&change("bc", PeeringStep::Expire)).expect("allowed");
    peerings.watch(expired.lab(), hours(168));
    assert_eq!(peerings.due(expired.lab(), hours(1000)), None);
}

#[test]
fn a_connection_is_called_by_name_or_by_id() {
    let lab = file(FILE);
    let id = &lab.lab().peerings["ab"].id;
    assert_eq!(["ab", id, "pcx-other"].map(|called| name_of(lab.lab(), called)), ["ab", "ab", "pcx-other"]);
}

#[test]
fn changes_go_over_the_socket_and_come_back_as_they_were() {
    let steps = [
        PeeringStep::Accept,
        PeeringStep::Delete,
        PeeringStep::Expire,
        PeeringStep::Reject,
        PeeringStep::Request { between: None, automatic: true },
    ];
    for step in steps {
        let said = protocol::PeeringChange { name: "ab".to_owned(), step };
        let kept: PeeringChange = said.clone().into();
        assert_eq!(protocol::PeeringChange::from(kept), said);
    }
}
