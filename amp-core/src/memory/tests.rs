use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::pool::{SLACK, STEP};
use super::*;

/// A connection, as far as the pool sees it.
#[derive(Default)]
struct Station {
    ended: Mutex<Vec<Excess>>,
}

impl Holder for Station {
    fn end_for(self: Arc<Self>, excess: Excess) {
        self.ended.lock().unwrap().push(excess);
    }
}

impl Station {
    fn account(self: &Arc<Self>, pool: &Arc<Pool>) -> Arc<Account> {
        Account::new(Some(Arc::clone(pool)), Arc::clone(self) as _)
    }

    fn is_ended(&self) -> bool {
        !self.ended.lock().unwrap().is_empty()
    }
}

/// So many connections of one pool, with a meter each.
fn meters(pool: &Arc<Pool>, count: usize) -> Vec<(Arc<Station>, Meter)> {
    let one = |_| {
        let station = Arc::new(Station::default());
        let meter = Meter::new(&station.account(pool));
        (station, meter)
    };
    (0..count).map(one).collect()
}

#[test]
fn what_is_below_one_step_is_nobodys_business() {
    let pool = Pool::new(0);
    for (station, meter) in &meters(&pool, 100) {
        assert_eq!(meter.charge(STEP), STEP);
        assert!(!station.is_ended() && !meter.is_memory_short());
    }
    assert_eq!(pool.total(), 0);
}

#[test]
fn memory_that_is_short_is_refused_to_those_that_hold_more_than_their_share_and_to_nobody_else() {
    let pool = Pool::new(16 * STEP);
    let all = meters(&pool, 3);
    let [(_, greedy), (_, modest), (_, idle)] = &all[..] else { unreachable!() };
    // The first step of each is not counted.
    greedy.charge(9 * STEP);
    modest.charge(4 * STEP);
    assert!(!greedy.is_memory_short(), "11 of 16 are less than three quarters");
    modest.charge(STEP);
    assert!(greedy.is_memory_short() && !modest.is_memory_short() && !idle.is_memory_short());
    assert!(!greedy.withholds_credit(), "12 of 16 are less than seven eighths");
    greedy.charge(2 * STEP);
    assert!(greedy.withholds_credit() && !modest.withholds_credit());
    greedy.release(2 * STEP);
    greedy.release(3 * STEP);
    assert!(!greedy.is_memory_short() && !greedy.withholds_credit(), "there is room again");
    assert!(all.iter().all(|(station, _)| !station.is_ended()));
}

#[test]
fn over_the_maximum_the_largest_holder_is_ended_with_what_it_held_and_no_other() {
    let pool = Pool::new(16 * STEP);
    let all = meters(&pool, 3);
    all[0].1.charge(7 * STEP);
    all[1].1.charge(8 * STEP);
    // The one that asks for the last bit is not the largest.
    all[2].1.charge(5 * STEP);
    let ended: Vec<_> = all.iter().map(|(station, _)| station.is_ended()).collect();
    assert_eq!(ended, [false, true, false]);
    assert_eq!(*all[1].0.ended.lock().unwrap(), [Excess { held: 7 * STEP, limit: 16 * STEP }]);
    assert_eq!(pool.total(), 10 * STEP, "what it held is on its way back");
    all[1].1.charge(100 * STEP);
    assert!(!all[0].0.is_ended() && !all[2].0.is_ended(), "what it does now counts for nobody");
}

#[test]
fn while_one_that_is_ended_has_not_given_back_the_others_grow_by_little_and_then_the_next_one_ends() {
    let pool = Pool::new(256 * STEP);
    let all = meters(&pool, 21);
    for (_, meter) in &all {
        meter.charge(13 * STEP);
    }
    all[0].1.charge(5 * STEP);
    assert!(all[0].0.is_ended() && !all[1].0.is_ended());
    all[1].1.charge(2 * STEP);
    assert!(!all[1].0.is_ended(), "a hundred and twenty-eighth more");
    assert!(all[2].1.is_memory_short() && all[2].1.withholds_credit(), "nothing begins until there is memory again");
    all[2].1.charge(STEP);
    assert!(all[1].0.is_ended() && !all[2].0.is_ended(), "the largest of those that are left");
    // What was given back is there for the others again.
    all[0].1.release(18 * STEP);
    all[1].1.release(15 * STEP);
    all[2].1.charge(20 * STEP);
    assert!(!all[2].0.is_ended());
}

#[test]
fn when_all_grow_at_once_and_nothing_is_released_no_more_than_a_fourth_over_the_maximum_is_held() {
    let pool = Pool::new(1000 * STEP);
    let all = meters(&pool, 100);
    for _ in 0..50 {
        // Those that are ended take no more.
        for (_, meter) in all.iter().filter(|(station, _)| !station.is_ended()) {
            meter.charge(STEP);
        }
        // Those that hold little stay, whatever the others hold.
        assert!(pool.counted() <= (1250 + 2 * 100) * STEP, "{}", pool.counted() / STEP);
    }
    assert!(all.iter().all(|(station, _)| station.is_ended()), "all have held much in the end");
}

