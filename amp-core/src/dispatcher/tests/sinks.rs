use super::*;

/// A dispatcher whose calls all have sinks, called ten times their tags.
fn with_sinks(count: u64) -> Dispatcher<u64> {
    let mut dispatcher = Dispatcher::new();
    (1..=count).for_each(|tag| dispatcher.ask_for(10 * tag));
    dispatcher
}

/// The sink that an answer is handed to, and which answer.
fn handed_over(dispatcher: &mut Dispatcher<u64>, tag: u64) -> Option<(u64, u64)> {
    match dispatcher.answer(tag, reply(tag)).expect("a tag that is out") {
        Delivery::HandOver(sink, reply) => Some((sink, number_in(&reply))),
        Delivery::Wake(waiter) => {
            assert_eq!(waiter, None);
            None
        }
    }
}

fn lost(dispatcher: &mut Dispatcher<u64>) -> Vec<(u64, u64)> {
    let mut lost = Vec::new();
    dispatcher.close(|tag| panic!("{tag} waits"), |sink, tag| lost.push((sink, tag)));
    lost.sort_unstable();
    lost
}

#[test]
fn the_answer_to_a_call_with_a_sink_is_handed_to_that_sink_once_in_whatever_order_it_comes() {
    let mut dispatcher = with_sinks(5);
    for tag in [3, 5, 1, 4, 2] {
        assert!(dispatcher.is_for_sink(tag));
        assert_eq!(handed_over(&mut dispatcher, tag), Some((10 * tag, tag)));
        assert!(!dispatcher.is_for_sink(tag));
        assert_eq!(dispatcher.wakes(tag, reply(tag)), Err(UnknownTag), "{tag} was answered");
    }
    assert_eq!((held(&dispatcher), dispatcher.unfinished), ((0, 0, 0), 0));
}

#[test]
fn a_call_with_a_sink_is_awaited_and_takes_no_place_among_the_calls() {
    let mut dispatcher = with_sinks(1);
    dispatcher.ask(2, None, false);
    assert_eq!((dispatcher.counted(), dispatcher.is_awaited()), (1, true));
    assert_eq!(dispatcher.wakes(2, reply(2)), Ok(Some(2)));
    assert_eq!((dispatcher.counted(), dispatcher.is_awaited()), (0, true));
    assert_eq!(handed_over(&mut dispatcher, 1), Some((10, 1)));
    assert_eq!((dispatcher.counted(), dispatcher.is_awaited()), (0, false));
}

#[test]
fn a_sink_that_was_abandoned_gets_no_answer_and_that_is_not_unknown() {
    let mut dispatcher = with_sinks(2);
    assert_eq!(dispatcher.abandon(1), (None, Some(10)));
    assert_eq!(dispatcher.abandon(1), (None, None));
    assert!(!dispatcher.is_for_sink(1) && dispatcher.is_awaited(), "the other call");
    assert_eq!(handed_over(&mut dispatcher, 1), None);
    assert_eq!(dispatcher.wakes(1, reply(1)), Err(UnknownTag));
    assert_eq!(dispatcher.abandon(2), (None, Some(20)));
    assert_eq!((dispatcher.counted(), dispatcher.is_awaited()), (0, false));
    assert_eq!(lost(&mut dispatcher), []);
    assert_eq!((held(&dispatcher), dispatcher.unfinished), ((0, 0, 0), 0));
}

#[test]
fn the_sinks_of_calls_without_an_answer_are_handed_out_once_at_the_end_with_their_tags() {
    let mut dispatcher = with_sinks(4);
    (0..1000).for_each(|_| dispatcher.skip());
    assert_eq!(dispatcher.old.len(), 4, "they have been out for long");
    dispatcher.ask_for(7);
    assert_eq!(handed_over(&mut dispatcher, 2), Some((20, 2)));
    dispatcher.abandon(3);
    assert_eq!(lost(&mut dispatcher), [(7, 1005), (10, 1), (40, 4)]);
    assert_eq!(lost(&mut dispatcher), []);
    assert_eq!(dispatcher.wakes(4, reply(4)), Err(UnknownTag), "it came after the end");
    assert_eq!((held(&dispatcher), dispatcher.unfinished, dispatcher.counted()), ((0, 0, 0), 0, 0));
}

#[test]
fn a_call_with_a_sink_has_nothing_to_be_taken_and_never_expires() {
    let mut dispatcher = with_sinks(1);
    assert_eq!(progress(&mut dispatcher, 1), "lost");
    assert_eq!(dispatcher.expire(Instant::now(), |_| panic!("it has no deadline")), None);
    assert_eq!(handed_over(&mut dispatcher, 1), Some((10, 1)));
}

#[test]
fn a_call_is_no_larger_for_the_sinks_of_others() {
    assert!(size_of::<Call<std::task::Waker, std::sync::Arc<dyn Send>>>() <= size_of::<Call<std::task::Waker, ()>>());
}
