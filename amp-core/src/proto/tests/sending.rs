//! What an ask that was appended takes, one statement each.

use crate::memory::Account;
use crate::proto::{ConnectionState, Lane, Limits, ReplyTo, Request, Untyped};
use crate::tags::Progress;
use crate::wire::{AmpBox, BoxLimits};

fn state() -> ConnectionState<u64> {
    let (boxes, max_calls) = (BoxLimits::DEFAULT, 1);
    let (outbound_high_water, max_outbound) = (1 << 20, usize::MAX);
    let limits = Limits { boxes, max_calls, outbound_high_water, max_outbound, announces: false };
    ConnectionState::new(limits, &Account::unshared())
}

fn append(state: &mut ConnectionState<u64>, lane: Lane, length: usize) -> u64 {
    let mut arguments = AmpBox::new();
    arguments.insert("x", vec![0; length]).expect("a short value");
    let request = Request { lane, wants_answer: true, deadline: None, reply_to: ReplyTo::Waiter(&5) };
    state.append(&Untyped(b"Ask", arguments), &request, None).expect("it fits").0.expect("it wants an answer")
}

#[test]
fn only_calls_take_a_place_and_only_bulk_takes_of_the_part_of_bulk() {
    let mut state = state();
    let admits = |state: &mut ConnectionState<u64>| {
        [Lane::Call, Lane::Bulk, Lane::Callback].map(|lane| state.sending().admits(lane, None))
    };
    for _ in 0..2 {
        append(&mut state, Lane::Callback, 60_000);
    }
    assert_eq!(admits(&mut state), [true, true, true]);
    for _ in 0..2 {
        append(&mut state, Lane::Bulk, 60_000);
    }
    assert_eq!(admits(&mut state), [true, false, true]);
    append(&mut state, Lane::Call, 0);
    assert_eq!(admits(&mut state), [false, false, true]);
}

#[test]
fn the_waiter_that_looked_last_waits_for_the_answer_and_the_one_before_is_returned() {
    let mut state = state();
    let tag = append(&mut state, Lane::Call, 0);
    assert!(!state.sending().is_for_sink(tag));
    for (waiter, before) in [(5, None), (6, Some(5)), (6, None)] {
        let Progress::Pending(replaced) = state.sending().poll_answer(tag, &waiter) else { panic!("it is out") };
        assert_eq!(replaced, before);
    }
    assert_eq!(state.abandon(tag).0, [Some(6), None]);
}
