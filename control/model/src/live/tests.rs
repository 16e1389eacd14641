use super::*;
use crate::draft;
use crate::lab::PeeringRequest::{Accept, Delete, Reject};
use crate::lab::PeeringState::{Active, Deleted, Expired, Failed, PendingAcceptance, Rejected};

/// VPCs `a` to `d` of one account: `c` is in another region, `d` of another account, and the second block of `c` overlaps `b`.
fn lab() -> Valid {
    let (valid, found) = crate::check(&draft()).expect("a lab in order");
    assert!(found.is_empty(), "{found:?}");
    valid
}

fn draft() -> draft::Lab {
    let vpcs = [
        vpc("a", &["10.0.0.0/16"], "us-east-1", "123456789012"),
        vpc("b", &["10.1.0.0/16"], "us-east-1", "123456789012"),
        vpc("c", &["10.2.0.0/16", "10.1.128.0/20"], "eu-west-1", "123456789012"),
        vpc("d", &["10.3.0.0/16"], "us-east-1", "210987654321"),
    ];
    draft::Lab { lab: text("t"), vpcs: written(draft::Named { entries: vpcs.into() }), ..Default::default() }
}

fn vpc(name: &str, blocks: &[&str], region: &str, account: &str) -> draft::Entry<draft::Vpc> {
    let cidr = blocks.iter().map(|block| Some(at((*block).to_owned()))).collect();
    let vpc = draft::Vpc {
        cidr: written(cidr),
        region: text(region),
        account: written(at(draft::Account(account.to_owned()))),
        ..Default::default()
    };
    draft::Entry { name: at(name.to_owned()), value: Some(vpc) }
}

fn text(value: &str) -> draft::Field<draft::Text> {
    written(at(value.to_owned()))
}

fn written<T>(value: T) -> draft::Field<T> {
    draft::Field::Written { key: crate::spot::Spot::default(), value }
}

fn at<T>(value: T) -> crate::spot::At<T> {
    crate::spot::At { value, spot: crate::spot::Spot::default() }
}

fn create(name: &str, pair: (&str, &str), acceptance: Acceptance) -> PeeringChange {
    let between = Some((pair.0.to_owned(), pair.1.to_owned()));
    PeeringChange::Create { name: name.to_owned(), between, acceptance }
}

fn asked(name: &str, pair: (&str, &str)) -> PeeringChange {
    create(name, pair, Acceptance::Asked)
}

fn again(name: &str) -> PeeringChange {
    PeeringChange::Create { name: name.to_owned(), between: None, acceptance: Acceptance::Asked }
}

fn answer(name: &str, request: PeeringRequest) -> PeeringChange {
    PeeringChange::Answer { name: name.to_owned(), request }
}

fn expire(name: &str) -> PeeringChange {
    PeeringChange::Expire { name: name.to_owned() }
}

/// The lab after all changes, each of which is allowed.
fn after(changes: &[PeeringChange]) -> Valid {
    changes
        .iter()
        .fold(lab(), |lab, change| lab.with_peering(change).unwrap_or_else(|why| panic!("{change:?}: {why}")))
}

fn state(changes: &[PeeringChange]) -> PeeringState {
    after(changes).lab().peerings["p"].state
}

fn refusal(changes: &[PeeringChange], last: &PeeringChange) -> String {
    after(changes).with_peering(last).expect_err("refused").to_string()
}

/// Rules: PC-02, PC-03
#[test]
fn a_request_waits_until_it_is_answered_withdrawn_or_too_old() {
    let request = asked("p", ("a", "b"));
    assert_eq!(state(std::slice::from_ref(&request)), PendingAcceptance);
    for (last, expected) in [
        (answer("p", Accept), Active),
        (answer("p", Reject), Rejected),
        (answer("p", Delete), Deleted),
        (expire("p"), Expired),
    ] {
        assert_eq!(state(&[request.clone(), last]), expected);
    }
    assert_eq!(state(&[request.clone(), answer("p", Accept), expire("p")]), Active);
    assert_eq!(state(&[request, answer("p", Accept), answer("p", Delete)]), Deleted);
}

/// Rules: PC-03, ER-24
#[test]
fn nothing_leads_out_of_a_connection_that_is_over() {
    let request = asked("p", ("a", "b"));
    for end in [answer("p", Reject), answer("p", Delete), expire("p")] {
        for request_then in [Accept, Delete, Reject] {
            let words = refusal(&[request.clone(), end.clone()], &answer("p", request_then));
            assert!(words.contains("cannot be") && words.contains("InvalidStateTransition"), "{words}");
        }
    }
    let words = refusal(&[request, answer("p", Accept)], &answer("p", Accept));
    assert!(words.starts_with("peering connection `p`: a peering connection that is active"), "{words}");
}

