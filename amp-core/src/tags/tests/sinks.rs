use super::*;

/// A tags whose calls all have sinks, called ten times their tags.
fn with_sinks(count: u64) -> Tags<u64> {
    let mut tags = Tags::new();
    (1..=count).for_each(|tag| tags.ask_for(10 * tag));
    tags
}

/// The sink that an answer is handed to, and which answer.
fn handed_over(tags: &mut Tags<u64>, tag: u64) -> Option<(u64, u64)> {
    match tags.answer(tag, reply(tag)).expect("a tag that is out") {
        Delivery::HandOver(sink, reply) => Some((sink, number_in(&reply))),
        Delivery::Wake(waiter) => {
            assert_eq!(waiter, None);
            None
        }
    }
}

fn lost(tags: &mut Tags<u64>) -> Vec<(u64, u64)> {
    let mut lost = Vec::new();
    tags.close(|tag| panic!("{tag} waits"), |sink, tag| lost.push((sink, tag)));
    lost.sort_unstable();
    lost
}

#[test]
fn the_answer_to_a_call_with_a_sink_is_handed_to_that_sink_once_in_whatever_order_it_comes() {
    let mut tags = with_sinks(5);
    for tag in [3, 5, 1, 4, 2] {
        assert!(tags.is_for_sink(tag));
        assert_eq!(handed_over(&mut tags, tag), Some((10 * tag, tag)));
        assert!(!tags.is_for_sink(tag));
        assert_eq!(tags.wakes(tag, reply(tag)), Err(UnknownTag), "{tag} was answered");
    }
    assert_eq!((held(&tags), tags.unfinished), ((0, 0, 0), 0));
}

#[test]
fn a_call_with_a_sink_is_awaited_and_takes_no_place_among_the_calls() {
    let mut tags = with_sinks(1);
    tags.ask(2, None, false);
    assert_eq!((tags.counted(), tags.is_awaited()), (1, true));
    assert_eq!(tags.wakes(2, reply(2)), Ok(Some(2)));
    assert_eq!((tags.counted(), tags.is_awaited()), (0, true));
    assert_eq!(handed_over(&mut tags, 1), Some((10, 1)));
    assert_eq!((tags.counted(), tags.is_awaited()), (0, false));
}

#[test]
fn a_sink_that_was_abandoned_gets_no_answer_and_that_is_not_unknown() {
    let mut tags = with_sinks(2);
    assert_eq!(tags.abandon(1), (None, Some(10)));
    assert_eq!(tags.abandon(1), (None, None));
    assert!(!tags.is_for_sink(1) && tags.is_awaited(), "the other call");
    assert_eq!(handed_over(&mut tags, 1), None);
    assert_eq!(tags.wakes(1, reply(1)), Err(UnknownTag));
    assert_eq!(tags.abandon(2), (None, Some(20)));
    assert_eq!((tags.counted(), tags.is_awaited()), (0, false));
    assert_eq!(lost(&mut tags), []);
    assert_eq!((held(&tags), tags.unfinished), ((0, 0, 0), 0));
}

#[test]
fn the_sinks_of_calls_without_an_answer_are_handed_out_once_at_the_end_with_their_tags() {
    let mut tags = with_sinks(4);
    (0..1000).for_each(|_| tags.skip());
    assert_eq!(tags.old.len(), 4, "they have been out for long");
    tags.ask_for(7);
    assert_eq!(handed_over(&mut tags, 2), Some((20, 2)));
    tags.abandon(3);
    assert_eq!(lost(&mut tags), [(7, 1005), (10, 1), (40, 4)]);
    assert_eq!(lost(&mut tags), []);
    assert_eq!(tags.wakes(4, reply(4)), Err(UnknownTag), "it came after the end");
    assert_eq!((held(&tags), tags.unfinished, tags.counted()), ((0, 0, 0), 0, 0));
}

#[test]
fn a_call_with_a_sink_has_nothing_to_be_taken_and_never_expires() {
    let mut tags = with_sinks(1);
    assert_eq!(progress(&mut tags, 1), "lost");
    assert_eq!(tags.expire(Instant::now(), |_| panic!("it has no deadline")), None);
    assert_eq!(handed_over(&mut tags, 1), Some((10, 1)));
}

#[test]
fn calls_with_sinks_that_stay_out_while_many_others_pass_leave_the_window_short() {
    let mut tags = with_sinks(1);
    for tag in 2..=2_000 {
        tags.ask_for(tag);
        assert_eq!(handed_over(&mut tags, tag), Some((tag, tag)));
    }
    assert_eq!(tags.old.len(), 1, "the first is still out");
    assert!(tags.window.len() < 200, "{}", tags.window.len());
}

#[test]
fn a_tag_is_out_until_its_answer_has_come_whether_or_not_its_caller_has_left() {
    let mut tags = Tags::<u64>::new();
    (1..=2).for_each(|tag| tags.ask(tag, None, false));
    assert!(tags.is_out(1) && tags.is_out(2) && !tags.is_out(3));
    tags.abandon(2);
    assert!(tags.is_out(2));
    for tag in [1, 2] {
        let _ = tags.wakes(tag, reply(tag));
        assert!(!tags.is_out(tag));
    }
}

#[test]
fn a_call_is_no_larger_for_the_sinks_of_others() {
    assert!(size_of::<Call<std::task::Waker, std::sync::Arc<dyn Send>>>() <= size_of::<Call<std::task::Waker, ()>>());
}
