use proptest::collection::vec;
use proptest::prelude::*;

use super::end::End;
use crate::proto::Lane;

/// What happens at one of two ends.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Send { lane: Lane, wants_answer: bool, length: usize, patience: Option<u64> },
    Poll(usize),
    Drop(usize),
    Abandon(usize),
    Turn,
    Read,
    Answer(usize),
    PassTime,
    Close,
    Abort,
}

fn operation() -> impl Strategy<Value = Operation> {
    let lane = prop_oneof![Just(Lane::Call), Just(Lane::Notify), Just(Lane::Callback), Just(Lane::Bulk)];
    // Large ones use up the credit of notifications, and bulk's part of the buffer.
    let length = prop_oneof![4 => 0..50_usize, 1 => 30_000..60_000_usize];
    let send = (lane, any::<bool>(), length, proptest::option::of(0..5_u64)).prop_map(
        |(lane, wants_answer, length, patience)| {
            let wants_answer = match lane {
                Lane::Call => true,
                Lane::Notify => false,
                Lane::Callback | Lane::Bulk => wants_answer,
            };
            Operation::Send { lane, wants_answer, length, patience }
        },
    );
    prop_oneof![
        60 => send,
        30 => any::<usize>().prop_map(Operation::Poll),
        6 => any::<usize>().prop_map(Operation::Drop),
        3 => any::<usize>().prop_map(Operation::Abandon),
        20 => Just(Operation::Turn),
        20 => Just(Operation::Read),
        20 => any::<usize>().prop_map(Operation::Answer),
        4 => Just(Operation::PassTime),
        1 => Just(Operation::Close),
        1 => Just(Operation::Abort),
    ]
}

fn run(ends: &mut [End; 2], at: usize, operation: Operation) {
    let [one, two] = ends;
    let (end, other) = if at == 0 { (one, two) } else { (two, one) };
    match operation {
        Operation::Send { lane, wants_answer, length, patience } => end.send(lane, wants_answer, length, patience),
        Operation::Poll(pick) => end.poll_one(pick),
        Operation::Drop(pick) => end.drop_one(pick),
        Operation::Abandon(pick) => end.abandon_one(pick),
        Operation::Turn => end.turn(),
        Operation::Read => end.read_from(other),
        Operation::Answer(pick) => end.answer_one(pick),
        Operation::PassTime => end.pass_time(),
        Operation::Close => end.close(),
        Operation::Abort => end.abort(),
    }
    end.check_nobody_waits_in_vain();
}

/// Lets everything happen that somebody was woken for, until nobody is.
fn settle(ends: &mut [End; 2]) {
    for _ in 0..10_000 {
        let before = (ends[0].steps, ends[1].steps);
        for at in [0, 1] {
            run(ends, at, Operation::Read);
            ends[at].do_all();
            ends[at].check_nobody_waits_in_vain();
        }
        if before == (ends[0].steps, ends[1].steps) {
            return;
        }
    }
    panic!("somebody is woken for ever");
}

#[test]
fn closing_does_not_wait_for_a_call_that_is_dropped() {
    let mut end = End::new(1, 100, true);
    end.send(Lane::Call, true, 0, None);
    end.close();
    (0..3).for_each(|_| end.turn());
    assert!(!end.is_over(), "its answer may come");
    end.drop_one(0);
    end.turn();
    assert!(end.is_over());
}

fn ends(limits: [(usize, usize, bool); 2]) -> [End; 2] {
    limits.map(|(max_calls, outbound_high_water, announces)| End::new(max_calls, outbound_high_water, announces))
}

/// Limits of 1 to 3 calls, and of so many bytes; whether the end announces.
fn limits() -> impl Strategy<Value = [(usize, usize, bool); 2]> {
    let mark = prop_oneof![1..4_usize, 100..400_usize, Just(1_usize << 20)];
    let end = (1..4_usize, mark, proptest::bool::weighted(0.8));
    [end.clone(), end]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_admitted_comes_in_its_order_and_nobody_waits_for_what_is_there(
        limits in limits(),
        operations in vec((0..2_usize, operation()), 0..250),
    ) {
        let mut ends = ends(limits);
        for (at, operation) in operations {
            if !matches!(operation, Operation::Close | Operation::Abort) {
                run(&mut ends, at, operation);
            }
        }
        settle(&mut ends);
        let [one, two] = &ends;
        prop_assert!(one.users.is_empty() && two.users.is_empty(), "somebody waits for ever");
        prop_assert!(one.sinks.is_empty() && two.sinks.is_empty(), "a sink has no reply");
        prop_assert!(!(one.is_over() || two.is_over()));
        one.check_all_came(two);
        two.check_all_came(one);
    }

    #[test]
    fn however_a_connection_ends_all_that_wait_are_told_and_what_was_admitted_comes_or_is_not_read(
        limits in limits(),
        operations in vec((0..2_usize, operation()), 0..150),
        closes in any::<bool>(),
    ) {
        let mut ends = ends(limits);
        for (at, operation) in operations {
            run(&mut ends, at, operation);
        }
        run(&mut ends, 0, if closes { Operation::Close } else { Operation::Abort });
        settle(&mut ends);
        for end in &ends {
            prop_assert!(end.users.is_empty(), "somebody waits for ever");
            prop_assert!(end.is_over());
            prop_assert!(end.sinks.is_empty(), "a sink was told of neither its reply nor the end");
        }
        for (end, other) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
            let came = end.unsent.iter().find(|number| other.received.contains(number));
            prop_assert!(came.is_none(), "{:?} has left, and its sink was told that it has not", came);
        }
    }
}