/// Rules: PC-05, ER-23
#[test]
fn any_overlap_makes_the_request_fail_also_in_a_second_block_and_when_nobody_needs_to_accept() {
    assert_eq!(state(&[asked("p", ("b", "c"))]), Failed);
    assert_eq!(state(&[asked("p", ("c", "b"))]), Failed);
    assert_eq!(state(&[asked("p", ("a", "c"))]), PendingAcceptance);
}

#[test]
fn only_vpcs_of_one_account_and_region_need_no_acceptance() {
    let automatic = |pair| create("p", pair, Acceptance::Automatic);
    assert_eq!(state(&[automatic(("a", "b"))]), Active);
    assert!(refusal(&[], &automatic(("a", "c"))).contains("in two regions"));
    assert!(refusal(&[], &automatic(("a", "d"))).contains("in two accounts"));
}

/// Rules: PC-01, ER-25
#[test]
fn a_pair_has_one_living_connection() {
    let first = asked("p", ("a", "b"));
    let words = refusal(std::slice::from_ref(&first), &asked("q", ("b", "a")));
    assert!(words.contains("peered already, by connection `p`"), "{words}");
    let words = refusal(std::slice::from_ref(&first), &asked("p", ("a", "d")));
    assert!(words.contains("`p` already, and it is pending-acceptance"), "{words}");
    after(&[first, answer("p", Reject), asked("q", ("b", "a"))]);
}

/// Rules: PC-03
#[test]
fn a_name_may_be_requested_again_and_is_another_connection_then() {
    let over = [asked("p", ("a", "b")), answer("p", Accept), answer("p", Delete)];
    let renewed = after(&[&over[..], &[again("p")]].concat());
    let before = after(&over);
    let (before, now) = (&before.lab().peerings["p"], &renewed.lab().peerings["p"]);
    assert_eq!((now.requester.as_str(), now.accepter.as_str(), now.state), ("a", "b", PendingAcceptance));
    assert!(now.id.starts_with("pcx-") && now.id != before.id, "{} {}", before.id, now.id);
    let words = refusal(&over, &asked("p", ("a", "d")));
    assert!(words.contains("joins VPCs `a` and `b`: take another name"), "{words}");
}

/// Rules: PC-24
#[test]
fn no_vpc_has_more_than_125_active_connections() {
    let mut many = draft();
    let others =
        (0..126).map(|n| vpc(&format!("v{n}"), &[&format!("172.16.{n}.0/24")], "us-east-1", "123456789012"));
    let draft::Field::Written { value, .. } = &mut many.vpcs else { unreachable!("written above") };
    value.entries.extend(others);
    let (mut lab, _) = crate::check(&many).expect("a lab in order");
    for n in 0..126 {
        let change = create(&format!("p{n}"), ("a", &format!("v{n}")), Acceptance::Automatic);
        match lab.with_peering(&change) {
            Ok(changed) => lab = changed,
            Err(why) => {
                assert_eq!((n, why), (125, PeeringRefusal::LimitExceeded { vpc: "a".to_owned() }));
                return;
            }
        }
    }
    panic!("126 connections are active");
}

#[test]
fn what_is_not_there_is_said_with_the_nearest_name() {
    assert!(refusal(&[], &answer("p", Accept)).contains("there is none at all"));
    let there = [asked("a-to-b", ("a", "b"))];
    assert!(refusal(&there, &answer("a-to-d", Accept)).contains("did you mean `a-to-b`?"));
    assert!(refusal(&[], &asked("p", ("a", "nowhere"))).contains("it could be `a`, `b`, `c`, `d`"));
    assert!(refusal(&[], &asked("p", ("a", "a"))).contains("cannot peer with itself"));
    assert!(refusal(&[], &asked("a.b", ("a", "b"))).contains("cannot be a name"));
    assert!(refusal(&[], &again("p")).contains("say which VPC requests it"));
}

#[test]
fn a_refused_change_leaves_the_lab_as_it_was() {
    let before = after(&[asked("p", ("a", "b"))]);
    let kept = before.clone();
    before.with_peering(&asked("q", ("a", "b"))).expect_err("refused");
    assert_eq!(before, kept);
}
