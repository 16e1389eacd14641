//! Peering connections, routes over them and group references across them.

use model::findings::Code;
use model::lab::{Peer, PeeredGroup, Peering, PeeringReach, PeeringState, Target};

use crate::{codes, lab};

/// VPCs `a` and `b` with the keys given, joined by `p` in this state.
fn text(state: &str, a: &str, b: &str) -> String {
    format!(
        "lab: t\nvpcs:\n  a: {{ cidr: [10.0.0.0/16]{a} }}\n  b: {{ cidr: [10.1.0.0/16]{b} }}\n\
         peerings: {{ p: {{ requester: a, accepter: b, state: {state} }} }}\n"
    )
}

fn peering(state: &str, b: &str) -> Peering {
    lab(&text(state, "", b)).peerings["p"].clone()
}

const TO_B: &str =
    ", route_tables: { main: { main: true, routes: [ { to: 10.1.0.0/16, via: peering/p } ] } }";
const TO_A: &str =
    ", route_tables: { main: { main: true, routes: [ { to: 10.0.0.0/16, via: peering/p } ] } }";

/// Rules: PC-01, PC-02
#[test]
fn a_connection_joins_two_vpcs_whichever_asked() {
    let p = peering("active", "");
    assert!(p.id.starts_with("pcx-"));
    assert_eq!((p.other_side("a"), p.other_side("b"), p.other_side("c")), (Some("b"), Some("a"), None));
    assert!(p.joins("b", "a") && !p.joins("a", "a"));
    for (word, state) in [
        ("active", PeeringState::Active),
        ("deleted", PeeringState::Deleted),
        ("expired", PeeringState::Expired),
        ("failed", PeeringState::Failed),
        ("pending-acceptance", PeeringState::PendingAcceptance),
        ("rejected", PeeringState::Rejected),
    ] {
        assert_eq!(peering(word, "").state, state);
        assert_eq!(state.as_str(), word);
    }
}

/// Rules: PC-15, PC-16
#[test]
fn a_connection_between_regions_is_narrower_and_encrypted() {
    let near = peering("active", "");
    assert_eq!((near.reach, near.mtu(), near.is_encrypted()), (PeeringReach::IntraRegion, 9001, false));
    let far = peering("active", ", region: eu-west-1");
    assert_eq!((far.reach, far.mtu(), far.is_encrypted()), (PeeringReach::InterRegion, 8500, true));
}

/// Rules: PC-01
#[test]
fn two_vpcs_have_one_living_connection() {
    let two = |state: &str| {
        codes(&format!(
            "{}  \n",
            text("active", "", "")
                .replace("} }\n", &format!("}}, q: {{ requester: b, accepter: a, state: {state} }} }}\n"),)
        ))
    };
    assert_eq!(two("pending-acceptance"), [Code::DuplicatePeering]);
    assert_eq!(two("rejected"), []);
}

/// Rules: PC-05
#[test]
fn no_block_of_either_side_may_overlap() {
    let overlapping = |a: &str, b: &str, state: &str| {
        codes(&format!(
            "lab: t\nvpcs:\n  a: {{ cidr: [10.0.0.0/16{a} }}\n  b: {{ cidr: [10.1.0.0/16{b} }}\n\
             peerings: {{ p: {{ requester: a, accepter: b, state: {state} }} }}\n"
        ))
    };
    assert_eq!(overlapping("]", "]", "active"), []);
    assert_eq!(overlapping(", 10.2.0.0/16]", ", 10.2.5.0/24]", "active"), [Code::PeeringOverlap]);
    assert_eq!(overlapping(", 10.2.0.0/16]", ", 10.2.5.0/24]", "pending-acceptance"), [Code::PeeringOverlap]);
    assert_eq!(overlapping(", 10.2.0.0/16]", ", 10.2.5.0/24]", "failed"), []);
    let v6 = "], ipv6_cidr: \"2001:db8::/56\"";
    assert_eq!(overlapping(v6, v6, "active"), [Code::PeeringOverlap]);
}

/// Rules: PC-07, RT-14
#[test]
fn each_side_has_its_own_route() {
    let both = lab(&text("active", TO_B, TO_A));
    for vpc in both.vpcs.values() {
        let last = vpc.route_tables["main"].routes.last().expect("a route");
        assert_eq!(last.target, Target::Peering("p".to_owned()));
    }
    assert_eq!(codes(&text("active", TO_B, "")), [Code::PeeringWithoutReturnRoute]);
    assert_eq!(codes(&text("active", "", TO_A)), [Code::PeeringWithoutReturnRoute]);
}

/// Rules: PC-08, PC-11
#[test]
fn a_route_over_a_connection_leads_into_the_peer() {
    let to = |to: &str| {
        let route = TO_B.replace("10.1.0.0/16", to);
        codes(&text("active", &route, TO_A))
    };
    for inside in ["10.1.5.0/24", "10.1.5.6/32", "10.0.0.0/8", "0.0.0.0/0"] {
        assert_eq!(to(inside), [], "{inside}");
    }
    assert_eq!(to("10.2.0.0/16"), [Code::PeeringRouteOutsidePeer]);
}

/// Rules: RT-16, PC-23
#[test]
fn a_route_over_a_connection_that_is_not_active_stays_and_is_a_blackhole() {
    for state in ["pending-acceptance", "deleted"] {
        assert_eq!(codes(&text(state, TO_B, "")), [Code::RouteBlackhole], "{state}");
        let lab = lab(&text(state, TO_B, ""));
        assert!(
            lab.vpcs["a"].route_tables["main"].routes.iter().any(|r| r.target == Target::Peering("p".into()))
        );
    }
}

/// Rules: PC-09
#[test]
fn a_third_vpc_cannot_route_over_a_connection() {
    let with_c = text("active", TO_B, TO_A).replace(
        "peerings:",
        "  c: { cidr: [10.2.0.0/16], route_tables: { main: { main: true, routes: [ { to: 10.1.0.0/16, via: peering/p } ] } } }\npeerings:",
    );
    assert_eq!(codes(&with_c), [Code::ReferenceOtherVpc]);
}

const NAMES_B: &str = ", security_groups: { web: { ingress: [ { proto: all, from: sg/b.default } ] } }";

/// Rules: SG-09, PC-14
#[test]
fn a_rule_names_a_group_of_a_peer_in_the_same_region() {
    let lab = lab(&text("active", NAMES_B, ""));
    let expected = Peer::PeeredGroup(PeeredGroup { vpc: "b".to_owned(), group: "default".to_owned() });
    assert_eq!(lab.vpcs["a"].security_groups["web"].ingress[0].peer, expected);
    assert_eq!(codes(&text("active", NAMES_B, ", region: eu-west-1")), [Code::RegionMismatch]);
    let unpeered = text("active", NAMES_B, "").split("peerings:").next().expect("the first part").to_owned();
    assert_eq!(codes(&unpeered), [Code::GroupNotPeered]);
}

/// Rules: SG-10
#[test]
fn a_rule_about_a_peer_that_is_gone_stays_as_a_stale_one() {
    assert_eq!(codes(&text("deleted", NAMES_B, "")), [Code::StaleRule]);
}
