//! The classifier against its linear twin.

use proptest::collection::vec;
use proptest::prelude::*;
use vpclab_tables::reference::LinearClassifier;
use vpclab_tables::{Bits, Classifier, Peer, Prefix, Query, Rule, RuleSet};

/// Numbers that meet often, and now and then any.
fn selector() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..12_u16, 1 => Just(u16::MAX), 1 => Just(u16::MAX - 1), 1 => any::<u16>()]
}

fn proto() -> impl Strategy<Value = u8> {
    prop_oneof![8 => prop::sample::select(vec![1_u8, 6, 17]), 1 => any::<u8>()]
}

fn rule<A: Bits>(addr: fn(u8) -> A) -> impl Strategy<Value = Rule<A>> {
    let peer = prop_oneof![
        2 => Just(Peer::Any),
        3 => (0..6_u32).prop_map(Peer::Label),
        5 => (any::<u8>(), 0..=A::WIDTH).prop_map(move |(a, len)| Peer::Prefix(Prefix::new(addr(a), len))),
    ];
    // Some ranges come out empty: start past end.
    (prop::option::of(proto()), selector(), selector(), any::<bool>(), peer).prop_map(
        |(proto, a, b, all, peer)| Rule { proto, selectors: if all { 0..=u16::MAX } else { a..=b }, peer },
    )
}

fn ask<A: Bits>(addr: fn(u8) -> A) -> impl Strategy<Value = (u8, u16, A, Vec<u32>)> {
    (proto(), selector(), any::<u8>().prop_map(addr), vec(0..8_u32, 0..4))
}

fn agree<A: Bits>(
    rules: &[Rule<A>],
    asks: &[(u8, u16, A, Vec<u32>)],
    picked: &[u32],
) -> Result<(), TestCaseError> {
    let (table, twin) = (Classifier::build(rules), LinearClassifier::build(rules));
    prop_assert_eq!((table.len(), table.is_empty()), (twin.len(), twin.is_empty()));
    let only = RuleSet::from_positions(rules.len(), picked.iter().copied());
    for (proto, selector, addr, labels) in asks {
        let query = Query { proto: *proto, selector: *selector, addr: *addr, labels };
        prop_assert_eq!(table.first(&query), twin.first(&query), "{:?}", query);
        prop_assert_eq!(table.first_in(&query, &only), twin.first_in(&query, &only), "{:?}", query);
    }
    Ok(())
}

/// Addresses spread so that prefixes of every length tell some of them apart.
fn v4(a: u8) -> u32 {
    u32::from_be_bytes([a & 0x83, a & 0x11, a, a])
}

fn v6(a: u8) -> u128 {
    u128::from(v4(a)) << 96 | u128::from(v4(a)) << 40 | u128::from(a)
}

proptest! {
    #[test]
    fn short_v4_lists_agree_with_the_twin(
        rules in vec(rule(v4), 0..12), asks in vec(ask(v4), 24), picked in vec(0..14_u32, 0..6),
    ) {
        agree(&rules, &asks, &picked)?;
    }

    #[test]
    fn v6_lists_past_one_word_agree_with_the_twin(
        rules in vec(rule(v6), 0..150), asks in vec(ask(v6), 24), picked in vec(0..150_u32, 0..40),
    ) {
        agree(&rules, &asks, &picked)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// More than 4096 rules need more than one word of summary.
    #[test]
    fn long_lists_agree_with_the_twin(
        rules in prop_oneof![vec(narrow(), 1000..1300), vec(narrow(), 4200..4300)],
        asks in vec(ask(v4), 64),
        ports in vec(0..300_u16, 64),
        picked in vec(0..4300_u32, 0..600),
    ) {
        let mut asks = asks;
        for (ask, port) in asks.iter_mut().zip(ports) {
            ask.1 = port;
        }
        agree(&rules, &asks, &picked)?;
    }
}

/// Rules that match little, so that late ones come first now and then.
fn narrow() -> impl Strategy<Value = Rule<u32>> {
    let peer = prop_oneof![
        1 => (0..400_u32).prop_map(Peer::Label),
        9 => (any::<u8>(), 20..=32_u8).prop_map(|(a, len)| Peer::Prefix(Prefix::new(v4(a), len))),
    ];
    (proto(), 0..300_u16, 0..3_u16, peer).prop_map(|(proto, from, more, peer)| Rule {
        proto: Some(proto),
        selectors: from..=from + more,
        peer,
    })
}

fn tcp(selector: u16, addr: u32, labels: &[u32]) -> Query<'_, u32> {
    Query { proto: 6, selector, addr, labels }
}

#[test]
fn a_default_classifier_matches_nothing() {
    let empty = Classifier::<u32>::default();
    assert!(empty.is_empty());
    assert_eq!(empty.first(&tcp(443, 7, &[1])), None);
    assert_eq!(empty.first_in(&tcp(443, 7, &[1]), &RuleSet::default()), None);
}

#[test]
fn a_label_matches_who_carries_it_and_nobody_else() {
    let rule = Rule { proto: Some(6), selectors: 443..=443, peer: Peer::Label(9) };
    let table = Classifier::build(&[rule]);
    assert_eq!(table.first(&tcp(443, 7, &[3, 9])), Some(0));
    assert_eq!(table.first(&tcp(443, 7, &[3])), None);
    assert_eq!(table.first(&tcp(443, 7, &[])), None);
}

#[test]
fn a_rule_for_all_protocols_matches_one_that_no_rule_names() {
    let narrow = Rule { proto: Some(6), selectors: 0..=u16::MAX, peer: Peer::Any };
    let wide = Rule { proto: None, selectors: 0..=u16::MAX, peer: Peer::Any };
    let table = Classifier::build(&[narrow, wide]);
    assert_eq!(table.first(&Query { proto: 132, ..tcp(0, 7, &[]) }), Some(1));
    assert_eq!(table.first(&tcp(0, 7, &[])), Some(0));
}

#[test]
fn a_mask_finds_a_later_match_behind_an_earlier_one() {
    let rule = Rule { proto: Some(6), selectors: 1..=9, peer: Peer::<u32>::Any };
    let table = Classifier::build(&vec![rule; 200]);
    let odd_late = RuleSet::from_positions(200, [131, 199, 200, u32::MAX]);
    assert_eq!(table.first(&tcp(5, 0, &[])), Some(0));
    assert_eq!(table.first_in(&tcp(5, 0, &[]), &odd_late), Some(131));
    assert_eq!(table.first_in(&tcp(10, 0, &[]), &odd_late), None);
    assert_eq!(table.first_in(&tcp(5, 0, &[]), &RuleSet::from_positions(200, [])), None);
}

#[test]
fn an_empty_range_matches_nothing() {
    #[expect(clippy::reversed_empty_ranges, reason = "the subject of the test")]
    let rule = Rule { proto: None, selectors: 9..=8, peer: Peer::<u32>::Any };
    let table = Classifier::build(&[rule]);
    assert_eq!((table.first(&tcp(8, 0, &[])), table.first(&tcp(9, 0, &[]))), (None, None));
}

#[test]
fn a_rule_set_knows_only_positions_that_exist() {
    let set = RuleSet::from_positions(65, [0, 64, 65, 128]);
    assert_eq!([0, 1, 64, 65, 128].map(|p| set.contains(p)), [true, false, true, false, false]);
    assert!(!set.is_empty() && RuleSet::from_positions(3, [3]).is_empty());
}
