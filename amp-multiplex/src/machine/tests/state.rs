use proptest::prelude::*;

use crate::error::StreamError;
use crate::machine::RemoteClose;
use crate::machine::state::State;

fn step(state: &mut State, event: u8) {
    match event {
        0 => drop(state.send_close()),
        1 => state.recv_close(RemoteClose::Half),
        2 => state.recv_close(RemoteClose::Full),
        3 => state.recv_close(RemoteClose::Cut),
        4 => state.recv_refusal(),
        5 => state.fail(StreamError::Overrun),
        _ => drop(state.abandon()),
    }
}

#[test]
fn each_event_closes_its_directions() {
    // What may be sent and received behind each event, to a peer that can close one direction only and to another one.
    let table = [
        (0, (false, true), (false, false)),
        (1, (true, false), (false, false)),
        (2, (false, false), (false, false)),
        (3, (false, false), (false, false)),
        (4, (false, true), (false, false)),
        (5, (false, false), (false, false)),
        (6, (false, false), (false, false)),
    ];
    for (event, new_peer, old_peer) in table {
        for (half_close, open) in [(true, new_peer), (false, old_peer)] {
            let mut state = State::new(half_close);
            step(&mut state, event);
            assert_eq!((state.can_send(), state.can_receive()), open, "event {event}, half close {half_close}");
            assert_eq!(state.is_closed(), open == (false, false));
        }
    }
}

#[test]
fn a_half_close_that_comes_twice_leaves_the_other_direction_open() {
    let mut state = State::new(true);
    for _ in 0..2 {
        state.recv_close(RemoteClose::Half);
        assert_eq!((state.can_send(), state.can_receive(), state.is_closed()), (true, false, false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Whatever happens behind a close, the direction stays closed as it is, by one end, and the first error is the only one.
    #[test]
    fn a_direction_closes_once(half_close: bool, events in proptest::collection::vec(0..7_u8, 0..12)) {
        let mut state = State::new(half_close);
        for event in events {
            let (could_send, could_receive, was_closed) = (state.can_send(), state.can_receive(), state.is_closed());
            let (finished, truncated) = (state.is_finished(), state.is_truncated());
            let (refused, error) = (state.is_refused(), state.error().map(ToString::to_string));
            step(&mut state, event);
            prop_assert!(could_send || !state.can_send());
            prop_assert!(could_receive || !state.can_receive());
            prop_assert!(could_send || finished == state.is_finished());
            prop_assert!(could_receive || truncated == state.is_truncated());
            prop_assert!(!refused || state.is_refused());
            prop_assert!(!was_closed || error == state.error().map(ToString::to_string));
            prop_assert!(state.error().is_none() || state.is_closed());
            prop_assert_eq!(state.is_closed(), !state.can_send() && !state.can_receive());
            let sending = [state.can_send(), state.is_finished(), state.is_stopped()];
            prop_assert_eq!(sending.iter().filter(|is| **is).count(), 1, "open, closed by this end, or by the other one");
        }
    }
}
