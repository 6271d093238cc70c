use proptest::prelude::*;

use crate::machine::{LEAST, Tally};

const MOST: usize = 1_000_000;

#[test]
fn streams_that_give_back_have_equal_parts_of_half() {
    let (tally, mut held) = (Tally::new(MOST), [0; 10]);
    assert_eq!(tally.fair_share(0), MOST / 2);
    for _ in 0..200 {
        for held in &mut held {
            let share = tally.fair_share(*held);
            tally.change(*held, share);
            *held = share;
        }
    }
    assert!(held.iter().all(|held| (MOST / 21..=MOST / 19).contains(held)), "{held:?}");
}

#[test]
fn streams_that_hold_on_leave_something_to_the_next() {
    let tally = Tally::new(MOST);
    for _ in 0..20 {
        tally.change(0, tally.fair_share(0).min(100_000));
    }
    assert!(tally.fair_share(0) > 2 * LEAST, "{}", tally.fair_share(0));
}

#[test]
fn streams_that_hold_nothing_take_no_part() {
    let tally = Tally::new(MOST);
    for _ in 0..1000 {
        tally.change(0, 10);
        tally.change(10, 0);
    }
    assert_eq!(tally.fair_share(0), MOST / 2);
}

/// A stream of the peer that holds `much`, and others that take what is fair at the peer, now or then.
fn a_fair_peer(much: usize, others: usize) {
    let (theirs, ours) = (Tally::new(MOST / 4), Tally::new(MOST));
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
    for others in 0..=MOST / 4 / LEAST {
        a_fair_peer(MOST / 16, others);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However streams come and go, together they hold no more than the cap and the least share of each.
    #[test]
    fn the_cap_is_a_cap(steps in proptest::collection::vec((0..200_usize, any::<bool>()), 0..2000)) {
        let (tally, mut held) = (Tally::new(MOST), vec![0; 200]);
        for (at, take) in steps {
            let after = if take { tally.fair_share(held[at]).max(held[at]) } else { 0 };
            tally.change(held[at], after);
            held[at] = after;
            prop_assert!(held.iter().sum::<usize>() <= MOST + held.len() * LEAST);
        }
    }
}