#[test]
fn those_that_hold_little_are_not_ended_for_what_others_hold() {
    let pool = Pool::new(1000 * STEP);
    let all = meters(&pool, 100);
    for (_, meter) in &all[..90] {
        meter.charge(STEP);
    }
    for _ in 0..300 {
        for (_, meter) in all[90..].iter().filter(|(station, _)| !station.is_ended()) {
            meter.charge(STEP);
        }
    }
    let ended = |part: &[(Arc<Station>, Meter)]| part.iter().filter(|(station, _)| station.is_ended()).count();
    assert_eq!((ended(&all[..90]), ended(&all[90..])), (0, 10));
}

#[test]
fn those_whose_connections_have_ended_take_no_share_from_those_that_go_on() {
    let pool = Pool::new(40 * STEP);
    let ended: Vec<_> = (0..10)
        .map(|_| {
            let account = Arc::new(Station::default()).account(&pool);
            let meter = Meter::new(&account);
            meter.charge(3 * STEP);
            (account, meter)
        })
        .collect();
    let (_station, meter) = meters(&pool, 1).remove(0);
    meter.charge(14 * STEP);
    assert!(meter.is_memory_short(), "33 of 40, of which each of eleven has nearly three");
    ended.iter().for_each(|(account, _)| account.end());
    assert!(!meter.is_memory_short(), "it is alone");
    // What they give back, and count again, is theirs.
    ended.iter().for_each(|(_, meter)| assert_eq!(meter.release(3 * STEP), 0));
    ended.iter().for_each(|(_, meter)| assert_eq!(meter.charge(3 * STEP), 3 * STEP));
    assert!(!meter.is_memory_short() && pool.total() == 33 * STEP);
    drop(ended);
    assert_eq!(pool.total(), 13 * STEP);
}

#[test]
fn what_a_connection_holds_in_several_ways_counts_together() {
    let pool = Pool::new(16 * STEP);
    let station = Arc::new(Station::default());
    let account = station.account(&pool);
    let (one, other, mut third) = (Meter::new(&account), Meter::new(&account), Reservation::new(&account));
    one.charge(7 * STEP);
    other.charge(7 * STEP);
    third.fit(5 * STEP);
    assert_eq!(pool.total(), 16 * STEP);
    assert!(!station.is_ended());
    third.fit(6 * STEP);
    assert!(station.is_ended());
}

#[test]
fn a_connection_of_its_own_is_never_short() {
    let account = Account::unshared();
    let meter = Meter::new(&account);
    meter.charge(usize::MAX / 2);
    assert!(!meter.is_memory_short() && !meter.withholds_credit());
}

#[test]
fn without_a_limit_nobody_is_short_and_nobody_is_ended() {
    let all = meters(&Pool::new(usize::MAX), 3);
    for (station, meter) in &all {
        meter.charge(usize::MAX / 16);
        assert!(!station.is_ended() && !meter.is_memory_short());
    }
}

#[test]
fn what_is_dropped_gives_everything_back_and_an_account_that_is_gone_is_not_ended() {
    let pool = Pool::new(16 * STEP);
    let all = meters(&pool, 2);
    all[0].1.charge(10 * STEP);
    all[1].1.charge(4 * STEP);
    assert_eq!(pool.total(), 12 * STEP);
    drop(all);
    assert_eq!(pool.total(), 0);
}

