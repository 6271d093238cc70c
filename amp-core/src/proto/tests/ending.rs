//! How a connection closes and ends, one statement each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::memory::{Account, Excess, Holder, Pool};
use crate::proto::{Appended, Attachments, ConnectionState, Lane, Limits, ReplyTo, Request, Untyped};
use crate::reason::CloseReason;
use crate::wire::{AmpBox, BoxLimits};

const DRIVER: u64 = u64::MAX;

/// The driver sleeps.
fn state(outbound_high_water: usize, max_outbound: usize) -> ConnectionState<u64> {
    let limits =
        Limits { boxes: BoxLimits::DEFAULT, max_calls: 10, outbound_high_water, max_outbound, announces: false };
    let mut state = ConnectionState::new(limits, &Account::unshared());
    assert_eq!(state.sleep(&DRIVER, false), None);
    state
}

/// The driver has no turn: thousands of responders may answer before it.
#[test]
fn what_is_appended_counts_at_once_and_no_longer_when_it_is_taken_or_discarded() {
    struct Nobody;
    impl Holder for Nobody {
        fn end_for(self: Arc<Self>, _: Excess) {}
    }
    const MIB: usize = 1 << 20;
    // The first step of each kind is free.
    const FREE: usize = 8 * 1024;
    let now = Instant::now();
    let pool = Pool::new(64 * MIB);
    let limits = Limits {
        boxes: BoxLimits::DEFAULT,
        max_calls: 10,
        outbound_high_water: 1,
        max_outbound: 8 * MIB,
        announces: false,
    };
    let mut state = ConnectionState::<u64>::new(limits, &Account::new(Some(Arc::clone(&pool)), Arc::new(Nobody)));
    let answer = |buffer: &mut Vec<u8>| buffer.extend(vec![0; MIB]);
    for (round, discards) in [(0, false), (1, true), (2, false)] {
        state.append_answer(answer, || now);
        assert!((MIB - FREE..3 * MIB).contains(&pool.reserved()), "{round}: {}", pool.reserved());
        state.append_untyped(answer, || now).expect("it is open");
        assert!(pool.reserved() >= 2 * MIB - FREE, "{round}");
        if discards {
            drop(state.discard_outbound());
        } else {
            assert_eq!(take(&mut state).len(), 2 * MIB);
        }
        assert_eq!(pool.reserved(), 0, "{round}");
    }
    state.append_answer(answer, || now);
    drop(state.discard_answers());
    // Responders that are ready go on answering before the driver has its turn.
    assert!(matches!(state.append_answer(answer, || now), Appended::Sealed));
    assert_eq!(pool.reserved(), 0, "an ended one holds no more");
    drop(state.seal());
    assert_eq!(pool.reserved(), 0, "at the end");
}

fn call(state: &mut ConnectionState<u64>, deadline: Option<Instant>) -> u64 {
    let request = Request { lane: Lane::Call, wants_answer: true, deadline, reply_to: ReplyTo::Waiter(&5) };
    let (tag, _) = state.append(&Untyped(b"Ask", AmpBox::new()), &request, None).expect("it fits");
    tag.expect("it wants an answer")
}

fn take(state: &mut ConnectionState<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.sending().take(&mut bytes, &mut Attachments::default(), &mut Vec::new());
    bytes
}

#[test]
fn a_peer_that_does_not_read_is_let_wait_for_exactly_the_limit() {
    let now = Instant::now();
    for is_untyped in [false, true] {
        let mut state = state(1, 3);
        let append = |state: &mut ConnectionState<u64>, length: usize| {
            let put = |buffer: &mut Vec<u8>| buffer.extend(vec![0; length]);
            if is_untyped { state.append_untyped(put, || now) } else { Ok(state.append_answer(put, || now)) }
        };
        assert!(matches!(append(&mut state, 3), Ok(Appended::Queued(Some(DRIVER)))));
        assert!(state.check_outbound(|| now).is_empty() && state.over().is_none());
        assert!(!state.poll_room(&8));
        let Ok(Appended::Overflowed(woken)) = append(&mut state, 1) else { panic!("it is one byte too many") };
        assert!(woken.contains(&DRIVER) && woken.contains(&8), "all that wait are told");
        assert!(matches!(state.over(), Some(CloseReason::NotReading { limit: 3 })));
        assert!(state.sending().outbound().is_empty() && state.poll_room(&8));
        let _ = state.seal();
        match append(&mut state, 1) {
            Err(CloseReason::NotReading { .. }) => assert!(is_untyped),
            Ok(Appended::Sealed) => assert!(!is_untyped),
            other => panic!("{other:?} after the end"),
        }
        assert!(take(&mut state).is_empty());
    }
    let mut state = state(1, 3);
    call(&mut state, None);
    assert!(state.check_outbound(|| now).contains(&DRIVER));
    assert!(matches!(state.over(), Some(CloseReason::NotReading { .. })) && take(&mut state).is_empty());
}

#[test]
fn room_is_waited_for_while_there_is_none_and_the_connection_is_open() {
    let mut state = state(1, 100);
    assert!(state.poll_room(&8) && !state.sending().is_room_waited_for());
    call(&mut state, None);
    assert!(!state.poll_room(&8) && state.sending().is_room_waited_for());
    let (mut bytes, mut woken) = (Vec::new(), Vec::new());
    assert!(state.sending().take(&mut bytes, &mut Attachments::default(), &mut woken));
    assert_eq!((woken, state.poll_room(&8)), (vec![8], true));
    call(&mut state, None);
    let now = Instant::now();
    assert!(!state.poll_room(&8));
    assert!(state.close(CloseReason::Closed, now, now).is_some_and(|woken| woken.contains(&8)));
    assert!(state.poll_room(&8) && !state.sending().is_room_waited_for());
}

