//! Who waits for which answer, without a runtime and without a clock.

mod sinks;
mod two_ends;

use std::time::Duration;

use ::bytes::BytesMut;

use super::*;
use crate::packet::{AskTag, Packet, Tag, put_answer};
use crate::sample_commands::Item;
use crate::wire::{BoxDecoder, BoxLimits};

/// A sink is a number here.
type Tags<W> = super::Tags<W, u64>;

impl<W> Tags<W> {
    /// Takes in an answer that goes to no sink, and returns the waiter for it.
    fn wakes(&mut self, tag: u64, reply: ReplyPacket) -> Result<Option<W>, UnknownTag> {
        self.answer(tag, reply).map(|delivery| match delivery {
            Delivery::Wake(waiter) => waiter,
            Delivery::HandOver(sink, _) => panic!("{tag} has the sink {sink}"),
        })
    }
}

fn item(number: u64) -> Item {
    Item { a: i64::try_from(number).unwrap_or(-1), b: None }
}

/// An answer that says which one it is.
fn reply(number: u64) -> ReplyPacket {
    let mut bytes = Vec::new();
    put_answer(&mut bytes, &AskTag::of(Tag::of(number).as_bytes()), &item(number), BoxLimits::DEFAULT, None)
        .expect("a short answer");
    match packets(&bytes).pop() {
        Some(Packet::Reply { reply, .. }) => reply,
        other => panic!("{other:?}"),
    }
}

fn packets(bytes: &[u8]) -> Vec<Packet> {
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(bytes));
    std::iter::from_fn(|| decoder.next_box().expect("boxes").map(|raw| Packet::parse(raw).expect("a packet"))).collect()
}

fn number_in(reply: &ReplyPacket) -> u64 {
    let (_, value) = reply.raw.pairs().last().expect("the number");
    String::from_utf8_lossy(value).parse().expect("a number")
}

/// A tags whose calls wait as their own tags.
fn asked(count: u64) -> Tags<u64> {
    let mut tags = Tags::new();
    for tag in 1..=count {
        assert_eq!(tags.next_tag(), tag);
        tags.ask(tag, None, false);
    }
    tags
}