#[test]
fn threads_that_charge_and_release_leave_nothing_behind_and_end_nobody() {
    // Never do all of them hold so much.
    let pool = Pool::new(60 * STEP);
    let (station, other) = (Arc::new(Station::default()), Arc::new(Station::default()));
    let (account, innocent) = (station.account(&pool), Meter::new(&other.account(&pool)));
    innocent.charge(11 * STEP);
    let meter = Meter::new(&account);
    let turns = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let (meter, turns) = (&meter, &turns);
            scope.spawn(move || {
                for turn in 0..20_000 {
                    let bytes = (turn * thread * 977) % (5 * STEP);
                    meter.charge(bytes);
                    meter.release(bytes);
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((turns.into_inner(), meter.held()), (80_000, 0));
    assert!(account.reserved() <= 2 * STEP, "no more than what is kept back at rest");
    assert_eq!(account.reserved() + 10 * STEP, pool.total());
    assert!(!station.is_ended() && !other.is_ended());
}

#[test]
fn bytes_are_counted_as_long_as_they_are_held_and_never_over_the_maximum_that_is_given() {
    let pool = Pool::new(100 * STEP);
    let meter = Arc::new(Meter::new(&Arc::new(Station::default()).account(&pool)));
    let one = meter.hold(2 * STEP);
    assert!(meter.try_hold(2 * STEP, 4 * STEP - 1).is_none() && !meter.try_charge(2 * STEP, 4 * STEP - 1));
    let two = meter.try_hold(2 * STEP, 4 * STEP).expect("there is room");
    assert_eq!((meter.held(), pool.total(), two.bytes()), (4 * STEP, 3 * STEP, 2 * STEP));
    drop((one, two));
    assert_eq!((meter.held(), meter.charge(5), meter.charge(6), meter.release(4), meter.release(7)), (0, 5, 11, 7, 0));
}

#[test]
fn to_release_more_than_was_charged_leaves_nothing_counted() {
    let pool = Pool::new(100 * STEP);
    let (station, meter) = meters(&pool, 1).remove(0);
    meter.charge(3 * STEP);
    let released = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| meter.release(4 * STEP)));
    assert_eq!(
        released.ok(),
        (!cfg!(debug_assertions)).then_some(0),
        "a mistake that is told where there are debug assertions"
    );
    assert_eq!((meter.held(), pool.total(), station.is_ended()), (0, 0, false));
    assert_eq!(meter.charge(3 * STEP), 3 * STEP);
    assert_eq!(pool.total(), 2 * STEP);
}

#[test]
fn while_there_is_room_an_account_reports_what_it_holds_more_and_not_what_it_holds_less_by_little() {
    let pool = Pool::new(100 * SLACK);
    let (_station, meter) = meters(&pool, 1).remove(0);
    meter.charge(SLACK + STEP);
    assert_eq!(pool.counted(), SLACK);
    meter.release(SLACK + STEP);
    assert_eq!(pool.counted(), SLACK, "a stream that fills and empties its window");
    meter.charge(2 * SLACK);
    assert_eq!(pool.counted(), 2 * SLACK - STEP);
    meter.release(2 * SLACK);
    assert_eq!(pool.counted(), 0, "more than the slack");
    meter.charge(SLACK);
    meter.release(SLACK);
    assert_eq!(
        (pool.counted(), pool.reserved(), pool.counted()),
        (SLACK - STEP, 0, SLACK - STEP),
        "who asks hears what is true"
    );
}

#[test]
fn what_was_not_reported_is_read_before_anybody_is_refused_or_ended() {
    let pool = Pool::new(16 * SLACK);
    let (all, (station, meter)) = (meters(&pool, 20), meters(&pool, 1).remove(0));
    for (_, meter) in &all {
        meter.charge(SLACK / 2);
        meter.release(SLACK / 2);
    }
    assert!(pool.counted() > 9 * SLACK);
    meter.charge(11 * SLACK);
    assert!(pool.counted() < 12 * SLACK && !meter.is_memory_short() && !station.is_ended());
    // From here on each change is reported.
    all[0].1.charge(3 * SLACK);
    assert!(meter.is_memory_short() && !all[1].1.is_memory_short());
    all[0].1.release(SLACK);
    assert!(pool.counted() < 13 * SLACK + SLACK / 8);
    all[0].1.release(2 * SLACK);
    assert!(!meter.is_memory_short() && pool.counted() < 11 * SLACK + SLACK / 2);
    assert!(all.iter().all(|(station, _)| !station.is_ended()));
}

#[test]
fn threads_around_the_mark_leave_no_more_counted_than_is_reserved_and_never_less() {
    // All of them together hold a little more than three quarters now and then, and never the maximum.
    let pool = Pool::new(16 * SLACK);
    let all = meters(&pool, 4);
    std::thread::scope(|scope| {
        for (at, (_, meter)) in all.iter().enumerate() {
            scope.spawn(move || {
                for turn in 0..20_000 {
                    let bytes = (turn * (2 * at + 1) * 977) % (3 * SLACK + SLACK / 2);
                    meter.charge(bytes);
                    meter.release(bytes);
                }
                meter.charge(SLACK * (at + 1));
            });
        }
    });
    // Nothing was lost between a change and a report that read it too early.
    let counted = pool.counted();
    let reserved = pool.reserved();
    assert!(counted >= reserved && counted <= reserved + 4 * SLACK, "{counted} counted, {reserved} reserved");
    assert!(reserved >= 10 * SLACK - 4 * STEP, "{reserved}");
    assert!(all.iter().all(|(station, _)| !station.is_ended()));
    drop(all);
    assert_eq!(pool.counted(), 0);
}

#[test]
fn threads_of_one_account_lose_neither_what_it_reserves_nor_what_it_releases() {
    // Over the mark all the time, so that each change is reported, and never over the maximum.
    let pool = Pool::new(64 * SLACK);
    let (station, other) = (Arc::new(Station::default()), Arc::new(Station::default()));
    let (account, steady) = (station.account(&pool), Meter::new(&other.account(&pool)));
    steady.charge(50 * SLACK);
    let meters: Vec<_> = (0..3).map(|_| Meter::new(&account)).collect();
    for round in 0..300 {
        std::thread::scope(|scope| {
            for (at, meter) in meters.iter().enumerate() {
                scope.spawn(move || {
                    for turn in 0..20 {
                        let bytes = SLACK + (round + turn * 7 + at * 31) % 50 * STEP;
                        meter.charge(bytes);
                        meter.release(bytes);
                    }
                });
            }
        });
        assert_eq!(pool.counted(), pool.reserved(), "round {round}");
    }
    assert!(!station.is_ended() && !other.is_ended());
}

#[test]
fn who_asks_how_much_is_held_takes_no_report_from_the_pool() {
    for _ in 0..200 {
        let pool = Pool::new(8 * SLACK);
        let all = meters(&pool, 3);
        let is_over = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while is_over.load(Ordering::Relaxed) < 3 {
                    pool.reserved();
                }
            });
            for (_, meter) in &all {
                scope.spawn(|| {
                    (0..3 * SLACK / STEP).for_each(|_| _ = meter.charge(STEP));
                    is_over.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert!(all.iter().any(|(station, _)| station.is_ended()), "{} of {}", pool.reserved(), 8 * SLACK);
    }
}

proptest! {
    /// However much of it is not reported: the pool never counts less than is reserved, nor more than the slack for each above it;
    /// and it refuses and ends nobody for what is not reserved.
    #[test]
    fn a_pool_decides_by_what_is_reserved(
        max in 1..24_usize,
        steps in prop::collection::vec((0..5_usize, 0..3_usize, 0..2 * SLACK), 1..120),
    ) {
        let max = max * SLACK / 2;
        let pool = Pool::new(max);
        let all: Vec<_> = (0..5).map(|_| {
            let station = Arc::new(Station::default());
            let account = station.account(&pool);
            (station, Meter::new(&account), account)
        }).collect();
        let alive = || all.iter().filter(|(station, ..)| !station.is_ended());
        for (at, kind, bytes) in steps {
            let before: Vec<_> = alive().map(|(station, ..)| station).collect();
            let (_, meter, account) = &all[at];
            match kind {
                0 => _ = meter.charge(bytes),
                1 => _ = meter.release(bytes.min(meter.held())),
                _ => _ = meter.release(meter.held()),
            }
            let reserved: usize = all.iter().map(|(_, _, account)| account.reserved()).sum();
            let counted = pool.counted();
            if alive().count() == all.len() {
                prop_assert!(counted >= reserved, "{counted} for {reserved}");
            }
            prop_assert!(counted <= reserved + all.len() * SLACK, "{counted} for {reserved}");
            prop_assert!(before.iter().all(|station| !station.is_ended()) || reserved > max, "ended at {reserved} of {max}");
            prop_assert!(!account.is_memory_short() || reserved >= max / 4 * 3, "short at {reserved} of {max}");
        }
    }

    /// Whatever is charged and released by whomever: the pool never counts less than what all hold, but for a step a meter, nor more
    /// than an eighth and three steps a meter over it; over the maximum nobody is left; and those that are refused hold more than their share.
    #[test]
    fn a_pool_counts_what_is_held_and_ends_the_largest(
        max in 1..40_usize,
        steps in prop::collection::vec((0..4_usize, 0..2_usize, 0..4 * STEP), 1..80),
    ) {
        let max = max * STEP;
        let pool = Pool::new(max);
        let all = meters(&pool, 4);
        for (at, kind, bytes) in steps {
            let (_, meter) = &all[at];
            if kind == 0 {
                meter.charge(bytes);
            } else {
                meter.release(bytes.min(meter.held()));
            }
            let alive: Vec<_> = all.iter().filter(|(station, _)| !station.is_ended()).map(|(_, meter)| meter).collect();
            let held: usize = alive.iter().map(|meter| meter.held()).sum();
            let total = pool.total();
            prop_assert!(total <= max);
            prop_assert!(total + alive.len() * STEP >= held, "{total} for {held}");
            prop_assert!(total <= held + held / 8 + alive.len() * 3 * STEP, "{total} for {held}");
            for meter in &alive {
                let share = max / 4 * 3 / alive.iter().filter(|meter| meter.held() > 3 * STEP).count().max(1);
                prop_assert!(!meter.is_memory_short() || meter.held() / 8 * 9 + 3 * STEP > share.min(max / 16));
                prop_assert!(!meter.withholds_credit() || meter.is_memory_short());
            }
        }
    }
}
