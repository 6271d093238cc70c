use bytes::Bytes;
use proptest::prelude::*;

use crate::commands::Data;
use crate::machine::Budget;
use crate::machine::cost::MIN_WINDOW;

const MAX: usize = 1_000_000;

#[test]
fn streams_that_give_back_have_equal_shares_of_half() {
    let (budget, mut held) = (Budget::new(MAX), [0; 10]);
    assert_eq!(budget.fair_share(0), MAX / 2);
    for _ in 0..200 {
        for held in &mut held {
            let share = budget.fair_share(*held);
            budget.change(*held, share);
            *held = share;
        }
    }
    assert!(held.iter().all(|held| (MAX / 21..=MAX / 19).contains(held)), "{held:?}");
}

#[test]
fn streams_that_hold_on_leave_something_to_the_next() {
    let budget = Budget::new(MAX);
    for _ in 0..20 {
        budget.change(0, budget.fair_share(0).min(100_000));
    }
    assert!(budget.fair_share(0) > 2 * MIN_WINDOW, "{}", budget.fair_share(0));
}

#[test]
fn streams_that_hold_nothing_take_no_share() {
    let budget = Budget::new(MAX);
    for _ in 0..1000 {
        budget.change(0, 10);
        budget.change(10, 0);
    }
    assert_eq!(budget.fair_share(0), MAX / 2);
}

/// A stream of the peer that holds `much`, and others that take what is fair at the peer, now or then.
fn a_fair_peer(much: usize, others: usize) {
    let (theirs, ours) = (Budget::new(MAX / 4), Budget::new(MAX));
    let much = theirs.fair_share(0).min(much);
    theirs.change(0, much);
    for _ in 0..others {
        let share = theirs.fair_share(0);
        assert!(share <= ours.tolerated(0));
        theirs.change(0, share);
        ours.change(0, share);
    }
    assert!(ours.tolerated(0) >= much, "{much} beside {others} others");
}

#[test]
fn what_is_fair_at_the_peer_is_tolerated_here() {
    for others in 0..=MAX / 4 / MIN_WINDOW {
        a_fair_peer(MAX / 16, others);
    }
}

#[test]
fn shares_are_exact() {
    let budget = Budget::new(MAX);
    budget.change(0, 100_000);
    budget.change(0, 200_000);
    // What is left, for both that hold something, the next one and one more.
    assert_eq!(budget.fair_share(0), 700_000 / 4);
    assert_eq!(budget.fair_share(200_000), 900_000 / 3);
    assert_eq!(budget.tolerated(0), 700_000 / 4);
    assert_eq!(budget.tolerated(200_000), 900_000 / 4);
    budget.change(100_000, 0);
    assert_eq!(budget.fair_share(0), 800_000 / 3);
}

/// Bytes that pin so many.
fn pinning(bytes: usize, pinned: usize) -> Data {
    Data::pinning(Bytes::from(vec![0; bytes]), pinned)
}

#[test]
fn long_data_is_sliced_while_streams_hold_little() {
    let (budget, light) = (Budget::new(MAX), MAX / 4);
    let copies = || [16 * 1024, 24 * 1024, 32 * 1024].map(|bytes| budget.copies(&pinning(bytes, bytes + 40)));
    assert_eq!(copies(), [false; 3], "nothing is held");
    budget.change(0, light - 1);
    assert_eq!(copies(), [false; 3], "below the threshold");
    budget.change(light - 1, light);
    assert_eq!(copies(), [true; 3], "at the threshold");
    budget.change(light, light + 1);
    assert_eq!(copies(), [true; 3], "above the threshold");
}

#[test]
fn what_pins_more_than_four_times_its_length_is_copied_and_a_full_transmit_in_an_ordinary_buffer_is_not() {
    let (budget, full) = (Budget::new(256 << 20), 32 * 1024);
    assert!(!budget.copies(&pinning(full, 128 * 1024)));
    assert!(budget.copies(&pinning(full, 128 * 1024 + 1)));
    assert!(budget.copies(&pinning(16_400, 1 << 20)), "behind a large box that is dropped");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However streams come and go, together they hold no more than the cap and the least share of each.
    #[test]
    fn the_cap_is_a_cap(steps in proptest::collection::vec((0..200_usize, any::<bool>()), 0..2000)) {
        let (budget, mut held) = (Budget::new(MAX), vec![0; 200]);
        for (at, take) in steps {
            let after = if take { budget.fair_share(held[at]).max(held[at]) } else { 0 };
            budget.change(held[at], after);
            held[at] = after;
            prop_assert!(held.iter().sum::<usize>() <= MAX + held.len() * MIN_WINDOW);
        }
    }
}