fn progress(tags: &mut Tags<u64>, tag: u64) -> String {
    match tags.poll(tag, |_| Some(tag)) {
        Progress::Answered(reply) => format!("answered {}", number_in(&reply)),
        Progress::Pending(_) => "pending".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// What it holds: places in the window, calls in the map, calls that are out.
fn held<W>(tags: &Tags<W>) -> (usize, usize, usize) {
    (tags.window.len(), tags.old.len(), tags.out)
}

#[test]
fn rule_13_tags_count_up_from_1_and_asks_without_answer_use_them_up() {
    let mut tags = asked(3);
    tags.skip();
    assert_eq!(tags.next_tag(), 5);
    assert_eq!(tags.wakes(4, reply(4)).err(), Some(UnknownTag), "rule 20: nobody waits for it");
}

#[test]
fn rule_17_answers_out_of_order_find_their_calls() {
    let mut tags = asked(5);
    for tag in [3, 5, 1, 4, 2] {
        assert_eq!(progress(&mut tags, tag), "pending");
        assert_eq!(tags.wakes(tag, reply(tag)), Ok(Some(tag)), "whoever waits is woken");
    }
    assert!(!tags.is_awaited());
    for tag in 1..=5 {
        assert_eq!(progress(&mut tags, tag), format!("answered {tag}"));
        assert_eq!(progress(&mut tags, tag), "lost", "an answer is taken once");
    }
}

#[test]
fn rule_19_an_answer_to_a_tag_that_is_not_out_is_told() {
    let mut tags = asked(2);
    assert_eq!(tags.wakes(2, reply(2)), Ok(Some(2)));
    for tag in [0, 2, 3, u64::MAX] {
        assert_eq!(tags.wakes(tag, reply(1)), Err(UnknownTag), "{tag}");
    }
    assert_eq!(progress(&mut tags, 2), "answered 2", "the first answer stays");
    assert_eq!(tags.wakes(2, reply(2)), Err(UnknownTag), "taken long ago");
}

#[test]
fn calls_that_take_no_place_are_overdue_from_their_time_on_until_they_are_answered_whoever_waits() {
    let (mut tags, now) = (Tags::new(), Instant::now());
    for tag in 1..=5 {
        tags.ask(tag, Some(now), tag != 5);
    }
    assert_eq!(tags.abandon(4), (Some(4), None), "nobody waits for it before its time");
    assert_eq!(tags.expire(now, |_| ()), None);
    assert_eq!(tags.overdue(), 3, "neither one that was given up before nor one that takes a place");
    assert_eq!(progress(&mut tags, 2), "expired");
    assert_eq!(tags.abandon(3), (None, None));
    assert_eq!(tags.overdue(), 3);
    for (tag, left) in [(1, 2), (2, 1), (4, 1), (5, 1), (3, 0)] {
        tags.wakes(tag, reply(tag)).expect("it is out");
        assert_eq!(tags.overdue(), left, "{tag}");
    }
    tags.ask(6, Some(now), true);
    tags.expire(now, |_| ());
    tags.close(|_| (), |_, _| ());
    assert_eq!(tags.overdue(), 0);
}

/// An answer of so many bytes.
fn large(bytes: usize) -> ReplyPacket {
    let mut answer = crate::wire::AmpBox::new().with("_answer", "1").expect("short");
    answer.insert("pad", vec![7; bytes]).expect("one value");
    let mut encoded = Vec::new();
    answer.encode(&mut encoded);
    match packets(&encoded).pop() {
        Some(Packet::Reply { reply, .. }) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_large_untaken_answers_hold_is_known_however_they_go() {
    let mut tags = asked(6);
    for tag in 1..=5 {
        assert_eq!(tags.wakes(tag, large(60_000)), Ok(Some(tag)));
    }
    let five = tags.held();
    assert!(five > 5 * 60_000);
    assert!(matches!(tags.poll(2, |_| None), Progress::Answered(_)));
    assert_eq!(tags.abandon(3), (None, None));
    assert_eq!(tags.held(), five / 5 * 3);
    tags.close(|_| (), |_, _| ());
    assert_eq!(tags.held(), five / 5 * 3, "answers that have come stay to be taken");
    for tag in [1, 4, 5] {
        assert!(matches!(tags.poll(tag, |_| None), Progress::Answered(_)));
    }
    assert_eq!(tags.held(), 0);
    let mut tags = asked(1);
    assert_eq!(tags.wakes(1, reply(1)), Ok(Some(1)));
    assert_eq!(tags.held(), 0, "a small one is not worth it");
}

#[test]
fn many_untaken_answers_do_not_hold_the_buffer_that_they_were_read_into() {
    let mut tags = asked(500);
    let mut buffer = Vec::new();
    for tag in 1..=500 {
        put_answer(&mut buffer, &AskTag::of(Tag::of(tag).as_bytes()), &item(tag), BoxLimits::DEFAULT, None)
            .expect("short");
    }
    let whole = bytes::Bytes::from(buffer);
    let range = whole.as_ptr().addr()..whole.as_ptr().addr() + whole.len();
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(whole));
    for tag in 1..=500 {
        let raw = decoder.next_box().expect("boxes").expect("one for each");
        let Ok(Packet::Reply { reply, .. }) = Packet::parse(raw) else { panic!("a reply") };
        tags.wakes(tag, reply).expect("it is out");
    }
    let mut shared = 0;
    for tag in 1..=500 {
        let Progress::Answered(reply) = tags.poll(tag, |_| None) else { panic!("an answer") };
        shared += usize::from(range.contains(&reply.raw.as_bytes().as_ptr().addr()));
    }
    assert_eq!(shared, MAX_SHARED);
}

#[test]
fn the_latest_waiter_is_woken() {
    let mut tags = Tags::new();
    tags.ask("first", None, false);
    assert!(matches!(tags.poll(1, |_| None), Progress::Pending(None)), "it stays");
    let mut before = None;
    let second = |old: Option<&_>| {
        before = old.copied();
        Some("second")
    };
    assert!(matches!(tags.poll(1, second), Progress::Pending(Some("first"))));
    assert_eq!(before, Some("first"));
    assert_eq!(tags.wakes(1, reply(1)), Ok(Some("second")));
}

#[test]
fn the_late_answer_of_an_abandoned_call_is_discarded_and_a_second_one_is_unknown() {
    let mut tags = asked(2);
    tags.abandon(1);
    assert!(tags.is_awaited(), "the other call");
    tags.abandon(2);
    assert!(!tags.is_awaited());
    assert_eq!(tags.next_tag(), 3, "the tag stays out");
    assert_eq!(tags.wakes(1, reply(1)), Ok(None));
    assert_eq!(tags.wakes(1, reply(1)), Err(UnknownTag));
    assert_eq!(progress(&mut tags, 2), "lost");
}

#[test]
fn a_call_that_is_abandoned_after_its_answer_leaves_nothing_behind() {
    let mut tags = asked(1);
    assert_eq!(tags.wakes(1, reply(1)), Ok(Some(1)));
    tags.abandon(1);
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn calls_whose_answers_wait_to_be_taken_stay_in_the_window() {
    let mut tags = asked(1000);
    for tag in 1..=1000 {
        assert_eq!(tags.wakes(tag, reply(tag)), Ok(Some(tag)));
    }
    for tag in 1..=1000 {
        assert_eq!(progress(&mut tags, tag), format!("answered {tag}"));
        tags.ask(1000 + tag, None, false);
        assert_eq!(held(&tags), (1000, 0, usize::try_from(tag).expect("small")));
    }
}

#[test]
fn calls_expire_at_their_deadline_and_the_next_deadline_is_told() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut tags = Tags::new();
    for (tag, deadline) in [(1, Some(at(5))), (2, None), (3, Some(at(2))), (4, Some(at(9)))] {
        tags.ask(tag, deadline, false);
    }
    let mut woken = Vec::new();
    assert_eq!(tags.expire(at(1), |tag| woken.push(tag)), Some(at(2)));
    assert_eq!(tags.expire(at(5), |tag| woken.push(tag)), Some(at(9)));
    assert_eq!(woken, [1, 3]);
    assert_eq!(tags.wakes(1, reply(1)), Ok(None), "too late, and not unknown");
    assert_eq!(progress(&mut tags, 1), "expired", "although its answer came before the caller looked");
    assert_eq!(progress(&mut tags, 3), "expired");
    assert_eq!(tags.wakes(3, reply(3)), Ok(None), "later still");
    assert_eq!(tags.wakes(3, reply(3)), Err(UnknownTag));
    assert_eq!(tags.wakes(4, reply(4)), Ok(Some(4)));
    assert_eq!(tags.expire(at(100), |_| panic!("an answered call expires")), None);
    assert_eq!(progress(&mut tags, 4), "answered 4");
    assert!(tags.is_awaited(), "the call without a deadline");
}

#[test]
fn rule_25_closing_wakes_who_waits_and_keeps_the_answers_that_came() {
    let mut tags = asked(4);
    assert_eq!(tags.wakes(2, reply(2)), Ok(Some(2)));
    tags.abandon(3);
    let mut woken = Vec::new();
    tags.close(|tag| woken.push(tag), |_, _| {});
    assert_eq!(woken, [1, 4]);
    assert!(!tags.is_awaited());
    let after: Vec<_> = (1..=4).map(|tag| progress(&mut tags, tag)).collect();
    assert_eq!(after, ["lost", "answered 2", "lost", "lost"]);
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn long_calls_while_100_000_short_ones_pass_keep_the_memory_bounded() {
    let mut tags = Tags::new();
    for long in 0..10 {
        let patient = tags.next_tag();
        tags.ask(patient, None, false);
        for _ in 0..100_000 / 10 {
            let tag = tags.next_tag();
            tags.ask(tag, None, false);
            assert_eq!(tags.wakes(tag, reply(7)), Ok(Some(tag)));
            assert_eq!(progress(&mut tags, tag), "answered 7");
            assert!(tags.window.len() <= SLACK + 8, "{} in the window", tags.window.len());
            assert!(tags.old.len() <= 1, "{} in the map", tags.old.len());
        }
        assert_eq!(progress(&mut tags, patient), "pending");
        assert_eq!(tags.wakes(patient, reply(patient)), Ok(Some(patient)));
        assert_eq!(progress(&mut tags, patient), format!("answered {patient}"));
        assert_eq!(tags.old.len(), 0, "long call {long} has left something behind");
    }
    tags.skip();
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn long_calls_that_were_abandoned_or_expired_leave_nothing_behind_either() {
    let now = Instant::now();
    let mut tags = Tags::new();
    tags.ask(1, None, false);
    tags.ask(2, Some(now), false);
    tags.ask(3, Some(now), false);
    (0..1000).for_each(|_| tags.skip());
    assert_eq!(tags.old.len(), 3);
    tags.abandon(1);
    assert_eq!(tags.expire(now, |_| {}), None);
    assert_eq!(progress(&mut tags, 2), "expired");
    for tag in 1..=3 {
        assert_eq!(tags.wakes(tag, reply(tag)), Ok(None));
    }
    assert_eq!(progress(&mut tags, 3), "expired");
    tags.skip();
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn a_free_call_leaves_the_count_of_calls_as_it_is_and_is_awaited_like_any_other() {
    let mut tags = Tags::new();
    tags.ask(1, None, true);
    assert_eq!((tags.counted(), tags.is_awaited()), (0, true));
    tags.ask(2, None, false);
    tags.ask(3, None, true);
    assert_eq!(tags.counted(), 1);
    assert_eq!(tags.wakes(1, reply(1)), Ok(Some(1)));
    assert_eq!(tags.counted(), 1);
    assert_eq!(tags.wakes(2, reply(2)), Ok(Some(2)));
    assert_eq!((tags.counted(), tags.is_awaited()), (0, true));
    tags.abandon(3);
    assert_eq!((tags.counted(), tags.is_awaited()), (0, false));
    assert_eq!(tags.wakes(3, reply(3)), Ok(None));
    tags.ask(4, None, false);
    assert_eq!((tags.counted(), tags.is_awaited()), (1, true));
}

#[test]
fn an_answer_that_was_moved_aside_before_the_end_can_be_taken_after_it() {
    let mut tags = asked(2);
    assert_eq!(tags.wakes(1, reply(1)), Ok(Some(1)));
    for _ in 0..1000 {
        tags.skip();
        let tag = tags.next_tag();
        tags.ask(tag, None, false);
        assert_eq!(tags.wakes(tag, reply(tag)), Ok(Some(tag)));
        assert_eq!(progress(&mut tags, tag), format!("answered {tag}"));
    }
    assert!(tags.old.contains_key(&1), "the window stays short");
    let mut woken = Vec::new();
    tags.close(|tag| woken.push(tag), |_, _| {});
    assert_eq!(woken, [2]);
    assert_eq!(progress(&mut tags, 1), "answered 1");
    assert_eq!(progress(&mut tags, 2), "lost");
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn a_marked_notification_is_no_call_and_its_answer_is_credit_once() {
    let mut tags = Tags::<u64>::new();
    tags.mark();
    tags.mark();
    assert_eq!((tags.next_tag(), tags.counted(), tags.is_awaited()), (3, 0, false));
    assert_eq!(tags.take_credit(), 0);
    assert_eq!(tags.wakes(2, reply(2)), Ok(None));
    assert_eq!(tags.wakes(2, reply(2)), Err(UnknownTag));
    assert_eq!(tags.wakes(1, reply(1)), Ok(None));
    assert_eq!((tags.take_credit(), tags.take_credit()), (2, 0));
    assert_eq!(held(&tags), (0, 0, 0));
    tags.mark();
    tags.close(|_| panic!("nobody waits"), |_, _| panic!("there is no sink"));
    assert_eq!(held(&tags), (0, 0, 0));
}

#[test]
fn a_long_call_while_100_000_marked_notifications_pass_keeps_the_memory_bounded() {
    let mut tags = asked(1);
    for _ in 0..100_000 {
        let tag = tags.next_tag();
        tags.mark();
        assert_eq!(tags.wakes(tag, reply(7)), Ok(None));
        assert!(tags.window.len() <= SLACK + 8, "{} in the window", tags.window.len());
    }
    assert_eq!(tags.take_credit(), 100_000);
    assert_eq!(progress(&mut tags, 1), "pending");
}