#[test]
fn closing_waits_for_what_is_written_answered_replaced_and_run_and_for_nothing_else() {
    for waits_for in 0..5 {
        let (mut state, now) = (state(1 << 20, 1 << 20), Instant::now());
        assert!(!state.end_turn(|| true, &mut Vec::new()), "it is open");
        let tag = call(&mut state, None);
        if waits_for != 1 {
            take(&mut state);
        }
        if waits_for != 2 {
            assert_eq!(state.abandon(tag), ([Some(5), None], None));
        }
        if waits_for == 3 {
            assert!(state.transport().stop_reading());
        }
        assert!(
            state.close(CloseReason::Closed, now, now).is_some()
                && state.close(CloseReason::Closed, now, now).is_none()
        );
        let mut woken = Vec::new();
        assert_eq!(state.end_turn(|| waits_for != 4, &mut woken), waits_for == 0, "{waits_for}");
        assert_eq!(state.over().is_some(), waits_for == 0);
        assert_eq!(woken.contains(&DRIVER), waits_for == 0);
    }
}

#[test]
fn the_driver_is_woken_by_the_last_call_that_is_dropped_while_closing() {
    let (mut state, now) = (state(1 << 20, 1 << 20), Instant::now());
    let tags = [call(&mut state, None), call(&mut state, None)];
    assert_eq!(state.abandon(tags[0]), ([Some(5), None], None));
    assert!(state.close(CloseReason::Closed, now, now).is_some());
    assert_eq!(state.abandon(tags[1]), ([Some(5), Some(DRIVER)], None));
}

#[test]
fn what_closes_ends_at_its_time_and_the_driver_looks_again_at_the_first_of_all_instants() {
    let (mut state, start) = (state(1 << 20, 1 << 20), Instant::now());
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut woken = Vec::new();
    assert_eq!(state.expire(|| unreachable!(), &mut woken), None, "nothing has a time");
    call(&mut state, Some(at(4)));
    let (timer, _) = state.wait_until(at(2), None, &6);
    assert_eq!(state.wait_until(at(2), Some(timer), &7), (timer, [Some(6), None]));
    assert_eq!((state.expire(|| at(1), &mut woken), woken.as_slice()), (Some(at(2)), &[][..]));
    assert_eq!((state.expire(|| at(2), &mut woken), woken.as_slice()), (Some(at(4)), &[7][..]));
    assert!(state.close(CloseReason::Closed, at(3), at(9)).is_some());
    assert_eq!(state.expire(|| at(2), &mut woken), Some(at(3)));
    woken.clear();
    assert_eq!(state.expire(|| at(3), &mut woken), None);
    assert!(matches!(state.over(), Some(CloseReason::Closed)) && woken.contains(&DRIVER) && woken.contains(&5));
    assert_eq!((state.finish_by(), state.expire(|| at(9), &mut woken)), (Some(at(9)), None));
}

#[test]
fn what_cannot_be_written_closes_with_that_reason_and_no_sink_is_told_that_it_was_sent() {
    for closes in [false, true] {
        let (mut state, start) = (state(1 << 20, 1 << 20), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let reply_to = ReplyTo::Sink(&3);
        let request = Request { lane: Lane::Bulk, wants_answer: true, deadline: None, reply_to };
        state.append(&Untyped(b"Ask", AmpBox::new()), &request, None).expect("it fits");
        if closes {
            assert!(state.close(CloseReason::Closed, at(5), at(5)).is_some());
        }
        let _ = state.sleep(&DRIVER, false);
        let woken = state.write_failed(CloseReason::Unwritten, at(2), at(3));
        assert_eq!(woken.map(|(woken, _)| woken), Some(vec![DRIVER]));
        assert!(state.is_closing() && matches!(state.refusal(false), Some(CloseReason::Unwritten)));
        assert_eq!(state.expire(|| start, &mut Vec::new()), Some(at(2)));
        assert_eq!(state.finish_by(), Some(at(if closes { 5 } else { 3 })));
        // An ask that came later is not written either.
        state.append(&Untyped(b"Ask", AmpBox::new()), &request, None).expect("it fits");
        state.end(CloseReason::ClosedByPeer, at(3));
        let sent: Vec<_> = state.sending().take_lost().into_iter().map(|lost| (lost.sink, lost.reply.sent)).collect();
        assert_eq!(sent, [(3, false), (3, false)]);
        assert!(state.write_failed(CloseReason::Unwritten, at(2), at(3)).is_none(), "it is over");
    }
}

#[test]
fn the_end_wakes_what_waits_for_an_instant_and_an_abort_after_it_the_driver() {
    let (mut state, now) = (state(1 << 20, 1 << 20), Instant::now());
    assert!(state.begin_turn());
    state.wait_until(now, None, &6);
    assert_eq!(state.end(CloseReason::ClosedByPeer, now), [DRIVER, 6]);
    assert!(state.end(CloseReason::Aborted, now).is_empty(), "the first reason stays");
    assert!(!state.begin_turn());
    assert_eq!(state.abort(CloseReason::Aborted, now), [DRIVER]);
    assert!(matches!(state.over(), Some(CloseReason::ClosedByPeer)));
    assert_eq!(state.wake_driver(), Some(DRIVER));
}

#[test]
fn a_listener_is_kept_until_the_end_and_returned_after_it() {
    let mut state = state(1, 1);
    assert!(state.listen(Box::new(|_| {})).is_none());
    assert_eq!((state.take_end_listeners().len(), state.take_end_listeners().len()), (1, 0));
    assert!(state.listen(Box::new(|_| {})).is_some());
}
