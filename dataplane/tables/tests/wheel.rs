//! The timer wheel against its sorted twin.

use proptest::collection::vec;
use proptest::prelude::*;
use vpclab_tables::reference::SortedWheel;
use vpclab_tables::wheel::{SLOTS, TICK_NS};
use vpclab_tables::{FlowTable, Handle, Wheel};

const HORIZON_NS: u64 = SLOTS as u64 * TICK_NS;

#[derive(Clone, Debug)]
enum Step {
    /// Arm an item this long after, or before, now.
    Arm(usize, i64),
    /// Let this much time pass and take at most so many.
    Poll(u64, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let second = TICK_NS as i64;
    let horizon = HORIZON_NS as i64;
    let after = prop_oneof![
        4 => -2 * second..20 * second,
        2 => -3..4_i64,
        2 => (0..40_i64).prop_map(move |ticks| ticks * second),
        2 => horizon - 3 * second..horizon + 3 * second,
        1 => 0..1000 * horizon,
    ];
    let passes = prop_oneof![
        4 => 0..3 * TICK_NS,
        1 => (0..5_u64).prop_map(|ticks| ticks * TICK_NS),
        1 => 0..3 * HORIZON_NS,
    ];
    let limit = prop_oneof![Just(usize::MAX), 0..4_usize];
    prop_oneof![
        3 => (0..ITEMS, after).prop_map(|(item, after)| Step::Arm(item, after)),
        2 => (passes, limit).prop_map(|(passes, limit)| Step::Poll(passes, limit)),
    ]
}

const ITEMS: usize = 6;

fn items() -> Vec<Handle> {
    let mut table = FlowTable::new(ITEMS, 0);
    (0..ITEMS).map(|key| table.insert(key, ()).expect("one record per item")).collect()
}

proptest! {
    #[test]
    fn any_history_agrees_with_the_twin(start in 0..5 * HORIZON_NS, steps in vec(step(), 0..120)) {
        let items = items();
        let (mut wheel, mut twin) = (Wheel::new(start, 0), SortedWheel::new(start));
        let mut now = start;
        for step in steps {
            match step {
                Step::Arm(item, after) => {
                    let deadline = now.saturating_add_signed(after);
                    let ticks = (wheel.arm(items[item], deadline), twin.arm(items[item], deadline));
                    prop_assert_eq!(ticks.0, ticks.1);
                }
                Step::Poll(passes, limit) => {
                    now += passes;
                    let (mut due, mut expected) = (Vec::new(), Vec::new());
                    wheel.poll(now, limit, &mut due);
                    twin.poll(now, limit, &mut expected);
                    prop_assert_eq!(due, expected);
                }
            }
            prop_assert_eq!(wheel.next_deadline(), twin.next_deadline());
            prop_assert_eq!((wheel.len(), wheel.is_empty()), (twin.len(), twin.is_empty()));
        }
    }

    /// The promise in the words of its users: a caller that arms what came early gets each item once, not
    /// before its deadline and less than a tick after it.
    #[test]
    fn re_armed_items_come_within_a_tick_of_their_deadline(
        deadlines in vec(0..5 * HORIZON_NS, ITEMS), slice in 1..4_usize,
    ) {
        let items = items();
        let mut wheel = Wheel::new(0, 0);
        for (item, deadline) in items.iter().zip(&deadlines) {
            wheel.arm(*item, *deadline);
        }
        let (mut due, mut done) = (Vec::new(), [false; ITEMS]);
        let mut polls = 0;
        while let Some(now) = wheel.next_deadline() {
            polls += 1;
            prop_assert!(polls <= 6 * ITEMS, "an item comes by once per horizon and once when it is due");
            wheel.poll(now, slice, &mut due);
            for item in due.drain(..) {
                let deadline = deadlines[item.index() as usize];
                if deadline > now {
                    wheel.arm(item, deadline);
                } else {
                    prop_assert!(now - deadline < TICK_NS || deadline == 0, "{deadline} at {now}");
                    prop_assert!(!std::mem::replace(&mut done[item.index() as usize], true));
                }
            }
        }
        prop_assert_eq!(done, [true; ITEMS]);
    }
}

fn poll(wheel: &mut Wheel<Handle>, now: u64, limit: usize) -> Vec<Handle> {
    let mut due = Vec::new();
    wheel.poll(now, limit, &mut due);
    due
}

#[test]
fn an_empty_wheel_has_no_deadline_and_nothing_due() {
    let mut wheel = Wheel::new(7, 0);
    assert_eq!(wheel.next_deadline(), None);
    assert_eq!(poll(&mut wheel, u64::MAX, 9), []);
    assert!(wheel.is_empty());
}

#[test]
fn an_item_waits_for_the_tick_that_covers_its_deadline() {
    let item = items()[0];
    let mut wheel = Wheel::new(0, 0);
    wheel.arm(item, 5 * TICK_NS - 1);
    assert_eq!(wheel.next_deadline(), Some(5 * TICK_NS));
    assert_eq!(poll(&mut wheel, 5 * TICK_NS - 1, 9), []);
    assert_eq!(poll(&mut wheel, 5 * TICK_NS, 9), [item]);
}

#[test]
fn a_deadline_that_has_passed_comes_with_the_next_tick() {
    let item = items()[0];
    let mut wheel = Wheel::new(0, 0);
    assert_eq!(poll(&mut wheel, 9 * TICK_NS + 5, 9), []);
    wheel.arm(item, TICK_NS);
    assert_eq!(poll(&mut wheel, 9 * TICK_NS + 6, 9), []);
    assert_eq!(poll(&mut wheel, 10 * TICK_NS, 9), [item]);
}

#[test]
fn a_far_item_comes_by_once_per_horizon() {
    let item = items()[0];
    let mut wheel = Wheel::new(0, 0);
    wheel.arm(item, 432_000 * TICK_NS);
    assert_eq!(wheel.next_deadline(), Some(HORIZON_NS));
    assert_eq!(poll(&mut wheel, HORIZON_NS, 9), [item]);
    wheel.arm(item, 432_000 * TICK_NS);
    assert_eq!(wheel.next_deadline(), Some(2 * HORIZON_NS));
}

#[test]
fn a_slice_hands_out_no_more_than_its_limit_and_the_next_goes_on() {
    let items = items();
    let mut wheel = Wheel::new(0, 0);
    for item in &items[..3] {
        wheel.arm(*item, TICK_NS);
    }
    assert_eq!(poll(&mut wheel, TICK_NS, 2), items[..2]);
    assert_eq!(wheel.next_deadline(), Some(TICK_NS));
    assert_eq!(poll(&mut wheel, TICK_NS, 2), items[2..3]);
    assert_eq!(wheel.next_deadline(), None);
}

#[test]
fn a_long_pause_hands_out_everything_in_order_of_time() {
    let items = items();
    let mut wheel = Wheel::new(0, 0);
    for (item, seconds) in items.iter().zip([900, 3, 512, 40, 3, 1023]) {
        wheel.arm(*item, seconds * TICK_NS);
    }
    let order = [1, 4, 3, 2, 0, 5].map(|i| items[i]);
    assert_eq!(poll(&mut wheel, 1000 * HORIZON_NS, usize::MAX), order);
}
